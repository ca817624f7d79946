//! The state of a training in a file, so that it continues to the same bits.
//!
//! | tensor | holds |
//! | --- | --- |
//! | `0.parameters`, `0.first_moment`, `0.second_moment`, `1.parameters`, … | each network with what the optimizer keeps of it |
//! | `history.steps`, `history.losses` | the losses so far |
//! | `state` | steps done, and the fingerprint of the data |
//!
//! The settings of the run are the file's metadata. A kind of run may put more tensors beside these
//! ([`Checkpoint::with`]).

use crate::store::run::{Run, RunError};
use crate::store::tensors::{TensorError, Tensors};
use crate::training::optimizer::Moments;
use crate::training::{Ended, TrainError, TrainState, Watch};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The file of one training of a [`Run`].
pub struct Checkpoint<'a, S> {
    run: &'a Run<S>,
    path: PathBuf,
    extra: Option<&'a dyn Fn(&mut Tensors)>,
}

impl<S: Serialize> Run<S> {
    /// The checkpoint of its only training.
    pub fn checkpoint(&self) -> Checkpoint<'_, S> {
        Checkpoint { run: self, path: self.folder.checkpoint(), extra: None }
    }

    /// The checkpoint of one of several trainings.
    pub fn checkpoint_of(&self, training: &str) -> Checkpoint<'_, S> {
        Checkpoint { run: self, path: self.folder.checkpoint_of(training), extra: None }
    }

    /// That these tensors of a checkpoint are of the run's data.
    ///
    /// # Errors
    /// [`RunError::OtherData`] if they are not.
    pub fn check_fingerprint(&self, tensors: &Tensors) -> Result<(), RunError> {
        if fingerprint(tensors)? == self.fingerprint {
            Ok(())
        } else {
            Err(RunError::OtherData { path: self.folder.path().to_owned() })
        }
    }
}

