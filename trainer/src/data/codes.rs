//! Axes of integer codes: the values of a converter, which a device takes as they are.
//!
//! A converter of b bits gives whole numbers from 0 to 2^b - 1. An axis of them has that domain, whatever part of it
//! the samples cover, and the coordinate of the code k is exactly k·2^(32 - b) ([`Axis::codes`]): a device makes it by
//! a shift, without a float.

use std::str::FromStr;

use firmware_core::Axis;
use firmware_core::limits::MAX_CODE_BITS;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Dataset;
use super::periodic;

/// The width of the codes of an input, which has a name or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCodes {
    /// The input's name, or its number from 1.
    pub input: String,
    /// Bits of a code, 1 to 16.
    pub bits: u8,
}

/// The width of the codes along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// The axis, counted from 0.
    pub axis: usize,
    /// Bits of a code, 1 to 16.
    pub bits: u8,
}

/// For each axis the bits of its codes, 0 where it has none; empty if no axis has.
pub(crate) fn bits_by_axis(codes: &[Codes], axes: usize) -> impl Iterator<Item = u8> + '_ {
    let bits = |axis| codes.iter().find(|codes| codes.axis == axis).map_or(0, |codes| codes.bits);
    let axes = if codes.is_empty() { 0 } else { axes };
    (0..axes).map(bits)
}

/// Why an input does not consist of codes.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CodesError {
    /// A text that is not a name and a number.
    #[error("'{0}' is no name and number of bits; write them as in adc=12")]
    Form(String),
    /// An input, and a number of bits that codes cannot have.
    #[error("{0} cannot consist of codes of {1} bits; give a whole number from 1 to {MAX_CODE_BITS}, as in {0}=12")]
    Bits(String, String),
    /// No input has this name or number; the names that there are.
    #[error("--codes names '{0}', which is no input; the inputs are {1}")]
    Input(String, String),
    /// An input is named twice.
    #[error("--codes names {0} twice; give it one number of bits")]
    Twice(String),
    /// A value of the data is no code.
    #[error(
        "{input} is {value} in sample {sample}, counted from 1, and codes of {bits} bits are whole numbers from 0 to \
         {largest}; mend the data or leave out --codes for {input}"
    )]
    Value {
        /// The input's name.
        input: String,
        /// The value, in the file's own numbers.
        value: f64,
        /// Counted from 1, in the data's order.
        sample: usize,
        /// Bits of a code.
        bits: u8,
        /// The largest code.
        largest: u32,
    },
    /// The period of an axis of codes is another one than theirs.
    #[error(
        "{input} consists of codes, which repeat after {codes} and not after {period}; give --periodic {input}={codes}"
    )]
    Period {
        /// The input's name.
        input: String,
        /// The number of codes.
        codes: u32,
        /// The period that was given.
        period: f64,
    },
}

impl FromStr for NamedCodes {
    type Err = CodesError;

    fn from_str(text: &str) -> Result<Self, CodesError> {
        let form = || CodesError::Form(text.to_owned());
        let (input, number) = text.rsplit_once('=').ok_or_else(form)?;
        let (input, number) = (input.trim(), number.trim());
        if input.is_empty() {
            return Err(form());
        }
        match number.parse() {
            Ok(bits) if (1..=MAX_CODE_BITS).contains(&bits) => Ok(Self { input: input.to_owned(), bits }),
            _ => Err(CodesError::Bits(input.to_owned(), number.to_owned())),
        }
    }
}

/// The axes that are meant, in their order.
///
/// # Errors
///
/// If a name or number is none of an input, or an input is named twice.
pub fn resolve(named: &[NamedCodes], inputs: &[String]) -> Result<Vec<Codes>, CodesError> {
    let mut all: Vec<Codes> = Vec::new();
    for NamedCodes { input, bits } in named {
        let axis =
            periodic::axis_of(input, inputs).ok_or_else(|| CodesError::Input(input.clone(), inputs.join(", ")))?;
        if all.iter().any(|other| other.axis == axis) {
            return Err(CodesError::Twice(inputs[axis].clone()));
        }
        all.push(Codes { axis, bits: *bits });
    }
    all.sort_unstable_by_key(|codes| codes.axis);
    Ok(all)
}

