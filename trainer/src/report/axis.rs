//! One kind of axis, linear or logarithmic, with ticks at round numbers.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::figure::tick_label;

/// The values along an axis of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    range: Range<f64>,
    logarithmic: bool,
}

impl Scale {
    /// From `range.start` to `range.end`; a logarithmic one needs positive ends.
    #[must_use]
    pub fn new(range: Range<f64>, logarithmic: bool) -> Self {
        Self { range, logarithmic }
    }

    fn position(&self, value: f64) -> f64 {
        let at = |x: f64| if self.logarithmic { x.max(f64::MIN_POSITIVE).ln() } else { x };
        let (start, end) = (at(self.range.start), at(self.range.end));
        ((at(value) - start) / (end - start)).clamp(0.0, 1.0)
    }

    fn ticks(&self, most: usize) -> Vec<f64> {
        let most = most.max(2) as f64;
        let (start, end) = (self.range.start, self.range.end);
        if self.logarithmic {
            let (low, high) = (start.log10().floor() as i32, end.log10().ceil() as i32);
            let decades = end.log10() - start.log10();
            let mantissas: &[f64] = if decades < 1.2 { &[1.0, 2.0, 3.0, 5.0, 7.0] } else { &[1.0] };
            let stride = (decades / most).ceil().max(1.0) as usize;
            let powers = (low..=high).filter(|power| power.rem_euclid(stride as i32) == 0);
            let ticks = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * 10f64.powi(power)));
            return ticks.filter(|tick| (start..=end).contains(tick)).collect();
        }
        let raw = (end - start) / most;
        let magnitude = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|step| *step >= raw);
        let step = step.unwrap_or(10.0 * magnitude);
        let (first, last) = ((start / step - 1e-9).ceil() as i64, (end / step + 1e-9).floor() as i64);
        (first..=last).map(|k| k as f64 * step).collect()
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.position(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.bold_points())
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        if self.logarithmic { power_label(*value) } else { tick_label(*value) }
    }
}

/// Powers of ten far from one with a raised exponent.
fn power_label(value: f64) -> String {
    let power = value.log10();
    if (power - power.round()).abs() > 1e-9 || (-2.0..=2.0).contains(&power.round()) {
        return tick_label(value);
    }
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => char::from_u32(0x2070 + other.to_digit(10).unwrap_or(0)).unwrap_or('⁰'),
    };
    format!("10{}", (power.round() as i64).to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let close = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs().max(1.0)), "{found:?}");
        };
        close(Scale::new(0.0..1.0, false).ticks(5), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        close(Scale::new(-0.53..0.41, false).ticks(5), &[-0.4, -0.2, 0.0, 0.2, 0.4]);
        close(Scale::new(0.5..2e4, true).ticks(6), &[1.0, 10.0, 100.0, 1e3, 1e4]);
        close(Scale::new(1.0..6.0, true).ticks(6), &[1.0, 2.0, 3.0, 5.0]);
        assert_eq!(power_label(1e-14), "10⁻¹⁴");
        assert_eq!(power_label(1e4), "10⁴");
        assert_eq!(power_label(0.1), "0.1");
    }

    #[test]
    fn a_decade_has_the_same_length_everywhere() {
        let scale = Scale::new(1.0..1e4, true);
        assert_eq!([1.0, 10.0, 1e4].map(|value| scale.map(&value, (0, 400))), [0, 100, 400]);
    }
}