impl<'a, S: Serialize> Checkpoint<'a, S> {
    /// The same with tensors that `extra` puts into it at every save.
    #[must_use]
    pub fn with(self, extra: &'a dyn Fn(&mut Tensors)) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// Whether the training was ever saved.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Writes a state.
    ///
    /// # Errors
    /// [`TrainError::Save`] if it cannot be written.
    pub fn save(&self, state: &TrainState) -> Result<(), TrainError> {
        let mut tensors = Tensors::default();
        put(&mut tensors, state, self.run.fingerprint);
        if let Some(extra) = self.extra {
            extra(&mut tensors);
        }
        tensors.put_settings(&self.run.settings);
        tensors.write(&self.path).map_err(|error| TrainError::Save(Box::new(error)))
    }

    /// Puts what was saved into the untrained `state` of the same networks; a training that was never saved stays as it
    /// is.
    ///
    /// # Errors
    /// If the file is damaged, or belongs to other data or other networks.
    pub fn load(&self, state: &mut TrainState) -> Result<(), RunError> {
        if self.exists() {
            let tensors = Tensors::read(&self.path)?;
            self.run.check_fingerprint(&tensors)?;
            take(&tensors, state)?;
        }
        Ok(())
    }

    /// Runs `train` on `state`, and saves it every half minute, at the end, and also after a failure.
    ///
    /// # Errors
    /// Those of `train`, and [`TrainError::Save`]: a disk that is full or read-only shows before the training, not
    /// after it.
    pub fn train<E: From<TrainError>>(
        &self,
        state: &mut TrainState,
        watch: &mut Watch<'_>,
        train: impl FnOnce(&mut TrainState, &mut Watch<'_>) -> Result<Ended, E>,
    ) -> Result<Ended, E> {
        self.save(&state.with_room_for_moments())?;
        let mut save = |state: &TrainState| self.save(state);
        let ended = train(state, &mut Watch { save: Some(&mut save), ..watch.reborrow() });
        let saved = self.save(state);
        let ended = ended?;
        saved?;
        Ok(ended)
    }
}

/// Writes the state of a training that is no [`Run`] of its own, so that [`read`] continues it to the same bits.
///
/// `settings` and `fingerprint` say what it belongs to.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, state: &TrainState, settings: &impl Serialize, fingerprint: u64) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
    put(&mut tensors, state, fingerprint);
    tensors.put_settings(settings);
    tensors.write(path)
}

/// Reads what [`write()`] wrote into the untrained state of the same networks; returns the fingerprint.
///
/// # Errors
/// If it is damaged or belongs to other networks.
pub fn read(path: &Path, state: &mut TrainState) -> Result<u64, TensorError> {
    let tensors = Tensors::read(path)?;
    take(&tensors, state)?;
    fingerprint(&tensors)
}

/// What [`write()`] kept of a training that starts as `untrained`; none if it is not there, cannot be read, or belongs
/// to something else: it is no loss beyond its time.
#[must_use]
pub fn kept(path: &Path, untrained: &TrainState, fingerprint: u64) -> Option<TrainState> {
    let mut state = untrained.clone();
    let found = path.is_file().then(|| read(path, &mut state).ok())??;
    (found == fingerprint).then_some(state)
}

fn put(tensors: &mut Tensors, state: &TrainState, fingerprint: u64) {
    for (index, (network, moments)) in state.networks.iter().zip(&state.moments).enumerate() {
        let mut put = |name: &str, values: &[f32]| tensors.put(format!("{index}.{name}"), &[values.len()], values);
        put("parameters", network.parameters());
        put("first_moment", &moments.first);
        put("second_moment", &moments.second);
    }
    let (steps, losses): (Vec<u64>, Vec<f64>) = state.history.iter().copied().unzip();
    tensors.put("history.steps", &[steps.len()], &steps);
    tensors.put("history.losses", &[losses.len()], &losses);
    tensors.put("state", &[2], &[state.step, fingerprint]);
}

/// Puts the tensors of a checkpoint into the untrained state of the same networks.
///
/// # Errors
/// If one is missing, or they belong to other networks.
pub fn take(tensors: &Tensors, state: &mut TrainState) -> Result<(), TensorError> {
    for (index, (network, moments)) in state.networks.iter_mut().zip(&mut state.moments).enumerate() {
        let get = |name: &str| tensors.get::<f32>(&format!("{index}.{name}")).map(|(_, values)| values);
        let (parameters, first, second) = (get("parameters")?, get("first_moment")?, get("second_moment")?);
        let len = network.parameters().len();
        if parameters.len() != len || first.len() != second.len() || ![0, len].contains(&first.len()) {
            return Err(tensors.unusable(&format!("{index}.parameters")));
        }
        network.parameters_mut().copy_from_slice(&parameters);
        *moments = Moments { first, second };
    }
    let (_, steps) = tensors.get::<u64>("history.steps")?;
    let (_, losses) = tensors.get::<f64>("history.losses")?;
    state.history = steps.into_iter().zip(losses).collect();
    [state.step, _] = stamp(tensors)?;
    Ok(())
}

/// The fingerprint of the data that a checkpoint was trained on.
///
/// # Errors
/// If it is missing.
pub fn fingerprint(tensors: &Tensors) -> Result<u64, TensorError> {
    stamp(tensors).map(|[_, fingerprint]| fingerprint)
}

/// Steps done, and the fingerprint.
fn stamp(tensors: &Tensors) -> Result<[u64; 2], TensorError> {
    let (_, values) = tensors.get("state")?;
    values.try_into().map_err(|_| tensors.unusable("state"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::fit::{FitParams, TrainingData};
    use crate::network::{Initialization, Mlp, OutputActivation, Shape};
    use crate::store::run::RunFolder;
    use ndarray::Array2;
    use rand::SeedableRng;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_run_resumed_from_its_file_ends_in_the_same_bits() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint.safetensors");
        let values = Array2::from_shape_fn((900, 1), |(k, _)| ((k * 37 % 101) as f32) / 101.0);
        let data = Dataset::from_grid(&[30, 30], values);
        let params = FitParams { hidden: vec![16, 8], steps: 40, batch: Some(256), ..FitParams::default() };
        let params = params.check(2, 1).unwrap();
        let split = params.split(&data).unwrap();
        let training = TrainingData::new(&data, &split);
        let mut whole = params.start();
        params.train(training, &mut whole, &mut Watch::default()).unwrap();

        for stop_at in [0, 1, 17] {
            let stop = AtomicBool::new(stop_at == 0);
            let mut observe = |state: &TrainState, _: f64| stop.store(state.step + 1 == stop_at, Ordering::Relaxed);
            let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
            let mut state = params.start();
            params.train(training, &mut state, &mut watch).unwrap();
            write(&path, &state, params.params(), data.fingerprint()).unwrap();
            let mut resumed = params.start();
            assert_eq!(read(&path, &mut resumed).unwrap(), data.fingerprint());
            assert_eq!(resumed, state);
            params.train(training, &mut resumed, &mut Watch::default()).unwrap();
            assert_eq!(resumed, whole, "stopped at {stop_at}");
        }

        let other = FitParams { hidden: vec![16, 9], ..FitParams::default() }.check(2, 1).unwrap();
        assert!(read(&path, &mut other.start()).unwrap_err().to_string().contains("0.parameters"));
        let changed = Dataset::from_grid(&[30, 30], data.targets.mapv(|target| target * 0.5));
        assert_ne!(data.fingerprint(), changed.fingerprint());
    }

    #[test]
    fn a_training_is_saved_while_it_runs_and_after_a_failure_and_belongs_to_its_data() {
        let directory = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&directory.path().join("run"), false).unwrap();
        let run = Run { folder, settings: "of the run".to_owned(), fingerprint: 1 };
        let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
        let network = Mlp::new(shape, Initialization::Glorot, &mut rand_chacha::ChaCha8Rng::seed_from_u64(0));
        let untrained = TrainState::new(vec![network]);

        let more = |tensors: &mut Tensors| tensors.put("more", &[1], &[2.5f64]);
        let (mut state, mut steps) = (untrained.clone(), Vec::new());
        let ended: Result<Ended, TrainError> =
            run.checkpoint_of("odd").with(&more).train(&mut state, &mut Watch::default(), |state, watch| {
                let mut step = || {
                    let mut saved = untrained.clone();
                    run.checkpoint_of("odd").load(&mut saved).unwrap();
                    steps.push(saved.step);
                };
                step();
                state.step = 3;
                watch.save.as_mut().unwrap()(state)?;
                step();
                (state.step, state.networks[0].parameters_mut()[0]) = (5, 9.0);
                Err(TrainError::Diverged { step: 5, learning_rate: 1.0 })
            });
        assert!(matches!(ended, Err(TrainError::Diverged { .. })) && steps == [0, 3], "{ended:?} {steps:?}");
        let mut saved = untrained.clone();
        run.checkpoint_of("odd").load(&mut saved).unwrap();
        assert_eq!(saved, state);
        let tensors = Tensors::read(&run.folder.checkpoint_of("odd")).unwrap();
        assert_eq!(
            (tensors.get::<f64>("more").unwrap().1, tensors.settings::<String>().unwrap()),
            (vec![2.5], run.settings.clone())
        );

        let mut never_saved = untrained.clone();
        run.checkpoint_of("even").load(&mut never_saved).unwrap();
        assert_eq!(never_saved, untrained);
        let other = Run { fingerprint: 2, ..run.clone() };
        assert!(matches!(other.checkpoint_of("odd").load(&mut saved), Err(RunError::OtherData { .. })));
        assert_eq!(saved, state, "what cannot be continued changes nothing");

        // Where nothing can be saved, nothing is trained.
        std::fs::remove_dir_all(run.folder.path()).unwrap();
        let ended: Result<Ended, TrainError> =
            run.checkpoint().train(&mut state, &mut Watch::default(), |_, _| panic!("trained in vain"));
        assert!(matches!(ended, Err(TrainError::Save(_))));
    }
}
