//! The part of a report that runs the model: its artifact, the evaluator as WebAssembly, and the samples.
//!
//! `evaluator.wasm` is the example `wasm` of firmware-core, built by `cargo xtask wasm`; a test compares it with its
//! source. `live.js` is the page's script. Neither loads anything.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ndarray::Array2;
use serde_json::json;

use super::Report;
use super::markup::{add, escape};
use crate::data::{DataKind, Dataset};

const EVALUATOR: &[u8] = include_bytes!("evaluator.wasm");
const SCRIPT: &str = include_str!("live.js");
/// What this part may add to the page.
const MOST_BYTES: usize = 390_000;
/// What is left of that, at least, for the samples.
const LEAST_FOR_SAMPLES: usize = 20_000;
/// A cell without data, among codes of 16 bits.
const NO_DATA: u16 = u16::MAX;
/// What a code of 8 bits is worth.
const BYTE_STEP: f32 = 1.0 / 255.0;

/// The samples as the page has them.
struct Samples {
    /// The spatial dimensions of those that are there; none of a table.
    shape: Option<Vec<usize>>,
    /// Of a grid every so-manieth along each axis.
    step: usize,
    /// Rows of a table, or cells of a grid.
    rows: usize,
    /// Of a code: 8 where all targets are bytes of a picture without holes, otherwise 16; of a number of a table 32.
    bits: usize,
    bytes: Vec<u8>,
}

/// The part, without its heading where there is nothing to run: of a model that is too large for a page, it says so.
pub(super) fn section(report: &Report<'_>) -> String {
    let Some(artifact) = report.artifact else { return String::new() };
    let (dataset, model) = (report.dataset, artifact.as_bytes());
    let taken = base64_len(EVALUATOR.len()) + base64_len(model.len()) + SCRIPT.len() + 8000;
    let Some(room) = MOST_BYTES.checked_sub(taken).filter(|&room| room >= LEAST_FOR_SAMPLES) else {
        return format!(
            "<h2>Try the model</h2>\n<p>This model has {} bytes, too many for a page that runs it; use <code>trainer \
             predict</code>.</p>\n",
            model.len()
        );
    };
    let targets = crate::data::in_user_units(dataset.targets.clone(), &dataset.output_maps);
    let is_picture = matches!(dataset.kind, DataKind::Image { .. });
    let columns = targets.columns().into_iter();
    let ranges: Vec<Range> = columns.map(|column| Range::of(column.iter().copied(), is_picture)).collect();
    let samples = samples(dataset, &targets, &ranges, room / 4 * 3);
    let mut part =
        String::from("<h2>Try the model</h2>\n<p id=\"live-state\">This page needs JavaScript to run the model.</p>\n");
    controls(&mut part, dataset, samples.shape.is_some());
    let info = info(dataset, &ranges, &samples);
    let picture = if is_picture { "yes" } else { "no" };
    // No text in it can end the element.
    let info = info.to_string().replace('<', "\\u003c");
    add(
        &mut part,
        format_args!("<script type=\"application/json\" id=\"live-info\" data-picture=\"{picture}\">{info}</script>\n"),
    );
    for (name, bytes) in [("wasm", EVALUATOR), ("model", model), ("data", &samples.bytes)] {
        let text = BASE64_STANDARD.encode(bytes);
        add(&mut part, format_args!("<script type=\"text/plain\" id=\"live-{name}\">{text}</script>\n"));
    }
    add(&mut part, format_args!("<script>\n{SCRIPT}</script>\n"));
    part
}

