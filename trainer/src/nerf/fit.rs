//! Fitting a field to a scene, and judging it by views that it has not seen.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use firmware_core::march::{DIRECTED_INPUTS, HEADER_WORDS, OUTPUTS, Volume, write_volume};
use firmware_core::{OutputMap, Precision};
use ndarray::Array2;
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde::Serialize;

use super::direction::coordinates;
use super::error::NerfError;
use super::field::{Field, NetworkField};
use super::objective::{RayObjective, volume};
use super::occupancy::Occupancy;
use super::params::ValidNerfParams;
use super::rays::{Jitter, Pixels};
use super::render::draw;
use super::scene::View;
use super::similarity::{Picture, mean_squared_error, ssim_within};
use crate::artifact::card_text::CardText;
use crate::artifact::export::{Artifact, Card, Domain, TrainedNetwork};
use crate::artifact::quantize::CALIBRATION_POINTS;
use crate::base::random::{Purpose, step_rng};
use crate::data::metrics::psnr_db;
use crate::network::Mlp;
use crate::network::encoding::Encoding;
use crate::training::{Ended, TrainState, Watch, train};

/// Samples of a ray in the first steps: the mean chord of a cube is two thirds of its width, by Cauchy's formula.
fn first_guess(params: &ValidNerfParams) -> f64 {
    params.params().samples as f64 * 2.0 / 3.0
}

/// Rays of a view that [`check_rays`] tries, about.
const TRIED: usize = 1024;
/// Of so many rays at least one must meet the cube.
const FEWEST: usize = 1000;

/// Checks that the training rays see the bounding cube: without, there is nothing to learn and no loss that says so.
///
/// # Errors
/// [`NerfError::NoRays`] if fewer than one in 1000 does.
pub fn check_rays(params: &ValidNerfParams, views: &[View]) -> Result<(), NerfError> {
    // Without bits every cell is occupied.
    let volume = volume(params, 1, &[]);
    let (mut rays, mut met) = (0, 0);
    for view in views {
        let (viewpoint, pixels) = (view.viewpoint(), view.pixels.len());
        // Odd, so that it does not stay in the same columns.
        for pixel in (0..pixels).step_by((pixels / TRIED) | 1) {
            let ray = viewpoint.pixel_ray(pixel);
            rays += 1;
            met += usize::from(volume.samples(&ray, || 0.5).next().is_some());
        }
    }
    let (half_width, center) = (params.params().half_width.unwrap_or_default(), params.params().center);
    if met * FEWEST < rays { Err(NerfError::NoRays { met, rays, half_width, center }) } else { Ok(()) }
}

/// What a field is trained with, beside the state of its network.
#[derive(Debug)]
pub struct FieldTraining {
    params: ValidNerfParams,
    /// Shared by the objective, which renews it, and whoever saves the run.
    occupancy: RwLock<Occupancy>,
}

impl FieldTraining {
    /// A training at its start, whose state is that of [`ValidNerfParams::start`].
    pub fn new(params: ValidNerfParams) -> Self {
        let occupancy = Occupancy::new(params.params().grid, first_guess(&params));
        Self::resumed(params, occupancy)
    }

    /// A training that goes on with the grid that it had.
    pub fn resumed(params: ValidNerfParams, occupancy: Occupancy) -> Self {
        Self { params, occupancy: RwLock::new(occupancy) }
    }

    /// Trains from where `state` and the grid are to the end, or until the watch says stop.
    ///
    /// # Errors
    /// If training diverges or cannot be saved.
    pub fn train(&self, views: &[View], state: &mut TrainState, watch: &mut Watch<'_>) -> Result<Ended, NerfError> {
        let pixels = Pixels::new(views, self.params.params().background.color());
        let mut objective = RayObjective::new(&self.params, &pixels, &self.occupancy);
        Ok(train(&mut objective, state, &self.params.loop_params(), watch)?)
    }

