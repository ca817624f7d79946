//! Models of every basis in equal bytes, trained on pictures and measured as the device computes them.

use ndarray::Array2;
use rustfft::num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::basis::{Basis, PRECISION};
use crate::base::fourier::{Direction, transform};
use crate::data::{Dataset, Holdout};
use crate::fit::judge::{Quality, outputs};
use crate::fit::{FitParams, ValidFitParams, unit_outputs};
use crate::network::Mlp;
use crate::reproduce::error::ReproduceError;
use crate::reproduce::monitor::{FigureWatch, side_by_side};
use crate::reproduce::pictures::{self, Picture};
use crate::training::{Ended, TrainState, Watch};

/// The names of the pictures.
pub(super) const PICTURES: [&str; 2] = ["photograph", "terrain"];
/// σ of the frequencies on each of them.
pub(super) const SCALES: [f64; 2] = [10.0, 6.0];
/// The first frequencies of the middle and the high band, cycles over the picture.
pub(super) const BANDS: [f64; 2] = [4.5, 20.5];

/// The part of the pixels that is held out, at random.
pub(super) const HELD_OUT: f64 = 0.125;

/// The size of all trainings.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Setting {
    /// Pixels a side.
    pub(super) side: usize,
    /// Most bytes of an artifact.
    pub(super) bytes: &'static [usize],
    /// Which of them the curves are of.
    pub(super) curves: usize,
    pub(super) steps: u64,
    /// Samples a step.
    pub(super) batch: usize,
    pub(super) seed: u64,
}

impl Setting {
    pub(super) const fn new(quick: bool, seed: u64) -> Self {
        if quick {
            Self { side: 128, bytes: &[2 << 10, 3 << 10, 4 << 10], curves: 4 << 10, steps: 150, batch: 1024, seed }
        } else {
            let bytes = &[2 << 10, 4 << 10, 8 << 10, 16 << 10];
            Self { side: 256, bytes, curves: 8 << 10, steps: 2000, batch: 4096, seed }
        }
    }

    pub(super) fn units(&self) -> u64 {
        self.steps * (Basis::ALL.len() * 2 * self.bytes.len()) as u64
    }
}

/// What is learned, in the order of the [`PICTURES`].
fn datasets(side: usize) -> [Dataset; 2] {
    [Picture::camera(), Picture::terrain()]
        .map(|picture| Dataset::from_grid(&[side, side], reduced(&picture.values, side)))
}

/// Means of square blocks of pixels, `[side², 1]`.
fn reduced(values: &Array2<f32>, side: usize) -> Array2<f32> {
    let block = pictures::SIDE / side;
    Array2::from_shape_fn((side * side, 1), |(i, _)| {
        let (y, x) = (i / side * block, i % side * block);
        let pixels = (0..block * block).map(|k| values[[(y + k / block) * pictures::SIDE + x + k % block, 0]]);
        pixels.sum::<f32>() / (block * block) as f32
    })
}

/// One model that is trained on one picture.
#[derive(Clone, Copy, Debug)]
struct Job {
    bytes: usize,
    /// Index of the picture.
    picture: usize,
    basis: Basis,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) basis: Basis,
    pub(super) picture: String,
    /// Of the budget, and of the artifact.
    pub(super) budget: usize,
    pub(super) bytes: usize,
    /// By weights, or by the values of a table around a point.
    pub(super) multiplications: usize,
    /// Of the artifact's outputs at the pixels that trained.
    pub(super) trained_psnr_db: f64,
    /// The same at the pixels between them, which were held out.
    pub(super) between_psnr_db: f64,
    /// (steps done, part of each band's amplitude that is missing or wrong); the last is that of the artifact. Empty
    /// but for one size and picture.
    pub(super) curve: Vec<(u64, [f64; 3])>,
}

/// Trains all models of the figure.
pub(super) fn run(setting: Setting, monitor: &FigureWatch<'_>) -> Result<Vec<Outcome>, ReproduceError> {
    let datasets = datasets(setting.side);
    let mut jobs = Vec::new();
    // The longest first, so that no core is left alone at the end.
    for &bytes in setting.bytes.iter().rev() {
        for picture in 0..PICTURES.len() {
            jobs.extend(Basis::ALL.map(|basis| Job { bytes, picture, basis }));
        }
    }
    side_by_side(&jobs, |&job| {
        monitor.part(setting.steps, (job, setting), || job.train(&datasets[job.picture], setting, monitor))
    })
}

impl Job {
    fn train(&self, dataset: &Dataset, setting: Setting, monitor: &FigureWatch<'_>) -> Result<Outcome, ReproduceError> {
        let Self { bytes: budget, picture, basis } = *self;
        let mut base =
            FitParams { steps: setting.steps, batch: Some(setting.batch), seed: setting.seed, ..FitParams::default() };
        base.encoding.scale = SCALES[picture];
        base.holdout = Holdout::Fraction(HELD_OUT);
        let params = basis.filling(budget, &base, dataset)?;
        let has_curve = budget == setting.curves && picture == 0;
        let (mut curve, mut done) = (Vec::new(), 0);
        let mut observe = |state: &TrainState, _: f64| {
            monitor.advance(1);
            done += 1;
            if has_curve && is_drawn(state.step) {
                let outputs = network_outputs(&params, &state.networks[0], dataset);
                curve.push((state.step, left_of(&outputs, dataset, setting.side)));
            }
        };
        let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
        let fitted = params.fit(dataset, &mut watch)?;
        if fitted.ended == Ended::Interrupted {
            return Err(ReproduceError::Interrupted);
        }
        // A table is fitted at once.
        monitor.advance(setting.steps - done);
        let artifact = fitted.artifact(dataset, PRECISION)?;
        let outputs = outputs(&artifact, &dataset.points)?;
        let Quality { train, test } = Quality::new(&outputs, dataset, &fitted.split);
        if has_curve {
            curve.push((setting.steps, left_of(&outputs, dataset, setting.side)));
        }
        Ok(Outcome {
            basis,
            picture: PICTURES[picture].to_owned(),
            budget,
            bytes: artifact.as_bytes().len(),
            multiplications: multiplications(&params),
            trained_psnr_db: train.psnr_db,
            between_psnr_db: test.map_or(f64::NAN, |test| test.psnr_db),
            curve,
        })
    }
}

