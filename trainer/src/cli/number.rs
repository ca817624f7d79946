//! Numbers on the command line, refused with what is possible in words.

use std::str::FromStr;

/// A whole number that the type holds; which of them make sense is for others to say.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "give a whole number, not a negative one".to_owned())
}

/// A whole number from 1 that the type holds.
pub(super) fn from_one<T: FromStr + Default + PartialEq>(text: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number: &T| *number != T::default());
    number.ok_or_else(|| "give a whole number from 1".to_owned())
}

/// A number above zero.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite()).ok_or("give a number above 0".to_owned())
}

/// A number.
pub(super) fn any(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| "give a number, such as -9999".to_owned())
}
