//! The encodings compared, as in table 7 of Tancik et al. (2020).

use std::path::{Path, PathBuf};

use firmware_core::Precision;
use firmware_core::march::{Camera, Volume};
use serde::Serialize;

use super::error::NerfError;
use super::field::ModelField;
use super::fit::{FieldTraining, TrainedField, ViewMetrics, ViewsMetrics, judge};
use super::params::NerfParams;
use super::render::{Drawn, draw};
use super::run::{NerfSettings, Run, Scene};
use super::scene::Views;
use crate::base::files;
use crate::network::encoding::EncodingKind;
use crate::store::json;
use crate::store::run::RunFolder;
use crate::training::optimizer::Optimizer;
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
    /// How positions became features.
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

/// A comparison in its folder: for each encoding of [`PUBLISHED`] the folder of a run, and `comparison.json`.
pub struct Comparison {
    folder: PathBuf,
    runs: Vec<Run>,
}

/// What a comparison came to.
#[derive(Clone, Debug)]
pub struct ComparedEncodings {
    /// The name of the views that are held out.
    pub judged_by: &'static str,
    /// In the order of [`PUBLISHED`].
    pub rows: Vec<Compared>,
}

impl Comparison {
    /// Begins all runs in a new folder, so that any of them can be resumed; a folder that holds anything is only taken
    /// with `force`. All settings but the encoding and its scale are those of `base`.
    ///
    /// # Errors
    /// If the settings do not suit the scene, or the folder cannot be made or is taken.
    pub fn start(folder: &Path, force: bool, base: &NerfParams, scene: &Scene) -> Result<Self, NerfError> {
        let params = PUBLISHED.map(|(kind, _)| with_encoding(base, kind));
        let params = params.iter().map(|params| scene.check(params)).collect::<Result<Vec<_>, _>>()?;
        RunFolder::create(folder, force)?;
        files::remove(&folder.join("comparison.json"))?;
        let start = |(params, (kind, _))| {
            let folder = folder_of(folder, kind);
            files::make_folder(&folder)?;
            Run::start(&folder, params, scene)
        };
        let runs = params.into_iter().zip(PUBLISHED).map(start).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), runs })
    }

    /// The comparison in a folder, where it stopped.
    ///
    /// # Errors
    /// If there is none, a checkpoint is damaged, or the scene is another.
    pub fn resume(folder: &Path, scene: &Scene) -> Result<Self, NerfError> {
        let resume = |(kind, _)| Run::resume(&folder_of(folder, kind), scene, None);
        let runs = PUBLISHED.into_iter().map(resume).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), runs })
    }

    /// The settings of the comparison in a folder, as its first run has them.
    ///
    /// # Errors
    /// If there is none, or its checkpoint is damaged.
    pub fn settings_of(folder: &Path) -> Result<NerfSettings, NerfError> {
        Ok(NerfSettings::of_run(&folder_of(folder, PUBLISHED[0].0))?)
    }

    /// Trains and judges every encoding and writes all files; `None` if the watch stopped it.
    ///
    /// # Errors
    /// If training diverges, a network does not fit an artifact, or a file cannot be written.
    pub fn finish(self, scene: &Scene, watch: &mut Watch<'_>) -> Result<Option<ComparedEncodings>, NerfError> {
        let mut rows = Vec::new();
        for ((kind, _), mut run) in PUBLISHED.into_iter().zip(self.runs) {
            watch.stage(kind.name());
            if run.train(scene, watch)? == Ended::Interrupted {
                return Ok(None);
            }
            rows.push(Compared::new(kind, run.finish(scene)?.held_out));
        }
        let compared = ComparedEncodings { judged_by: scene.judged_by().name(), rows };
        json::write(&self.folder.join("comparison.json"), &compared.to_json())?;
        Ok(Some(compared))
    }
}

impl ComparedEncodings {
    /// What `comparison.json` holds.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "judged_by": self.judged_by, "encodings": self.rows })
    }
}

fn folder_of(comparison: &Path, kind: EncodingKind) -> PathBuf {
    comparison.join(kind.name())
}

/// A trained field with its row.
#[derive(Debug)]
pub struct Trained {
    /// How well it draws.
    pub row: Compared,
    field: TrainedField,
}

impl Trained {
    /// Draws a view.
    pub fn draw(&self, camera: &Camera) -> Drawn {
        draw(&self.field.volume(), camera, &self.field.field())
    }

    /// Held-out PSNR of the `w8a16` artifact, mean over views, dB: the device's code and the device's bits.
    ///
    /// # Errors
    /// If the network cannot be quantized.
    pub fn quantized_psnr_db(&self, train: &Views, test: &Views) -> Result<f64, NerfError> {
        let artifact = self.field.export(&train.views, Precision::W8A16, f64::NAN)?;
        let unfit = |reason: String| NerfError::Artifact { path: "the artifact".into(), reason };
        let model = artifact.model().map_err(|reason| unfit(reason.to_string()))?;
        let words = self.field.volume_words();
        let volume = Volume::parse(bytemuck::cast_slice(&words), &model).map_err(|reason| unfit(reason.to_string()))?;
        Ok(judge(&volume, &test.views, &ModelField::new(&model)).psnr_db)
    }
}

/// The settings of `base` for another encoding: all the same but the scale, see [`super::params`]. Frequencies are
/// fixed, and the optimizer is Adam, as published.
pub fn with_encoding(base: &NerfParams, kind: EncodingKind) -> NerfParams {
    let mut params = base.clone();
    params.encoding.kind = kind;
    params.encoding.learned = false;
    params.encoding.scale = NerfParams::default_scale(kind);
    params.with_optimizer(Optimizer::default())
}

/// Trains one encoding in memory and judges it by the views `test`; `None` if the watch stopped it.
///
/// # Errors
/// If the settings are impossible or training diverges.
pub fn compare_one(
    params: &NerfParams,
    train: &Views,
    test: &Views,
    watch: &mut Watch<'_>,
) -> Result<Option<Trained>, NerfError> {
    let params = params.check(train.half_width)?;
    let (kind, mut state, training) = (params.params().encoding.kind, params.start(), FieldTraining::new(params));
    if training.train(&train.views, &mut state, watch)? == Ended::Interrupted {
        return Ok(None);
    }
    let field = training.finish(state);
    Ok(Some(Trained { row: Compared::new(kind, field.judge(&test.views)), field }))
}
