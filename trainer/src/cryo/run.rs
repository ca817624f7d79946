//! The folder of a reconstruction: what `trainer cryo fit` writes and continues from.
//!
//! | file | holds |
//! | --- | --- |
//! | `network.safetensors` | decoder and encoder; the settings as metadata |
//! | `checkpoint.safetensors`, `checkpoint_odd…`, `checkpoint_even…` | states of the three trainings, for `--resume` |
//! | `model.ffm` | the decoder as an artifact |
//! | `queries.csv` | frequencies and latents with the decoder's answers, to ask a device for |
//! | `conformation_1.mrc` … | volumes at ranks of the latent; `back_projection.mrc` the baseline |
//! | `latent.csv` | z of every image |
//! | `metrics.json`, `report.png`, `report.html` | how good it is |

use super::ctf::NO_EXTRAS;
use super::error::CryoError;
use super::evaluation::latent_table;
use super::fit::{Prepared, Results};
use super::fourier_volume::FourierVolume;
use super::mrc::{Kind, Mrc};
use super::params::CryoParams;
use super::particles::{Particle, ParticleStack};
use super::report;
use super::subset::Subset;
use crate::artifact::model_file::predict;
use crate::artifact::precision::NamedPrecision;
use crate::base::files::{self, RemoveError};
use crate::base::fingerprint::fingerprint_of;
use crate::network::Mlp;
use crate::report::SheetPage;
use crate::report::figure::Figure as _;
use crate::store::checkpoint;
use crate::store::run::RunFolder;
use crate::store::tensors::{TensorError, Tensors};
use crate::training::TrainState;
use firmware_core::Precision;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Points of `queries.csv`.
const QUERIES: usize = 256;

/// Settings of a run, as its files keep them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CryoSettings {
    /// Hyperparameters.
    pub params: CryoParams,
    /// The table of particles; paths are absolute.
    pub table: PathBuf,
    /// Their images, if not those that the table names.
    pub stack: Option<PathBuf>,
    /// The folder that knows the true volumes.
    pub truth: Option<PathBuf>,
    /// Of `model.ffm`.
    pub precision: NamedPrecision,
}

/// What `metrics.json` holds beside the settings.
#[derive(Clone, Debug, Serialize)]
pub struct Metrics {
    /// Images.
    pub particles: usize,
    /// Rank correlation of the latent with the true motion.
    pub spearman: Option<f64>,
    /// Curves and resolutions.
    pub qualities: Vec<super::evaluation::Quality>,
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

/// A checksum of all that training sees of a stack: images, size of a pixel, orientations, shifts, CTFs and
/// half sets.
pub fn fingerprint(stack: &ParticleStack) -> u64 {
    let known = |particle: &Particle| {
        let Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, .. } = *particle;
        let lens = [
            ctf.defocus_u,
            ctf.defocus_v,
            ctf.defocus_angle,
            ctf.voltage,
            ctf.spherical_aberration,
            ctf.amplitude_contrast,
            ctf.phase_shift,
        ];
        // Images without them have the checksum that they always had.
        let extras = ctf.extras().into_iter().filter(move |_| ctf.extras() != NO_EXTRAS);
        [rot, tilt, psi, x, y].into_iter().chain(lens).chain(extras)
    };
    let numbers = std::iter::once(stack.pixel_size).chain(stack.particles.iter().flat_map(known));
    let words = numbers.map(f64::to_bits).flat_map(|bits| [bits as u32, (bits >> 32) as u32]);
    let halves = stack.halves().into_iter().flatten().map(u32::from);
    fingerprint_of(stack.images.iter().map(|value| value.to_bits()).chain(words).chain(halves))
}

/// Where a subset's state is kept.
pub fn checkpoint_path(folder: &RunFolder, subset: Subset) -> PathBuf {
    match subset {
        Subset::All => folder.checkpoint(),
        _ => folder.path().join(format!("checkpoint_{}.safetensors", subset.name())),
    }
}

/// Writes `network.safetensors`.
///
/// # Errors
/// If it cannot be written.
pub fn write_network(folder: &RunFolder, settings: &CryoSettings, networks: &[Mlp<f32>]) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
    for (name, network) in ["decoder.", "encoder."].into_iter().zip(networks) {
        tensors.put_network(name, network);
    }
    tensors.put_settings(settings);
    tensors.write(&folder.network())
}

/// The settings of a run.
///
/// # Errors
/// If the folder's network is not that of a reconstruction.
pub fn read_settings(folder: &RunFolder) -> Result<CryoSettings, TensorError> {
    Tensors::read(&folder.network())?.settings()
}

