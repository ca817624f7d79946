//! Numbers as people and programs write them: decimal point or comma, with or without marks between thousands.

use serde::{Deserialize, Serialize};

/// The mark between the whole part and the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decimal {
    /// `1.5`; commas group thousands.
    #[serde(rename = ".")]
    Point,
    /// `1,5`; points group thousands.
    #[serde(rename = ",")]
    Comma,
}

impl Decimal {
    /// The letter that files have between whole part and fraction.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// The mark that is not this one: it groups thousands.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing, or one of the words for it.
    Missing,
    /// A number, maybe infinite or NaN; and whether the mark that is not the decimal one groups its thousands.
    Number { value: f64, grouped: bool },
    /// Letters or marks that are no number under this decimal mark.
    Text,
}

/// What the marks of one number say of all of its file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Evidence {
    /// This is the decimal mark.
    Decides(Decimal),
    /// The mark may be decimal or group thousands: `1.000`.
    Ambiguous(Decimal),
}

/// Words for "no value"; NaN is one of them.
const MISSING: [&str; 14] =
    ["na", "n/a", "nan", "-nan", "null", "none", "nil", "-", "--", "?", "#n/a", "#nv", "#wert!", "1.#qnan"];

impl Cell {
    /// Reads a field of a table.
    pub(super) fn read(field: &str, decimal: Decimal) -> Self {
        let field = bare(field);
        if field.is_empty() {
            return Self::Missing;
        }
        let plain = matches!(decimal, Decimal::Point).then(|| field.parse().ok()).flatten();
        match plain {
            Some(value) if !f64::is_nan(value) => Self::Number { value, grouped: false },
            Some(_) => Self::Missing,
            None if MISSING.iter().any(|word| field.eq_ignore_ascii_case(word)) => Self::Missing,
            None => unusual(field, decimal),
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Number { .. })
    }
}

/// A field without white space and quotes around it.
pub(super) fn bare(field: &str) -> &str {
    let field = field.trim();
    let unquoted = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    unquoted.map_or(field, str::trim)
}

/// Whether the field is a number under either decimal mark.
pub(super) fn looks_numeric(field: &str) -> bool {
    Cell::read(field, Decimal::Point).is_number() || Cell::read(field, Decimal::Comma).is_number()
}

/// Whether the field is a number and the unit of it behind a space.
pub(super) fn has_unit(field: &str) -> bool {
    let parts = bare(field).split_once(char::is_whitespace);
    parts.is_some_and(|(number, unit)| {
        let is_unit = unit.chars().count() <= 8 && !unit.contains(|c: char| c.is_ascii_digit());
        looks_numeric(number) && is_unit && !unit.trim().is_empty()
    })
}

/// A number with a decimal comma, grouped thousands, a Fortran exponent or a typographic minus.
fn unusual(field: &str, decimal: Decimal) -> Cell {
    let Some(Parts { negative, whole, fraction, exponent }) = Parts::split(field, decimal.mark()) else {
        return Cell::Text;
    };
    let mark = decimal.other().mark();
    let grouped = whole.contains(mark);
    let Some(whole) = ungrouped(whole, mark) else {
        return Cell::Text;
    };
    if whole.is_empty() && fraction.is_empty() {
        return Cell::Text;
    }
    let sign = if negative { "-" } else { "" };
    match format!("{sign}{whole}.{fraction}e{exponent}").parse() {
        Ok(value) => Cell::Number { value, grouped },
        Err(_) => Cell::Text,
    }
}

/// What the marks in a field say; `None` if it is no number or has no mark.
pub(super) fn evidence(field: &str) -> Option<Evidence> {
    let field = bare(field);
    let last = field.rfind(['.', ','])?;
    let mark = if field.as_bytes()[last] == b'.' { Decimal::Point } else { Decimal::Comma };
    let is_number = |decimal| Cell::read(field, decimal).is_number();
    match (is_number(mark), is_number(mark.other())) {
        (true, true) => Some(Evidence::Ambiguous(mark)),
        (true, false) => Some(Evidence::Decides(mark)),
        (false, true) => Some(Evidence::Decides(mark.other())),
        (false, false) => None,
    }
}

struct Parts<'f> {
    negative: bool,
    whole: &'f str,
    fraction: &'f str,
    exponent: &'f str,
}

