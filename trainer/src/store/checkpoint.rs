//! The state of a training run in a file, so that it continues to the same bits.

use crate::store::tensors::{TensorError, Tensors};
use crate::training::TrainState;
use crate::training::optimizer::Moments;
use serde::Serialize;
use std::path::Path;

/// Writes the state of any training, so that [`read`] continues it to the same bits.
///
/// `settings` and `fingerprint` say what it belongs to.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, state: &TrainState, settings: &impl Serialize, fingerprint: u64) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
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
    tensors.put_settings(settings);
    tensors.write(path)
}

/// Reads what [`write()`] wrote into the untrained state of the same networks; returns the fingerprint.
///
/// # Errors
/// If it is damaged or belongs to other networks.
pub fn read(path: &Path, state: &mut TrainState) -> Result<u64, TensorError> {
    let tensors = Tensors::read(path)?;
    let unfit = |name: &str| TensorError::Tensor { path: path.to_owned(), name: name.to_owned() };
    for (index, (network, moments)) in state.networks.iter_mut().zip(&mut state.moments).enumerate() {
        let get = |name: &str| {
            let name = format!("{index}.{name}");
            tensors.get::<f32>(&name).map(|(_, values)| (name, values))
        };
        let len = network.parameters().len();
        let (name, parameters) = get("parameters")?;
        let (_, first) = get("first_moment")?;
        let (_, second) = get("second_moment")?;
        if parameters.len() != len || first.len() != second.len() || ![0, len].contains(&first.len()) {
            return Err(unfit(&name));
        }
        network.parameters_mut().copy_from_slice(&parameters);
        *moments = Moments { first, second };
    }
    let (_, steps) = tensors.get::<u64>("history.steps")?;
    let (_, losses) = tensors.get::<f64>("history.losses")?;
    state.history = steps.into_iter().zip(losses).collect();
    match tensors.get::<u64>("state")?.1[..] {
        [step, fingerprint] => {
            state.step = step;
            Ok(fingerprint)
        }
        _ => Err(unfit("state")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::fit::{FitParams, TrainingData};
    use crate::training::Watch;
    use ndarray::Array2;
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
}
