//! Axes that repeat: of an angle 0° and 360° are the same place.
//!
//! A period is the user's, in the user's units; it takes the place of the one that [`load`](super::load) makes of the
//! samples' spacing. Frequencies along such an axis are whole
//! ([`EncodingParams::whole_axes`](crate::network::encoding::EncodingParams)), so that a network has the same value one
//! period further, and no step at the seam.

use std::str::FromStr;

use firmware_core::{Axis, Outside};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Dataset;

/// Bits of a coordinate that decide whether two positions are the same: a millionth of the period, more than the error
/// of single precision on the way to a coordinate.
const SAME_PLACE_BITS: u32 = 20;
/// What a span may be longer than the period by rounding, relative.
const ROUNDING: f64 = 1e-6;

/// The period of an input, which has a name or a number.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPeriod {
    /// The input's name, or its number from 1.
    pub input: String,
    /// The period in user units, above 0.
    pub period: f64,
}

/// The period of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// The axis, counted from 0.
    pub axis: usize,
    /// The period in user units, above 0.
    pub period: f64,
}

/// Why an axis cannot have a period.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PeriodError {
    /// A text that is not a name and a number.
    #[error("'{0}' is no name and period; write them as in angle_deg=360")]
    Form(String),
    /// An input, and a period after which no axis can repeat.
    #[error("{0} cannot have the period {1}; give a number above 0 that single precision holds, as in {0}=360")]
    Period(String, String),
    /// No input has this name or number; the names that there are.
    #[error("--periodic names '{0}', which is no input; the inputs are {1}")]
    Input(String, String),
    /// An input is named twice.
    #[error("--periodic names {0} twice; give it one period")]
    Twice(String),
}

impl FromStr for NamedPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (input, number) = text.rsplit_once('=').ok_or_else(|| PeriodError::Form(text.to_owned()))?;
        let (input, number) = (input.trim(), number.trim());
        if input.is_empty() {
            return Err(PeriodError::Form(text.to_owned()));
        }
        let unfit = || PeriodError::Period(input.to_owned(), number.to_owned());
        let period: f64 = number.parse().map_err(|_| unfit())?;
        let is_usable = period > 0.0 && (period as f32).is_normal() && (1.0 / period as f32).is_normal();
        if is_usable { Ok(Self { input: input.to_owned(), period }) } else { Err(unfit()) }
    }
}

/// The axes that are meant, in their order.
///
/// # Errors
///
/// If a name or number is none of an input, or an input is named twice.
pub fn resolve(named: &[NamedPeriod], inputs: &[String]) -> Result<Vec<Period>, PeriodError> {
    let mut periods: Vec<Period> = Vec::new();
    for NamedPeriod { input, period } in named {
        let axis = axis_of(input, inputs).ok_or_else(|| PeriodError::Input(input.clone(), inputs.join(", ")))?;
        if periods.iter().any(|other| other.axis == axis) {
            return Err(PeriodError::Twice(inputs[axis].clone()));
        }
        periods.push(Period { axis, period: *period });
    }
    periods.sort_unstable_by_key(|period| period.axis);
    Ok(periods)
}

/// The axis of an input that is named, or else counted from 1.
pub(crate) fn axis_of(input: &str, inputs: &[String]) -> Option<usize> {
    let by_number = || input.parse().ok().filter(|number| (1..=inputs.len()).contains(number)).map(|n: usize| n - 1);
    inputs.iter().position(|name| name == input).or_else(by_number)
}

/// Gives axes of a data set their true periods, and wraps the samples' coordinates into them as a device does.
///
/// Returns what is worth saying about it, a whole sentence each.
///
/// # Errors
///
/// If there is no such axis.
pub fn apply(dataset: &mut Dataset, periods: &[Period]) -> Result<Vec<String>, PeriodError> {
    let mut notes = Vec::new();
    let mut wraps = false;
    for &Period { axis: k, period } in periods {
        let Some(axis) = dataset.axes.get_mut(k) else {
            let available = dataset.input_names.join(", ");
            return Err(PeriodError::Input(format!("input {}", k + 1), available));
        };
        axis.scale = scale_of(period as f32);
        let axis = *axis;
        for (coordinate, &x) in dataset.coordinates.column_mut(k).iter_mut().zip(dataset.points.column(k)) {
            *coordinate = axis.to_fixed(x, Outside::Periodic).unwrap_or(0);
        }
        let span = f64::from(axis.maximum) - f64::from(axis.minimum);
        wraps |= span > period * (1.0 - ROUNDING);
        if span > period * (1.0 + ROUNDING) {
            let name = &dataset.input_names[k];
            let (minimum, maximum) = (position(dataset, k, axis.minimum), position(dataset, k, axis.maximum));
            notes.push(format!(
                "note: {name} runs from {minimum} to {maximum}, more than its period of {period}; positions that are \
                 {period} apart are taken as the same place"
            ));
        }
    }
    if wraps {
        notes.extend(conflict(dataset, periods));
    }
    Ok(notes)
}

