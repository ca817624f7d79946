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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::fsc::shell_correlations;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};
    use crate::network::encoding::EncodingParams;

    /// Small and clean, in seconds: the bar at full size is that of the command.
    #[test]
    fn the_motion_is_found_from_images() {
        let params = SynthesisParams { particles: 1000, snr: 2.0, ..SynthesisParams::default() };
        let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
        let stack = synthesize(&truth.molecule, &truth.params).unwrap();
        let params = CryoParams {
            encoding: EncodingParams { frequencies: 48, ..EncodingParams::default() },
            hidden: vec![48, 48],
            encoder_hidden: vec![16],
            steps: 700,
            images: 64,
            frequencies: 24,
            half_sets: false,
            ..CryoParams::default()
        };
        let results = reconstruct(&stack, Some(&truth), &params, &mut Watch::default()).unwrap().unwrap();
        assert!(results.spearman.unwrap().abs() > 0.9, "{:?}", results.spearman);
        let decoder = results.qualities[1].truth.as_ref().unwrap();
        assert!(decoder.at_half.angstrom < 9.0, "{}", decoder.at_half);
        assert!(decoder.correlations[..9].iter().all(|c| *c > 0.8), "{:?}", decoder.correlations);
        // What the motion changes, of which the one volume of the back-projection knows nothing.
        let change = |volumes: &[FourierVolume]| {
            let mut change = volumes[0].clone();
            change.ball(15).into_iter().for_each(|k| change.set(k, volumes[4].get(k) - volumes[0].get(k)));
            change
        };
        let (found, exact) = (change(&results.volumes), change(&results.truths));
        let agreement = shell_correlations(&found, &exact);
        assert!(agreement[..5].iter().all(|c| *c > 0.5), "{agreement:?}");
        let own = |volume: &FourierVolume, truth: usize| {
            shell_correlations(volume, &results.truths[truth])[1..8].iter().sum::<f64>() / 7.0
        };
        let ends = [0, 4].map(|end| {
            (own(&results.volumes[end], end), own(&results.volumes[end], 4 - end), own(&results.baseline, end))
        });
        assert!(ends.iter().all(|(own, other, baseline)| *own > other + 0.05 && own > baseline), "{ends:?}");
    }

    /// Nothing is held by one half of one image, and the truth of images of one conformation is that conformation.
    #[test]
    fn one_image_and_one_known_conformation_are_enough() {
        let params = SynthesisParams { particles: 2, motion: Some(0.5), ..SynthesisParams::default() };
        let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
        let mut stack = synthesize(&truth.molecule, &truth.params).unwrap().select(&[1]);
        stack.particles[0].motion = None;
        let params = CryoParams { hidden: vec![8], steps: 2, half_sets: false, ..CryoParams::default() };
        let results = reconstruct(&stack, Some(&truth), &params, &mut Watch::default()).unwrap().unwrap();
        assert!(results.qualities.iter().all(|quality| quality.half_sets.is_none() && quality.truth.is_some()));
        let refused = reconstruct(&stack, None, &CryoParams { half_sets: true, ..params }, &mut Watch::default());
        assert!(refused.unwrap_err().to_string().contains("--no-half-sets"));
    }

    /// Half sets that share a seed, or a mean volume, agree in what they share however little the images say.
    #[test]
    fn half_sets_agree_in_nothing_where_there_is_only_noise() {
        let synthesis = SynthesisParams { particles: 400, snr: 1e-6, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &synthesis).unwrap();
        let params = CryoParams {
            encoding: EncodingParams { frequencies: 64, ..EncodingParams::default() },
            hidden: vec![32],
            encoder_hidden: vec![8],
            steps: 40,
            ..CryoParams::default()
        };
        for latent in [0, 1] {
            let params = CryoParams { latent, ..params.clone() };
            let results = reconstruct(&stack, None, &params, &mut Watch::default()).unwrap().unwrap();
            let curve = results.qualities[1].half_sets.as_ref().unwrap();
            // The first shells are a few smooth values, whose correlation is anything.
            assert!(curve.correlations[4..].iter().all(|c| c.abs() < 0.3), "{:?}", curve.correlations);
        }
    }

    #[test]
    fn a_stopped_run_gives_nothing_and_bad_settings_are_named() {
        let params = SynthesisParams { particles: 20, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(true);
        let small = CryoParams { hidden: vec![8], steps: 5, half_sets: false, ..CryoParams::default() };
        assert!(
            reconstruct(&stack, None, &small, &mut Watch { stop: Some(&stop), ..Watch::default() }).unwrap().is_none()
        );
        let broken = CryoParams { latent: 9, ..small };
        assert!(
            reconstruct(&stack, None, &broken, &mut Watch::default()).unwrap_err().to_string().contains("--latent")
        );
    }
}
