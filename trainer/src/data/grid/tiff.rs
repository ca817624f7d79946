//! TIFF: pictures as intensities, everything else (heights, reflectances, counts) as a grid with its real values.
//!
//! A picture is what has colours (RGB, YCbCr) in 8 or 16 bits, and grey in 8 bits without any sign of a map. Of several
//! bands each is an output of its own. `GDAL_NODATA` is known, as are the tags of GeoTIFF that place the grid on the
//! map.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{ExtraSamples, PlanarConfiguration, SampleFormat, Tag};
use tiff::{ColorType, TiffError, TiffUnsupportedError};

use super::georeference::Georeference;
use super::{Missing, Raster, TiffFault, lzw};

/// The first bytes of a TIFF or BigTIFF in either byte order.
pub(in crate::data) const MAGIC: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
/// No compression that is read makes files smaller than this part.
const MOST_COMPRESSED: usize = 4096;
/// What decoding may take in any case.
const LEAST_LIMIT: usize = 256 << 20;
/// Key of GeoTIFF: whether its coordinates are of a pixel's corner (1) or centre (2).
const RASTER_TYPE: u16 = 1025;

/// A TIFF as a picture or as a grid.
pub(in crate::data) enum Content {
    /// Intensities from black to white, and how the camera was held.
    Picture(DynamicImage, Orientation),
    /// Numbers of any range.
    Raster(Raster),
}

/// Reads the first image of a file; with `as_numbers` a grey picture is a grid as well.
pub(in crate::data) fn read(path: &Path, bytes: &[u8], as_numbers: bool) -> Result<Content, TiffFault> {
    let fault = |error| of_decoder(error, path);
    let padded = lzw::padded(bytes);
    let mut decoder = Decoder::new(Cursor::new(&padded[..])).map_err(fault)?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = bytes.len().saturating_mul(MOST_COMPRESSED).max(LEAST_LIMIT);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    limits.ifd_value_size = bytes.len().max(limits.ifd_value_size);
    decoder = decoder.with_limits(limits);
    let pixels = Pixels::read(&mut decoder, path)?;
    let tags = Tags::read(&mut decoder).map_err(fault)?;
    match pixels.picture(&tags, as_numbers) {
        Some(picture) => Ok(Content::Picture(picture, tags.orientation)),
        None => pixels.raster(tags, path).map(Content::Raster),
    }
}

/// The samples of an image as they are stored.
struct Pixels {
    width: usize,
    height: usize,
    color: ColorType,
    /// 8-bit or 16-bit unsigned integers.
    is_intensity: bool,
    /// Row-major, the bands of a pixel side by side.
    values: Vec<f64>,
}

impl Pixels {
    fn read(decoder: &mut Decoder<Cursor<&[u8]>>, path: &Path) -> Result<Self, TiffFault> {
        let fault = |error| of_decoder(error, path);
        let (width, height) = decoder.dimensions().map_err(fault)?;
        let (width, height) = (width as usize, height as usize);
        let color = decoder.colortype().map_err(fault)?;
        if let ColorType::CMYK(_) | ColorType::CMYKA(_) | ColorType::Lab(_) = color {
            return Err(unsupported("its colours are not red, green and blue", to_png(path)));
        }
        let bits = color.bit_depth();
        if bits % 8 != 0 {
            return Err(unsupported(&format!("its samples have {bits} bits"), to_float(path)));
        }
        let counts = [Tag::TileByteCounts, Tag::StripByteCounts].into_iter();
        let counts = counts.filter_map(|tag| decoder.find_tag_unsigned_vec::<u64>(tag).ok().flatten()).next();
        if counts.is_some_and(|counts| counts.contains(&0)) {
            return Err(unsupported("some of its tiles are not stored", uncompressed(path)));
        }
        let mut result = DecodingResult::U8(Vec::new());
        let layout = decoder.read_image_to_buffer(&mut result).map_err(fault)?;
        let is_intensity = layout.sample_format == SampleFormat::Uint && bits <= 16;
        let values = numbers(&result);
        let bands = values.len() / (width * height).max(1);
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(fault)?;
        let values =
            if planar == Some(PlanarConfiguration::Planar.to_u16()) { interleaved(&values, bands) } else { values };
        Ok(Self { width, height, color, is_intensity, values })
    }