/// One over the period, such that a point one period above the minimum has the coordinate 0 where single precision
/// allows it.
fn scale_of(period: f32) -> f32 {
    let nearest = 1.0 / period;
    [nearest, nearest.next_up()].into_iter().find(|scale| period * scale == 1.0).unwrap_or(nearest)
}

/// A position in the file's own numbers.
fn position(dataset: &Dataset, axis: usize, x: f32) -> String {
    match dataset.input_origins[axis] {
        0.0 => x.to_string(),
        origin => (origin + f64::from(x)).to_string(),
    }
}

/// Says if samples whole periods apart have different targets.
fn conflict(dataset: &Dataset, periods: &[Period]) -> Option<String> {
    let is_periodic = |axis: usize| periods.iter().any(|period| period.axis == axis);
    let shift = u32::BITS - SAME_PLACE_BITS;
    let key = |sample: usize| {
        let row = dataset.coordinates.row(sample).into_iter().enumerate();
        // Rounded to the nearest, so that what lies just below the period is beside zero.
        row.map(|(axis, &v)| if is_periodic(axis) { v.wrapping_add(1 << (shift - 1)) >> shift } else { v })
    };
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    order.par_sort_unstable_by(|&a, &b| key(a).cmp(key(b)).then(a.cmp(&b)));

    let mut places = 0usize;
    let mut example = None;
    for group in order.chunk_by(|&a, &b| key(a).eq(key(b))) {
        let apart = |other: usize| {
            let x = |sample: usize, axis: usize| f64::from(dataset.points[[sample, axis]]);
            let far = |period: &&Period| (x(group[0], period.axis) - x(other, period.axis)).abs() > period.period / 2.0;
            periods.iter().find(far).filter(|_| dataset.targets.row(group[0]) != dataset.targets.row(other))
        };
        if let Some((&other, period)) = group.iter().find_map(|other| Some((other, apart(*other)?))) {
            places += 1;
            example.get_or_insert((group[0], other, *period));
        }
    }
    let (first, second, Period { axis, period }) = example?;
    let [first, second] = [first, second].map(|sample| position(dataset, axis, dataset.points[[sample, axis]]));
    let name = &dataset.input_names[axis];
    let count = if places == 1 { "one place".to_owned() } else { format!("{places} places") };
    Some(format!(
        "note: samples at {name} {first} and {second} are at the same place, because the period is {period}, and have \
         different targets ({count} of this kind); the network learns a value between them"
    ))
}

