//! The origin from which values are counted where single precision cannot hold them apart.
//!
//! Models compute with values in single precision, whose steps grow with the size of a value: between 4194304 and
//! 8388608 they are half a unit. Of northings in metres (4649776.25) or seconds since 1970 (1.7e9) little remains. Such
//! values are counted in double precision from a round number close to them, and the model and all that it says count
//! from there too.

use crate::data::sentinel::plain;

/// A rounding error up to this part of what the values span is left alone: a model is not more exact.
const OF_SPAN: f64 = 1.0 / 262_144.0;
/// A rounding error up to this part of the spacing is left alone too: a sixty-fourth of a step moves no feature of the
/// data.
const OF_SPACING: f64 = 1.0 / 64.0;
/// An origin is worth its name if it makes the rounding error this many times smaller.
const LEAST_GAIN: f64 = 4.0;
/// With an error beyond this part of the spacing, values that differ can become the same.
const MERGES: f64 = 0.5;

/// How the values of an input or output lie.
pub(super) struct Spread {
    pub minimum: f64,
    pub maximum: f64,
    /// How many distinct values there are.
    pub distinct: usize,
    /// The typical step between neighbours: the median; 0 if all are the same.
    pub spacing: f64,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (minimum, maximum) = (sorted[0], sorted[sorted.len() - 1]);
        let mut steps: Vec<f64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
        let distinct = steps.len() + 1;
        let spacing = if steps.is_empty() {
            0.0
        } else {
            let middle = steps.len() / 2;
            *steps.select_nth_unstable_by(middle, f64::total_cmp).1
        };
        Self { minimum, maximum, distinct, spacing }
    }

    /// Of the same values, counted from an origin.
    pub(super) fn less(self, origin: f64) -> Self {
        Self { minimum: self.minimum - origin, maximum: self.maximum - origin, ..self }
    }

    fn size_from(&self, origin: f64) -> f64 {
        (self.maximum - origin).abs().max((self.minimum - origin).abs())
    }

    /// Where to count from: 0, unless that loses digits that a round number nearby keeps.
    pub(super) fn origin(&self) -> f64 {
        let error = half_step(self.size_from(0.0));
        let left_alone = (OF_SPAN * (self.maximum - self.minimum)).max(OF_SPACING * self.spacing);
        if self.distinct == 1 || error <= left_alone {
            return 0.0;
        }
        let origin = round_number(self.minimum, self.maximum);
        if LEAST_GAIN * half_step(self.size_from(origin)) <= error { origin } else { 0.0 }
    }

    /// A sentence about an origin that was chosen, and one about what single precision loses from there; `what` names
    /// the values, such as `column 'z'` or `the grid`.
    pub(super) fn notes(&self, what: &str, origin: f64, is_input: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let (spacing, lost) = (significant(self.spacing), significant(half_step(self.size_from(0.0))));
        if origin != 0.0 {
            let from = plain(origin);
            let how = if is_input {
                format!("subtract {from} from what is given to the model")
            } else {
                format!("add {from} to what the model answers")
            };
            notes.push(format!(
                "note: {what} is counted from {from}, because its values are {spacing} apart and single precision \
                 would round them by up to {lost}; on the device, {how}"
            ));
        }
        let error = half_step(self.size_from(origin));
        // Values of an output that differ less than a model can tell are no loss.
        let is_seen = is_input || error > OF_SPAN * (self.maximum - self.minimum);
        if self.distinct > 1 && is_seen && error > MERGES * self.spacing {
            notes.push(format!(
                "warning: {what} has values {spacing} apart, which single precision, in which models compute, rounds \
                 by up to {}; give less of its range, or coarser steps",
                significant(error)
            ));
        }
        notes
    }
}

/// The largest rounding error of values up to this size in single precision: half a step.
fn half_step(size: f64) -> f64 {
    // 24 binary digits from the highest.
    if size == 0.0 { 0.0 } else { 2f64.powi(size.log2().floor() as i32 - 24) }
}

/// The roundest number close to the values, a multiple of the largest power of ten: below them by no more than twice
/// what they span, or else among them.
fn round_number(minimum: f64, maximum: f64) -> f64 {
    let lowest = minimum - 2.0 * (maximum - minimum);
    for power in (-15..=18).rev() {
        for limit in [minimum, maximum] {
            let candidate = multiple_below(limit, power);
            if candidate >= lowest && candidate <= maximum {
                return candidate;
            }
        }
    }
    minimum
}

/// The largest multiple of a power of ten that is not above the limit.
fn multiple_below(limit: f64, power: i32) -> f64 {
    // Powers of ten with a negative exponent are not exact, their inverses are.
    let unit = 10f64.powi(power.abs());
    if power < 0 { (limit * unit).floor() / unit } else { (limit / unit).floor() * unit }
}

fn significant(value: f64) -> String {
    plain(format!("{value:.1e}").parse().unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(values: &[f64]) -> f64 {
        Spread::of(values).origin()
    }

    #[test]
    fn half_steps_of_single_precision() {
        // 1.5 and 4649776 are followed by 1.5 + 2^-23 and 4649776.5.
        assert_eq!(half_step(1.5), 2f64.powi(-24));
        assert_eq!(half_step(4_649_776.0), 0.25);
        for size in [1.0, 3.7, 1e-3, 6.5e8, 1e20] {
            let single = size as f32;
            assert_eq!(half_step(size), f64::from(f32::from_bits(single.to_bits() + 1) - single) / 2.0, "{size}");
        }
    }

    #[test]
    fn origins_are_round_and_only_where_needed() {
        let steps = |from: f64, step: f64| (0..32).map(|k| from + f64::from(k) * step).collect::<Vec<_>>();
        assert_eq!(origin(&steps(4_649_776.25, 0.5)), 4_649_770.0);
        assert_eq!(origin(&steps(500_000.25, 0.5)), 500_000.0);
        assert_eq!(origin(&steps(1_699_999_999.9, 0.01)), 1_700_000_000.0);
        assert_eq!(origin(&steps(-7_000_003.5, 0.125)), -7_000_000.0);
        assert_eq!(origin(&steps(-7_000_003.5, 0.0625)), -7_000_004.0);
        // Heights of 1000 metres that fill 100 metres densely: the error is 6e-7 of what they span.
        let dense: Vec<f64> = (0..10_000).map(|k| 1000.0 + 0.01 * f64::from(k) + 1e-9).collect();
        assert_eq!(origin(&dense), 0.0);
        // Years, kilopascals, indices and random numbers need none.
        for (from, step) in [(1990.0, 0.25), (95.0, 0.1), (0.0, 1.0), (-1.0, 1.3e-4), (2.4e9, 1e6)] {
            assert_eq!(origin(&steps(from, step)), 0.0, "{from}");
        }
        assert_eq!(origin(&[7.3; 3]), 0.0);
    }

    #[test]
    fn what_is_lost_in_spite_of_the_origin_is_said() {
        let long: Vec<f64> = (0..1000).map(|k| 1.7e9 + f64::from(k) * 0.001).chain([1.8e9]).collect();
        let spread = Spread::of(&long);
        let notes = spread.notes("column 't'", spread.origin(), true);
        assert!(
            notes.last().is_some_and(|note| note.contains("0.001 apart") && note.contains("rounds by up to 64")),
            "{notes:?}"
        );
    }
}
