//! PNG and JPEG pictures, grey or RGB, 8 or 16 bits, as samples of intensity in [0, 1].
//!
//! The pixels are taken as they are stored: no gamma, no EXIF rotation. A fully opaque alpha channel is dropped; any
//! other picture with alpha is composited over white, as a page would show it. Palettes are expanded.

use image::{DynamicImage, GenericImageView, ImageFormat, ImageResult};
use ndarray::Array2;

use super::domain::{self, OutputMap};
use super::{Dataset, Kind};

/// Decodes a picture into samples in row-major order, x (the column) first.
pub(super) fn dataset(bytes: &[u8], format: ImageFormat) -> ImageResult<Dataset> {
    let picture = image::load_from_memory_with_format(bytes, format)?;
    let (width, height) = picture.dimensions();
    let (width, height) = (width as usize, height as usize);
    let (targets, channels) = intensities(&picture);

    let shape = [height, width];
    let axes: Vec<_> = shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
    let points = domain::lattice_points(&shape);
    let names: &[&str] = if channels == 1 { &["intensity"] } else { &["red", "green", "blue"] };
    Ok(Dataset {
        coordinates: domain::to_fixed(&points, &axes),
        points,
        targets: Array2::from_shape_vec((width * height, channels), targets).expect("one value per pixel and channel"),
        axes,
        output_maps: vec![OutputMap { scale: 1.0, offset: 0.0 }; channels],
        kind: Kind::Image { width, height, channels },
        input_names: domain::index_names(2),
        output_names: names.iter().map(|name| (*name).to_owned()).collect(),
        input_units: Vec::new(),
        output_units: Vec::new(),
        input_origins: vec![0.0; 2],
        output_origins: vec![0.0; channels],
        cells: None,
        notes: Vec::new(),
    })
}

/// Intensities in [0, 1], pixel by pixel, without alpha; and the number of channels, 1 or 3.
fn intensities(picture: &DynamicImage) -> (Vec<f32>, usize) {
    let color = picture.color();
    let channels = if color.has_color() { 3 } else { 1 };
    // 16 bits hold 8-bit values exactly (v·257), so one path serves both depths.
    let values: Vec<u16> = match (channels, color.has_alpha()) {
        (1, false) => picture.to_luma16().into_raw(),
        (1, true) => picture.to_luma_alpha16().into_raw(),
        (_, false) => picture.to_rgb16().into_raw(),
        (_, true) => picture.to_rgba16().into_raw(),
    };
    let unit = |v: u16| f32::from(v) / f32::from(u16::MAX);
    if !color.has_alpha() {
        return (values.into_iter().map(unit).collect(), channels);
    }
    let over_white = |pixel: &[u16]| {
        let alpha = unit(pixel[channels]);
        pixel[..channels]
            .iter()
            .map(move |&v| if alpha == 1.0 { unit(v) } else { unit(v) * alpha + (1.0 - alpha) })
            .collect::<Vec<_>>()
    };
    (values.chunks_exact(channels + 1).flat_map(over_white).collect(), channels)
}
