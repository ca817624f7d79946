//! A data set and a model's predictions as figures, each kind of data in its own form.

use ndarray::{Array1, Array2, Axis};

use super::colormap::Colormap;
use super::curve::{Curves, Series};
use super::figure::{Figure, FigureError, encode_png, tick_label};
use super::map::{Map, Picture};
use super::scatter::Scatter;
use super::style;
use crate::data::{DataKind, Dataset};

/// Outputs beyond this many are left to `evaluate --outputs`.
const MOST_OUTPUTS: usize = 4;

/// A drawn figure.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The file's name without extension.
    pub name: String,
    /// What it shows, for the page.
    pub caption: String,
    /// The picture.
    pub png: Vec<u8>,
}

/// The model's outputs as one PNG: a picture as itself, pixel by pixel; a grid as a map or curve; a table as predicted
/// against true values. Of several outputs that are no picture, the first.
///
/// # Errors
///
/// If drawing or encoding fails.
pub fn reconstruction(dataset: &Dataset, predictions: &Array2<f32>) -> Result<Vec<u8>, FigureError> {
    match dataset.kind {
        DataKind::Image { width, height, channels } => {
            let color = if channels == 1 { image::ExtendedColorType::L8 } else { image::ExtendedColorType::Rgb8 };
            let bytes = intensities(dataset, predictions);
            encode_png(&bytes, (width as u32, height as u32), color)
        }
        _ => {
            let mut drawings = output_drawings(dataset, predictions, 0)?;
            // A grid has target, reconstruction and error, the others one figure.
            let wanted = if drawings.len() > 1 { 1 } else { 0 };
            Ok(drawings.swap_remove(wanted).png)
        }
    }
}

/// Target, reconstruction and error as figures, for up to four outputs.
///
/// # Errors
///
/// If drawing or encoding fails.
pub fn drawings(dataset: &Dataset, predictions: &Array2<f32>) -> Result<Vec<Drawing>, FigureError> {
    if let DataKind::Image { width, height, channels: 3 } = dataset.kind {
        return colour_drawings(dataset, predictions, [height, width]);
    }
    let mut all = Vec::new();
    for output in 0..dataset.outputs().min(MOST_OUTPUTS) {
        all.extend(output_drawings(dataset, predictions, output)?);
    }
    Ok(all)
}

/// Intensity to byte; NaN to zero.
fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Values of a picture in the data's units, which are those of its array if it came from one, as bytes.
fn intensities(dataset: &Dataset, values: &Array2<f32>) -> Vec<u8> {
    let maps = dataset.output_maps.iter().cycle();
    values.iter().zip(maps).map(|(&value, map)| byte((value - map.offset) / map.scale)).collect()
}

fn colour_drawings(
    dataset: &Dataset,
    predictions: &Array2<f32>,
    shape: [usize; 2],
) -> Result<Vec<Drawing>, FigureError> {
    let target = crate::data::in_user_units(dataset.targets.clone(), &dataset.output_maps);
    let error = (predictions - &target).map_axis(Axis(1), |row| row.iter().fold(0.0f32, |m, e| m.max(e.abs())));
    let (target, reconstruction) = (intensities(dataset, &target), intensities(dataset, predictions));
    let error = error.into_shape_with_order(shape).expect("one value for each pixel");
    let range = 0.0..f64::from(largest(&error));
    let draw = |title, rgb: &[u8]| Picture { title, shape, rgb }.png();
    let map =
        Map { title: "Error", values: &error, colormap: Colormap::Inferno, range, label: "largest of three channels" };
    Ok(vec![
        drawing("target", "The data.", draw("Target", &target)?),
        drawing("reconstruction", "The model at every pixel.", draw("Reconstruction", &reconstruction)?),
        drawing("error", "Absolute error, the largest of the three channels.", map.png()?),
    ])
}

/// One output alone.
fn output_drawings(dataset: &Dataset, predictions: &Array2<f32>, output: usize) -> Result<Vec<Drawing>, FigureError> {
    let map = dataset.output_maps[output];
    // In the holes of a grid, both are NaN.
    let on_grid = |values: &dyn Fn(usize) -> f32| {
        dataset.on_grid(&Array2::from_shape_fn((dataset.len(), 1), |(sample, _)| values(sample))).column(0).to_owned()
    };
    let target = on_grid(&|sample| dataset.targets[[sample, output]] * map.scale + map.offset);
    let prediction = on_grid(&|sample| predictions[[sample, output]]);
    let name = &dataset.output_label(output);
    let suffix = if dataset.outputs() > 1 { format!("_{output}") } else { String::new() };
    match dataset.grid_shape().as_deref() {
        None => {
            let points: Vec<_> = target.iter().zip(&prediction).map(|(&x, &y)| (f64::from(x), f64::from(y))).collect();
            let (title, caption) = (name, "Predicted against true values; on the line they agree.");
            Ok(vec![drawing(&format!("scatter{suffix}"), caption, Scatter { title, points: &points }.png()?)])
        }
        Some([_]) => {
            let bridged = dataset.cells.is_some();
            curve_drawings(&target, &prediction, CurveNames { output: name, suffix: &suffix, bridged })
        }
        Some(shape) => {
            let (rows, columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
            // Of a volume, the slice in the middle.
            let slice = shape[..shape.len() - 2].iter().product::<usize>() / 2;
            let plane = |values: &dyn Fn(usize) -> f32| {
                Array2::from_shape_fn((rows, columns), |(y, x)| values((slice * rows + y) * columns + x))
            };
            let target = plane(&|sample| target[sample]);
            let reconstruction = plane(&|sample| prediction[sample]);
            let names = GridNames { output: name, suffix: &suffix, slice: (shape.len() == 3).then_some(slice) };
            grid_drawings(dataset, &target, &reconstruction, names)
        }
    }
}

/// What the figures of a curve are called, and whether lines bridge samples without data.
struct CurveNames<'a> {
    output: &'a str,
    /// Of the names of the files.
    suffix: &'a str,
    bridged: bool,
}

