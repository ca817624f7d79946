//! The kinds of encodings.

use serde::{Deserialize, Serialize};

/// Which frequencies an encoding has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EncodingKind {
    /// No features: the network receives the coordinates themselves.
    None,
    /// One cycle along each input: B is the identity.
    Basic,
    /// Frequencies σ^(j/m) along each input, j = 0 … m-1, where m is the number of frequencies of that input.
    Positional,
    /// Random frequencies from N(0, σ²).
    #[default]
    Gaussian,
    /// Frequencies 1, 2, 3, … (or a list) along each input, with amplitudes 1/j^p.
    Fourier,
    /// Values of grids of B-spline coefficients, which are trained: fast on a device.
    Grid,
    /// One grid whose values are the outputs, without a network: a table.
    Table,
}

impl EncodingKind {
    /// As the command line spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Positional => "positional",
            Self::Gaussian => "gaussian",
            Self::Fourier => "fourier",
            Self::Grid => "grid",
            Self::Table => "table",
        }
    }

    /// As figures and tables spell it: Gauss and Fourier were people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Gaussian => "Gaussian",
            Self::Fourier => "Fourier",
            kind => kind.name(),
        }
    }

    /// Whether σ decides its frequencies.
    #[must_use]
    pub fn has_scale(self) -> bool {
        matches!(self, Self::Positional | Self::Gaussian)
    }

    /// Whether its features are values of grids.
    #[must_use]
    pub fn has_grid(self) -> bool {
        matches!(self, Self::Grid | Self::Table)
    }

    /// Whether the number of its frequencies is free.
    #[must_use]
    pub fn has_frequencies(self) -> bool {
        matches!(self, Self::Positional | Self::Gaussian | Self::Fourier)
    }
}
