//! A reconstruction from images to volumes: baseline, training on all images and on half sets, evaluation.
//!
//! Differences from CryoDRGN (Zhong et al. 2021): the encoder sees the image's residual in the molecule's frame instead
//! of the image; a step sees some random frequencies of an image instead of all; the noise is measured and KL is
//! weighted by β against that likelihood; z is of one dimension by default instead of eight; the decoder has no
//! residual blocks, so that it fits an artifact.

use super::back_projection::{Reconstruction, back_project};
use super::error::CryoError;
use super::evaluation::{Curve, PrincipalAxis, QUANTILES, Quality, quantile, spearman, true_volumes};
use super::fourier_volume::FourierVolume;
use super::model::Model;
use super::objective::CryoObjective;
use super::params::{CryoParams, ValidCryoParams};
use super::particles::ParticleStack;
use super::residuals::residuals;
use super::slices::Slices;
use super::subset::Subset;
use super::synthesis::Truth;
use crate::network::Mlp;
use crate::training::{Ended, TrainError, TrainState, Watch, train};
use ndarray::{Array2, s};

/// All that training needs of some images, be it the whole stack or a half set ([`Subset::of`], [`Subset::params`]): a
/// half knows nothing of the other's images, not even by the mean volume.
pub struct Prepared {
    params: ValidCryoParams,
    slices: Slices,
    baseline: Reconstruction,
    /// Empty without a latent.
    residuals: Array2<f32>,
    model: Model,
}

