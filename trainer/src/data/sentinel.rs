//! Sentinels: values such as -9999 that stand for "no data" and would be learned as if they had been measured.
//!
//! Two things are done about them, in tables, arrays, pictures and elevation grids alike: [`suspects`] notices them
//! before training, and what the user names with `--no-data` ([`LoadOptions::no_data`](super::LoadOptions::no_data)) is
//! left out, as [`is_no_data`] tells.

/// Values that programs write where nothing was measured: GIS, loggers, integers of 16 and 32 bits, NetCDF.
/// All that is beyond [`HUGE`] counts as known as well.
const KNOWN: [f64; 21] = [
    1e20,
    -9999.0,
    -99999.0,
    -999999.0,
    -999.0,
    -99.0,
    -32768.0,
    -32767.0,
    -2147483648.0,
    -2147483647.0,
    999.0,
    9999.0,
    99999.0,
    999999.0,
    32767.0,
    65535.0,
    2147483647.0,
    4294967295.0,
    -9999.9,
    -999.9,
    -9999.99,
];
/// Nothing measured is as large: fill values near the end of single precision are.
const HUGE: f64 = 1e30;
/// A known sentinel is as far from all other values as this part of their range,
const KNOWN_GAP: f64 = 0.5;
/// and as this part of its own size: -9998 is its neighbour.
const KNOWN_STEP: f64 = 0.05;
/// Any other value is only suspected this many ranges away from the others,
const STRANGE_GAP: f64 = 10.0;
/// if it is a whole number of at least this size that repeats,
const STRANGE_SIZE: f64 = 99.0;
/// and if at least this many other values differ: they have a range worth the name.
const STRANGE_OTHERS: usize = 4;
/// More distinct sentinels than this in one column are none.
const MOST: usize = 4;

/// A value that is likely to stand for "no data".
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// As it stands in the file.
    pub value: f64,
    /// How many of the values are it.
    pub count: usize,
    /// How many values there are.
    pub of: usize,
    /// Smallest and largest of the values that are no suspects.
    pub rest: [f64; 2],
}

impl Suspect {
    /// A sentence for [`Dataset::notes`](super::Dataset::notes); `what` names the values, such as `column 'z'` or `the
    /// array`.
    #[must_use]
    pub fn note(&self, what: &str) -> String {
        let Self { count, of, rest: [low, high], .. } = self;
        let (value, low, high) = (plain(self.value), plain(*low), plain(*high));
        let are = if *count == 1 { "is" } else { "are" };
        format!(
            "warning: {count} of the {of} values of {what} {are} {value}, far from all others ({low} to {high}); \
             if this stands for missing data, leave those samples out with --no-data={value}"
        )
    }
}

/// The values that are likely to stand for "no data", the smallest first; values that are not finite are passed over.
///
/// A suspect is the smallest or the largest value, well apart from all others, and either a number that programs are
/// known to write where nothing was measured, or a whole number that repeats very far from the others.
///
/// ```
/// use trainer::data::sentinel::suspects;
/// let found = suspects(&[12.5, -9999.0, 14.0, 13.25, -9999.0]);
/// assert_eq!((found[0].value, found[0].count, found[0].rest), (-9999.0, 2, [12.5, 14.0]));
/// assert!(suspects(&[-9999.0, -9998.0, -9997.0]).is_empty());
/// ```
#[must_use]
pub fn suspects(values: &[f64]) -> Vec<Suspect> {
    let mut runs = Extremes::new(values);
    let mut found = Vec::new();
    while found.len() <= MOST {
        let Some(run) = runs.suspect() else {
            break;
        };
        found.push(run);
    }
    if found.len() > MOST || found.is_empty() {
        return Vec::new();
    }
    let rest = [runs.lowest(), runs.highest()];
    let mut suspects: Vec<Suspect> =
        found.into_iter().map(|Run { value, count }| Suspect { value, count, of: values.len(), rest }).collect();
    suspects.sort_by(|one, other| one.value.total_cmp(&other.value));
    suspects
}

/// Whether a value is one of those that stand for "no data": the same in single precision, or both near the end of it,
/// where programs and people write `-3.4e38` with more or fewer digits. NaN is equal to NaN here.
#[must_use]
pub fn is_no_data(value: f64, no_data: &[f64]) -> bool {
    let equal = |&sentinel: &f64| {
        let huge =
            value.abs() > HUGE && sentinel.abs() > HUGE && value.is_sign_positive() == sentinel.is_sign_positive();
        value as f32 == sentinel as f32
            || (value.is_nan() && sentinel.is_nan())
            || (huge && (value / sentinel - 1.0).abs() < 0.01)
    };
    no_data.iter().any(equal)
}

/// A number as people write it, in the shortest form that reads back: 1e38 rather than 39 digits.
#[must_use]
pub fn plain(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e15).contains(&value.abs()) { format!("{value:e}") } else { format!("{value}") }
}

/// A value, and how often it occurs.
#[derive(Clone, Copy)]
struct Run {
    value: f64,
    count: usize,
}

/// The distinct finite values at the two ends, from outside to inside, with how often they occur.
struct Extremes {
    low: Vec<Run>,
    high: Vec<Run>,
    /// Distinct values in all, suspects taken away.
    distinct: usize,
}

impl Extremes {
    fn new(values: &[f64]) -> Self {
        // One more than the most suspects, and those that they are compared with.
        let keep = MOST + STRANGE_OTHERS + 1;
        let (low, high) = (ends(values.iter().copied(), keep), ends(values.iter().map(|value| -value), keep));
        let high: Vec<_> = high.into_iter().map(|run| Run { value: -run.value, ..run }).collect();
        // Fewer than are kept are all that there are, at either end.
        Self { distinct: low.len(), low, high }
    }

