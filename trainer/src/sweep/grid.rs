//! What a sweep varies: lists of values, and the settings that are their product.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SweepError;
use crate::fit::FitParams;
use crate::fit::encoding_option::EncodingOption;
use crate::network::encoding::EncodingParams;

/// A product of more settings is taken for a typing error.
const MOST_SETTINGS: usize = 100_000;

/// Lists of values; an empty one leaves that hyperparameter as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// σ of Gaussian and positional encodings.
    pub scales: Vec<f64>,
    /// p of the power-law Fourier encoding; ∞ is possible.
    #[serde(with = "texts")]
    pub amplitude_powers: Vec<f64>,
    /// m, rows of the frequency matrix.
    pub frequency_counts: Vec<usize>,
    /// Units of every hidden layer.
    pub widths: Vec<usize>,
    /// Numbers of hidden layers.
    pub depths: Vec<usize>,
}

/// A hyperparameter that a sweep may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hyperparameter {
    /// σ of the encoding.
    Scale,
    /// Power p of the amplitudes.
    AmplitudePower,
    /// Number of frequencies, m.
    Frequencies,
    /// Units of every hidden layer.
    Width,
    /// Number of hidden layers.
    Depth,
}

impl Hyperparameter {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Self; 5] = [Self::Scale, Self::AmplitudePower, Self::Frequencies, Self::Width, Self::Depth];

    /// The head of its column in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::AmplitudePower => "amplitude_power",
            Self::Frequencies => "frequencies",
            Self::Width => "width",
            Self::Depth => "depth",
        }
    }
}

impl Grid {
    /// The hyperparameters that have a list, in the order of the table's columns.
    #[must_use]
    pub fn axes(&self) -> Vec<Hyperparameter> {
        Hyperparameter::ALL.into_iter().filter(|&axis| self.len(axis) > 0).collect()
    }

    fn len(&self, axis: Hyperparameter) -> usize {
        match axis {
            Hyperparameter::Scale => self.scales.len(),
            Hyperparameter::AmplitudePower => self.amplitude_powers.len(),
            Hyperparameter::Frequencies => self.frequency_counts.len(),
            Hyperparameter::Width => self.widths.len(),
            Hyperparameter::Depth => self.depths.len(),
        }
    }

    /// Every setting of the product, scales fastest, then powers, frequencies, widths, depths. Where widths or depths
    /// are given, all hidden layers have one width; what is not given is that of the first layer, or their number, in
    /// `base`.
    ///
    /// # Errors
    /// No list, a list without effect under the encoding of `base`, or a product beyond all measure.
    pub fn settings(&self, base: &FitParams) -> Result<Vec<FitParams>, SweepError> {
        if self.axes().is_empty() {
            return Err(SweepError::NoAxis);
        }
        self.check_effect(&base.encoding)?;
        let sizes = Hyperparameter::ALL.map(|axis| self.len(axis).max(1));
        let product = sizes.iter().fold(1usize, |product, &size| product.saturating_mul(size));
        if product > MOST_SETTINGS {
            return Err(SweepError::TooMany { settings: product, most: MOST_SETTINGS });
        }
        let setting = |mut index: usize| {
            let [scale, power, frequencies, width, depth] = sizes.map(|size| {
                let digit = index % size;
                index /= size;
                digit
            });
            let mut params = base.clone();
            let encoding = &mut params.encoding;
            encoding.scale = self.scales.get(scale).copied().unwrap_or(encoding.scale);
            encoding.amplitude_power = self.amplitude_powers.get(power).copied().unwrap_or(encoding.amplitude_power);
            encoding.frequencies = self.frequency_counts.get(frequencies).copied().unwrap_or(encoding.frequencies);
            if !(self.widths.is_empty() && self.depths.is_empty()) {
                let width = self.widths.get(width).or(base.hidden.first()).copied().unwrap_or(0);
                params.hidden = vec![width; self.depths.get(depth).copied().unwrap_or(base.hidden.len())];
            }
            params
        };
        Ok((0..product).map(setting).collect())
    }

