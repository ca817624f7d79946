//! One kind of axis, linear or logarithmic, with ticks at round numbers or at given ones.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::figure::tick_label;

/// The values along an axis of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisScale {
    range: Range<f64>,
    logarithmic: bool,
    /// Instead of round numbers.
    given: Vec<f64>,
}

/// What ticks of a logarithmic axis are multiples of, from many ticks to few.
const MANTISSAS: [&[f64]; 4] = [&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], &[1.0, 2.0, 3.0, 5.0, 7.0], &[1.0, 2.0, 5.0], &[1.0]];
/// A logarithmic axis of fewer decades has numbers at its ticks, a longer one powers of ten.
const FEW_DECADES: f64 = 2.0;
/// Given ticks that are closer than this part of the axis to the last one have no room for their numbers.
const CLOSE: f64 = 0.04;

impl AxisScale {
    /// From `range.start` to `range.end`; a logarithmic one needs positive ends.
    #[must_use]
    pub fn new(range: Range<f64>, logarithmic: bool) -> Self {
        Self { range, logarithmic, given: Vec::new() }
    }

    /// With ticks at these ascending values, those of them that there is room for; at round numbers if there are none.
    #[must_use]
    pub fn with_ticks(self, given: &[f64]) -> Self {
        let mut kept: Vec<f64> = Vec::new();
        for &tick in given.iter().filter(|tick| (self.range.start..=self.range.end).contains(tick)) {
            if kept.last().is_none_or(|&last| self.position(tick) - self.position(last) >= CLOSE) {
                kept.push(tick);
            }
        }
        Self { given: kept, ..self }
    }

    fn decades(&self) -> f64 {
        self.range.end.log10() - self.range.start.log10()
    }

    fn position(&self, value: f64) -> f64 {
        let at = |x: f64| if self.logarithmic { x.max(f64::MIN_POSITIVE).ln() } else { x };
        let (start, end) = (at(self.range.start), at(self.range.end));
        ((at(value) - start) / (end - start)).clamp(0.0, 1.0)
    }

    fn ticks(&self, most: usize) -> Vec<f64> {
        let most = most.max(2);
        if !self.given.is_empty() {
            self.given.clone()
        } else if self.logarithmic {
            self.logarithmic_ticks(most)
        } else {
            self.linear_ticks(most)
        }
    }

    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let (start, end) = (self.range.start, self.range.end);
        let raw = (end - start) / most as f64;
        let magnitude = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|step| *step >= raw);
        let step = step.unwrap_or(10.0 * magnitude);
        let (first, last) = ((start / step - 1e-9).ceil() as i64, (end / step + 1e-9).floor() as i64);
        (first..=last).map(|k| k as f64 * step).collect()
    }

    /// As many multiples of powers of ten as there is room for. Where even they are few on a short axis, ticks are
    /// evenly spaced.
    fn logarithmic_ticks(&self, most: usize) -> Vec<f64> {
        let (start, end) = (self.range.start, self.range.end);
        let (low, high) = (start.log10().floor() as i32, end.log10().ceil() as i32);
        // Rounding must not cost the tick at an end.
        let shown = |tick: &f64| (start * (1.0 - 1e-9)..=end * (1.0 + 1e-9)).contains(tick);
        let multiples = |mantissas: &[f64], stride: i32| -> Vec<f64> {
            let powers = (low..=high).filter(|power| power.rem_euclid(stride) == 0);
            let ticks = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * 10f64.powi(power)));
            ticks.filter(shown).collect()
        };
        let fitting = MANTISSAS.into_iter().map(|mantissas| multiples(mantissas, 1)).find(|ticks| ticks.len() <= most);
        match fitting {
            Some(ticks) if ticks.len() >= 3 || self.decades() >= FEW_DECADES => ticks,
            Some(_) => self.linear_ticks(most),
            None => multiples(&[1.0], (self.decades() / most as f64).ceil().max(1.0) as i32),
        }
    }
}

impl Ranged for AxisScale {
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

impl ValueFormatter<f64> for AxisScale {
    fn format_ext(&self, value: &f64) -> String {
        let powers = self.logarithmic && self.given.is_empty() && self.decades() >= FEW_DECADES;
        if powers { power_label(*value) } else { tick_label(*value) }
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
        close(AxisScale::new(0.0..1.0, false).ticks(5), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        close(AxisScale::new(-0.53..0.41, false).ticks(5), &[-0.4, -0.2, 0.0, 0.2, 0.4]);
        close(AxisScale::new(0.5..2e4, true).ticks(6), &[1.0, 10.0, 100.0, 1e3, 1e4]);
        close(AxisScale::new(1.0..1e12, true).ticks(6), &[1.0, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12]);
        close(AxisScale::new(1.0..6.0, true).ticks(6), &[1.0, 1.5, 2.0, 3.0, 5.0]);
        close(AxisScale::new(1.0..64.0, true).ticks(6), &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        close(AxisScale::new(0.25..64.0, true).ticks(6), &[1.0, 10.0]);
        let widths = AxisScale::new(256.0..4096.0, true);
        close(widths.ticks(6), &[300.0, 500.0, 700.0, 1e3, 2e3, 3e3]);
        assert_eq!(widths.format_ext(&1e3), "1000");
        close(AxisScale::new(0.013..0.0145, true).ticks(4), &[0.013, 0.0135, 0.014, 0.0145]);
        assert_eq!(AxisScale::new(1.0..1e4, true).format_ext(&1e3), "10³");
        assert_eq!(power_label(1e-14), "10⁻¹⁴");
        assert_eq!(power_label(1e4), "10⁴");
        assert_eq!(power_label(0.1), "0.1");
    }

    #[test]
    fn given_ticks_are_shown_where_there_is_room() {
        let settings = [256.0, 1024.0, 4096.0, 9000.0];
        let scale = AxisScale::new(256.0..4096.0, true).with_ticks(&settings);
        assert_eq!(scale.ticks(6), settings[..3]);
        assert_eq!(scale.format_ext(&1024.0), "1024");
        let many: Vec<f64> = (0..=1000).map(f64::from).collect();
        let kept = AxisScale::new(0.0..1000.0, false).with_ticks(&many).ticks(6);
        assert!(kept.len() <= 26 && kept[0] == 0.0, "{kept:?}");
        assert_eq!(AxisScale::new(0.0..1.0, false).with_ticks(&[]).ticks(2), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_decade_has_the_same_length_everywhere() {
        let scale = AxisScale::new(1.0..1e4, true);
        assert_eq!([1.0, 10.0, 1e4].map(|value| scale.map(&value, (0, 400))), [0, 100, 400]);
    }
}