    /// None if the values are numbers rather than intensities.
    fn picture(&self, tags: &Tags, as_numbers: bool) -> Option<DynamicImage> {
        if !self.is_intensity {
            return None;
        }
        let bits = self.color.bit_depth();
        let with_alpha = matches!(tags.extra[..], [ExtraSamples::AssociatedAlpha | ExtraSamples::UnassociatedAlpha]);
        let is_map = tags.place.is_some() || tags.no_data.is_some() || as_numbers;
        // 16 bits hold 8-bit values exactly (v·257).
        let factor = if bits == 8 { 257.0 } else { 1.0 };
        let whole = || self.values.iter().map(|value| (value * factor) as u16).collect::<Vec<u16>>();
        let (width, height) = (self.width as u32, self.height as u32);
        match self.color {
            ColorType::Gray(8) if !is_map => {
                ImageBuffer::from_raw(width, height, whole()).map(DynamicImage::ImageLuma16)
            }
            ColorType::Multiband { num_samples: 2, .. } if with_alpha && !is_map => {
                ImageBuffer::from_raw(width, height, whole()).map(DynamicImage::ImageLumaA16)
            }
            ColorType::RGB(_) => ImageBuffer::from_raw(width, height, whole()).map(DynamicImage::ImageRgb16),
            ColorType::RGBA(_) => ImageBuffer::from_raw(width, height, whole()).map(DynamicImage::ImageRgba16),
            ColorType::YCbCr(8) => {
                let rgb = self.values.chunks_exact(3).flat_map(rgb_of_ycbcr).collect();
                ImageBuffer::from_raw(width, height, rgb).map(DynamicImage::ImageRgb16)
            }
            _ => None,
        }
    }

    fn raster(self, tags: Tags, path: &Path) -> Result<Raster, TiffFault> {
        let bands = self.values.len() / (self.width * self.height).max(1);
        if bands == 0 || bands * self.width * self.height != self.values.len() {
            return Err(unsupported("its bands are not stored alike", to_float(path)));
        }
        let mut raster = Raster::new(vec![self.height, self.width], self.values);
        if bands > 1 {
            raster.channels_last = true;
            raster.one_range = false;
            raster.names = (1..=bands).map(|band| format!("band {band}")).collect();
        }
        raster.missing = tags
            .no_data
            .map(|(value, text)| Missing { values: vec![value], reason: format!("its GDAL_NODATA is {text}") });
        raster.notes.extend(tags.place.map(|place| place.note()));
        if tags.more_pages {
            raster.notes.push(format!(
                "note: only the first page of {path} is read; python -c \"import numpy, tifffile; \
                 numpy.save('pages.npy', tifffile.imread('{path}'))\" makes an array of all",
                path = path.display()
            ));
        }
        Ok(raster)
    }
}

/// What is said beside the samples.
struct Tags {
    orientation: Orientation,
    extra: Vec<ExtraSamples>,
    /// The value that stands for missing data, and how it is written.
    no_data: Option<(f64, String)>,
    place: Option<Georeference>,
    /// Whether other images than smaller copies and masks follow.
    more_pages: bool,
}

impl Tags {
    fn read(decoder: &mut Decoder<Cursor<&[u8]>>) -> Result<Self, TiffError> {
        let orientation = decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?.unwrap_or_default();
        let no_data = decoder.get_tag_ascii_string(Tag::GdalNodata).ok();
        let no_data = no_data.map(|text| text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned());
        let place = georeference(decoder);
        let mut more_pages = false;
        while decoder.more_images() && !more_pages {
            if decoder.next_image().is_err() {
                break;
            }
            // Bit 0: a smaller copy; bit 2: a mask.
            let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType).ok().flatten().unwrap_or(0);
            more_pages = kind & 0b101 == 0;
        }
        Ok(Self {
            orientation: orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms),
            extra: extra.into_iter().filter_map(ExtraSamples::from_u16).collect(),
            no_data: no_data.and_then(|text| Some((text.parse().ok()?, text))),
            place,
            more_pages,
        })
    }
}