    /// The grid as it is now.
    pub fn occupancy(&self) -> RwLockReadGuard<'_, Occupancy> {
        self.occupancy.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The field that a state makes.
    pub fn finish(self, mut state: TrainState) -> TrainedField {
        let occupancy = self.occupancy.into_inner().unwrap_or_else(PoisonError::into_inner);
        let network = state.networks.swap_remove(0);
        let encoding = self.params.encoding().of(&network);
        TrainedField { params: self.params, encoding, network: network.without_encoder(), occupancy }
    }
}

/// A field as training left it.
#[derive(Debug)]
pub struct TrainedField {
    /// What it was trained with.
    pub params: ValidNerfParams,
    /// With the frequencies or coefficients that were learned.
    pub encoding: Encoding,
    /// From encoded positions to logits of colour and density.
    pub network: Mlp<f32>,
    /// The cells that rays need to march.
    pub occupancy: Occupancy,
}

/// How well one view is drawn.
#[derive(Clone, Debug, Serialize)]
pub struct ViewMetrics {
    /// The picture's name.
    pub name: String,
    /// PSNR, dB.
    pub psnr_db: f64,
    /// SSIM.
    pub ssim: f64,
}

/// How well views are drawn.
#[derive(Clone, Debug, Serialize)]
pub struct ViewsMetrics {
    /// The mean of the views' PSNR, dB: what is usually published.
    pub psnr_db: f64,
    /// PSNR of the mean squared error over the pixels of all views, dB.
    pub pooled_psnr_db: f64,
    /// The mean of the views' SSIM.
    pub ssim: f64,
    /// Evaluations of the network per pixel.
    pub evaluations_per_pixel: f64,
    /// View by view.
    pub views: Vec<ViewMetrics>,
}

/// Draws every view and compares, where no mask hides its pixels.
pub fn judge<F: Field>(volume: &Volume<'_>, views: &[View], field: &F) -> ViewsMetrics {
    let (mut errors, mut judged_pixels, mut evaluations) = (0.0, 0.0, 0.0);
    let mut judged = Vec::with_capacity(views.len());
    for view in views {
        let drawn = draw(volume, &view.viewpoint(), field);
        let (mut colors, exact) = (drawn.colors(), view.over(volume.background));
        // What is hidden counts as drawn exactly, and not as drawn.
        let hidden = (0..exact.len()).filter(|&pixel| !view.is_kept(pixel));
        let hidden = hidden.inspect(|&pixel| colors[pixel] = exact[pixel]).count();
        let kept = (exact.len() - hidden) as f64;
        let error = mean_squared_error(&colors, &exact) * exact.len() as f64 / kept;
        let picture = |pixels| Picture { width: drawn.width, pixels };
        let ssim = ssim_within(picture(&colors), picture(&exact), view.mask.as_deref());
        judged.push(ViewMetrics { name: view.name.clone(), psnr_db: psnr_db(error, 1.0), ssim });
        errors += error * kept;
        judged_pixels += kept;
        evaluations += drawn.evaluations_per_pixel();
    }
    let count = views.len().max(1) as f64;
    ViewsMetrics {
        psnr_db: judged.iter().map(|view| view.psnr_db).sum::<f64>() / count,
        pooled_psnr_db: psnr_db(errors / judged_pixels, 1.0),
        ssim: judged.iter().map(|view| view.ssim).sum::<f64>() / count,
        evaluations_per_pixel: evaluations / count,
        views: judged,
    }
}

