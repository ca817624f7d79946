//! What the machine can do, asked at run time.

cpufeatures::new!(has_avx2, "avx2");
cpufeatures::new!(has_avx512, "avx512f", "avx512bw");

/// A set of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Avx2,
    Avx512,
}

impl Set {
    #[inline]
    fn is_here(self) -> bool {
        match self {
            Self::Avx2 => has_avx2::get(),
            Self::Avx512 => has_avx512::get(),
        }
    }
}

/// A set that this machine and its operating system have. No code outside this module can make a value without asking
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instructions(Set);

impl Instructions {
    /// The fastest set there is.
    #[inline]
    pub(super) fn best() -> Option<Self> {
        Self::detect(Set::Avx512).or_else(|| Self::detect(Set::Avx2))
    }

    /// The set, where the machine has it.
    #[inline]
    pub(super) fn detect(set: Set) -> Option<Self> {
        set.is_here().then_some(Self(set))
    }

    #[inline]
    pub(super) fn set(self) -> Set {
        self.0
    }
}
