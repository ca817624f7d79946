//! The precisions of an artifact by their names, as the command line, the settings of a run, and reports spell them.

use std::fmt;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use firmware_core::Precision;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A precision that is written and read by its name: `f32`, `w8a16` or `w16a16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedPrecision(pub Precision);

/// In the order in which `--help` lists them.
const ALL: [NamedPrecision; 3] =
    [NamedPrecision(Precision::F32), NamedPrecision(Precision::W8A16), NamedPrecision(Precision::W16A16)];

impl NamedPrecision {
    /// `f32`, `w8a16` or `w16a16`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Precision::F32 => "f32",
            Precision::W8A16 => "w8a16",
            Precision::W16A16 => "w16a16",
        }
    }
}

/// What is stored where no precision is asked for.
impl Default for NamedPrecision {
    fn default() -> Self {
        Self(Precision::W8A16)
    }
}

impl From<NamedPrecision> for Precision {
    fn from(named: NamedPrecision) -> Self {
        named.0
    }
}

impl fmt::Display for NamedPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ValueEnum for NamedPrecision {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl Serialize for NamedPrecision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for NamedPrecision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(&String::deserialize(deserializer)?)
    }
}

fn named<E: Error>(name: &str) -> Result<NamedPrecision, E> {
    NamedPrecision::from_str(name, false).map_err(|_| E::custom(format!("unknown precision {name}")))
}

/// For `#[serde(with)]`: a precision, or `None` as `auto` where it is chosen after the training.
pub(crate) mod or_auto {
    use super::{Deserialize, Deserializer, NamedPrecision, Serializer, named};

    const AUTO: &str = "auto";

    pub(crate) fn serialize<S: Serializer>(
        precision: &Option<NamedPrecision>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(precision.map_or(AUTO, NamedPrecision::name))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NamedPrecision>, D::Error> {
        let name = String::deserialize(deserializer)?;
        (name != AUTO).then(|| named(&name)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Settings {
        #[serde(with = "or_auto")]
        precision: Option<NamedPrecision>,
    }

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for precision in ALL.into_iter().map(Some).chain([None]) {
            let json = serde_json::to_string(&Settings { precision }).unwrap();
            assert_eq!(serde_json::from_str::<Settings>(&json).unwrap().precision, precision);
        }
        assert_eq!(serde_json::to_string(&Settings { precision: None }).unwrap(), r#"{"precision":"auto"}"#);
        assert_eq!(serde_json::to_string(&NamedPrecision(Precision::W16A16)).unwrap(), r#""w16a16""#);
        let error = serde_json::from_str::<Settings>(r#"{"precision":"W8A16"}"#).unwrap_err().to_string();
        assert!(error.starts_with("unknown precision W8A16"), "{error}");
    }
}
