//! What cannot be represented is refused by name.

use super::*;

fn refusal(name: &str, params: &ImportParams) -> String {
    read(name, params).expect_err("a refusal").to_string()
}

#[test]
fn skip_connections_and_normalization_are_refused_by_the_names_of_their_tensors() {
    let sentence = refusal("skip", &ImportParams::default());
    assert_eq!(
        sentence,
        "layers.1.weight takes 16 values, and the layer before it gives 8; a skip connection cannot be represented"
    );
    let sentence = refusal("batch_norm", &ImportParams::default());
    assert!(sentence.contains("1.running_mean [8], 1.running_var [8], 1.weight [8]"), "{sentence}");
    assert!(sentence.ends_with("batch normalization must be multiplied into the layer before it"), "{sentence}");
}

#[test]
fn sizes_of_the_data_and_of_a_device_are_compared_with_those_of_the_network() {
    let read =
        |params: &ImportParams, data| SourceNetwork::read(&file("tancik"), params, data).unwrap_err().to_string();
    let plain = ImportParams::default();
    assert!(
        read(&plain, (3, 3)).contains("the tensor B has the shape [16, 2]; frequencies of 3 inputs have the shape")
    );
    assert!(
        read(&plain, (2, 1)).contains("layers.2.weight, the last layer, gives 3 values, and the data have 1 outputs")
    );

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wide.safetensors");
    let mut tensors = Tensors::default();
    tensors.put("B", &[1025, 1], &vec![1.0f32; 1025]);
    tensors.put("0.weight", &[1, 2050], &vec![0.0f32; 2050]);
    tensors.write(&path).unwrap();
    let sentence = SourceNetwork::read(&path, &plain, (1, 1)).unwrap_err().to_string();
    assert_eq!(sentence, "the number of frequencies is 1025, and a device takes up to 1024; train a smaller network");

    // Inputs beside their features, as NeRF has them.
    let mut tensors = Tensors::default();
    tensors.put("B", &[4, 2], &[1.0f32; 8]);
    tensors.put("0.weight", &[1, 10], &[0.0f32; 10]);
    tensors.write(&path).unwrap();
    let sentence = SourceNetwork::read(&path, &plain, (2, 1)).unwrap_err().to_string();
    assert!(
        sentence.starts_with("0.weight takes 10 values, and 4 frequencies give 8 features; a network that is given")
    );
}

#[test]
fn what_the_file_does_not_tell_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.safetensors");
    let mut tensors = Tensors::default();
    tensors.put("0.weight", &[3, 2], &[0.5f32; 6]);
    tensors.put("2.weight", &[1, 3], &[0.5f32; 3]);
    tensors.write(&path).unwrap();
    let read = |params: ImportParams| SourceNetwork::read(&path, &params, (2, 1));
    assert!(
        read(ImportParams::default()).unwrap_err().to_string().ends_with("give --activation relu or --activation sine")
    );
    let relu = ImportParams { activation: Some(HiddenActivation::Relu), ..ImportParams::default() };
    // (0.5 · 2 + 0.5 · 4) · 0.5, three times: no bias is zero.
    let network = read(relu.clone()).unwrap();
    assert_eq!(network.outputs(ndarray::array![[2.0, 4.0], [-9.0, 1.0]].view()), ndarray::array![[4.5], [0.0]]);
    let sine = |omega| ImportParams { activation: Some(HiddenActivation::Sine), omega: Some(omega), ..relu.clone() };
    let network = read(sine((2.0, 7.0))).unwrap();
    let found = network.outputs(ndarray::array![[0.25, 0.5]].view())[[0, 0]];
    assert!((found - 1.5 * 0.75f64.sin()).abs() < 1e-12, "{found}");
    assert!(read(sine((0.0, 1.0))).unwrap_err().to_string().starts_with("an ω₀ of 0 is not possible"));
    let map = vec!["layers.0=fc1".parse().unwrap()];
    let sentence = read(ImportParams { map, ..relu }).unwrap_err().to_string();
    assert!(sentence.ends_with("has no tensor fc1.weight; it has 0.weight [3, 2], 2.weight [1, 3]"), "{sentence}");
}

#[test]
fn numbers_that_are_no_weights_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.safetensors");
    let read = |tensors: &Tensors| {
        tensors.write(&path).unwrap();
        let params = ImportParams { activation: Some(HiddenActivation::Relu), ..ImportParams::default() };
        SourceNetwork::read(&path, &params, (2, 1)).unwrap_err().to_string()
    };
    let mut tensors = Tensors::default();
    tensors.put("fc.weight", &[1, 2], &[0u32, 1]);
    assert!(read(&tensors).contains("holds numbers of the type U32, and F16, BF16, F32 and F64 are read"));
    tensors.put("fc.weight", &[1, 2], &[0.5, f32::NAN]);
    assert_eq!(read(&tensors), "the tensor fc.weight holds a number that is not finite; the training diverged");
    tensors.put("fc.weight", &[1, 2, 3, 3], &[0.5f32; 18]);
    assert!(read(&tensors).contains("has the shape [1, 2, 3, 3]; a device has layers whose weights are a matrix"));
    let mut tensors = Tensors::default();
    tensors.put("x", &[2], &[0.5f32; 2]);
    assert!(
        read(&tensors)
            .contains("holds tensors that are no part of a network of Fourier features or sine layers: x [2]")
    );
    tensors.put("fc.weight", &[1, 2], &[0.5f32; 2]);
    tensors.put_settings(&"of a run");
    assert!(read(&tensors).contains("is the network of a run of this program; use `trainer quantize "));
}
