//! The quality that trainings without some of the samples had at these.

use firmware_core::Precision;
use serde::{Deserialize, Serialize};

use crate::artifact::precision::NamedPrecision;
use crate::data::metrics::{HeldOut, Metrics};

/// What trainings without some of the samples gave, as a run's folder keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How samples were held out, in words, as in [`HeldOut`].
    pub how: String,
    /// Steps of each extra training.
    pub steps: u64,
    /// Quality of the networks in f32.
    pub f32: Metrics,
    /// Quality of their artifacts, by the name of each precision that the run may be stored in.
    pub models: Vec<(String, Metrics)>,
    /// Whether the same samples also chose the model among others, so that these figures are somewhat too good.
    #[serde(default)]
    pub chose: bool,
}

impl Measured {
    /// The quality in a precision, for a run of so many steps; none if it was not measured in this precision.
    #[must_use]
    pub fn in_precision(&self, precision: Precision, steps: u64) -> Option<HeldOut> {
        let name = NamedPrecision(precision).name();
        let (_, model) = self.models.iter().find(|(measured, _)| measured == name)?;
        let how =
            if steps == self.steps { self.how.clone() } else { format!("{}, of {} steps each", self.how, self.steps) };
        Some(HeldOut { how, precision: name.to_owned(), f32: self.f32.clone(), model: model.clone() })
    }
}
