//! What an array of numbers is: a grid of one to three dimensions, a grid with several outputs, or the pixels of a
//! picture.
//!
//! An array of height x width x 3 or 4 is no volume of three slices unless the user says so: with intensities in it, it
//! is a picture in colours, and otherwise the user is asked.

use super::NpyError;
use super::npy::NpyArray;
use crate::data::grid::Raster;
use crate::data::sentinel::is_no_data;
use crate::data::{Dataset, GridError, LoadOptions, image};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// An axis this short holds colours or slices, who knows.
const SHORT: usize = 4;
/// Columns of points are much shorter than this many of them side by side.
const ROWS_PER_COLUMN: usize = 16;

/// The samples of an array; `bytes_each` tells arrays of bytes, which hold intensities up to 255, from others.
pub(in crate::data) fn dataset(array: NpyArray, bytes_each: bool, options: &LoadOptions) -> Result<Dataset, NpyError> {
    let NpyArray { shape, values } = array;
    if values.is_empty() {
        return Err(GridError::Empty(shape).into());
    }
    let spatial = shape.len().saturating_sub(usize::from(options.channels_last));
    if !(1..=3).contains(&spatial) {
        return Err(NpyError::Dimensions(shape));
    }
    let mut notes = Vec::new();
    if !options.channels_last && !options.volume {
        if let [height, width, channels @ 3..=4] = shape[..] {
            let missing = options.missing();
            let has_holes = values.iter().any(|&value| is_no_data(value, &missing));
            return match largest_intensity(&values, bytes_each).filter(|_| !has_holes) {
                Some(largest) if height > SHORT && width > SHORT => {
                    Ok(colours([height, width, channels], &values, largest))
                }
                _ => Err(NpyError::ColoursOrVolume(shape)),
            };
        }
        notes.extend(doubt(&shape));
    }
    let channels = if options.channels_last { shape[spatial] } else { 1 };
    if channels > MAX_OUTPUTS {
        return Err(NpyError::Channels(shape));
    }
    let mut raster = Raster::new(shape[..spatial].to_vec(), values);
    if options.channels_last {
        raster.channels_last = true;
        raster.names = (0..channels).map(|channel| format!("channel {channel}")).collect();
    }
    raster.notes = notes;
    Ok(raster.dataset(options)?)
}

/// What stands for full intensity, 1 or 255; none if these are no intensities.
fn largest_intensity(values: &[f64], bytes_each: bool) -> Option<f64> {
    if bytes_each {
        return Some(255.0);
    }
    let within = |largest: f64| values.iter().all(|value| (0.0..=largest).contains(value));
    [1.0, 255.0].into_iter().find(|&largest| within(largest))
}

/// A picture in colours, over white if it has alpha.
fn colours([height, width, channels]: [usize; 3], values: &[f64], largest: f64) -> Dataset {
    let mut units: Vec<f32> = values.iter().map(|value| *value as f32 / largest as f32).collect();
    if channels == 4 {
        units = image::over_white(&units, 3);
    }
    let mut dataset = image::from_intensities([height, width], units, 3, largest as f32);
    let what = if channels == 4 { "red, green, blue and alpha (shown over white)" } else { "red, green and blue" };
    dataset.notes.push(format!(
        "note: the array of shape {height} x {width} x {channels} is read as a picture: its last axis is {what}, from \
         0 to {largest}; --channels-last makes each of them an output of its own, --volume makes it a volume"
    ));
    dataset
}

/// What an array that is read as a grid may be instead.
fn doubt(shape: &[usize]) -> Option<String> {
    match *shape {
        [n, k] if (2..=MAX_INPUTS + 1).contains(&k) && n >= ROWS_PER_COLUMN * k => Some(format!(
            "note: the array of shape {n} x {k} is read as a grid of {n} rows and {k} columns; if its rows are points, \
             give their coordinates and values as two arrays with --points X.npy --targets Y.npy"
        )),
        [n, k, last @ 1..=2] if n > SHORT && k > SHORT => Some(format!(
            "note: the array of shape {n} x {k} x {last} is read as a volume; if its last axis holds outputs, add \
             --channels-last"
        )),
        [channels @ 3..=4, height, width] if height > SHORT && width > SHORT => Some(format!(
            "note: the array of shape {channels} x {height} x {width} is read as a volume of {channels} slices; if its \
             first axis holds colours, save numpy.moveaxis(array, 0, -1) instead"
        )),
        _ => None,
    }
}
