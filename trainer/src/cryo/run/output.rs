//! What a reconstruction leaves in its folder, and what must go when it is replaced.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use firmware_core::Precision;
use serde::Serialize;

use super::CryoSettings;
use crate::artifact::export::Artifact;
use crate::artifact::model_file::predict;
use crate::base::files::{self, RemoveError};
use crate::cryo::error::CryoError;
use crate::cryo::evaluation::{Quality, latent_table};
use crate::cryo::fit::{Results, Trained};
use crate::cryo::fourier_volume::FourierVolume;
use crate::cryo::mrc::{Content, Mrc};
use crate::cryo::particles::ParticleStack;
use crate::cryo::report;
use crate::cryo::subset::Subset;
use crate::network::Mlp;
use crate::report::SheetPage;
use crate::report::figure::Figure as _;
use crate::store::json;
use crate::store::run::RunFolder;
use crate::store::tensors::{TensorError, Tensors};

/// Points of `queries.csv`.
const QUERIES: usize = 256;

/// What `metrics.json` holds beside the settings.
#[derive(Clone, Debug, Serialize)]
pub struct CryoMetrics {
    /// How many images there are.
    pub particles: usize,
    /// Rank correlation of the latent with the true motion.
    pub spearman: Option<f64>,
    /// Curves and resolutions.
    pub qualities: Vec<Quality>,
    /// z of each conformation's volume.
    pub latents: Vec<Vec<f32>>,
    /// Length of `model.ffm`.
    pub model_bytes: usize,
    /// Root mean square of what the artifact's precision costs, over that of the coefficients.
    pub artifact_error: f64,
    /// Wall-clock seconds of this call, reading and training included.
    pub seconds: f64,
    /// What was said of the table and its images.
    pub notes: Vec<String>,
}

/// Writes `network.safetensors`.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write_network(
    folder: &RunFolder,
    settings: &CryoSettings,
    networks: &[Mlp<f32>],
) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
    for (name, network) in ["decoder.", "encoder."].into_iter().zip(networks) {
        tensors.put_network(name, network);
        if !network.encoder().is_empty() {
            tensors.put(format!("{name}encoding"), &[network.encoder().len()], network.encoder());
        }
    }
    tensors.put_settings(settings);
    tensors.write(&folder.network())
}

/// Removes the files of a run that is replaced: what the new one does not write would pass for its own.
///
/// # Errors
/// If one cannot be removed.
pub(super) fn forget(folder: &RunFolder) -> Result<(), RemoveError> {
    files::remove(&folder.checkpoint())?;
    for half in [Subset::Odd, Subset::Even] {
        files::remove(&folder.checkpoint_of(half.name()))?;
    }
    let mut conformations = (1..).map(|rank| conformation_path(folder, rank)).take_while(|path| path.exists());
    conformations.try_for_each(|path| files::remove(&path))?;
    let others = ["back_projection.mrc", "latent.csv", "queries.csv", "report.png", "report.html"];
    files::remove_all(folder.path(), &others)?;
    files::remove(&folder.model())?;
    files::remove(&folder.metrics())
}

fn conformation_path(folder: &RunFolder, rank: usize) -> PathBuf {
    folder.path().join(format!("conformation_{rank}.mrc"))
}

/// A reconstruction that is finished, with all that its files tell.
#[derive(Clone, Copy)]
pub struct Reconstructed<'a> {
    /// What the run was started with.
    pub settings: &'a CryoSettings,
    /// The networks of all images.
    pub trained: &'a Trained,
    /// The images that were reconstructed from.
    pub stack: &'a ParticleStack,
    /// What [`evaluate`](crate::cryo::fit::evaluate) found.
    pub results: &'a Results,
    /// Wall-clock time that it took.
    pub seconds: f64,
}