impl Prepared {
    /// Transforms the images and back-projects them.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    pub fn new(stack: &ParticleStack, params: &CryoParams) -> Result<Self, CryoError> {
        let valid = params.check(stack.particles.len(), stack.size)?;
        let slices = Slices::new(stack);
        let baseline = back_project(&slices, &Subset::All.images(stack));
        let residuals =
            if params.latent > 0 { residuals(&slices, &baseline.padded) } else { Array2::zeros((slices.images(), 0)) };
        let model = Model::new(&valid, &slices, &baseline.volume);
        Ok(Self { params: valid, slices, baseline, residuals, model })
    }

    /// The decoder's meaning.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Untrained networks.
    pub fn start(&self) -> TrainState {
        self.model.start(&self.params, self.residuals.ncols())
    }

    /// Trains to the end, or until the watch says stop.
    ///
    /// # Errors
    /// If training diverges or cannot be saved.
    pub fn train(&self, state: &mut TrainState, watch: &mut Watch<'_>) -> Result<Ended, TrainError> {
        let mut objective = CryoObjective::new(&self.model, &self.slices, &self.residuals, &self.params);
        train(&mut objective, state, &self.params.loop_params(), watch)
    }

    /// Means of z, `[images, latent]`.
    pub fn latents(&self, networks: &[Mlp<f32>]) -> Array2<f32> {
        match networks.get(1) {
            Some(encoder) => encoder.predict(self.residuals.view()).slice(s![.., ..self.model.latent()]).to_owned(),
            None => Array2::zeros((self.slices.images(), 0)),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Results {
    /// Means of z, `[images, latent]`.
    pub latents: Array2<f32>,
    /// Positions along the latents' principal axis; empty without a latent.
    pub scores: Vec<f64>,
    /// Rank correlation of these with the true motion, where both are known.
    pub spearman: Option<f64>,
    /// The volumes at the ranks of [`QUANTILES`], or the one volume.
    pub volumes: Vec<FourierVolume>,
    /// The latents of these volumes.
    pub codes: Vec<Vec<f32>>,
    /// True ones of the same ranks.
    pub truths: Vec<FourierVolume>,
    /// What back-projection gives from all images, without any network.
    pub baseline: FourierVolume,
    /// The quality of every volume, that of the baseline first.
    pub qualities: Vec<Quality>,
}

/// Volumes of a trained decoder along the latents' principal axis.
fn volumes(prepared: &Prepared, networks: &[Mlp<f32>], flip: bool) -> (Vec<Vec<f32>>, Vec<FourierVolume>) {
    if prepared.model.latent() == 0 {
        return (vec![Vec::new()], vec![prepared.model.volume(&networks[0], &[])]);
    }
    let latents = prepared.latents(networks);
    let axis = PrincipalAxis::new(latents.view());
    let scores = axis.scores(latents.view());
    let codes: Vec<Vec<f32>> =
        QUANTILES.iter().map(|&share| axis.latent(quantile(&scores, if flip { 1.0 - share } else { share }))).collect();
    let volumes = codes.iter().map(|z| prepared.model.volume(&networks[0], z)).collect();
    (codes, volumes)
}

/// The networks that were trained on some images: the decoder and, with a latent, the encoder.
pub struct Trained {
    /// The images as training saw them.
    pub prepared: Prepared,
    /// What came of it.
    pub networks: Vec<Mlp<f32>>,
}

/// Evaluates the trained subsets of [`Subset::trained`], in that order: all images and, if there are such, the half
/// sets.
///
/// # Panics
/// If there are none.
pub fn evaluate(trained: &[Trained], stack: &ParticleStack, truth: Option<&Truth>) -> Results {
    let Trained { prepared, networks } = &trained[0];
    let slices = &prepared.slices;
    let latents = prepared.latents(networks);
    let scores =
        if latents.ncols() > 0 { PrincipalAxis::new(latents.view()).scores(latents.view()) } else { Vec::new() };
    let motions = stack.motions();
    let correlation = motions.as_ref().filter(|_| !scores.is_empty()).and_then(|motions| spearman(&scores, motions));
    let (codes, found) = volumes(prepared, networks, false);
    let known = truth.and_then(|truth| Some((truth, truth.motions(stack)?)));
    let truths = known.map_or_else(Vec::new, |(truth, motions)| {
        let reversed = correlation.is_some_and(|rho| rho < 0.0);
        true_volumes(truth, &motions, reversed, &prepared.baseline.volume)
    });
    // One volume stands for every conformation.
    let against_truth = |volumes: &[FourierVolume]| {
        let pairs: Vec<_> = truths.iter().zip(volumes.iter().cycle()).collect();
        (!pairs.is_empty()).then(|| Curve::of(&pairs))
    };
    let baseline = &prepared.baseline.volume;
    let has_halves = slices.images() > 1;
    let half_maps = [Subset::Odd, Subset::Even].map(|half| back_project(slices, &half.images(stack)).volume);
    let mut qualities = vec![Quality {
        method: "back-projection".to_owned(),
        truth: against_truth(std::slice::from_ref(baseline)),
        half_sets: has_halves.then(|| Curve::of(&[(&half_maps[0], &half_maps[1])])),
    }];
    let mode = if prepared.model.latent() > 0 { "decoder with z" } else { "decoder without z" };
    qualities.push(Quality {
        method: format!("{mode}, encoding {}", prepared.params.params().encoding.kind.name()),
        truth: against_truth(&found),
        half_sets: between_half_sets(trained, stack, &scores),
    });
    Results {
        latents,
        scores,
        spearman: correlation,
        volumes: found,
        codes,
        truths,
        baseline: baseline.clone(),
        qualities,
    }
}

/// How far the networks of the half sets agree, where there are any; `scores` are those of all images.
fn between_half_sets(trained: &[Trained], stack: &ParticleStack, scores: &[f64]) -> Option<Curve> {
    let [_, odd, even] = trained else { return None };
    let [odd, even] = [(Subset::Odd, odd), (Subset::Even, even)].map(|(subset, half)| {
        let Trained { prepared, networks } = half;
        // A latent's sign is arbitrary: that of all images decides.
        let own = prepared.latents(networks);
        let flip = own.ncols() > 0 && {
            let all: Vec<f64> = subset.images(stack).iter().map(|&image| scores[image as usize]).collect();
            spearman(&PrincipalAxis::new(own.view()).scores(own.view()), &all).is_some_and(|rho| rho < 0.0)
        };
        volumes(prepared, networks, flip).1
    });
    Some(Curve::of(&odd.iter().zip(&even).collect::<Vec<_>>()))
}

/// A whole reconstruction in memory: what comparisons of encodings are made of; `None` if the watch stopped it.
///
/// # Errors
/// As [`Prepared::new`] and [`Prepared::train`].
pub fn reconstruct(
    stack: &ParticleStack,
    truth: Option<&Truth>,
    params: &CryoParams,
    watch: &mut Watch<'_>,
) -> Result<Option<Results>, CryoError> {
    let mut trained = Vec::new();
    for &subset in Subset::trained(params) {
        let prepared = Prepared::new(&subset.of(stack), &subset.params(params))?;
        let mut state = prepared.start();
        if prepared.train(&mut state, watch)? == Ended::Interrupted {
            return Ok(None);
        }
        trained.push(Trained { prepared, networks: state.networks });
    }
    Ok(Some(evaluate(&trained, stack, truth)))
}
