//! The folder of a run.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint.safetensors` | parameters, optimizer state, loss history and occupancy grid, for `--resume` |
//! | `model.ffm` | the artifact for the device |
//! | `model_f32.ffm` | the same in single precision, to compare with |
//! | `volume.ffv` | how to march it: box, step, background, occupied cells |
//! | `cameras.json` | the cameras of the views that it was judged by, for drawing without the scene |
//! | `metrics.json`, `report.png`, `report.html` | quality on views that it was not trained on |

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::error::NerfError;
use super::occupancy::{Occupancy, OccupancyState};
use super::params::NerfParams;
use super::scene::Views;
use crate::checkpoint::fingerprint_of;
use crate::files::{self, ReadError, RemoveError};
use crate::optimizer::Moments;
use crate::run::RunError;
use crate::tensors::{TensorError, Tensors};
use crate::train::TrainState;

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// Hyperparameters.
    pub nerf: NerfParams,
    /// The scene's folder, absolute.
    pub scene: PathBuf,
    /// [`fingerprint`] of the views that it is trained on.
    pub fingerprint: u64,
}

/// A checksum of all that training sees of a scene: pixels, cameras and the half width of the bounding cube.
pub fn fingerprint(train: &Views) -> u64 {
    let cameras = train.views.iter().flat_map(|view| view.camera.to_values());
    let pixels = train.views.iter().flat_map(|view| view.pixels.as_flattened()).copied();
    let values = train.half_width.into_iter().chain(cameras).chain(pixels);
    fingerprint_of(values.map(f32::to_bits))
}

/// The files of a run.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// `checkpoint.safetensors`.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// Takes the results of a run that is replaced away: beside the new network they would pass for its own.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn forget_results(&self) -> Result<(), RemoveError> {
        let paths = [self.model(), self.model_f32(), self.volume(), self.cameras(), self.report(), self.metrics()];
        paths.iter().try_for_each(|path| files::remove(path))?;
        files::remove(&self.0.join("report.png"))
    }

    /// `model.ffm`.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.ffm")
    }

    /// `model_f32.ffm`.
    pub fn model_f32(&self) -> PathBuf {
        self.0.join("model_f32.ffm")
    }

    /// `volume.ffv`.
    pub fn volume(&self) -> PathBuf {
        self.0.join("volume.ffv")
    }

    /// The words of `volume.ffv`, as [`Volume::parse`](firmware_core::march::Volume::parse) takes them; a last one that is cut is
    /// filled up with zeros.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_volume(&self) -> Result<Vec<u32>, ReadError> {
        let bytes = files::read(&self.volume())?;
        let mut words = vec![0u32; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        Ok(words)
    }

    /// `cameras.json`.
    pub fn cameras(&self) -> PathBuf {
        self.0.join("cameras.json")
    }

    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// `metrics.json`.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.json")
    }
}

/// Writes all that a run needs to go on to the same bits, in one file.
///
/// # Errors
/// If it cannot be written.
pub fn save(
    path: &Path,
    settings: &RunSettings,
    state: &TrainState,
    occupancy: &RwLock<Occupancy>,
) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
    tensors.put_network("", &state.networks[0]);
    let Moments { first, second } = &state.moments[0];
    tensors.put("first_moment", &[first.len()], first);
    tensors.put("second_moment", &[second.len()], second);
    let (steps, losses): (Vec<u64>, Vec<f64>) = state.history.iter().copied().unzip();
    tensors.put("history.steps", &[steps.len()], &steps);
    tensors.put("history.losses", &[losses.len()], &losses);
    let grid = occupancy.read().unwrap_or_else(PoisonError::into_inner).state();
    tensors.put("grid.opacity", &[grid.opacity.len()], &grid.opacity);
    tensors.put("grid.sight", &[grid.sight.len()], &grid.sight);
    tensors.put("grid.seen", &[grid.seen.len()], &grid.seen);
    tensors.put("grid.bits", &[grid.bits.len()], &grid.bits);
    let [samples, rays, per_ray] = grid.counts;
    tensors.put("state", &[4], &[state.step, samples, rays, per_ray]);
    tensors.put_settings(settings);
    tensors.write(path)
}

/// The settings of a run, from its checkpoint.
///
/// # Errors
/// If there is no run in the folder, or its checkpoint is damaged.
pub fn settings_of(checkpoint: &Path) -> Result<RunSettings, RunError> {
    if !checkpoint.is_file() {
        let folder = checkpoint.parent().unwrap_or(checkpoint);
        return Err(RunError::Missing { path: folder.to_owned() });
    }
    Ok(Tensors::read(checkpoint)?.settings()?)
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// If it is missing, damaged, or of another program.
pub fn load(path: &Path) -> Result<(RunSettings, TrainState, RwLock<Occupancy>), NerfError> {
    let tensors = Tensors::read(path)?;
    let settings: RunSettings = tensors.settings()?;
    let unfit = |name: &str| TensorError::Tensor { path: path.to_owned(), name: name.to_owned() };
    let network = tensors.get_network("", crate::network::OutputActivation::Linear)?;
    let (_, first) = tensors.get::<f32>("first_moment")?;
    let (_, second) = tensors.get::<f32>("second_moment")?;
    let len = network.parameters().len();
    if first.len() != second.len() || ![0, len].contains(&first.len()) {
        return Err(unfit("first_moment").into());
    }
    let (_, steps) = tensors.get::<u64>("history.steps")?;
    let (_, losses) = tensors.get::<f64>("history.losses")?;
    let [step, samples, rays, per_ray] = tensors.get::<u64>("state")?.1[..] else {
        return Err(unfit("state").into());
    };
    let grid = OccupancyState {
        opacity: tensors.get("grid.opacity")?.1,
        sight: tensors.get("grid.sight")?.1,
        seen: tensors.get("grid.seen")?.1,
        bits: tensors.get("grid.bits")?.1,
        counts: [samples, rays, per_ray],
    };
    let occupancy = Occupancy::from_state(settings.nerf.grid, grid).ok_or_else(|| unfit("grid.bits"))?;
    let state = TrainState {
        networks: vec![network],
        moments: vec![Moments { first, second }],
        step,
        history: steps.into_iter().zip(losses).collect(),
    };
    Ok((settings, state, RwLock::new(occupancy)))
}