fn curve_drawings(
    target: &Array1<f32>,
    prediction: &Array1<f32>,
    names: CurveNames<'_>,
) -> Result<Vec<Drawing>, FigureError> {
    let CurveNames { output, suffix, bridged } = names;
    let series = |name: &str, color, values: &mut dyn Iterator<Item = f32>| Series {
        name: name.to_owned(),
        color,
        points: values.enumerate().map(|(k, value)| (k as f64, f64::from(value))).collect(),
    };
    let lines = [
        series("target", style::TARGET, &mut target.iter().copied()),
        series("reconstruction", style::SERIES[1], &mut prediction.iter().copied()),
    ];
    let error = [series("error", style::SERIES[0], &mut prediction.iter().zip(target).map(|(p, t)| p - t))];
    let bridged = if bridged { " The lines pass straight over samples without data." } else { "" };
    let curves = |title, y_label, series| Curves { title, x_label: "x", y_label, log_y: false, series };
    Ok(vec![
        drawing(
            &format!("reconstruction{suffix}"),
            &format!("The data and the model.{bridged}"),
            curves("Target and reconstruction", output, &lines).png()?,
        ),
        drawing(&format!("error{suffix}"), "The model less the data.", curves("Error", output, &error).png()?),
    ])
}

/// What the drawings of one output of a grid are called.
struct GridNames<'a> {
    output: &'a str,
    /// Of the files' names, where there are several outputs.
    suffix: &'a str,
    /// Which slice of a volume is drawn.
    slice: Option<usize>,
}

fn grid_drawings(
    dataset: &Dataset,
    target: &Array2<f32>,
    reconstruction: &Array2<f32>,
    names: GridNames<'_>,
) -> Result<Vec<Drawing>, FigureError> {
    let GridNames { output: name, suffix, slice } = names;
    let error = reconstruction - target;
    let at = slice.map_or(String::new(), |z| format!(", z = {z}"));
    let is_picture = matches!(dataset.kind, DataKind::Image { .. });
    let range = if is_picture { 0.0..1.0 } else { extent(target) };
    let colormap = if is_picture { Colormap::Grey } else { Colormap::Viridis };
    let holes = if dataset.cells.is_some() { " Cells without data are grey." } else { "" };
    // A few outliers would leave the rest of the map pale.
    let limit = f64::from(percentile(&error, 0.995));
    let draw = |title: &str, values: &Array2<f32>, colormap, range| {
        Map { title: &format!("{title}{at}"), values, colormap, range, label: name }.png()
    };
    Ok(vec![
        drawing(
            &format!("target{suffix}"),
            &format!("The data.{holes}"),
            draw("Target", target, colormap, range.clone())?,
        ),
        drawing(
            &format!("reconstruction{suffix}"),
            &format!("The model at every sample, in the same colours.{holes}"),
            draw("Reconstruction", reconstruction, colormap, range)?,
        ),
        drawing(
            &format!("error{suffix}"),
            &format!(
                "The model less the data; white is no error. One value in 200 lies beyond the colours' ends; the largest is {}.{holes}",
                tick_label(f64::from(largest(&error)))
            ),
            draw("Error", &error, Colormap::BlueRed, -limit..limit)?,
        ),
    ])
}

fn drawing(name: &str, caption: &str, png: Vec<u8>) -> Drawing {
    Drawing { name: name.to_owned(), caption: caption.to_owned(), png }
}

fn largest(values: &Array2<f32>) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The magnitude that this share of the values does not exceed; holes do not count.
fn percentile(values: &Array2<f32>, share: f64) -> f32 {
    let mut magnitudes: Vec<f32> = values.iter().map(|value| value.abs()).filter(|value| !value.is_nan()).collect();
    if magnitudes.is_empty() {
        return 0.0;
    }
    magnitudes.sort_unstable_by(f32::total_cmp);
    magnitudes[((magnitudes.len() - 1) as f64 * share).ceil() as usize]
}

fn extent(values: &Array2<f32>) -> std::ops::Range<f64> {
    let low = values.iter().fold(f32::INFINITY, |low, &value| low.min(value));
    let high = values.iter().fold(f32::NEG_INFINITY, |high, &value| high.max(value));
    // Of a slice without any data, nothing is drawn.
    if low <= high { f64::from(low)..f64::from(high) } else { 0.0..1.0 }
}
