//! How the numbers of a network are stored and computed.

use serde::{Deserialize, Serialize};

/// How weights, activations and accumulators are stored and computed.
///
/// For every output row r of a layer with inputs a_0 … a_{n-1}:
///
/// - [`F32`](Self::F32): the accumulator begins as bias_r, and w_rk · a_k is added for k = 0, 1, …: two roundings a
///   step, never fused. A hidden activation is the accumulator where its sign bit is clear, else +0.
/// - [`W8A16`](Self::W8A16) and [`W16A16`](Self::W16A16): the accumulator is bias_r + Σ w_rk·a_k in 32 bits;
///   [`parse`](crate::Model::parse) has checked that no input makes it overflow. A hidden activation is
///   [`requantize`](crate::fixed::requantize) of it and of multiplier_r.
///
/// Where the hidden activation is [`Sine`](crate::artifact::HiddenActivation::Sine), it is [`sine`](crate::fixed::sine)
/// of a phase, with 1.0 = 32767 as in features. The phase of an integer accumulator is accumulator·multiplier_r modulo
/// 2³²; the overflow *is* the range reduction, so that the multiplier may be any number from 0 to 2³¹ - 1. The
/// accumulator of `F32` is in turns, below 2³¹ of them: its phase is [`phase_of_turns`](crate::fixed::phase_of_turns).
/// Sine layers are evaluated where the crate was built with the feature `sine`, as by default.
///
/// A linear output hands its accumulator to the [output map](crate::OutputMap). A sigmoid one turns it into a Q14 logit
/// first (`F32`: times 16384, truncated; integers: `(acc·multiplier_r + 2³¹) >> 32`) and hands over
/// [`sigmoid`](crate::fixed::sigmoid) of it.
///
/// A precision is evaluated where the crate was built with the feature of its name; by default it is with all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Precision {
    /// Single precision throughout.
    F32,
    /// int8 weights with a scale per output row, int16 activations, int32 accumulators.
    W8A16,
    /// int16 weights with a scale per output row, int16 activations, int32 accumulators.
    W16A16,
}

impl Precision {
    /// Whether the crate was built with the feature of this precision.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        BuiltIn::of(self).is_some()
    }
}

/// A precision that this build can evaluate. Where there is only one, the compiler leaves out the code for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    #[cfg(feature = "f32")]
    F32,
    #[cfg(feature = "w8a16")]
    W8A16,
    #[cfg(feature = "w16a16")]
    W16A16,
}

impl BuiltIn {
    /// `None` for a precision that was left out of the build.
    pub(crate) const fn of(precision: Precision) -> Option<Self> {
        match precision {
            #[cfg(feature = "f32")]
            Precision::F32 => Some(Self::F32),
            #[cfg(feature = "w8a16")]
            Precision::W8A16 => Some(Self::W8A16),
            #[cfg(feature = "w16a16")]
            Precision::W16A16 => Some(Self::W16A16),
            #[allow(unreachable_patterns, reason = "with all of them built in")]
            _ => None,
        }
    }

    #[inline]
    pub(crate) const fn precision(self) -> Precision {
        match self {
            #[cfg(feature = "f32")]
            Self::F32 => Precision::F32,
            #[cfg(feature = "w8a16")]
            Self::W8A16 => Precision::W8A16,
            #[cfg(feature = "w16a16")]
            Self::W16A16 => Precision::W16A16,
        }
    }
}
