//! The models that are compared: of each family those that fill the budget, along a few shapes.

use firmware_core::Precision;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::cost::Core;
use super::size::{self, Size, Target};
use crate::artifact::precision::NamedPrecision;
use crate::data::Dataset;
use crate::fit::FitParams;
use crate::network::{HiddenActivation, Initialization};

/// Widths and numbers of frequencies are multiples of this: the kernels work on blocks of four rows.
const STEP: usize = 4;
/// Wider layers than this are not tried.
const WIDEST: usize = 512;
/// Numbers of hidden layers that are tried.
const DEPTHS: [usize; 4] = [2, 3, 4, 5];
/// The depth of the smaller models, which show what fewer bytes cost.
const USUAL_DEPTH: usize = 3;

/// A kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Fourier features, then ReLU layers.
    FourierRelu,
    /// Fourier features, then sine layers.
    FourierSine,
}

impl Family {
    /// Every family, in the order of the figures' colours.
    pub const ALL: [Self; 2] = [Self::FourierRelu, Self::FourierSine];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FourierRelu => "Fourier features, ReLU",
            Self::FourierSine => "Fourier features, sine",
        }
    }

    fn of(self, base: &FitParams) -> FitParams {
        match self {
            Self::FourierRelu => base.clone(),
            Self::FourierSine => FitParams {
                activation: HiddenActivation::Sine,
                initialization: Initialization::Siren,
                ..base.clone()
            },
        }
    }
}

/// A model that may become the winner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its kind.
    pub family: Family,
    /// Its hyperparameters; the steps are those of the longest training so far.
    pub fit: FitParams,
    /// How its numbers are stored.
    pub precision: NamedPrecision,
    /// What it takes.
    pub size: Size,
}

/// What candidates are made for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The data.
    pub dataset: &'a Dataset,
    /// The limits.
    pub budget: &'a Budget,
    /// The core that instructions are counted on.
    pub core: &'a Core,
    /// How samples were held out, if any are.
    pub held_out: Option<&'a str>,
}

impl Wanted<'_> {
    /// Every candidate: `base` has the settings that all share, `scales` are the values of σ to try. None where no
    /// network keeps the budget.
    #[must_use]
    pub fn candidates(&self, base: &FitParams, scales: &[f64], precisions: &[Precision]) -> Vec<Candidate> {
        let mut all = Vec::new();
        let middle = &scales[scales.len() / 2..=scales.len() / 2];
        for (place, &precision) in precisions.iter().enumerate() {
            // The other precisions are for the sizes that are the likeliest.
            let scales = if place == 0 { scales } else { middle };
            for family in Family::ALL {
                for depth in DEPTHS {
                    all.extend(self.scaled(&family.of(base), (family, depth, precision), scales));
                }
            }
        }
        for part in [2, 4] {
            let smaller = self.budget.with_flash(self.budget.flash / part);
            let wanted = Wanted { budget: &smaller, ..*self };
            for family in Family::ALL {
                all.extend(wanted.scaled(&family.of(base), (family, USUAL_DEPTH, precisions[0]), middle));
            }
        }
        let mut different: Vec<Candidate> = Vec::new();
        for candidate in all {
            if !different.contains(&candidate) {
                different.push(candidate);
            }
        }
        different
    }

    /// What the smallest model takes, for a person who gave too little for it.
    pub(super) fn least(&self, base: &FitParams) -> String {
        let endless = Budget { flash: usize::MAX, instructions: None, ram: None };
        let wanted = Wanted { budget: &endless, ..*self };
        let Some((_, size)) = wanted.sized(base, (vec![STEP; DEPTHS[0]], STEP), Precision::W8A16) else {
            return "the data have more inputs or outputs than a device takes".to_owned();
        };
        let Size { bytes, ram_bytes, instructions } = size;
        format!("the smallest takes {bytes} bytes of flash, {ram_bytes} of RAM and {instructions:.0} instructions")
    }

    /// A network of these widths and this number of frequencies, if it keeps the budget.
    fn sized(
        &self,
        base: &FitParams,
        (hidden, frequencies): (Vec<usize>, usize),
        precision: Precision,
    ) -> Option<(FitParams, Size)> {
        let mut fit = FitParams { hidden, ..base.clone() };
        fit.encoding.frequencies = frequencies;
        let params = fit.check(self.dataset.inputs(), self.dataset.outputs()).ok()?;
        let size = size::predicted(&params, self.target(precision)).ok()?;
        self.budget.holds(&size).then_some((fit, size))
    }

    fn target(&self, precision: Precision) -> Target<'_> {
        let Self { dataset, core, held_out, .. } = *self;
        Target { dataset, precision, core, held_out }
    }

    fn scaled(
        &self,
        base: &FitParams,
        (family, depth, precision): (Family, usize, Precision),
        scales: &[f64],
    ) -> Vec<Candidate> {
        let candidate = |&scale: &f64| {
            let mut base = base.clone();
            base.encoding.scale = scale;
            let (fit, size) = self.largest(&base, depth, precision)?;
            Some(Candidate { family, fit, precision: NamedPrecision(precision), size })
        };
        scales.iter().filter_map(candidate).collect()
    }

    /// The widest network of so many hidden layers that keeps the budget.
    fn largest(&self, base: &FitParams, depth: usize, precision: Precision) -> Option<(FitParams, Size)> {
        // Deep networks make their own frequencies.
        let frequencies = |width: usize| if depth <= USUAL_DEPTH { width } else { width * 3 / 4 };
        let fill = |width: usize| {
            let few = frequencies(width).next_multiple_of(STEP);
            // What blocks and layers leave goes to the frequencies.
            let more = (few..=few + few / 4).step_by(STEP).map_while(|m| self.sized(base, (vec![width; depth], m), precision));
            more.last()
        };
        (STEP..=WIDEST).rev().filter(|width| width.is_multiple_of(STEP)).find_map(fill)
    }
}