fn controls(part: &mut String, dataset: &Dataset, is_grid: bool) {
    part.push_str("<p>");
    for (k, (name, axis)) in dataset.input_names.iter().zip(&dataset.axes).enumerate() {
        let origin = dataset.input_origins[k];
        let unit = dataset.input_units.get(k).filter(|unit| !unit.is_empty());
        let unit = unit.map_or(String::new(), |unit| format!(" {}", escape(unit)));
        // The shortest digits: of single precision where it is the file's own numbers.
        let of_file = |x: f32| if origin == 0.0 { x.to_string() } else { (origin + f64::from(x)).to_string() };
        let (low, high) = (of_file(axis.minimum), of_file(axis.maximum));
        let middle = of_file(axis.minimum + (axis.maximum - axis.minimum) / 2.0);
        add(
            part,
            format_args!(
                "<label>{} <input type=\"number\" step=\"any\" id=\"live-in-{k}\" value=\"{middle}\" title=\"{low} to {high}\">{unit}</label> ",
                escape(name)
            ),
        );
    }
    part.push_str("→ <strong id=\"live-out\"></strong><br><span id=\"live-near\"></span></p>\n<p>");
    part.push_str(
        "<select id=\"live-which\"><option value=\"model\">the model</option><option value=\"target\">the data</option>\
         <option value=\"error\">the error</option></select> ",
    );
    let choice = |part: &mut String, id: &str, names: &[String]| {
        let hidden = if names.len() > 1 { "" } else { " hidden" };
        add(part, format_args!("<select id=\"live-{id}\"{hidden}>"));
        for (k, name) in names.iter().enumerate() {
            add(part, format_args!("<option value=\"{k}\">{}</option>", escape(name)));
        }
        part.push_str("</select> ");
    };
    let in_colours = matches!(dataset.kind, DataKind::Image { channels: 3, .. });
    choice(part, "choice", if in_colours { &[] } else { &dataset.output_names });
    choice(part, "along", if is_grid { &[] } else { &dataset.input_names });
    part.push_str(
        "<span id=\"live-scale\"></span></p>\n<canvas id=\"live-canvas\"></canvas>\n\
         <p id=\"live-read\">Move over the picture to read values; a click takes the point.</p>\n",
    );
}

/// The targets of one output, in the data's units from their origin.
struct Range {
    low: f32,
    high: f32,
    /// The value of the code 0.
    base: f32,
    /// What a step of the code is worth.
    step: f32,
}

impl Range {
    /// Of values; those of a picture are mostly whole 255ths.
    fn of(values: impl Iterator<Item = f32> + Clone, is_picture: bool) -> Self {
        let ends = |(low, high): (f32, f32), value: f32| (low.min(value), high.max(value));
        let (low, high) = values.clone().fold((f32::INFINITY, f32::NEG_INFINITY), ends);
        let is_whole = |value: f32| (value - value.round()).abs() < 1e-3;
        let is_byte = |value: f32| (0.0..=1.0).contains(&value) && is_whole(value * 255.0);
        // Whole numbers and bytes stay exact.
        let (base, step) = match high - low {
            _ if is_picture && values.clone().all(is_byte) => (0.0, BYTE_STEP),
            range if range <= 16_384.0 && values.clone().all(is_whole) => (low.round(), 1.0),
            range => (low, if range > 0.0 { range / f32::from(NO_DATA - 1) } else { 1.0 }),
        };
        Self { low, high, base, step }
    }

    fn has_bytes(&self) -> bool {
        self.step == BYTE_STEP
    }

    fn code(&self, value: f32) -> u16 {
        if value.is_nan() {
            NO_DATA
        } else {
            ((value - self.base) / self.step).round().min(f32::from(NO_DATA - 1)) as u16
        }
    }
}

fn info(dataset: &Dataset, ranges: &[Range], samples: &Samples) -> serde_json::Value {
    let unit = |units: &[String], k: usize| units.get(k).cloned().unwrap_or_default();
    let inputs = dataset.axes.iter().enumerate().map(|(k, axis)| {
        json!({
            "name": dataset.input_names[k], "unit": unit(&dataset.input_units, k), "origin": dataset.input_origins[k],
            "low": axis.minimum, "high": axis.maximum,
        })
    });
    let outputs = ranges.iter().enumerate().map(|(k, Range { low, high, base, step })| {
        json!({
            "name": dataset.output_names[k], "unit": unit(&dataset.output_units, k), "origin": dataset.output_origins[k],
            "low": low, "high": high, "base": base, "step": step,
        })
    });
    json!({
        "inputs": inputs.collect::<Vec<_>>(), "outputs": outputs.collect::<Vec<_>>(),
        "shape": samples.shape, "step": samples.step, "rows": samples.rows, "bits": samples.bits,
    })
}