/// Whether a position lies beyond what a model was trained on: from one period behind the minimum where the axis
/// repeats, else behind the maximum.
#[must_use]
pub fn is_beyond(axis: &Axis, outside: Outside, x: f32) -> bool {
    match outside {
        Outside::Periodic => x < axis.minimum || x >= axis.minimum + axis.period(),
        Outside::Clamp | Outside::Reject => x < axis.minimum || x > axis.maximum,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::data::DataKind;

    fn named(text: &str) -> NamedPeriod {
        text.parse().unwrap()
    }

    /// A table of an angle, a distance and one target.
    fn table(rows: &[[f32; 3]]) -> Dataset {
        let points = Array2::from_shape_fn((rows.len(), 2), |(row, column)| rows[row][column]);
        let axis = |column: usize| {
            let column = points.column(column);
            let (low, high) = (column.fold(f32::MAX, |a, &b| a.min(b)), column.fold(f32::MIN, |a, &b| a.max(b)));
            Axis::new(low, high, 2.0 * (high - low))
        };
        let axes = vec![axis(0), axis(1)];
        let targets = Array2::from_shape_fn((rows.len(), 1), |(row, _)| rows[row][2]);
        Dataset {
            coordinates: crate::data::domain::to_fixed(&points, &axes),
            points,
            axes,
            input_names: vec!["angle_deg".to_owned(), "r".to_owned()],
            kind: DataKind::Table,
            ..Dataset::from_grid(&[rows.len()], targets)
        }
        .with_origins_of_two_inputs()
    }

    impl Dataset {
        fn with_origins_of_two_inputs(mut self) -> Self {
            self.input_origins = vec![0.0; 2];
            self
        }
    }

    #[test]
    fn names_numbers_and_refusals() {
        let inputs = ["angle_deg".to_owned(), "r".to_owned(), "1".to_owned()];
        let resolved = |texts: &[&str]| resolve(&texts.iter().map(|text| named(text)).collect::<Vec<_>>(), &inputs);
        assert_eq!(resolved(&["r=2.5", "angle_deg=360"]).unwrap()[0], Period { axis: 0, period: 360.0 });
        assert_eq!(resolved(&["2=2.5"]).unwrap(), [Period { axis: 1, period: 2.5 }]);
        assert_eq!(resolved(&["1=3"]).unwrap()[0].axis, 2, "a name comes before a number");
        assert_eq!(named("a=b=7"), NamedPeriod { input: "a=b".to_owned(), period: 7.0 });
        for (texts, words) in [
            (&["angle=360"][..], "the inputs are angle_deg, r, 1"),
            (&["4=360"], "no input"),
            (&["0=360"], "no input"),
            (&["r=1", "2=1"], "names r twice"),
        ] {
            let error = resolved(texts).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for (text, words) in [
            ("360", "as in angle_deg=360"),
            ("=360", "as in angle_deg=360"),
            ("a=0", "a cannot have the period 0"),
            ("a=-360", "above 0"),
            ("a=360deg", "a cannot have the period 360deg"),
            ("a=nan", "nan"),
            ("a=inf", "inf"),
            ("a=1e-60", "single precision"),
            ("a=1e39", "single precision"),
        ] {
            let error = text.parse::<NamedPeriod>().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn an_axis_gets_its_period_and_the_others_stay() {
        let rows = [[0.0, 1.0, 0.1], [90.0, 1.5, 0.2], [270.0, 2.0, 0.3], [360.0, 1.0, 0.1]];
        let mut data = table(&rows);
        let before = data.clone();
        assert!(apply(&mut data, &[Period { axis: 0, period: 360.0 }]).unwrap().is_empty());
        // Quarters of 2^32.
        assert_eq!(data.coordinates.column(0), array![0, 1 << 30, 3 << 30, 0]);
        assert_eq!(data.axes[0].period(), 360.0);
        assert_eq!((data.axes[1], data.coordinates.column(1)), (before.axes[1], before.coordinates.column(1)));
        assert_eq!(data.points, before.points);
    }

    #[test]
    fn most_periods_end_exactly_where_they_begin() {
        // 41 times the nearest number to 1/41 is less than one.
        for period in [360.0, 41.0, 24.0, 7.0, 365.25, std::f32::consts::TAU] {
            let axis = Axis { minimum: 0.0, maximum: period, scale: scale_of(period) };
            assert_eq!(axis.to_fixed(period, Outside::Periodic), Some(0), "{period}");
            assert_eq!(axis.to_fixed(-period, Outside::Periodic), Some(0), "{period}");
        }
    }

    #[test]
    fn data_wider_than_the_period_wrap_and_that_is_said() {
        let mut data = table(&[[-180.0, 1.0, 0.1], [0.0, 1.0, 0.5], [540.0, 2.0, 0.3]]);
        let notes = apply(&mut data, &[Period { axis: 0, period: 360.0 }]).unwrap();
        assert_eq!(data.coordinates.column(0), array![0, 1 << 31, 0]);
        // -180 and 540 are one place, but their other coordinates differ.
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("angle_deg runs from -180 to 540, more than its period of 360"), "{notes:?}");
    }

    #[test]
    fn the_same_place_with_different_targets_is_said_once() {
        let period = [Period { axis: 0, period: 360.0 }];
        let rows = [[0.0, 1.0, 0.1], [0.0, 2.0, 0.4], [120.0, 1.0, 0.5], [360.0, 1.0, 0.2], [360.0, 2.0, 0.4]];
        let notes = apply(&mut table(&rows), &period).unwrap();
        assert_eq!(notes.len(), 1, "{notes:?}");
        let expected = "samples at angle_deg 0 and 360 are at the same place, because the period is 360";
        assert!(notes[0].contains(expected) && notes[0].contains("one place"), "{notes:?}");
        // Repeated measurements at one position have nothing to do with the period.
        let rows = [[0.0, 1.0, 0.1], [0.0, 1.0, 0.4], [360.0, 2.0, 0.5]];
        assert!(apply(&mut table(&rows), &period).unwrap().is_empty());
        // Rounded in the file: 10.1 + 360 in single precision is beside 10.1.
        let rows = [[10.1, 1.0, 0.1], [120.0, 1.0, 0.5], [370.1, 1.0, 0.2]];
        assert!(apply(&mut table(&rows), &period).unwrap()[0].contains("angle_deg 10.1 and 370.1"));
    }
}
