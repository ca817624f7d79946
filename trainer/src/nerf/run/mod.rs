//! A run in its folder: started or resumed, trained, judged, and written for a device.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint.safetensors` | parameters, optimizer state, loss history and occupancy grid, for `--resume` |
//! | `model.ffm` | the artifact for the device |
//! | `model_f32.ffm` | the same in single precision, to compare with |
//! | `volume.ffv` | how to march it: box, step, background, occupied cells |
//! | `cameras.json` | the cameras of the views that it was judged by, with their lenses, to draw without the scene |
//! | `metrics.json`, `report.png`, `report.html` | quality on views that it was not trained on |
//!
//! ```no_run
//! use std::path::Path;
//! use trainer::nerf::params::NerfParams;
//! use trainer::nerf::run::{Run, Scene};
//! use trainer::nerf::scene::Part;
//! use trainer::training::Watch;
//!
//! let scene = Scene::read(Path::new("scene"), Part::Test)?;
//! let params = scene.check(&NerfParams::quick())?;
//! let mut run = Run::start(Path::new("runs/nerf"), params, &scene)?;
//! run.train(&scene, &mut Watch::default())?;
//! println!("{:.2} dB", run.finish(&scene)?.held_out.psnr_db);
//! # Ok::<(), trainer::nerf::error::NerfError>(())
//! ```

mod folder;
mod grid;
pub mod report;
mod scene;

use std::path::{Path, PathBuf};

use firmware_core::Precision;
use serde::{Deserialize, Serialize};

pub use self::folder::{Folder, cameras_text, parse_cameras};
pub use self::scene::Scene;
use super::error::NerfError;
use super::fit::{FieldTraining, ViewsMetrics};
use super::params::{NerfParams, ValidNerfParams};
use super::scene::{View, Views};
use crate::base::files;
use crate::base::fingerprint::fingerprint_of;
use crate::network::encoding::EncodingKind;
use crate::store::run::{self as store, RunError, RunFolder};
use crate::store::tensors::Tensors;
use crate::store::{checkpoint, json};
use crate::training::{Ended, TrainState, Watch};

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NerfSettings {
    /// Hyperparameters.
    pub nerf: NerfParams,
    /// The scene's folder, absolute.
    pub scene: PathBuf,
}

impl NerfSettings {
    /// Those of a run that was begun in a folder.
    ///
    /// # Errors
    /// If there is no run in the folder, or its checkpoint is damaged.
    pub fn of_run(folder: &Path) -> Result<Self, RunError> {
        Ok(read_checkpoint(folder)?.1.settings()?)
    }
}

