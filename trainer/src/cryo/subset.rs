//! All images, or one of two halves that know nothing of each other.
//!
//! The correlation between half sets says how far images agree, but only if the halves share nothing else: not the
//! first weights, not the draws of a step, not the mean volume that the encoder's inputs are residuals of. Each half is
//! therefore a stack of its own with settings of its own, and goes through everything that the whole stack goes
//! through.

use super::params::CryoParams;
use super::particles::ParticleStack;
use std::borrow::Cow;

/// The images that a network is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// All images of the table.
    All,
    /// The first, third, …, or the first half of the table.
    Odd,
    /// The second, fourth, …, or the second half of the table.
    Even,
}

impl Subset {
    /// What these settings train on, one after the other.
    pub fn trained(params: &CryoParams) -> &'static [Self] {
        if params.half_sets { &[Self::All, Self::Odd, Self::Even] } else { &[Self::All] }
    }

    /// Indices among the images of a stack. Where its [halves](ParticleStack::halves) are known, they are the half
    /// sets: poses that were refined within one know nothing of the other.
    pub fn images(self, stack: &ParticleStack) -> Vec<u32> {
        let count = stack.particles.len() as u32;
        match (self, stack.halves()) {
            (Self::All, _) => (0..count).collect(),
            (Self::Odd, Some(halves)) => (0..count).filter(|&image| halves[image as usize] == 1).collect(),
            (Self::Even, Some(halves)) => (0..count).filter(|&image| halves[image as usize] == 2).collect(),
            (Self::Odd, None) => (0..count).step_by(2).collect(),
            (Self::Even, None) => (1..count).step_by(2).collect(),
        }
    }

    /// For files and displays.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Odd => "odd",
            Self::Even => "even",
        }
    }

    /// Its images with their particles.
    pub fn of(self, stack: &ParticleStack) -> Cow<'_, ParticleStack> {
        match self {
            Self::All => Cow::Borrowed(stack),
            _ => Cow::Owned(stack.select(&self.images(stack))),
        }
    }

    /// The settings of its training. A half has a seed of its own, for what two networks share by their seed (B, the
    /// first weights, the draws of a step) they would agree in without any image; and half the steps.
    pub fn params(self, params: &CryoParams) -> CryoParams {
        let half = |index| CryoParams {
            seed: params.seed.wrapping_add(HALF_SEED.wrapping_mul(index)),
            steps: params.steps.div_ceil(2),
            half_sets: false,
            ..params.clone()
        };
        match self {
            Self::All => params.clone(),
            Self::Odd => half(1),
            Self::Even => half(2),
        }
    }
}

/// Far from the seeds that anyone gives.
const HALF_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};

    #[test]
    fn halves_share_neither_images_nor_seeds() {
        let synthesis = SynthesisParams { particles: 5, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &synthesis).unwrap();
        let [odd, even] = [Subset::Odd, Subset::Even].map(|half| half.of(&stack));
        assert_eq!((odd.particles.len(), even.particles.len()), (3, 2));
        assert_eq!((odd.image(1), even.image(1)), (stack.image(2), stack.image(3)));
        assert_eq!(*Subset::All.of(&stack), stack);
        let mut halved = stack.clone();
        halved.particles.iter_mut().zip([2, 2, 1, 2, 1]).for_each(|(particle, half)| particle.half = Some(half));
        assert_eq!(Subset::Odd.images(&halved), [2, 4]);
        assert_eq!(Subset::Even.images(&halved), [0, 1, 3]);
        assert_eq!(Subset::All.images(&halved), [0, 1, 2, 3, 4]);
        let params = CryoParams { steps: 7, seed: 3, ..CryoParams::default() };
        assert_eq!(Subset::All.params(&params), params);
        let [odd, even] = [Subset::Odd, Subset::Even].map(|half| half.params(&params));
        assert!(odd.seed != even.seed && odd.seed != 3 && even.seed != 3);
        assert_eq!((odd.steps, even.steps), (4, 4));
    }
}
