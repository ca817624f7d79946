//! A data set in one line: `80 rows: adc (0 to 45), temp (15.5 to 50.5) → p (95.2 to 107.1)`.

use super::metrics::unit_suffix;
use super::sentinel::plain;
use super::{DataKind, Dataset};

impl Dataset {
    /// The name of an output for figures, which draw what the model answers: with its origin, if it is not counted from
    /// 0.
    #[must_use]
    pub fn output_label(&self, output: usize) -> String {
        let (name, origin) = (&self.output_names[output], self.output_origins[output]);
        if origin == 0.0 { name.clone() } else { format!("{name} - {}", plain(origin)) }
    }

    /// What the data were understood to be: how many samples, which inputs with which range, and which outputs, in the
    /// file's numbers.
    ///
    /// ```
    /// use trainer::data::Dataset;
    /// let data = Dataset::from_grid(&[2, 3], ndarray::Array2::zeros((6, 1)));
    /// assert_eq!(data.summary(), "6 cells: x (0 to 2), y (0 to 1) → output 0 (0 in every cell)");
    /// ```
    #[must_use]
    pub fn summary(&self) -> String {
        let (one, many) = match self.kind {
            DataKind::Image { .. } => ("pixel", "pixels"),
            DataKind::Grid { .. } => ("cell", "cells"),
            DataKind::Table => ("row", "rows"),
        };
        let described = |name: &String, unit: String, origin: f64, [low, high]: [f64; 2]| {
            let text = |value: f64| digits(value, origin, high - low);
            if self.len() > 1 && low == high {
                format!("{name} ({}{unit} in every {one})", text(low))
            } else if low == high {
                format!("{name} ({}{unit})", text(low))
            } else {
                format!("{name} ({} to {}{unit})", text(low), text(high))
            }
        };
        let inputs = self.axes.iter().enumerate().map(|(k, axis)| {
            let range = [axis.minimum, axis.maximum].map(f64::from);
            described(&self.input_names[k], unit_suffix(&self.input_units, k), self.input_origins[k], range)
        });
        let outputs = self.output_maps.iter().enumerate().map(|(k, map)| {
            let unit = self.targets.column(k);
            // Pictures and arrays have one map for all outputs, and a picture is what lies between black and white.
            let (low, high) = match self.kind {
                DataKind::Image { .. } => (0.0, 1.0),
                _ => unit
                    .iter()
                    .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &unit| (low.min(unit), high.max(unit))),
            };
            let value = |unit: f32| f64::from(map.offset) + f64::from(map.scale) * f64::from(unit);
            described(
                &self.output_names[k],
                unit_suffix(&self.output_units, k),
                self.output_origins[k],
                [value(low), value(high)],
            )
        });
        let list = |parts: &mut dyn Iterator<Item = String>| parts.collect::<Vec<_>>().join(", ");
        let samples = if self.len() == 1 { one } else { many };
        format!("{} {samples}: {} → {}", self.len(), list(&mut { inputs }), list(&mut { outputs }))
    }
}

/// `origin + value` with as many digits as matter on this span and as single precision holds of the value, without
/// zeros at the end.
fn digits(value: f64, origin: f64, span: f64) -> String {
    /// Significant digits of single precision.
    const SINGLE: i32 = 7;
    /// Digits below the first one of the span.
    const OF_SPAN: i32 = 5;
    let magnitude = |size: f64| if size == 0.0 { 0 } else { size.abs().log10().floor() as i32 };
    let held = SINGLE - 1 - magnitude(value);
    let decimals = if span > 0.0 { held.min(OF_SPAN - magnitude(span)) } else { held };
    let sum = origin + value;
    let within_span = sum.abs() < span;
    if !within_span && !(-4..15).contains(&magnitude(sum)) {
        return format!("{sum:.3e}");
    }
    let text = format!("{sum:.*}", decimals.clamp(0, 12) as usize);
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