/// None without the tags of GeoTIFF.
fn georeference(decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<Georeference> {
    let mut numbers = |tag| decoder.get_tag_f64_vec(tag).ok();
    let (corner, column, row) = if let Some(m) = numbers(Tag::ModelTransformationTag).filter(|m| m.len() == 16) {
        ([m[3], m[7]], [m[0], m[4]], [m[1], m[5]])
    } else {
        let scale = numbers(Tag::ModelPixelScaleTag).filter(|scale| scale.len() >= 2)?;
        let tie = numbers(Tag::ModelTiepointTag).filter(|tie| tie.len() >= 6)?;
        ([tie[3] - tie[0] * scale[0], tie[4] + tie[1] * scale[1]], [scale[0], 0.0], [0.0, -scale[1]])
    };
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).unwrap_or_default();
    let is_point = keys.chunks_exact(4).any(|key| key[0] == RASTER_TYPE && key[3] == 2);
    let half = if is_point { 0.0 } else { 0.5 };
    let centre = [0, 1].map(|axis| corner[axis] + half * (column[axis] + row[axis]));
    Some(Georeference { centre, column, row })
}

fn numbers(result: &DecodingResult) -> Vec<f64> {
    macro_rules! widened {
        ($values:expr) => {
            $values.iter().map(|&value| value as f64).collect()
        };
    }
    match result {
        DecodingResult::U8(values) => widened!(values),
        DecodingResult::U16(values) => widened!(values),
        DecodingResult::U32(values) => widened!(values),
        DecodingResult::U64(values) => widened!(values),
        DecodingResult::I8(values) => widened!(values),
        DecodingResult::I16(values) => widened!(values),
        DecodingResult::I32(values) => widened!(values),
        DecodingResult::I64(values) => widened!(values),
        DecodingResult::F32(values) => widened!(values),
        DecodingResult::F64(values) => widened!(values),
        DecodingResult::F16(values) => values.iter().map(|value| value.to_f64()).collect(),
    }
}

/// From one band after the other to the bands of a pixel side by side.
fn interleaved(values: &[f64], bands: usize) -> Vec<f64> {
    let pixels = values.len() / bands.max(1);
    (0..pixels).flat_map(|pixel| (0..bands).map(move |band| values[band * pixels + pixel])).collect()
}

/// 16-bit colours of 8-bit luma and chroma over the full range, as JPEG has them (ITU-T T.871).
fn rgb_of_ycbcr(pixel: &[f64]) -> [u16; 3] {
    let (y, blue, red) = (pixel[0], pixel[1] - 128.0, pixel[2] - 128.0);
    [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue]
        .map(|value| (value.round().clamp(0.0, 255.0) * 257.0) as u16)
}

fn of_decoder(error: TiffError, path: &Path) -> TiffFault {
    match error {
        TiffError::UnsupportedError(unsupported) => {
            let reason = unsupported.to_string();
            let command = match unsupported {
                TiffUnsupportedError::UnknownCompressionMethod
                | TiffUnsupportedError::UnsupportedCompressionMethod(_)
                | TiffUnsupportedError::FloatingPointPredictor(_)
                | TiffUnsupportedError::HorizontalPredictor(_)
                | TiffUnsupportedError::ChromaSubsampling => uncompressed(path),
                TiffUnsupportedError::InterpretationWithBits(..)
                | TiffUnsupportedError::UnsupportedInterpretation(_)
                | TiffUnsupportedError::UnknownInterpretation => to_png(path),
                _ => to_float(path),
            };
            TiffFault::Unsupported(reason, command)
        }
        other => TiffFault::Damaged(other),
    }
}

fn unsupported(reason: &str, command: String) -> TiffFault {
    TiffFault::Unsupported(reason.to_owned(), command)
}

fn uncompressed(path: &Path) -> String {
    format!("gdal_translate -co COMPRESS=NONE {} plain.tif", path.display())
}

fn to_float(path: &Path) -> String {
    format!("gdal_translate -ot Float32 -co COMPRESS=NONE {} plain.tif", path.display())
}

fn to_png(path: &Path) -> String {
    format!("python -c \"from PIL import Image; Image.open('{}').convert('RGB').save('plain.png')\"", path.display())
}