impl<'f> Parts<'f> {
    /// Cuts a number at its decimal mark and its exponent; the whole part is not looked at.
    fn split(field: &'f str, mark: char) -> Option<Self> {
        let (negative, rest) = match field.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, field.strip_prefix('+').unwrap_or(field)),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E', 'd', 'D']).unwrap_or((rest, "0"));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let exponent_digits = exponent.strip_prefix('-').unwrap_or(exponent);
        let (whole, fraction) = mantissa.split_once(mark).unwrap_or((mantissa, ""));
        let valid = is_digits(fraction) && is_digits(exponent_digits) && !exponent_digits.is_empty();
        valid.then_some(Self { negative, whole, fraction, exponent })
    }
}

/// The digits of a whole part whose thousands are grouped by one kind of mark or space, or not at all.
fn ungrouped(whole: &str, mark: char) -> Option<String> {
    let spaces = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'];
    let Some(separator) = whole.chars().find(|letter| !letter.is_ascii_digit()) else {
        return Some(whole.to_owned());
    };
    if separator != mark && !spaces.contains(&separator) {
        return None;
    }
    let mut groups = whole.split(separator);
    let first = groups.next().filter(|group| (1..=3).contains(&group.len()) && is_digits(group))?;
    // No number begins with a thousand that is zero.
    let mut digits = Some(first).filter(|group| !group.starts_with('0'))?.to_owned();
    for group in groups {
        digits.push_str(Some(group).filter(|group| group.len() == 3 && is_digits(group))?);
    }
    Some(digits)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(field: &str, decimal: Decimal) -> Option<f64> {
        match Cell::read(field, decimal) {
            Cell::Number { value, .. } => Some(value),
            _ => None,
        }
    }

    #[test]
    fn numbers_with_either_mark() {
        let cases = [
            ("1.5", Some(1.5), None),
            ("1,5", None, Some(1.5)),
            ("1.000", Some(1.0), Some(1000.0)),
            ("1,000", Some(1000.0), Some(1.0)),
            ("1.234.567,25", None, Some(1_234_567.25)),
            ("1,234,567.25", Some(1_234_567.25), None),
            ("-0,125", None, Some(-0.125)),
            ("0.125", Some(0.125), None),
            ("1 234,5", None, Some(1234.5)),
            ("1\u{a0}234.5", Some(1234.5), None),
            ("1'234.5", Some(1234.5), None),
            ("\u{2212}2.5", Some(-2.5), None),
            ("1.5D+02", Some(150.0), None),
            ("1,5e-3", None, Some(0.0015)),
            ("\"2.5\"", Some(2.5), None),
            (" 12 ", Some(12.0), Some(12.0)),
            (".5", Some(0.5), None),
            ("12.34.56", None, None),
            ("1,23,456", None, None),
            ("1e", None, None),
            (".", None, None),
            ("abc", None, None),
            ("inf", Some(f64::INFINITY), None),
        ];
        for (field, point, comma) in cases {
            assert_eq!((value(field, Decimal::Point), value(field, Decimal::Comma)), (point, comma), "{field}");
        }
        for missing in ["", "  ", "NA", "nan", "NaN", "-", "#N/A", "\"\""] {
            assert_eq!(Cell::read(missing, Decimal::Point), Cell::Missing, "{missing}");
            assert_eq!(Cell::read(missing, Decimal::Comma), Cell::Missing, "{missing}");
        }
    }

    #[test]
    fn some_numbers_decide_which_mark_is_decimal() {
        use Evidence::{Ambiguous, Decides};
        let cases = [
            ("1.5", Some(Decides(Decimal::Point))),
            ("1,5", Some(Decides(Decimal::Comma))),
            ("1.000", Some(Ambiguous(Decimal::Point))),
            ("100,000", Some(Ambiguous(Decimal::Comma))),
            ("0,000", Some(Decides(Decimal::Comma))),
            ("1234.500", Some(Decides(Decimal::Point))),
            ("1.000,5", Some(Decides(Decimal::Comma))),
            ("1.000.000", Some(Decides(Decimal::Comma))),
            ("7", None),
            ("01.05.2024", None),
        ];
        for (field, expected) in cases {
            assert_eq!(evidence(field), expected, "{field}");
        }
    }
}