impl TrainedField {
    /// The volume that rays march.
    pub fn volume(&self) -> Volume<'_> {
        volume(&self.params, self.occupancy.resolution(), self.occupancy.bits(false))
    }

    /// The field that the network makes of positions.
    pub fn field(&self) -> NetworkField<'_> {
        NetworkField::new(&self.encoding, &self.network)
    }

    /// Draws every view and compares.
    pub fn judge(&self, views: &[View]) -> ViewsMetrics {
        judge(&self.volume(), views, &self.field())
    }

    /// The words of a volume file.
    ///
    /// # Panics
    /// Never: the lengths are the grid's.
    pub fn volume_words(&self) -> Vec<u32> {
        let volume = self.volume();
        let mut words = vec![0; HEADER_WORDS + volume.occupancy.len()];
        write_volume(&volume, &mut words).expect("the length is that of the grid");
        words
    }

    /// The artifact of the network, calibrated on the samples of random training rays in occupied cells.
    ///
    /// # Errors
    /// If it cannot be quantized.
    pub fn export(&self, views: &[View], precision: Precision, training_psnr_db: f64) -> Result<Artifact, NerfError> {
        let Self { params, encoding, network, .. } = self;
        let settings = params.params();
        let inputs = if settings.view_direction { &["x", "y", "z", "u", "v", "w"][..] } else { &["x", "y", "z"] };
        let text = CardText::new(inputs, &["red logit", "green logit", "blue logit", "density logit"])
            .json("encoding", &settings.encoding.kind)
            .number("scale", settings.encoding.scale)
            .json("seed", &settings.seed);
        let maps = vec![OutputMap { scale: 1.0, offset: 0.0 }; OUTPUTS];
        let domain = Domain::clamped(params.model_axes(), maps);
        let features = encoding.encode(self.calibration(views).view());
        let card = Card { training_psnr_db: training_psnr_db as f32, ..Card::new(text.as_str()) };
        Ok(TrainedNetwork { encoding, network, domain: &domain }.artifact(precision, features.view(), card)?)
    }

    /// Coordinates `[n, 3]`, or `[n, 6]` with directions, of samples that training rays meet, with some from anywhere
    /// so that no layer is degenerate.
    fn calibration(&self, views: &[View]) -> Array2<u32> {
        let (volume, seed) = (self.volume(), self.params.params().seed);
        let pixels = Pixels::new(views, volume.background);
        let chosen = pixels.choose(seed ^ Purpose::CalibrationRays as u64, 0, CALIBRATION_POINTS);
        let mut places = Vec::new();
        for (pixel, seed) in chosen {
            let mut jitter = Jitter(seed);
            let target = pixels.target(pixel as usize);
            let samples = volume.samples(&target.ray, || jitter.draw());
            places.extend(samples.map(|sample| coordinates(&sample, volume.view_direction)));
        }
        let mut rng = step_rng(seed, Purpose::CalibrationRays, 0);
        let mut places: Vec<[u32; DIRECTED_INPUTS]> = places.sample(&mut rng, CALIBRATION_POINTS).copied().collect();
        places.extend((0..CALIBRATION_POINTS / 8).map(|_| -> [u32; DIRECTED_INPUTS] { rng.random() }));
        Array2::from_shape_fn((places.len(), volume.inputs()), |(i, axis)| places[i][axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::params::NerfParams;
    use crate::nerf::poses::turntable;
    use firmware_core::march::Camera;

    #[test]
    fn a_cube_that_no_ray_meets_is_refused() {
        let like = Camera { to_world: [[0.0; 4]; 3], focal: 40.0, width: 40, height: 30 };
        let view = |camera| View::new("", camera, vec![[0.5; 4]; 1200]);
        let views: Vec<View> = turntable(&like, 4.0, 20.0, 5).into_iter().map(view).collect();
        let check = |half_width: f32, views: &[View]| {
            let params = NerfParams { half_width: Some(half_width), ..NerfParams::default() };
            check_rays(&params.check(None).unwrap(), views)
        };
        check(1.5, &views).unwrap();
        check(0.3, &views).unwrap();
        for half_width in [1e-3, 1e-30] {
            let error = check(half_width, &views).unwrap_err().to_string();
            assert!(error.starts_with("0 of 6000 training rays meet") && error.contains("--half-width"), "{error}");
        }
        // Cameras that look away.
        let away = |view: &View| {
            let mut view = view.clone();
            view.camera.to_world.iter_mut().for_each(|row| row[..3].iter_mut().for_each(|x| *x = -*x));
            view
        };
        assert!(check(1.5, &views.iter().map(away).collect::<Vec<_>>()).is_err());
    }
}
