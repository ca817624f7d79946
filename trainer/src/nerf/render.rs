//! Drawing: views, depth maps, turntables and contact sheets.

use std::io;

use firmware_core::march::{Accumulator, Pixel, Ray, Sample, Volume};
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Rgb, RgbImage, RgbaImage};
use rayon::prelude::*;

use super::error::NerfError;
use super::field::Field;
use super::lens::Viewpoint;
use crate::report::colormap::Colormap;

/// The transmittance below which a ray ends: less than a step of eight bits.
pub const TERMINATION: f32 = 1.0 / 1024.0;
/// Time of a turntable's frame, milliseconds.
const FRAME_MS: u32 = 80;

/// A drawn view.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Number of pixels in a row.
    pub width: usize,
    /// `[height·width]` row-major.
    pub pixels: Vec<Pixel>,
}

/// Draws the view of a [camera](firmware_core::march::Camera), or of one [with its lens](Viewpoint). With an artifact's
/// field and a plain camera, the bits are those that [`Volume::draw`] gives on a device.
pub fn draw<'c, F: Field, C>(volume: &Volume<'_>, camera: &'c C, field: &F) -> Drawn
where
    Viewpoint: From<&'c C>,
{
    let viewpoint = Viewpoint::from(camera);
    let width = usize::from(viewpoint.camera.width);
    let rows: Vec<Vec<Pixel>> = (0..viewpoint.camera.height)
        .into_par_iter()
        .map_init(F::Scratch::default, |scratch, y| {
            let row = (0..viewpoint.camera.width).map(|x| viewpoint.ray(f32::from(x) + 0.5, f32::from(y) + 0.5));
            draw_row(volume, row, field, scratch)
        })
        .collect();
    Drawn { width, pixels: rows.concat() }
}

/// Samples of a ray that are evaluated together; behind the first opaque ones the rest is not needed.
const AHEAD: usize = 16;

/// Draws a row: all its rays advance together, a few samples at a time, so that the field sees large batches and rays
/// still end early.
fn draw_row<F: Field>(
    volume: &Volume<'_>,
    rays: impl Iterator<Item = Ray>,
    field: &F,
    scratch: &mut F::Scratch,
) -> Vec<Pixel> {
    let mut sums: Vec<_> = rays.map(|ray| (volume.samples(&ray, middle as fn() -> f32), Accumulator::new())).collect();
    let mut active: Vec<usize> = (0..sums.len()).collect();
    let (mut samples, mut logits): (Vec<Sample>, Vec<_>) = (Vec::new(), Vec::new());
    while !active.is_empty() {
        samples.clear();
        let mut ends = Vec::with_capacity(active.len());
        for &ray in &active {
            samples.extend(sums[ray].0.by_ref().take(AHEAD));
            ends.push(samples.len());
        }
        field.logits(&samples, scratch, &mut logits);
        let mut start = 0;
        let mut goes_on = ends.iter().zip(active.clone()).map(|(&end, ray)| {
            let sum = &mut sums[ray].1;
            let seen_through = (start..end).all(|i| sum.add(volume, &samples[i], &logits[i]));
            let is_full = end - start == AHEAD;
            start = end;
            seen_through && is_full
        });
        active.retain(|_| goes_on.next() == Some(true));
    }
    sums.iter().map(|(_, sum)| sum.finish(volume)).collect()
}

/// Where in its interval a sample lies when a picture is drawn.
fn middle() -> f32 {
    0.5
}

impl Drawn {
    /// Number of rows of pixels.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    /// The colour of each pixel, over the background.
    pub fn colors(&self) -> Vec<[f32; 3]> {
        self.pixels.iter().map(|pixel| pixel.color).collect()
    }

    /// Evaluations of the field per pixel.
    pub fn evaluations_per_pixel(&self) -> f64 {
        let sum: u64 = self.pixels.iter().map(|pixel| u64::from(pixel.evaluations)).sum();
        sum as f64 / self.pixels.len().max(1) as f64
    }

    /// The picture in eight bits.
    pub fn picture(&self) -> RgbImage {
        picture(self.width, &self.colors())
    }

    /// Distances as colours, from the nearest to the farthest that is seen; white where nothing is.
    pub fn depth_map(&self) -> RgbImage {
        let seen = |pixel: &&Pixel| pixel.opacity > 0.5;
        let depths = self.pixels.iter().filter(seen).map(|pixel| pixel.depth);
        let (near, far) = depths.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let color = |pixel: &Pixel| {
            if pixel.opacity <= 0.5 {
                return Rgb([255; 3]);
            }
            let part = (far - pixel.depth) / (far - near).max(f32::MIN_POSITIVE);
            Rgb(Colormap::Viridis.rgb(f64::from(part)))
        };
        let width = self.width as u32;
        RgbImage::from_fn(width, self.height() as u32, |x, y| color(&self.pixels[(y * width + x) as usize]))
    }
}

/// Colours in [0, 1], confined and rounded to eight bits.
pub fn picture(width: usize, colors: &[[f32; 3]]) -> RgbImage {
    let bytes = colors.as_flattened().iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let height = colors.len() / width.max(1);
    RgbImage::from_raw(width as u32, height as u32, bytes).expect("three bytes a pixel")
}

/// A PNG's bytes.
///
/// # Errors
/// If the encoder fails.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>, NerfError> {
    let mut bytes = io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(|error| NerfError::Encode(error.to_string()))?;
    Ok(bytes.into_inner())
}

/// An animated GIF's bytes, which repeats without end.
///
/// # Errors
/// If the encoder fails.
pub fn gif(frames: &[RgbImage]) -> Result<Vec<u8>, NerfError> {
    let failed = |error: image::ImageError| NerfError::Encode(error.to_string());
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        for frame in frames {
            let opaque: RgbaImage = image::DynamicImage::ImageRgb8(frame.clone()).into_rgba8();
            let delay = Delay::from_numer_denom_ms(FRAME_MS, 1);
            encoder.encode_frame(image::Frame::from_parts(opaque, 0, 0, delay)).map_err(failed)?;
        }
    }
    Ok(bytes)
}

/// Pictures of one size side by side, `columns` in a row, with a white line between them.
pub fn contact_sheet(pictures: &[RgbImage], columns: usize) -> RgbImage {
    const GAP: u32 = 2;
    let (width, height) = pictures.first().map_or((1, 1), |first| first.dimensions());
    let columns = columns.clamp(1, pictures.len().max(1));
    let rows = pictures.len().div_ceil(columns).max(1) as u32;
    let size = (columns as u32 * (width + GAP) - GAP, rows * (height + GAP) - GAP);
    let mut sheet = RgbImage::from_pixel(size.0, size.1, Rgb([255; 3]));
    for (index, picture) in pictures.iter().enumerate() {
        let (column, row) = ((index % columns) as u32, (index / columns) as u32);
        image::imageops::replace(
            &mut sheet,
            picture,
            i64::from(column * (width + GAP)),
            i64::from(row * (height + GAP)),
        );
    }
    sheet
}