impl Reconstructed<'_> {
    /// Writes volumes, tables, artifact, metrics and report.
    ///
    /// # Errors
    /// If a file cannot be written or the decoder does not fit an artifact.
    pub fn write(&self, folder: &RunFolder) -> Result<CryoMetrics, CryoError> {
        let Self { settings, trained, stack, results, seconds } = *self;
        write_network(folder, settings, &trained.networks)?;
        write_volume(&folder.path().join("back_projection.mrc"), &results.baseline)?;
        for (index, volume) in results.volumes.iter().enumerate() {
            write_volume(&conformation_path(folder, index + 1), volume)?;
        }
        let motions = stack.motions();
        if results.latents.ncols() > 0 {
            let table = latent_table(&results.latents, motions.as_deref());
            files::write(&folder.path().join("latent.csv"), table.as_bytes())?;
        }
        let (model_bytes, artifact_error) = self.write_artifact(folder)?;
        let metrics = CryoMetrics {
            particles: stack.particles.len(),
            spearman: results.spearman,
            qualities: results.qualities.clone(),
            latents: results.codes.clone(),
            model_bytes,
            artifact_error,
            seconds,
            notes: stack.notes.clone(),
        };
        let object = serde_json::json!({ "settings": settings, "metrics": metrics });
        json::write(&folder.metrics(), &object)?;
        let name = settings.table.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let png = report::sheet(&name, results, motions.as_deref()).png()?;
        files::write(&folder.path().join("report.png"), &png)?;
        files::write(&folder.path().join("report.html"), page(&name, settings, &metrics, &png).as_bytes())?;
        Ok(metrics)
    }

    /// Writes `model.ffm` and `queries.csv`; returns the artifact's length and its relative error.
    fn write_artifact(&self, folder: &RunFolder) -> Result<(usize, f64), CryoError> {
        let Trained { prepared, networks } = self.trained;
        let (model, latents, decoder) = (prepared.model(), self.results.latents.view(), &networks[0]);
        let artifact = model.artifact(decoder, latents, self.settings.precision.0)?;
        let exact = model.artifact(decoder, latents, Precision::F32)?;
        files::write(&folder.model(), artifact.as_bytes())?;
        let queries = model.device_queries(QUERIES, latents);
        let answers = |artifact: &Artifact| -> Result<_, CryoError> {
            let model = artifact.model().map_err(|error| CryoError::Setting(error.to_string()))?;
            Ok(predict(&model, &queries)?)
        };
        let (quantized, exact) = (answers(&artifact)?, answers(&exact)?);
        let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v * v)).sum::<f64>();
        let error =
            squares(&mut quantized.iter().zip(&exact).map(|(a, b)| a - b)) / squares(&mut exact.iter().copied());
        let mut text = "kx,ky,kz".to_owned();
        (1..=model.latent()).for_each(|i| text += &format!(",z{i}"));
        text += ",hartley_plus,hartley_minus\n";
        for (query, answer) in queries.rows().into_iter().zip(exact.rows()) {
            let values: Vec<String> = query.iter().chain(answer).map(f32::to_string).collect();
            let _ = writeln!(text, "{}", values.join(","));
        }
        files::write(&folder.path().join("queries.csv"), text.as_bytes())?;
        Ok((artifact.as_bytes().len(), error.sqrt()))
    }
}

fn write_volume(path: &Path, volume: &FourierVolume) -> Result<(), CryoError> {
    Mrc { shape: [volume.size(); 3], voxel_size: volume.voxel_size(), values: volume.to_real() }
        .write(path, Content::Volume)
}

fn page(name: &str, settings: &CryoSettings, metrics: &CryoMetrics, png: &[u8]) -> String {
    let rho = metrics
        .spearman
        .map_or_else(String::new, |rho| format!(" Spearman's ρ of the latent with the true motion: {rho:.3}."));
    let page = SheetPage {
        title: name,
        lead: &[format!("{} images.{rho}", metrics.particles)]
            .into_iter()
            .chain(report::limit(&metrics.qualities))
            .chain(metrics.notes.iter().cloned())
            .collect::<Vec<_>>()
            .join(" "),
        heading: "Resolution",
        table: report::table(&metrics.qualities),
        alt: "slices, latents and correlations",
        png,
        settings: &serde_json::to_string_pretty(settings).expect("plain values"),
    };
    page.html()
}