/// Gives axes of a data set the domain of their codes, and the samples the coordinates that a device computes. The axes
/// have their [periods](periodic::apply) already.
///
/// Returns what is worth saying about it, a whole sentence each.
///
/// # Errors
///
/// If there is no such axis, or one of its values is no code.
pub fn apply(dataset: &mut Dataset, codes: &[Codes], periods: &[periodic::Period]) -> Result<Vec<String>, CodesError> {
    let mut notes = Vec::new();
    for &Codes { axis: k, bits } in codes {
        let largest = (1u32 << bits) - 1;
        let Some(name) = dataset.input_names.get(k).cloned().filter(|_| k < dataset.axes.len()) else {
            return Err(CodesError::Input(format!("input {}", k + 1), dataset.input_names.join(", ")));
        };
        if let Some(&periodic::Period { period, .. }) = periods.iter().find(|period| period.axis == k)
            && period != f64::from(largest) + 1.0
        {
            return Err(CodesError::Period { input: name, codes: largest + 1, period });
        }
        // Positions are counted from an origin where single precision needs one; codes are counted from 0.
        let origin = std::mem::take(&mut dataset.input_origins[k]);
        let mut ends = (largest, 0);
        for (row, x) in dataset.points.column_mut(k).iter_mut().enumerate() {
            let value = origin + f64::from(*x);
            if !(value.fract() == 0.0 && (0.0..=f64::from(largest)).contains(&value)) {
                // As it stands in the file, and not as single precision rounds it.
                let value = if origin == 0.0 { x.to_string().parse().unwrap_or(value) } else { value };
                return Err(CodesError::Value { input: name, value, sample: row + 1, bits, largest });
            }
            let code = value as u32;
            ends = (ends.0.min(code), ends.1.max(code));
            *x = code as f32;
            dataset.coordinates[[row, k]] = code << (32 - u32::from(bits));
        }
        dataset.axes[k] = Axis::codes(bits);
        let is_periodic = periods.iter().any(|period| period.axis == k);
        if ends != (0, largest) && !is_periodic {
            notes.push(format!(
                "note: the model takes the codes 0 to {largest} of {name}, and the samples have those from {} to {}; \
                 what it says beyond them is not known to be right",
                ends.0, ends.1
            ));
        }
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use firmware_core::Outside;
    use ndarray::{Array2, array};

    use super::*;

    fn data(codes: &[f32]) -> Dataset {
        let mut data = Dataset::from_grid(&[codes.len()], Array2::from_shape_fn((codes.len(), 1), |(k, _)| k as f32));
        data.points.column_mut(0).iter_mut().zip(codes).for_each(|(x, &code)| *x = code);
        data
    }

    #[test]
    fn samples_get_the_coordinates_that_a_device_computes() {
        let mut converter = data(&[0.0, 17.0, 4000.0]);
        let notes = apply(&mut converter, &[Codes { axis: 0, bits: 12 }], &[]).unwrap();
        assert_eq!(converter.coordinates.column(0), array![0, 17 << 20, 4000 << 20]);
        assert_eq!(converter.axes, [Axis::codes(12)]);
        for (x, coordinate) in converter.points.iter().zip(&converter.coordinates) {
            assert_eq!(converter.axes[0].to_fixed(*x, Outside::Clamp), Some(*coordinate));
        }
        assert!(notes.len() == 1 && notes[0].contains("those from 0 to 4000"), "{notes:?}");
        assert!(apply(&mut data(&[0.0, 3.0]), &[Codes { axis: 0, bits: 2 }], &[]).unwrap().is_empty());
        // Counted from an origin, and in its own numbers again.
        let mut counted = data(&[0.0, 1.0]);
        counted.input_origins = vec![65_000.0];
        apply(&mut counted, &[Codes { axis: 0, bits: 16 }], &[]).unwrap();
        assert_eq!((counted.input_origins[0], counted.points[[1, 0]]), (0.0, 65_001.0));
    }

    #[test]
    fn what_is_no_code_is_named() {
        let said =
            |codes: &[f32], bits| apply(&mut data(codes), &[Codes { axis: 0, bits }], &[]).unwrap_err().to_string();
        assert!(said(&[1.0, 2.5], 12).contains("is 2.5 in sample 2, counted from 1"));
        assert!(said(&[3995.6, 2.5], 12).contains("is 3995.6 in sample 1, counted from 1"));
        assert!(said(&[0.0, 1024.0], 10).contains("whole numbers from 0 to 1023"));
        assert!(said(&[-1.0, 3.0], 10).contains("is -1 in sample 1"));
        assert!(said(&[f32::NAN], 10).contains("NaN"));
        let period = periodic::Period { axis: 0, period: 360.0 };
        let error = apply(&mut data(&[1.0]), &[Codes { axis: 0, bits: 10 }], &[period]).unwrap_err().to_string();
        assert!(error.contains("repeat after 1024 and not after 360"), "{error}");
    }

    #[test]
    fn names_numbers_and_refusals() {
        let inputs = ["adc".to_owned(), "temp".to_owned()];
        let named = |text: &str| text.parse::<NamedCodes>();
        let resolved =
            |texts: &[&str]| resolve(&texts.iter().map(|text| named(text).unwrap()).collect::<Vec<_>>(), &inputs);
        assert_eq!(resolved(&["2=10", "adc=12"]).unwrap(), [Codes { axis: 0, bits: 12 }, Codes { axis: 1, bits: 10 }]);
        assert!(resolved(&["volt=12"]).unwrap_err().to_string().contains("the inputs are adc, temp"));
        assert!(resolved(&["adc=12", "1=12"]).unwrap_err().to_string().contains("names adc twice"));
        for (text, words) in [
            ("adc", "as in adc=12"),
            ("=12", "as in adc=12"),
            ("adc=17", "17 bits"),
            ("adc=0", "0 bits"),
            ("adc=x", "x bits"),
            ("adc=300", "from 1 to 16"),
        ] {
            let error = named(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
