//! Networks that PyTorch and Flax wrote: `testdata/import/make.py` made the files and the outputs that these libraries
//! compute.

mod fitted;
mod refusals;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use trainer::import::{
    Gamma, ImportError, ImportParams, InputRange, Layout, OutputFunction, Reading, SourceNetwork, Units, better,
};
use trainer::network::HiddenActivation;
use trainer::store::tensors::Tensors;

/// What a library in f32 may differ by from the same network in f64.
const TOLERANCE: f64 = 1e-5;

fn file(name: &str) -> PathBuf {
    Path::new("testdata/import").join(format!("{name}.safetensors"))
}

/// Points and what the library gave there.
fn known(name: &str) -> [Array2<f64>; 2] {
    let tensors = Tensors::read(&file(&format!("{name}.outputs"))).unwrap();
    ["points", "outputs"].map(|of| {
        let (shape, values) = tensors.numbers(of).unwrap();
        Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
    })
}

fn read(name: &str, params: &ImportParams) -> Result<SourceNetwork, ImportError> {
    let [points, outputs] = known(name);
    SourceNetwork::read(&file(name), params, (points.ncols(), outputs.ncols()))
}

/// The largest difference of a network from what its library computed.
fn difference(name: &str, params: &ImportParams) -> f64 {
    let [points, outputs] = known(name);
    let found = read(name, params).unwrap().outputs(points.view());
    found.iter().zip(&outputs).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
}

/// Networks of the libraries, each with how its file is to be read.
fn networks() -> [(&'static str, ImportParams); 8] {
    let as_named = ImportParams::default;
    let sin_cos = || ImportParams { gamma: Gamma::SinCos, ..as_named() };
    [
        ("tancik", as_named()),
        ("tancik_sin_cos", sin_cos()),
        ("rff", as_named()),
        ("siren", as_named()),
        ("siren_to_the_end", as_named()),
        ("siren_pytorch", as_named()),
        ("pixels", ImportParams { output: Some(OutputFunction::Sigmoid), ..sin_cos() }),
        ("flax", sin_cos()),
    ]
}

#[test]
fn networks_of_the_libraries_give_the_outputs_that_the_libraries_computed() {
    // These were computed in f32 from the numbers that the file holds.
    let in_other_numbers = ["f16", "bf16", "f64"].map(|name| (name, ImportParams::default()));
    for (name, params) in networks().into_iter().chain(in_other_numbers) {
        let difference = difference(name, &params);
        assert!(difference < TOLERANCE, "{name}: {difference:e}");
    }
}

#[test]
fn a_wrong_reading_gives_other_outputs() {
    let as_named = ImportParams::default();
    let sin_cos = ImportParams { gamma: Gamma::SinCos, ..as_named.clone() };
    let other_omega = ImportParams { omega: Some((30.0, 30.0)), ..as_named.clone() };
    let linear = ImportParams { output: Some(OutputFunction::Linear), ..as_named.clone() };
    let radians = ImportParams { radians: true, ..as_named.clone() };
    let normalized = ImportParams { normalize: true, ..as_named.clone() };
    for (name, params) in [
        ("tancik", &sin_cos),
        ("tancik", &radians),
        ("tancik", &normalized),
        ("flax", &as_named),
        ("siren_pytorch", &other_omega),
        ("siren_to_the_end", &linear),
    ] {
        assert!(difference(name, params) > 1e-2, "{name}, {params:?}");
    }
}

#[test]
fn names_that_tell_nothing_are_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("renamed.safetensors");
    let original = Tensors::read(&file("tancik")).unwrap();
    let mut renamed = Tensors::default();
    for (old, new) in [
        ("B", "encoder.projection"),
        ("layers.0.weight", "enter.weight"),
        ("layers.0.bias", "enter.bias"),
        ("layers.1.weight", "W1"),
        ("layers.1.bias", "b1"),
        ("layers.2.weight", "leave/kernel"),
        ("layers.2.bias", "leave/bias"),
    ] {
        let (shape, values) = original.get::<f32>(old).unwrap();
        renamed.put(new, shape, &values);
    }
    renamed.put("epoch", &[1], &[12.0f32]);
    renamed.write(&path).unwrap();
    let map = "B=encoder.projection,layers.0=enter,layers.1.weight=W1,layers.1.bias=b1,layers.2=leave";
    let params = ImportParams {
        map: map.split(',').map(|mapping| mapping.parse().unwrap()).collect(),
        ignore: vec!["epoch".to_owned()],
        layout: Some(Layout::OutIn),
        ..ImportParams::default()
    };
    let network = SourceNetwork::read(&path, &params, (2, 3)).unwrap();
    let expected = read("tancik", &ImportParams::default()).unwrap();
    let points = known("tancik")[0].clone();
    assert_eq!(network.outputs(points.view()), expected.outputs(points.view()));
    let unmapped = SourceNetwork::read(&path, &ImportParams::default(), (2, 3)).unwrap_err().to_string();
    assert!(unmapped.contains("encoder.projection [16, 2], epoch [1]"), "{unmapped}");
}

#[test]
fn inputs_in_another_order_are_put_in_that_of_the_data() {
    // Of each network the input k is the input `order[k]` of the data.
    for (name, order) in [("tancik", &[1, 0][..]), ("siren", &[1, 0]), ("rff", &[2, 0, 1])] {
        let network = read(name, &ImportParams::default()).unwrap();
        let points = known(name)[0].clone();
        let mut of_data = points.clone();
        for (k, &column) in order.iter().enumerate() {
            of_data.column_mut(column).assign(&points.column(k));
        }
        let apart = network.with_inputs(order).outputs(of_data.view()) - network.outputs(points.view());
        // Sums in another order round otherwise.
        assert!(apart.iter().all(|difference| difference.abs() < 1e-12), "{name}: {apart}");
        assert!((network.outputs(of_data.view()) - network.outputs(points.view())).iter().any(|d| d.abs() > 1e-3));
    }
}

#[test]
fn ranges_are_written_as_they_are_read() {
    for text in ["0..1", "-1..=1", "-0.5..2.25"] {
        assert_eq!(text.parse::<InputRange>().unwrap().to_string(), text);
    }
    for text in ["1..0", "0", "0..", "a..b", "0..inf", "1..1"] {
        assert!(text.parse::<InputRange>().is_err(), "{text}");
    }
    assert_eq!(InputRange::UNIT.to_string(), "0..1");
    assert_eq!(InputRange::SYMMETRIC.to_string(), "-1..=1");
}
