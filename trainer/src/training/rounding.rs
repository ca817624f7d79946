//! The end of a training, which sees the weights as a device will store them.

use crate::network::Mlp;
use crate::network::rounding::round_weights;

/// Lets the last quarter of a training run with weights that are [rounded](crate::network::rounding) for `w8a16`.
///
/// Losses and gradients are those of the rounded weights; the optimizer moves the exact ones by them, as if rounding
/// were the identity (the straight-through estimator of Bengio, Léonard and Courville 2013, arXiv 1308.3432). After
/// the last step the networks have the rounded weights, which an artifact in `w8a16` then stores as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounding {
    /// For each network what its exporter multiplies the columns of the first layer by; 1 where that is missing. Of a
    /// network of encoded coordinates these are
    /// [`Encoding::column_factors`](crate::network::encoding::Encoding::column_factors).
    pub columns: Vec<Vec<f32>>,
}

impl Rounding {
    /// The first of `steps` steps that sees rounded weights.
    pub(super) fn start(steps: u64) -> u64 {
        steps - steps.div_ceil(4)
    }

    /// Rounds the weights of all networks.
    pub(super) fn round(&self, networks: &mut [Mlp<f32>]) {
        for (index, network) in networks.iter_mut().enumerate() {
            round_weights(network, self.columns.get(index).map_or(&[], Vec::as_slice));
        }
    }

    /// Copies of the networks with rounded weights; `copies` are those of an earlier step, or none.
    pub(super) fn rounded<'a>(&self, networks: &[Mlp<f32>], copies: &'a mut Vec<Mlp<f32>>) -> &'a [Mlp<f32>] {
        if copies.is_empty() {
            copies.extend_from_slice(networks);
        }
        for (copy, network) in copies.iter_mut().zip(networks) {
            copy.parameters_mut().copy_from_slice(network.parameters());
        }
        self.round(copies);
        copies
    }
}
