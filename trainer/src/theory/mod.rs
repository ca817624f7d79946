//! The theory of Fourier features in numbers: kernel regression, the neural tangent kernel, linear dynamics, spectral
//! bias.
//!
//! Everything is `f64`. Points and features are rows: `points [n, d]`, `features [n, f]`, targets and outputs `[n, c]`,
//! Gram matrices `[n, n]`, cross matrices `[m, n]` with the test points first. The equations are those of Tancik et
//! al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains" (2020).
//!
//! | module | holds | equation |
//! | --- | --- | --- |
//! | [`kernel`] | the [`Kernel`](kernel::Kernel) trait, RBF, the Fourier kernel Σ a² cos(2π b·Δ) of any encoding | section 3, 5 |
//! | [`regression`] | kernel regression by Cholesky, or by eigendecomposition when singular | 1 |
//! | [`ntk`] | infinite-width ReLU networks: NNGP and NTK in closed form, composed with features | 2 |
//! | [`empirical`] | the tangent kernel J Jᵀ of a finite network and of an encoding that is trained with it, exact | 2 |
//! | [`dynamics`] | outputs during gradient flow or descent, and in the limit | 3 |
//! | [`spectrum`] | the error in the eigenbasis, time to learn, bandwidths | 4 |
//! | [`select`] | σ before training, from kernel regression on patches of the data | |
//!
//! No function here panics on its callers' data: points that are not finite, shapes that disagree and problems larger
//! than the memory are a [`TheoryError`].

#![expect(clippy::needless_pass_by_value, reason = "array views are references: they are passed as such")]

pub mod dynamics;
pub mod empirical;
pub mod error;
pub mod kernel;
pub mod linalg;
pub mod memory;
pub mod ntk;
pub mod regression;
pub mod select;
pub mod spectrum;

mod fill;
#[cfg(test)]
mod references;

pub use error::TheoryError;