    fn check_effect(&self, base: &EncodingParams) -> Result<(), SweepError> {
        let lists = [
            (!self.scales.is_empty(), EncodingOption::Scale, "--scales"),
            (!self.amplitude_powers.is_empty(), EncodingOption::AmplitudePower, "--amplitude-powers"),
            (!self.frequency_counts.is_empty(), EncodingOption::Frequencies, "--frequency-counts"),
        ];
        for (_, option, name) in lists.into_iter().filter(|(given, ..)| *given) {
            option.check(name, base.kind)?;
        }
        if !self.frequency_counts.is_empty() && !base.list.is_empty() {
            return Err(SweepError::CountsOfList);
        }
        Ok(())
    }
}

/// Reads a list such as `1,2,4`; `possible` says which values are, `range` the same in words.
///
/// # Errors
/// [`SweepError::List`] on an empty list or entry, text that is no number, an impossible value, or one given twice.
pub fn parse_list<T: FromStr + PartialEq + Display>(
    option: &'static str,
    text: &str,
    range: &str,
    possible: impl Fn(&T) -> bool,
) -> Result<Vec<T>, SweepError> {
    let refuse = |reason| Err(SweepError::List { option, reason });
    let mut values: Vec<T> = Vec::new();
    if text.trim().is_empty() {
        return refuse(format!("the list is empty; give {range}, separated by commas"));
    }
    for entry in text.split(',').map(str::trim) {
        match entry.parse() {
            Ok(value) if !possible(&value) => return refuse(format!("{entry} is not possible; give {range}")),
            Ok(value) if values.contains(&value) => {
                return refuse(format!("{entry} is given twice; give each value once"));
            }
            Ok(value) => values.push(value),
            Err(_) if entry.is_empty() => {
                return refuse(format!("an entry of '{text}' is empty; give {range}, separated by commas"));
            }
            Err(_) => return refuse(format!("'{entry}' is not possible; give {range}, separated by commas")),
        }
    }
    Ok(values)
}

/// Numbers as text: JSON knows no infinity.
mod texts {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(f64::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::encoding::EncodingKind;

    fn scales(text: &str) -> Result<Vec<f64>, SweepError> {
        parse_list("--scales", text, "positive numbers", |&scale: &f64| scale > 0.0 && scale.is_finite())
    }

    #[test]
    fn lists_are_numbers_or_one_sentence() {
        assert_eq!(scales("1, 2.5,16").unwrap(), [1.0, 2.5, 16.0]);
        for (text, words) in [
            ("", "the list is empty"),
            ("1,two", "'two' is not possible"),
            ("1,,2", "is empty"),
            ("1,2,1.0", "1.0 is given twice"),
            ("0", "0 is not possible"),
            ("-3", "-3 is not possible"),
            ("inf", "inf is not possible"),
            ("nan", "nan is not possible"),
        ] {
            let error = scales(text).unwrap_err().to_string();
            assert!(error.starts_with("--scales: ") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_product_has_every_setting_once() {
        let grid =
            Grid { scales: vec![1.0, 2.0, 3.0], frequency_counts: vec![16, 32], depths: vec![1, 4], ..Grid::default() };
        let base = FitParams { hidden: vec![24, 8], ..FitParams::default() };
        let settings = grid.settings(&base).unwrap();
        assert_eq!(settings.len(), 12);
        assert!((0..12).all(|i| (0..i).all(|j| settings[i] != settings[j])));
        assert_eq!((settings[7].encoding.scale, settings[7].encoding.frequencies), (2.0, 16));
        assert_eq!(settings[7].hidden, [24; 4]);
        let text = serde_json::to_string(&Grid { amplitude_powers: vec![1.0, f64::INFINITY], ..grid }).unwrap();
        assert_eq!(serde_json::from_str::<Grid>(&text).unwrap().amplitude_powers[1], f64::INFINITY);
    }

    #[test]
    fn lists_without_effect_are_refused() {
        let mut base = FitParams::default();
        assert!(matches!(Grid::default().settings(&base), Err(SweepError::NoAxis)));
        let powers = Grid { amplitude_powers: vec![1.0], ..Grid::default() };
        assert!(powers.settings(&base).unwrap_err().to_string().contains("no effect with --encoding gaussian"));
        base.encoding.kind = EncodingKind::Fourier;
        assert!(powers.settings(&base).is_ok());
        assert!(Grid { scales: vec![1.0], ..Grid::default() }.settings(&base).is_err());
        let many = Grid { widths: (1..=1000).collect(), depths: (1..=1000).collect(), ..Grid::default() };
        assert!(matches!(many.settings(&base), Err(SweepError::TooMany { .. })));
    }
}
