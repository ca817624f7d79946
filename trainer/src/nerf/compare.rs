//! The encodings compared, as in table 7 of Tancik et al. (2020).

use std::sync::PoisonError;

use firmware_core::Precision;
use firmware_core::march::{Camera, Volume};
use serde::Serialize;

use super::error::NerfError;
use super::field::{ModelField, NetworkField};
use super::fit::{
    ViewMetrics, ViewsMetrics, continue_fit, export, judge, judge_network, start_occupancy, volume_words,
};
use super::objective::volume;
use super::occupancy::Occupancy;
use super::params::{NerfParams, ValidNerfParams};
use super::render::{Drawn, draw};
use super::scene::Views;
use crate::network::Mlp;
use crate::network::encoding::EncodingKind;
use crate::training::{Ended, Watch};

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
    /// View by view.
    pub views: Vec<ViewMetrics>,
}

impl Compared {
    /// The row of an encoding that was judged.
    pub fn new(encoding: EncodingKind, judged: ViewsMetrics) -> Self {
        let published = PUBLISHED.iter().find(|(published, _)| *published == encoding);
        Self {
            encoding,
            psnr_db: judged.psnr_db,
            ssim: judged.ssim,
            published_psnr_db: published.map_or(f64::NAN, |&(_, psnr)| psnr),
            views: judged.views,
        }
    }
}

/// A trained field with its row.
#[derive(Debug)]
pub struct Trained {
    /// How well it draws.
    pub row: Compared,
    params: ValidNerfParams,
    network: Mlp<f32>,
    occupancy: Occupancy,
}

impl Trained {
    /// Draws a view.
    pub fn draw(&self, camera: &Camera) -> Drawn {
        let volume = volume(&self.params, self.occupancy.resolution(), self.occupancy.bits(false));
        draw(&volume, camera, &NetworkField::new(self.params.encoding(), &self.network))
    }

    /// Held-out PSNR of the `w8a16` artifact, mean over views, dB: the device's code and the device's bits.
    ///
    /// # Errors
    /// If the network cannot be quantized.
    pub fn quantized_psnr_db(&self, train: &Views, test: &Views) -> Result<f64, NerfError> {
        let artifact = export(&self.params, &self.network, &self.occupancy, &train.views, Precision::W8A16, f64::NAN)?;
        let unfit = |reason: String| NerfError::Artifact { path: "the artifact".into(), reason };
        let model = artifact.model().map_err(|reason| unfit(reason.to_string()))?;
        let words = volume_words(&self.params, &self.occupancy);
        let volume = Volume::parse(bytemuck::cast_slice(&words), &model).map_err(|reason| unfit(reason.to_string()))?;
        Ok(judge(&volume, &test.views, &ModelField::new(&model)).psnr_db)
    }
}

/// The settings of `base` for another encoding: all the same but the scale, see [`super::params`].
pub fn with_encoding(base: &NerfParams, kind: EncodingKind) -> NerfParams {
    let mut params = base.clone();
    params.encoding.kind = kind;
    params.encoding.scale = NerfParams::default_scale(kind);
    params
}

/// Trains one encoding and judges it by the views `test`; `None` if the watch stopped it.
///
/// # Errors
/// If the settings are impossible or training diverges.
pub fn compare_one(
    base: &NerfParams,
    kind: EncodingKind,
    train: &Views,
    test: &Views,
    watch: &mut Watch<'_>,
) -> Result<Option<Trained>, NerfError> {
    let params = with_encoding(base, kind).check(train.half_width)?;
    let (mut state, occupancy) = (params.start(), start_occupancy(&params));
    if continue_fit(&params, &train.views, &mut state, &occupancy, watch)? == Ended::Interrupted {
        return Ok(None);
    }
    let network = state.networks.swap_remove(0);
    let occupancy = occupancy.into_inner().unwrap_or_else(PoisonError::into_inner);
    let judged = judge_network(&params, &network, &occupancy, &test.views);
    Ok(Some(Trained { row: Compared::new(kind, judged), params, network, occupancy }))
}
