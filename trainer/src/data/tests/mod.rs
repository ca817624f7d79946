//! Whole files of every format, good and bad, as data sets. What the tests share is here.

mod grids;
mod holdout;
mod numpy;
mod pictures;
mod refusals;
mod tables;

use std::io::Cursor;

use super::*;

/// Writes `bytes` to a file of this name and loads it.
fn load_bytes(name: &str, bytes: &[u8], options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).expect("a file in it");
    load(&path, options)
}

fn load_plain(name: &str, bytes: &[u8]) -> Result<Dataset, DatasetError> {
    load_bytes(name, bytes, &LoadOptions::default())
}

fn columns(inputs: &[&str], outputs: &[&str]) -> LoadOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LoadOptions { inputs: owned(inputs), outputs: owned(outputs), ..LoadOptions::default() }
}

/// A file of the folder of test data, whose README says what it holds.
fn testdata(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/grids").join(name)
}

fn load_testdata(name: &str, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    load(&testdata(name), options)
}

/// The targets of one output in the data's own numbers.
fn in_units(data: &Dataset, output: usize) -> Vec<f64> {
    let map = data.output_maps[output];
    data.targets
        .column(output)
        .iter()
        .map(|&unit| f64::from(unit) * f64::from(map.scale) + f64::from(map.offset))
        .collect()
}

/// Whether numbers agree to single precision.
fn agree(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs()) * 10.0)
}

/// The error as the command line prints it: the causes after colons, all in one line.
fn message(result: Result<Dataset, DatasetError>) -> String {
    let mut error: &dyn std::error::Error = &result.expect_err("this input is bad");
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

fn png(picture: &::image::DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ::image::ImageFormat::Png).expect("encodes");
    bytes.into_inner()
}

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_f32(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    npy::write(&mut bytes, shape, values).expect("shape and values agree");
    bytes
}

fn grey_picture() -> ::image::DynamicImage {
    ::image::GrayImage::from_fn(4, 2, |x, y| ::image::Luma([(x * 10 + y * 100) as u8])).into()
}
