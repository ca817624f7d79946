//! The folder of a run.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint.safetensors` | parameters, optimizer state, loss history and occupancy grid, for `--resume` |
//! | `model.ffm` | the artifact for the device |
//! | `model_f32.ffm` | the same in single precision, to compare with |
//! | `volume.ffv` | how to march it: box, step, background, occupied cells |
//! | `cameras.json` | the cameras of the views that it was judged by, with their lenses, for drawing without the scene |
//! | `metrics.json`, `report.png`, `report.html` | quality on views that it was not trained on |

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use firmware_core::march::Camera;
use serde::{Deserialize, Serialize};

use super::error::NerfError;
use super::lens::{Lens, Viewpoint};
use super::occupancy::{Occupancy, OccupancyState};
use super::params::NerfParams;
use super::scene::Views;
use crate::base::files::{self, ReadError, RemoveError};
use crate::base::fingerprint::fingerprint_of;
use crate::store::run::RunError;
use crate::store::tensors::{TensorError, Tensors};
use crate::training::TrainState;
use crate::training::optimizer::Moments;

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

/// A checksum of all that training sees of a scene: pixels, masks, cameras, lenses and the bounding cube.
pub fn fingerprint(train: &Views) -> u64 {
    let cameras = train.views.iter().flat_map(|view| view.camera.to_values());
    let pixels = train.views.iter().flat_map(|view| view.pixels.as_flattened()).copied();
    // What a plain scene does not have comes last and adds nothing there.
    let center = train.center.into_iter().filter(|_| train.center != [0.0; 3]);
    let values = train.half_width.into_iter().chain(cameras).chain(pixels).chain(center);
    let lenses = train.views.iter().filter_map(|view| view.lens).flat_map(|lens| lens.to_values());
    let masks = train.views.iter().filter_map(|view| view.mask.as_ref()).flatten();
    let words = lenses.map(f64::to_bits).flat_map(|bits| [bits as u32, (bits >> 32) as u32]);
    fingerprint_of(values.map(f32::to_bits).chain(words).chain(masks.map(|&kept| u32::from(kept))))
}

/// A row of `cameras.json`. It is not read by serde: numbers of untagged alternatives cannot be read in every build of the workspace.
#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Plain([f32; Camera::VALUES]),
    Lens([f32; Camera::VALUES], [f64; Lens::VALUES]),
}

/// The text of `cameras.json`.
pub fn cameras_text(viewpoints: &[Viewpoint]) -> String {
    let row = |viewpoint: &Viewpoint| match viewpoint.lens {
        None => Row::Plain(viewpoint.camera.to_values()),
        Some(lens) => Row::Lens(viewpoint.camera.to_values(), lens.to_values()),
    };
    serde_json::to_string(&viewpoints.iter().map(row).collect::<Vec<_>>()).expect("plain values")
}

/// The cameras of such a text; `None` if it holds others.
pub fn parse_cameras(text: &[u8]) -> Option<Vec<Viewpoint>> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(text).ok()?;
    let viewpoint = |row: serde_json::Value| -> Option<Viewpoint> {
        let has_lens = row.get(0)?.is_array();
        let (camera, lens): (_, Option<[f64; Lens::VALUES]>) = if has_lens {
            let (camera, lens) = serde_json::from_value(row).ok()?;
            (camera, Some(lens))
        } else {
            (serde_json::from_value(row).ok()?, None)
        };
        Some(Viewpoint { camera: Camera::from_values(&camera), lens: lens.as_ref().map(Lens::from_values) })
    };
    rows.into_iter().map(viewpoint).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::lens::Distortion;
    use crate::nerf::scene::View;

    fn viewpoints() -> [Viewpoint; 2] {
        let to_world = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]];
        let camera = Camera { to_world, focal: 66.666_664, width: 48, height: 32 };
        let distortion = Distortion { radial: [0.1, -0.02, 0.003], tangential: [1e-4, -2e-4] };
        let lens = Lens { focal: [66.7, 66.1], center: [24.25, 15.9], distortion };
        [Viewpoint { camera, lens: None }, Viewpoint { camera, lens: Some(lens) }]
    }

    #[test]
    fn cameras_come_back_and_plain_ones_are_rows_of_numbers() {
        let text = cameras_text(&viewpoints());
        assert!(
            text.starts_with("[[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2,66.666664,48.0,32.0],[["),
            "{text}"
        );
        assert_eq!(parse_cameras(text.as_bytes()).unwrap(), viewpoints());
        assert!(parse_cameras(b"[[1, 2]]").is_none() && parse_cameras(b"{}").is_none());
    }

    #[test]
    fn every_number_that_training_sees_changes_the_fingerprint() {
        let [plain, lens] = viewpoints();
        let view = View::new("a", plain.camera, vec![[0.5; 4]; 48 * 32]);
        let views = Views { views: vec![view.clone()], half_width: Some(1.0), ..Views::default() };
        let changed = |change: &dyn Fn(&mut Views)| {
            let mut other = views.clone();
            change(&mut other);
            fingerprint(&other)
        };
        let changes: [&dyn Fn(&mut Views); 6] = [
            &|views| views.half_width = Some(1.1),
            &|views| views.center[2] = 0.1,
            &|views| views.views[0].camera.focal += 0.1,
            &|views| views.views[0].lens = lens.lens,
            &|views| views.views[0].pixels[9][1] = 0.4,
            &|views| views.views[0].mask = Some((0..48 * 32).map(|i| i != 7).collect()),
        ];
        let found: std::collections::BTreeSet<u64> = changes.iter().map(|change| changed(*change)).collect();
        assert!(found.len() == changes.len() && !found.contains(&fingerprint(&views)));
        // What is said of the files is not learned.
        assert_eq!(changed(&|views| views.notes.push("A note.".to_owned())), fingerprint(&views));
    }
}