/// Those that a device needs for one point, but for the features of a network.
fn multiplications(params: &ValidFitParams) -> usize {
    let widths = &params.shape().widths;
    match params.encoding().grid().filter(|grid| grid.is_table()) {
        Some(grid) => usize::from(grid.shape().order + 1).pow(grid.inputs() as u32),
        None => widths.windows(2).map(|pair| pair[0] * pair[1]).sum(),
    }
}

/// At steps 1, 2, 3, 4, 6, 8, 12, …
fn is_drawn(step: u64) -> bool {
    step.is_power_of_two() || (step.is_multiple_of(3) && (step / 3).is_power_of_two())
}

fn network_outputs(params: &ValidFitParams, network: &Mlp<f32>, dataset: &Dataset) -> Array2<f32> {
    unit_outputs(&params.encoding_of(network), network, dataset.coordinates.view())
}

/// For each band the norm of the error over the norm of the picture without its mean.
fn left_of(outputs: &Array2<f32>, dataset: &Dataset, side: usize) -> [f64; 3] {
    let error = energies((outputs - &dataset.targets).iter().copied(), side);
    let picture = energies(dataset.targets.iter().copied(), side);
    [0, 1, 2].map(|band| (error[band] / picture[band]).sqrt())
}

/// Energy in each band of frequencies, all directions together; the mean is in none.
fn energies(values: impl Iterator<Item = f32>, side: usize) -> [f64; 3] {
    let mut waves: Vec<Complex32> = values.map(|value| Complex32::new(value, 0.0)).collect();
    transform(&mut waves, side, Direction::Forward);
    let mut energies = [0.0; 3];
    for (index, wave) in waves.iter().enumerate() {
        let from_middle = |k: usize| k as f64 - (side / 2) as f64;
        let cycles = from_middle(index % side).hypot(from_middle(index / side));
        if cycles > 0.0 {
            energies[BANDS.iter().filter(|&&first| cycles >= first).count()] += f64::from(wave.norm_sqr());
        }
    }
    energies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::cost::Core;
    use crate::design::size::{Target, predicted};

    #[test]
    fn energies_are_sorted_by_the_frequency_of_waves() {
        let side = 64;
        let picture = |waves: &[(f32, [f32; 2])]| -> Vec<f32> {
            let at = |i: usize| {
                let (x, y) = ((i % side) as f32 / side as f32, (i / side) as f32 / side as f32);
                let wave = |&(amplitude, [kx, ky]): &(f32, [f32; 2])| {
                    amplitude * (std::f32::consts::TAU * (kx * x + ky * y) + 0.4).sin()
                };
                0.7 + waves.iter().map(wave).sum::<f32>()
            };
            (0..side * side).map(at).collect()
        };
        // (3, 4) has 5 cycles, (15, 15) has 21.2.
        let found = energies(picture(&[(1.0, [2.0, 1.0]), (2.0, [3.0, 4.0]), (3.0, [15.0, 15.0])]).into_iter(), side);
        // Parseval: n² · n² · a² / 2.
        let whole = (side as f64).powi(4) / 2.0;
        for (energy, amplitude) in found.iter().zip([1.0f64, 2.0, 3.0]) {
            assert!((energy / whole - amplitude * amplitude).abs() < 1e-3, "{found:?}");
        }
    }

    #[test]
    fn blocks_of_pixels_become_their_means() {
        let values = Array2::from_shape_fn((pictures::SIDE * pictures::SIDE, 1), |(i, _)| {
            (i % pictures::SIDE) as f32 + 1000.0 * (i / pictures::SIDE) as f32
        });
        let half = reduced(&values, pictures::SIDE / 2);
        // Columns 6 and 7 of rows 2 and 3.
        assert_eq!(half[[pictures::SIDE / 2 + 3, 0]], 6.5 + 2500.0);
    }

    #[test]
    fn every_basis_fills_its_budget_and_does_not_exceed_it() {
        let dataset = Dataset::from_grid(&[128, 128], Array2::zeros((128 * 128, 1)));
        let core = Core::find("cortex-m4f").unwrap();
        let target = Target { dataset: &dataset, precision: PRECISION, core, held_out: None };
        for basis in Basis::ALL {
            for bytes in Setting::new(true, 0).bytes.iter().chain(Setting::new(false, 0).bytes) {
                let params = basis.filling(*bytes, &FitParams::default(), &dataset).unwrap();
                let taken = predicted(&params, target).unwrap().bytes;
                assert!(taken <= *bytes && taken * 10 > *bytes * 9, "{basis:?}: {taken} of {bytes}");
            }
        }
    }
}