    fn lowest(&self) -> f64 {
        self.low[0].value
    }

    fn highest(&self) -> f64 {
        self.high[0].value
    }

    /// Takes away the end that is a suspect, if one is; the farther end first.
    fn suspect(&mut self) -> Option<Run> {
        if self.distinct < 2 {
            return None;
        }
        let (low, high) = (self.lowest(), self.highest());
        let (low_gap, high_gap) = (self.low[1].value - low, high - self.high[1].value);
        let of_low = is_suspect(self.low[0], low_gap, high - self.low[1].value, self.distinct - 1);
        let of_high = is_suspect(self.high[0], high_gap, self.high[1].value - low, self.distinct - 1);
        match (of_low, of_high) {
            (false, false) => None,
            (true, false) => Some(Self::take(&mut self.low, &mut self.high, &mut self.distinct)),
            (false, true) => Some(Self::take(&mut self.high, &mut self.low, &mut self.distinct)),
            // Of two values both may be far from the other: the larger size is the sentinel.
            (true, true) if low.abs() >= high.abs() => {
                Some(Self::take(&mut self.low, &mut self.high, &mut self.distinct))
            }
            (true, true) => Some(Self::take(&mut self.high, &mut self.low, &mut self.distinct)),
        }
    }

    fn take(from: &mut Vec<Run>, other: &mut Vec<Run>, distinct: &mut usize) -> Run {
        let taken = from.remove(0);
        other.retain(|run| run.value != taken.value);
        *distinct -= 1;
        taken
    }
}

/// Whether a value at an end is a suspect, so far from the `others` distinct values, which span `range`.
fn is_suspect(Run { value, count }: Run, gap: f64, range: f64, others: usize) -> bool {
    if KNOWN.contains(&value) || KNOWN.iter().any(|known| *known as f32 == value as f32) || value.abs() >= HUGE {
        return gap > KNOWN_GAP * range && gap > KNOWN_STEP * value.abs();
    }
    let strange = value.fract() == 0.0 && value.abs() >= STRANGE_SIZE && count > 1 && others >= STRANGE_OTHERS;
    strange && range > 0.0 && gap > STRANGE_GAP * range
}

/// The `keep` smallest distinct finite values with how often they occur, in one pass.
fn ends(values: impl Iterator<Item = f64>, keep: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(keep + 1);
    for value in values.filter(|value| value.is_finite()) {
        if runs.len() == keep && runs.last().is_some_and(|last| value > last.value) {
            continue;
        }
        let at = runs.partition_point(|run| run.value < value);
        match runs.get_mut(at) {
            Some(run) if run.value == value => run.count += 1,
            _ => {
                runs.insert(at, Run { value, count: 1 });
                runs.truncate(keep);
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[f64]) -> Vec<f64> {
        suspects(values).iter().map(|suspect| suspect.value).collect()
    }

    #[test]
    fn sentinels_are_noticed_and_data_are_not() {
        let terrain: Vec<f64> = (0..500).map(|k| 100.0 + f64::from(k % 71) * 7.3).collect();
        assert!(found(&terrain).is_empty());
        for sentinel in
            [-9999.0, -32768.0, 32767.0, f64::from(f32::MIN), f64::from(f32::MAX), -3.4e38, 9.96921e36, 1e300, -88888.0]
        {
            let mut with = terrain.clone();
            with[3] = sentinel;
            with[77] = sentinel;
            let suspects = suspects(&with);
            assert_eq!((suspects.len(), suspects[0].value, suspects[0].count), (1, sentinel, 2), "{sentinel}");
            // Smallest and largest of the terrain: 100 + 0·7.3 and 100 + 70·7.3.
            assert_eq!((suspects[0].of, suspects[0].rest), (500, [100.0, 611.0]));
        }
        let mut two = terrain.clone();
        (two[0], two[1], two[2]) = (-9999.0, f64::from(f32::MAX), f64::NAN);
        assert_eq!(found(&two), [-9999.0, f64::from(f32::MAX)]);
        (two[0], two[1]) = (f64::from(f32::MIN), f64::from(f32::MAX));
        assert_eq!(found(&two), [f64::from(f32::MIN), f64::from(f32::MAX)]);
        assert_eq!(found(&[5.0, 5.0, -9999.0]), [-9999.0]);
    }

    #[test]
    fn ordinary_values_are_no_suspects() {
        // A counter that runs through, powers of ten, a switch, one peak, a single value, nothing.
        let counter: Vec<f64> = (-10_050..-9_900).map(f64::from).collect();
        let powers: Vec<f64> = (-3..12).map(|power| 10f64.powi(power)).collect();
        let temperatures: Vec<f64> = (-99..60).map(f64::from).collect();
        for values in [
            &counter[..],
            &powers,
            &temperatures,
            &[-9999.0, -9998.0, -9997.0],
            &[0.0, 1.0, 0.0, 1.0],
            &[0.0, 0.0, 0.1, 250.0],
            &[7.5; 9],
            &[-9999.0],
            &[],
        ] {
            assert!(found(values).is_empty(), "{values:?}");
        }
    }

    #[test]
    fn no_data_is_told_as_people_write_it() {
        assert!(is_no_data(-9999.0, &[1.0, -9999.0]));
        assert!(is_no_data(f64::from(-9999.9f32), &[-9999.9]));
        assert!(is_no_data(f64::from(f32::MIN), &[-3.4e38]));
        assert!(is_no_data(f64::NAN, &[f64::NAN]));
        assert!(!is_no_data(f64::from(f32::MIN), &[3.4e38]));
        assert!(!is_no_data(-9998.0, &[-9999.0]));
        assert!(!is_no_data(0.0, &[]));
    }
}