/// Takes the files of a run that is replaced away: what the new one does not write would pass for its own.
///
/// # Errors
/// If one cannot be removed.
pub fn forget(folder: &RunFolder) -> Result<(), RemoveError> {
    for subset in [Subset::All, Subset::Odd, Subset::Even] {
        files::remove(&checkpoint_path(folder, subset))?;
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

/// Takes the state of a subset from its file, if there is one; returns whether there was.
///
/// # Errors
/// If it is damaged, or belongs to other images.
pub fn resume(folder: &RunFolder, subset: Subset, state: &mut TrainState, fingerprint: u64) -> Result<bool, CryoError> {
    let path = checkpoint_path(folder, subset);
    if !path.exists() {
        return Ok(false);
    }
    if checkpoint::read(&path, state)? != fingerprint {
        let problem = "it was trained on other images, poses or CTFs; resume with the same files";
        return Err(CryoError::file(folder.path(), problem));
    }
    Ok(true)
}

/// Writes volumes, tables, artifact, metrics and report.
///
/// # Errors
/// If a file cannot be written or the decoder does not fit an artifact.
pub fn write(
    folder: &RunFolder,
    settings: &CryoSettings,
    precision: Precision,
    (prepared, stack, results): (&Prepared, &ParticleStack, &Results),
    networks: &[Mlp<f32>],
    seconds: f64,
) -> Result<Metrics, CryoError> {
    write_network(folder, settings, networks)?;
    write_volume(&folder.path().join("back_projection.mrc"), &results.baseline)?;
    for (index, volume) in results.volumes.iter().enumerate() {
        write_volume(&conformation_path(folder, index + 1), volume)?;
    }
    let motions = stack.motions();
    if results.latents.ncols() > 0 {
        let table = latent_table(&results.latents, motions.as_deref());
        files::write(&folder.path().join("latent.csv"), table.as_bytes())?;
    }
    let parts = (prepared, &results.latents);
    let (model_bytes, artifact_error) = write_artifact(folder, settings, precision, parts, &networks[0])?;
    let metrics = Metrics {
        particles: stack.particles.len(),
        spearman: results.spearman,
        qualities: results.qualities.clone(),
        latents: results.codes.clone(),
        model_bytes,
        artifact_error,
        seconds,
        notes: stack.notes.clone(),
    };
    let json = serde_json::json!({ "settings": settings, "metrics": metrics });
    files::write(&folder.metrics(), serde_json::to_string_pretty(&json).expect("plain values").as_bytes())?;
    let name = settings.table.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let png = report::sheet(&name, results, motions.as_deref()).png()?;
    files::write(&folder.path().join("report.png"), &png)?;
    files::write(&folder.path().join("report.html"), page(&name, settings, &metrics, &png).as_bytes())?;
    Ok(metrics)
}

fn write_volume(path: &Path, volume: &FourierVolume) -> Result<(), CryoError> {
    Mrc { shape: [volume.size(); 3], voxel_size: volume.voxel_size(), values: volume.to_real() }
        .write(path, Kind::Volume)
}

/// Writes `model.ffm` and `queries.csv`; returns the artifact's length and its relative error.
fn write_artifact(
    folder: &RunFolder,
    settings: &CryoSettings,
    precision: Precision,
    (prepared, latents): (&Prepared, &Array2<f32>),
    decoder: &Mlp<f32>,
) -> Result<(usize, f64), CryoError> {
    let (model, latents, seed) = (prepared.model(), latents.view(), settings.params.seed);
    let artifact = model.artifact(decoder, latents, precision, seed)?;
    let exact = model.artifact(decoder, latents, Precision::F32, seed)?;
    files::write(&folder.model(), artifact.as_bytes())?;
    // Others than those that calibrated.
    let queries = model.queries(QUERIES, latents, !seed);
    let answers = |artifact: &crate::artifact::export::Artifact| -> Result<_, CryoError> {
        let model = artifact.model().map_err(|error| CryoError::Setting(error.to_string()))?;
        Ok(predict(&model, &queries)?)
    };
    let (quantized, exact) = (answers(&artifact)?, answers(&exact)?);
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v * v)).sum::<f64>();
    let error = squares(&mut quantized.iter().zip(&exact).map(|(a, b)| a - b)) / squares(&mut exact.iter().copied());
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

fn page(name: &str, settings: &CryoSettings, metrics: &Metrics, png: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};

    #[test]
    fn every_number_that_training_sees_changes_the_fingerprint() {
        let params = SynthesisParams { particles: 3, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let changed = |change: fn(&mut ParticleStack)| {
            let mut other = stack.clone();
            change(&mut other);
            fingerprint(&other)
        };
        let changes: [fn(&mut ParticleStack); 14] = [
            |stack| stack.images[700] += 1.0,
            |stack| stack.pixel_size += 1e-9,
            |stack| stack.particles[2].angles[1] += 1e-9,
            |stack| stack.particles[1].shift[1] += 1e-9,
            |stack| stack.particles[1].ctf.defocus_u += 1e-6,
            |stack| stack.particles[1].ctf.defocus_v += 1e-6,
            |stack| stack.particles[1].ctf.defocus_angle += 1e-6,
            |stack| stack.particles[0].ctf.voltage += 1e-6,
            |stack| stack.particles[0].ctf.spherical_aberration += 1e-6,
            |stack| stack.particles[0].ctf.amplitude_contrast += 1e-6,
            |stack| stack.particles[0].ctf.phase_shift += 1e-6,
            |stack| stack.particles[0].ctf.scale += 1e-6,
            |stack| stack.particles[1].ctf.b_factor += 1e-6,
            |stack| stack.particles[2].ctf.beam_tilt[1] += 1e-6,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_ne!(changed(change), fingerprint(&stack), "change {index}");
        }
        let halves = |halves: [u8; 3]| {
            let mut other = stack.clone();
            other.particles.iter_mut().zip(halves).for_each(|(particle, half)| particle.half = Some(half));
            fingerprint(&other)
        };
        assert!(halves([1, 2, 1]) != halves([1, 2, 2]) && halves([1, 2, 1]) != fingerprint(&stack));
        // The truth is for judging only.
        assert_eq!(changed(|stack| stack.particles[0].motion = None), fingerprint(&stack));
    }
}