/// As many samples as fit into so many bytes, evenly chosen.
fn samples(dataset: &Dataset, user: &Array2<f32>, ranges: &[Range], room: usize) -> Samples {
    let (inputs, outputs) = (dataset.inputs(), dataset.outputs());
    let Some(shape) = dataset.grid_shape() else {
        let step = dataset.len().div_ceil(room / (4 * (inputs + outputs))).max(1);
        let rows: Vec<usize> = (0..dataset.len()).step_by(step).collect();
        let points = rows.iter().flat_map(|&row| dataset.points.row(row));
        let targets = rows.iter().flat_map(|&row| user.row(row));
        let bytes = points.chain(targets).flat_map(|value| value.to_le_bytes()).collect();
        return Samples { shape: None, step, rows: rows.len(), bits: 32, bytes };
    };
    let bits = if dataset.cells.is_none() && ranges.iter().all(Range::has_bytes) { 8 } else { 16 };
    let reduced = |step: usize| shape.iter().map(|len| len.div_ceil(step)).collect::<Vec<usize>>();
    let fits = |step: &usize| reduced(*step).iter().product::<usize>() * outputs * bits / 8 <= room;
    let step = (1..).find(fits).expect("one cell fits");
    let (values, cells) = (dataset.on_grid(user), reduced(step));
    let rows: usize = cells.iter().product();
    let mut bytes = Vec::with_capacity(rows * outputs * bits / 8);
    for cell in 0..rows {
        // The same cell among all: the last axis is the fastest.
        let (mut rest, mut sample, mut stride) = (cell, 0, 1);
        for (&few, &all) in cells.iter().zip(&shape).rev() {
            sample += rest % few * step * stride;
            (rest, stride) = (rest / few, stride * all);
        }
        for (&value, range) in values.row(sample).iter().zip(ranges) {
            bytes.extend(&range.code(value).to_le_bytes()[..bits / 8]);
        }
    }
    Samples { shape: Some(cells), step, rows, bits, bytes }
}

const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page takes them as they are; those between are rounded to a part in 65534 of their range.
    #[test]
    fn bytes_and_whole_numbers_stay_exact() {
        let back = |range: &Range, value: f32| range.base + f32::from(range.code(value)) * range.step;
        let bytes = (0..=255u8).map(|byte| f32::from(byte) / 255.0);
        let range = Range::of(bytes.clone(), true);
        assert!(range.has_bytes() && bytes.clone().all(|value| (back(&range, value) - value).abs() < 1e-7));
        assert_eq!(range.code(1.0), 255);
        assert!(!Range::of([0.0, 1.0f32].into_iter(), false).has_bytes());
        let metres = (-100..900).map(|k| k as f32 + 4e-5 * (k % 2) as f32);
        let range = Range::of(metres.clone(), false);
        assert_eq!((range.low, range.high.round()), (-100.0, 899.0));
        assert!(metres.clone().all(|value| back(&range, value) == value.round()));
        let reals = (0..1000).map(|k| (k as f32).sqrt() * 3.7 - 20.0);
        let range = Range::of(reals.clone(), false);
        assert!(reals.clone().all(|value| (back(&range, value) - value).abs() < 117.0 / 65_000.0));
        assert_eq!((range.code(f32::NAN), range.code(range.low), range.code(range.high)), (NO_DATA, 0, NO_DATA - 1));
        let constant = Range::of([0.1f32; 3].into_iter(), false);
        assert_eq!((constant.code(0.1), back(&constant, 0.1)), (0, 0.1));
    }

    #[test]
    fn samples_of_a_grid_are_thinned_until_they_fit() {
        let values = Array2::from_shape_fn((60 * 50, 1), |(k, _)| (k * k % 1009) as f32 / 1009.0);
        let dataset = Dataset::from_grid(&[60, 50], values.clone());
        let ranges = [Range::of(values.iter().copied(), false)];
        for (room, shape, step) in [(6000, [60, 50], 1), (5999, [30, 25], 2), (700, [20, 17], 3)] {
            let found = samples(&dataset, &values, &ranges, room);
            assert_eq!((found.shape.as_deref(), found.step), (Some(&shape[..]), step));
            assert_eq!((found.rows, found.bytes.len()), (shape[0] * shape[1], shape[0] * shape[1] * 2));
            let cell = |y: usize, x: usize| {
                let at = 2 * (y * shape[1] + x);
                u16::from_le_bytes([found.bytes[at], found.bytes[at + 1]])
            };
            for (y, x) in [(0, 0), (1, 3), (shape[0] - 1, shape[1] - 1)] {
                assert_eq!(cell(y, x), ranges[0].code(values[[y * step * 50 + x * step, 0]]), "{room}: {y}, {x}");
            }
        }
    }
}
