//! The encodings compared, as in table 7 of Tancik et al. (2020).

use std::sync::PoisonError;

use serde::Serialize;

use super::error::NerfError;
use super::fit::{continue_fit, judge_network, start_occupancy};
use super::params::NerfParams;
use super::scene::Views;
use crate::encoding::EncodingKind;
use crate::train::{Ended, Watch};

/// An encoding with its published PSNR on the Lego scene (400×400 pixels, 50,000 steps of 1024 rays), dB.
pub const PUBLISHED: [(EncodingKind, f64); 4] = [
    (EncodingKind::None, 22.41),
    (EncodingKind::Basic, 23.16),
    (EncodingKind::Positional, 25.28),
    (EncodingKind::Gaussian, 25.48),
];

/// One row of the comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The encoding.
    pub encoding: EncodingKind,
    /// Held out, mean over views, dB.
    pub psnr_db: f64,
    /// Held out, mean over views.
    pub ssim: f64,
    /// Table 7, another scene, dB.
    pub published_psnr_db: f64,
}

/// The settings of `base` for another encoding: its scale, and the higher learning rates that the paper's search gave
/// `none` and `basic` (relative to the others; as high as training stays stable here).
pub fn with_encoding(base: &NerfParams, kind: EncodingKind) -> NerfParams {
    let mut params = base.clone();
    params.encoding.kind = kind;
    params.encoding.scale = NerfParams::default_scale(kind);
    if matches!(kind, EncodingKind::None | EncodingKind::Basic) {
        params.learning_rate *= 2.0;
    }
    params
}

/// Trains one encoding and judges it by the test views; `None` if the watch stopped it.
///
/// # Errors
/// If the settings are impossible or training diverges.
pub fn compare_one(
    base: &NerfParams,
    kind: EncodingKind,
    train: &Views,
    test: &Views,
    watch: &mut Watch<'_>,
) -> Result<Option<Compared>, NerfError> {
    let params = with_encoding(base, kind).check(train.half_width)?;
    let (mut state, occupancy) = (params.start(), start_occupancy(&params));
    if continue_fit(&params, &train.views, &mut state, &occupancy, watch)? == Ended::Interrupted {
        return Ok(None);
    }
    let grid = occupancy.read().unwrap_or_else(PoisonError::into_inner);
    let judged = judge_network(&params, &state.networks[0], &grid, &test.views);
    let published = PUBLISHED.iter().find(|(published, _)| *published == kind).map_or(f64::NAN, |&(_, psnr)| psnr);
    Ok(Some(Compared { encoding: kind, psnr_db: judged.psnr_db, ssim: judged.ssim, published_psnr_db: published }))
}
