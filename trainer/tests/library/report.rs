//! Reports of every kind of data.

use std::fs;

use ndarray::Array2;

use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, LoadOptions, load, npy};
use trainer::report::{Report, drawings, figure, reconstruction};

/// The data of a file of this name and contents, and predictions that are off by a tenth of the range and a wave.
fn example(name: &str, bytes: &[u8]) -> (Dataset, Array2<f32>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    let data = load(&path, &LoadOptions::default()).unwrap();
    let predictions = Array2::from_shape_fn(data.targets.dim(), |(sample, output)| {
        let map = data.output_maps[output];
        let unit = data.targets[[sample, output]] + 0.1 * ((sample % 17) as f32 / 8.0 - 1.0);
        unit * map.scale + map.offset
    });
    (data, predictions)
}

fn npy_of(shape: &[usize]) -> Vec<u8> {
    let len = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..len).map(|k| 236.0 + 840.0 * ((k * k) % 101) as f32 / 100.0).collect();
    let mut bytes = Vec::new();
    npy::write(&mut bytes, shape, &values).unwrap();
    bytes
}

#[test]
fn every_kind_of_data_has_a_report() {
    let grey = image::GrayImage::from_fn(24, 16, |x, y| image::Luma([(x * 10 + y) as u8]));
    let rgb = image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([(x * 10) as u8, (y * 15) as u8, 128]));
    let png = |pixels: &[u8], color| figure::encode_png(pixels, (24, 16), color).unwrap();
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("g.png", png(&grey, image::ExtendedColorType::L8), &["target", "reconstruction", "error"]),
        ("c.png", png(&rgb, image::ExtendedColorType::Rgb8), &["target", "reconstruction", "error"]),
        ("line.npy", npy_of(&[200]), &["reconstruction", "error"]),
        ("map.npy", npy_of(&[30, 40]), &["target", "reconstruction", "error"]),
        ("volume.npy", npy_of(&[3, 30, 40]), &["target", "reconstruction", "error"]),
        ("t.csv", b"a,b,c\n1,2,3\n2,3,5\n3,1,4\n".to_vec(), &["scatter"]),
    ];
    // One folder for all: each report replaces the one before.
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes, pictures) in cases {
        fs::write(directory.path().join("target_1.png"), "of a run with two outputs").unwrap();
        let (dataset, predictions) = example(name, &bytes);
        let metrics =
            [("all <samples>".to_owned(), Metrics::compare(&predictions, &dataset.targets, &dataset.output_maps))];
        let report = Report {
            title: name,
            summary: "",
            dataset: &dataset,
            predictions: &predictions,
            artifact: None,
            losses: &[(0, 0.3), (50, 0.01), (100, 0.002)],
            choice: None,
            metrics: &metrics,
            advice: &["A remark.".to_owned()],
            settings: &[("seed".to_owned(), "0".to_owned())],
        };
        report.write(directory.path()).unwrap();
        let drawn = fs::read_dir(directory.path()).unwrap().count() - 1;
        assert_eq!(drawn, pictures.len() + 1, "{name}: its drawings and the loss, beside the page");
        let html = fs::read_to_string(directory.path().join("report.html")).unwrap();
        assert!(html.contains("all &lt;samples&gt;") && !html.contains("http"), "{name}");
        for picture in pictures.iter().chain(&["loss"]) {
            let png = fs::read(directory.path().join(format!("{picture}.png"))).unwrap();
            assert!(image::load_from_memory(&png).unwrap().width() > 500, "{name} {picture}");
            assert!(html.contains(&format!("alt=\"{picture}\"")), "{name} {picture}");
        }
        assert!(reconstruction(&dataset, &predictions).is_ok());
    }
}

#[test]
fn a_reconstructed_picture_has_the_pixels_of_the_predictions() {
    let png = figure::encode_png(&[0, 51, 255, 102], (2, 2), image::ExtendedColorType::L8).unwrap();
    let (dataset, _) = example("p.png", &png);
    let exact = reconstruction(&dataset, &dataset.targets).unwrap();
    assert_eq!(image::load_from_memory(&exact).unwrap().to_luma8().into_raw(), [0, 51, 255, 102]);
}

/// Text is drawn with the embedded font: without it plotters refuses or draws nothing.
#[test]
fn text_is_visible_without_system_fonts() {
    let (dataset, predictions) = example("map.npy", &npy_of(&[30, 40]));
    let target = &drawings(&dataset, &predictions).unwrap()[0];
    let picture = image::load_from_memory(&target.png).unwrap().to_luma8();
    let dark_in_title = (0..50)
        .flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
        .filter(|&(x, y)| picture.get_pixel(x, y).0[0] < 100)
        .count();
    assert!(dark_in_title > 100, "{dark_in_title} dark pixels");
}

#[test]
fn grids_with_holes_are_drawn_even_if_a_slice_or_an_end_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let options = LoadOptions { no_data: vec![-1.0], ..LoadOptions::default() };
    // The middle one of three slices, which is drawn, has no data; of the line, the first half.
    for (shape, holes, caption) in [
        (vec![3, 6, 7], 42..84, "Cells without data are grey."),
        (vec![60], 0..30, "straight over samples without data"),
    ] {
        let mut values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|k| k as f32).collect();
        values[holes.clone()].fill(-1.0);
        let mut bytes = Vec::new();
        npy::write(&mut bytes, &shape, &values).unwrap();
        let path = directory.path().join("holes.npy");
        fs::write(&path, bytes).unwrap();
        let dataset = load(&path, &options).unwrap();
        assert_eq!(dataset.len(), values.len() - holes.len());
        let predictions =
            dataset.targets.mapv(|unit| unit * dataset.output_maps[0].scale + dataset.output_maps[0].offset);
        let drawings = drawings(&dataset, &predictions).unwrap();
        assert!(drawings[0].caption.contains(caption), "{}", drawings[0].caption);
        assert!(reconstruction(&dataset, &predictions).is_ok());
    }
}
