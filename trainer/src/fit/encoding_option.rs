//! Which hyperparameters an encoding has: an option that sets another one has no effect, and the user is told so.

use clap::ValueEnum;

use crate::network::encoding::EncodingKind;

/// A hyperparameter of [`EncodingParams`](crate::network::encoding::EncodingParams) that not every encoding has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingOption {
    /// σ, the deviation of Gaussian frequencies or the highest positional one.
    Scale,
    /// m, the number of frequencies.
    Frequencies,
    /// p of the amplitudes 1/j^p.
    AmplitudePower,
    /// Whether features are divided by the norm of the amplitudes.
    Normalize,
    /// Whether the frequencies are trained with the network.
    LearnedFrequencies,
    /// Nodes, order and bits of grids.
    Grid,
    /// Values at a node.
    Channels,
}

/// An option was given that sets a hyperparameter which the encoding does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} has no effect with --encoding {}; it is for {}", encoding.name(), listeners(*concerns))]
pub struct NoEffect {
    /// The option as the command line spells it.
    pub option: &'static str,
    /// The hyperparameter that it sets.
    pub concerns: EncodingOption,
    /// The encoding that was asked for.
    pub encoding: EncodingKind,
}

impl EncodingOption {
    /// Whether an encoding has this hyperparameter.
    #[must_use]
    pub fn belongs_to(self, kind: EncodingKind) -> bool {
        match self {
            Self::Scale => kind.has_scale(),
            Self::Frequencies => kind.has_frequencies(),
            Self::AmplitudePower => kind == EncodingKind::Fourier,
            Self::Normalize => kind != EncodingKind::None && !kind.has_grid(),
            Self::LearnedFrequencies => kind == EncodingKind::Gaussian,
            Self::Grid => kind.has_grid(),
            Self::Channels => kind == EncodingKind::Grid,
        }
    }

    /// Names an option, as the command line spells it, if the encoding has no use for it.
    ///
    /// # Errors
    /// [`NoEffect`] if the encoding does not have it.
    pub fn check(self, option: &'static str, encoding: EncodingKind) -> Result<(), NoEffect> {
        if self.belongs_to(encoding) { Ok(()) } else { Err(NoEffect { option, concerns: self, encoding }) }
    }
}

/// The names of the encodings that have a hyperparameter, in words.
fn listeners(option: EncodingOption) -> String {
    let kinds = EncodingKind::value_variants().iter().filter(|kind| option.belongs_to(**kind));
    let names: Vec<&str> = kinds.map(|kind| kind.name()).collect();
    match &names[..] {
        [all_but @ .., last] if !all_but.is_empty() => format!("{} and {last}", all_but.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::encoding::EncodingParams;
    use crate::network::grid::{GridParams, Nodes};

    #[test]
    fn what_has_no_effect_is_named() {
        let said = |option: EncodingOption, kind| option.check("--it", kind).unwrap_err().to_string();
        assert_eq!(
            said(EncodingOption::Scale, EncodingKind::Basic),
            "--it has no effect with --encoding basic; it is for positional and gaussian"
        );
        assert!(said(EncodingOption::AmplitudePower, EncodingKind::Gaussian).ends_with("it is for fourier"));
        assert!(
            said(EncodingOption::Normalize, EncodingKind::None).contains("basic, positional, gaussian and fourier")
        );
    }

    /// The rule against the encodings themselves: an option belongs to one exactly if it changes its frequencies or
    /// amplitudes.
    #[test]
    fn options_belong_to_the_encodings_that_they_change() {
        for &kind in EncodingKind::value_variants() {
            assert_eq!(clap::ValueEnum::to_possible_value(&kind).unwrap().get_name(), kind.name());
            let grid = GridParams { levels: vec![Nodes(vec![8])], ..GridParams::default() };
            let base = EncodingParams { kind, grid, frequencies: 8, scale: 3.0, ..EncodingParams::default() };
            let changes = [
                (EncodingOption::Scale, EncodingParams { scale: 5.0, ..base.clone() }),
                (EncodingOption::Frequencies, EncodingParams { frequencies: 16, ..base.clone() }),
                (EncodingOption::Normalize, EncodingParams { normalize: true, ..base.clone() }),
                // Of the others it is an error.
                (
                    EncodingOption::Grid,
                    EncodingParams { grid: GridParams { bits: 5, ..base.grid.clone() }, ..base.clone() },
                ),
                (EncodingOption::AmplitudePower, EncodingParams { amplitude_power: 1.0, ..base.clone() }),
            ];
            for (option, changed) in changes {
                let (before, after) = (base.check(2).unwrap(), changed.check(2));
                let effect = after.is_ok_and(|after| before != after);
                assert_eq!(option.belongs_to(kind), effect, "{option:?} {kind:?}");
            }
        }
    }
}
