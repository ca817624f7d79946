//! Which samples train and which ones test.

mod split;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use split::{Split, note_of_repeated, split};

/// How samples are held out of training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Holdout {
    /// All samples train, none test: the network is to reproduce the data.
    #[default]
    None,
    /// Samples whose indices are all even train, those whose indices are all odd test (on a picture: even rows and
    /// columns, odd rows and columns; a quarter of the pixels each), the rest does neither. This is the split of the
    /// Fourier features paper. Axes of length 1 do not count; the rows of a table count as one axis.
    Even,
    /// This share of the samples, above 0 and below 1, tests; drawn at random from the seed. Rows of a table at one
    /// point go together, since one of them would give the others away.
    Fraction(f64),
}

impl fmt::Display for Holdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Even => f.write_str("even"),
            Self::Fraction(fraction) => write!(f, "{fraction}"),
        }
    }
}

impl FromStr for Holdout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => return Ok(Self::None),
            "even" => return Ok(Self::Even),
            _ => {}
        }
        match text.parse::<f64>() {
            Ok(fraction) if fraction > 0.0 && fraction < 1.0 => Ok(Self::Fraction(fraction)),
            _ => Err("expected none, even, or a fraction between 0 and 1 such as 0.1".to_owned()),
        }
    }
}

/// A holdout that leaves no samples to train on or to test with.
#[derive(Clone, Debug, Error, PartialEq)]
#[error(
    "holdout {holdout} of {samples} samples leaves none to {}; {}",
    if *no_train { "train on" } else { "test with" },
    match holdout {
        _ if *one_point && *samples > 1 => "all are at one point, so give samples at other points or leave --holdout out",
        Holdout::Fraction(_) if *no_train => "give more samples or a smaller part",
        Holdout::Fraction(_) => "give more samples or a larger part",
        _ => "give more samples or a part such as --holdout 0.5",
    }
)]
pub struct HoldoutError {
    holdout: Holdout,
    samples: usize,
    /// Whether none is left to train on; otherwise none to test with.
    no_train: bool,
    /// Whether all samples are at one point.
    one_point: bool,
}
