//! Pictures of every format that is read, grey or RGB, 8 or 16 bits, as samples of intensity in [0, 1].
//!
//! The pixels are taken as they are stored: no gamma. EXIF's orientation is applied, so that a picture is learned as
//! programs show it. A fully opaque alpha channel is dropped; any other picture with alpha is composited over white, as
//! a page would show it. Palettes are expanded. Radiance HDR has no largest intensity: it is a grid of three outputs
//! with their real values.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, ImageResult};
use ndarray::Array2;

use super::domain::{self, OutputMap};
use super::grid::{Raster, constant_note};
use super::{DataKind, Dataset};

/// Decodes a picture and turns it as EXIF says.
pub(super) fn decode(bytes: &[u8], format: ImageFormat) -> ImageResult<(DynamicImage, Orientation)> {
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// Samples in row-major order, x (the column) first.
pub(super) fn dataset(mut picture: DynamicImage, orientation: Orientation) -> Dataset {
    picture.apply_orientation(orientation);
    let (width, height) = picture.dimensions();
    let (targets, channels, is_seen_through) = intensities(&picture);
    let mut dataset = from_intensities([height as usize, width as usize], targets, channels, 1.0);
    if is_seen_through {
        dataset.notes.push("note: what is transparent in the picture is shown over white".to_owned());
    }
    if orientation != Orientation::NoTransforms {
        dataset.notes.push(format!(
            "note: the picture is turned as its EXIF orientation says; it is {width} x {height} pixels then"
        ));
    }
    dataset
}

/// A picture of unit values, pixel by pixel, of 1 or 3 channels, whose `largest` intensity is that of white in the
/// file.
pub(super) fn from_intensities(shape: [usize; 2], targets: Vec<f32>, channels: usize, largest: f32) -> Dataset {
    let [height, width] = shape;
    let axes: Vec<_> = shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
    let points = domain::lattice_points(&shape);
    let names: &[&str] = if channels == 1 { &["intensity"] } else { &COLOURS };
    let is_constant = |channel: &usize| {
        let mut values = targets.iter().skip(*channel).step_by(channels);
        values.len() > 1 && values.all(|&value| value == targets[*channel])
    };
    let note = |channel: usize| constant_note(names[channel], &(largest * targets[channel]), "pixel");
    let notes = (0..channels).filter(is_constant).map(note).collect();
    Dataset {
        coordinates: domain::to_fixed(&points, &axes),
        points,
        targets: Array2::from_shape_vec((width * height, channels), targets).expect("one value per pixel and channel"),
        axes,
        output_maps: vec![OutputMap { scale: largest, offset: 0.0 }; channels],
        kind: DataKind::Image { width, height, channels },
        input_names: domain::index_names(2),
        output_names: names.iter().map(|name| (*name).to_owned()).collect(),
        input_units: Vec::new(),
        output_units: Vec::new(),
        input_origins: vec![0.0; 2],
        output_origins: vec![0.0; channels],
        cells: None,
        notes,
    }
}

/// Names of the outputs of a picture.
pub(super) const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// Radiances as they are stored.
pub(super) fn radiance(picture: &DynamicImage) -> Raster {
    let (width, height) = picture.dimensions();
    let values = picture.to_rgb32f().into_raw().into_iter().map(f64::from).collect();
    let mut raster = Raster::new(vec![height as usize, width as usize], values);
    raster.channels_last = true;
    raster.names = COLOURS.iter().map(|name| (*name).to_owned()).collect();
    raster.notes.push("note: the radiances of the picture are taken as they are, without a tone curve".to_owned());
    raster
}

/// Intensities in [0, 1], pixel by pixel, without alpha; the number of channels, 1 or 3; and whether a pixel is
/// transparent, if only in part.
fn intensities(picture: &DynamicImage) -> (Vec<f32>, usize, bool) {
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
        return (values.into_iter().map(unit).collect(), channels, false);
    }
    let units: Vec<f32> = values.into_iter().map(unit).collect();
    let is_seen_through = units.chunks_exact(channels + 1).any(|pixel| pixel[channels] < 1.0);
    (over_white(&units, channels), channels, is_seen_through)
}

/// Pixels of so many channels and alpha as a page would show them.
pub(super) fn over_white(units: &[f32], channels: usize) -> Vec<f32> {
    let shown = |pixel: &[f32]| {
        let alpha = pixel[channels];
        pixel[..channels]
            .iter()
            .map(move |&v| if alpha == 1.0 { v } else { v * alpha + (1.0 - alpha) })
            .collect::<Vec<_>>()
    };
    units.chunks_exact(channels + 1).flat_map(shown).collect()
}