/// The checkpoint of a run.
fn read_checkpoint(folder: &Path) -> Result<(RunFolder, Tensors), RunError> {
    let folder = RunFolder::holding(folder, "checkpoint.safetensors")?;
    let tensors = grid::renamed(Tensors::read(&folder.checkpoint())?)?;
    Ok((folder, tensors))
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

/// A run that is ready to train.
pub struct Run {
    store: store::Run<NerfSettings>,
    training: FieldTraining,
    state: TrainState,
}

/// What `metrics.json` holds.
#[derive(Clone, Debug, Serialize)]
pub struct NerfMetrics {
    /// The folder of the run.
    pub run: PathBuf,
    /// The folder of the scene.
    pub scene: PathBuf,
    /// Steps that were trained.
    pub steps: u64,
    /// How positions became features.
    pub encoding: EncodingKind,
    /// Whether colours depend on the direction of view.
    pub view_direction: bool,
    /// The name of the views that are held out: `val` or `test`.
    pub judged_by: &'static str,
    /// How well these are drawn.
    pub held_out: ViewsMetrics,
    /// Mean PSNR of a tenth of the training views, dB: much above that of the held-out ones where the network overfits.
    pub training_psnr_db: f64,
    /// Occupied cells, as a part of all.
    pub occupied_part: f64,
    /// Samples in occupied cells that a training ray has on average.
    pub samples_per_ray: f64,
    /// What is worth saying of the scene's files.
    pub notes: Vec<String>,
}

impl Run {
    /// A run in a folder that exists, begun: its checkpoint is written, so that it can be resumed from here on. Results
    /// of another run in the folder are removed.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn start(folder: &Path, params: ValidNerfParams, scene: &Scene) -> Result<Self, NerfError> {
        let settings = NerfSettings { nerf: params.params().clone(), scene: scene.folder.clone() };
        let store = store::Run { folder: RunFolder::at(folder), settings, fingerprint: scene.fingerprint };
        let run = Self { state: params.start(), training: FieldTraining::new(params), store };
        run.folder().forget_results()?;
        run.store.checkpoint().with(&|tensors| grid::put_grid(tensors, &run.training.occupancy())).save(&run.state)?;
        Ok(run)
    }

    /// The run in a folder, where it stopped; `steps` replaces those that it was to have.
    ///
    /// # Errors
    /// If there is none, its checkpoint is damaged, or the scene is not the one that it was trained on.
    pub fn resume(folder: &Path, scene: &Scene, steps: Option<u64>) -> Result<Self, NerfError> {
        let (folder, tensors) = read_checkpoint(folder)?;
        let settings = NerfSettings { scene: scene.folder.clone(), ..tensors.settings()? };
        let mut store = store::Run { folder, settings, fingerprint: scene.fingerprint };
        store.check_fingerprint(&tensors)?;
        store.settings.nerf.steps = steps.unwrap_or(store.settings.nerf.steps);
        let params = scene.check(&store.settings.nerf)?;
        let mut state = params.start();
        checkpoint::take(&tensors, &mut state)?;
        let occupancy = grid::take_grid(&tensors, params.params().grid)?;
        Ok(Self { store, training: FieldTraining::resumed(params, occupancy), state })
    }

    /// Where the files of the run are.
    pub fn folder(&self) -> Folder {
        Folder::from(self.store.folder.clone())
    }

    /// Steps that are done.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    #[cfg(test)]
    pub(super) fn state_and_grid(&self) -> (&TrainState, super::occupancy::OccupancyState) {
        (&self.state, self.training.occupancy().state())
    }

    /// Trains to the end, or until the watch says stop; either way the checkpoint is that of the last step.
    ///
    /// # Errors
    /// If training diverges or cannot be saved.
    pub fn train(&mut self, scene: &Scene, watch: &mut Watch<'_>) -> Result<Ended, NerfError> {
        let training = &self.training;
        let put_grid = |tensors: &mut Tensors| grid::put_grid(tensors, &training.occupancy());
        self.store
            .checkpoint()
            .with(&put_grid)
            .train(&mut self.state, watch, |state, watch| training.train(&scene.train.views, state, watch))
    }

    /// Judges the network and writes all files but the checkpoint.
    ///
    /// # Errors
    /// If the network does not fit an artifact, or a file cannot be written.
    pub fn finish(self, scene: &Scene) -> Result<NerfMetrics, NerfError> {
        let (folder, settings, steps) = (self.folder(), self.store.settings, self.state.step);
        let field = self.training.finish(self.state);
        // A tenth of the training views tells whether the network overfits.
        let some: Vec<View> = scene.train.views.iter().step_by(10).cloned().collect();
        let training_psnr_db = field.judge(&some).psnr_db;
        let held_out = field.judge(&scene.held_out);
        for (path, precision) in [(folder.model(), Precision::W8A16), (folder.model_f32(), Precision::F32)] {
            let artifact = field.export(&scene.train.views, precision, training_psnr_db)?;
            files::write(&path, artifact.as_bytes())?;
        }
        files::write(&folder.volume(), bytemuck::cast_slice(&field.volume_words()))?;
        let cameras: Vec<_> = scene.held_out.iter().map(View::viewpoint).collect();
        files::write(&folder.cameras(), cameras_text(&cameras).as_bytes())?;
        let drawn = report::Report { settings: &settings, field: &field, views: &scene.held_out, metrics: &held_out };
        drawn.write(&folder)?;
        let metrics = NerfMetrics {
            run: folder.path().to_owned(),
            scene: settings.scene,
            steps,
            encoding: settings.nerf.encoding.kind,
            view_direction: settings.nerf.view_direction,
            judged_by: scene.judged_by.name(),
            held_out,
            training_psnr_db,
            occupied_part: field.occupancy.occupied_part(),
            samples_per_ray: field.occupancy.samples_per_ray(),
            notes: scene.train.notes.clone(),
        };
        json::write(&folder.metrics(), &metrics)?;
        Ok(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::lens::{Distortion, Lens, Viewpoint};
    use firmware_core::march::Camera;

    pub(super) fn viewpoints() -> [Viewpoint; 2] {
        let to_world = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]];
        let camera = Camera { to_world, focal: 66.666_664, width: 48, height: 32 };
        let distortion = Distortion { radial: [0.1, -0.02, 0.003], tangential: [1e-4, -2e-4] };
        let lens = Lens { focal: [66.7, 66.1], center: [24.25, 15.9], distortion };
        [Viewpoint { camera, lens: None }, Viewpoint { camera, lens: Some(lens) }]
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
