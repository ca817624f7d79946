//! Networks on pictures by the paper's rule: pixels with even row and column train, those with odd row and column test.
//!
//! Pixel k of 256 is at k/256 of the unit domain. The paper has 512 pixels a side; here the training pixels are 128 a
//! side, so that frequencies above 64 cycles cannot be told from lower ones (the paper: 128).

use ndarray::Array2;
use plotters::prelude::{BitMapBackend, IntoDrawingArea, RGBColor, Text, WHITE};
use plotters::style::Color;
use rand::RngExt;
use serde::Serialize;

use super::error::ReproduceError;
use super::monitor::FigureWatch;
use crate::base::random::{PlainPurpose, plain_rng};
use crate::data::metrics::psnr_db;
use crate::data::npy;
use crate::network::encoding::{Encoding, EncodingKind, EncodingParams};
use crate::network::features::EncodedFeatures;
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::report::figure::FigureError;
use crate::report::sheet::Raster;
use crate::report::style;
use crate::training::loss::SquaredError;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::regression::{Batches, Regression};
use crate::training::{Ended, LoopParams, TrainState, Watch, train};

/// Pixels a side of every picture here.
pub(super) const SIDE: usize = 256;

/// A square picture, `values [SIDE², channels]` in [0, 1].
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) name: &'static str,
    pub(super) values: Array2<f32>,
}

impl Picture {
    pub(super) fn camera() -> Self {
        Self::decode("photograph, grey", include_bytes!("../../data/camera_256.png"), 1)
    }

    pub(super) fn coffee() -> Self {
        Self::decode("photograph, colour", include_bytes!("../../data/coffee_256.png"), 3)
    }

    fn decode(name: &'static str, bytes: &[u8], channels: usize) -> Self {
        let picture = image::load_from_memory(bytes).expect("the bundled picture is sound");
        let bytes = if channels == 1 { picture.to_luma8().into_raw() } else { picture.to_rgb8().into_raw() };
        Self { name, values: unit_values(&bytes, channels) }
    }

    /// Elevations, the lowest 0 and the highest 1.
    pub(super) fn terrain() -> Self {
        let array = npy::read(include_bytes!("../../data/terrain_elevation.npy")).expect("the bundled array is sound");
        let bounds = |(low, high): (f64, f64), &value: &f64| (low.min(value), high.max(value));
        let (low, high) = array.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), bounds);
        let values = array.values.iter().map(|value| ((value - low) / (high - low)) as f32).collect();
        Self { name: "terrain", values: Array2::from_shape_vec((SIDE * SIDE, 1), values).expect("256 by 256") }
    }

    /// Words in random sizes and colours on white, as in the paper's set of text pictures: large, so that every second
    /// pixel still sees each stroke, as on pictures of twice the side.
    pub(super) fn text() -> Result<Self, ReproduceError> {
        const WORDS: [&str; 10] =
            ["Fourier", "let", "networks", "learn", "high", "frequency", "functions", "in low", "kernel", "domains"];
        style::register_fonts();
        let mut pixels = vec![0; 3 * SIDE * SIDE];
        {
            let area = BitMapBackend::with_buffer(&mut pixels, (SIDE as u32, SIDE as u32)).into_drawing_area();
            let failed = |error: &dyn std::fmt::Display| FigureError::Draw(error.to_string());
            area.fill(&WHITE).map_err(|error| failed(&error))?;
            let mut rng = plain_rng(7, PlainPurpose::TextPicture);
            for row in 0..5 {
                let mut x = rng.random_range(-60..8);
                let size = rng.random_range(32..64);
                while x < SIDE as i32 {
                    let mut shade = || rng.random_range(0..200u8);
                    let style = plotters::style::TextStyle {
                        color: RGBColor(shade(), shade(), shade()).to_backend_color(),
                        ..style::text(size)
                    };
                    let word = WORDS[rng.random_range(0..WORDS.len())];
                    let (width, _) = area.estimate_text_size(word, &style).map_err(|error| failed(&error))?;
                    area.draw(&Text::new(word, (x, 52 * row - 8), style)).map_err(|error| failed(&error))?;
                    // The estimate is short for large letters.
                    x += width as i32 * 5 / 4 + 8;
                }
            }
            area.present().map_err(|error| failed(&error))?;
        }
        Ok(Self { name: "text", values: unit_values(&pixels, 3) })
    }

    pub(super) fn channels(&self) -> usize {
        self.values.ncols()
    }

    /// The whole picture as a panel.
    pub(super) fn raster(&self, title: impl Into<String>, caption: impl Into<String>) -> Raster {
        raster(&self.values, title, caption)
    }
}

fn unit_values(bytes: &[u8], channels: usize) -> Array2<f32> {
    let values = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Array2::from_shape_vec((SIDE * SIDE, channels), values).expect("256 by 256")
}

/// Values `[SIDE², 1 or 3]` as a panel.
pub(super) fn raster(values: &Array2<f32>, title: impl Into<String>, caption: impl Into<String>) -> Raster {
    let channels = values.ncols();
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let rgb = values.outer_iter().flat_map(|pixel| [0, 1, 2].map(|c| byte(pixel[c.min(channels - 1)]))).collect();
    Raster { title: title.into(), caption: caption.into(), shape: [SIDE, SIDE], rgb }
}

/// Indices of the pixels whose row and column have this remainder by two.
fn pixels(remainder: usize) -> Vec<usize> {
    let along = move || (remainder..SIDE).step_by(2);
    along().flat_map(|y| along().map(move |x| y * SIDE + x)).collect()
}

/// x first, in Q0.32.
fn coordinates(pixels: &[usize]) -> Array2<u32> {
    let unit = |k: usize| (k as u32) << (32 - SIDE.ilog2());
    Array2::from_shape_fn(
        (pixels.len(), 2),
        |(i, axis)| {
            if axis == 0 { unit(pixels[i] % SIDE) } else { unit(pixels[i] / SIDE) }
        },
    )
}

/// A network for pictures and its training by Adam on half the mean squared error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Setting {
    /// Units of each hidden layer.
    pub(super) width: usize,
    /// ReLU layers.
    pub(super) hidden_layers: usize,
    /// Rows of B.
    pub(super) frequencies: usize,
    /// Number of steps of the optimizer Adam.
    pub(super) steps: u64,
    /// Pixels a step; none: all.
    pub(super) batch: Option<usize>,
    /// Of weights, frequencies and batches.
    pub(super) seed: u64,
}

impl Setting {
    /// The paper's network in full; small networks and batches when quick.
    pub(super) fn new(quick: bool, seed: u64) -> Self {
        if quick {
            Self { width: 64, hidden_layers: 3, frequencies: 64, steps: 200, batch: Some(1024), seed }
        } else {
            Self { width: 256, hidden_layers: 3, frequencies: 256, steps: 2000, batch: None, seed }
        }
    }

    pub(super) fn describe(&self) -> String {
        let batch = self.batch.map_or("all of them".to_owned(), |batch| batch.to_string());
        format!(
            "{} hidden layers of {} units, {} frequencies, {} steps of Adam on {batch} of the {} training pixels",
            self.hidden_layers,
            self.width,
            self.frequencies,
            self.steps,
            SIDE * SIDE / 4
        )
    }

    /// An encoding with this setting's frequencies and seed.
    pub(super) fn encoding(&self, kind: EncodingKind, scale: f64) -> EncodingParams {
        let notebook = kind == EncodingKind::Positional;
        EncodingParams { kind, frequencies: self.frequencies, scale, notebook, seed: self.seed, ..Default::default() }
    }
}

/// What training came to.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// PSNR on the training pixels, dB.
    pub(super) train_psnr: f64,
    /// PSNR on the test pixels, dB.
    pub(super) test_psnr: f64,
    /// The network at all pixels, `[SIDE², channels]`.
    pub(super) output: Array2<f32>,
}

/// One network on one picture.
#[derive(Clone, Debug)]
pub(super) struct Job<'a> {
    pub(super) picture: &'a Picture,
    pub(super) encoding: EncodingParams,
    pub(super) learning_rate: f64,
    pub(super) setting: Setting,
}

impl Job<'_> {
    /// Trains the network and measures it.
    pub(super) fn fit(&self, monitor: &FigureWatch<'_>) -> Result<Fit, ReproduceError> {
        let Self { picture, encoding, learning_rate, setting } = self;
        let what = (picture.name, encoding, learning_rate, setting);
        let output = monitor.part(setting.steps, what, || self.train(monitor))?;
        let psnr = |remainder: usize| {
            let pixels = pixels(remainder);
            let squares = pixels.iter().flat_map(|&pixel| {
                let pair = output.row(pixel).into_iter().zip(picture.values.row(pixel));
                pair.map(|(output, target)| f64::from(output - target).powi(2))
            });
            psnr_db(squares.sum::<f64>() / (pixels.len() * picture.channels()) as f64, 1.0)
        };
        Ok(Fit { train_psnr: psnr(0), test_psnr: psnr(1), output })
    }

    /// The trained network at every pixel.
    fn train(&self, monitor: &FigureWatch<'_>) -> Result<Array2<f32>, ReproduceError> {
        let Self { picture, learning_rate, setting, .. } = *self;
        let encoding = self.encoding.check(2)?;
        let train_pixels = pixels(0);
        let features = EncodedFeatures::new(&encoding, coordinates(&train_pixels).view());
        let targets = picture.values.select(ndarray::Axis(0), &train_pixels);
        let batches = Batches { size: setting.batch, seed: setting.seed };
        let mut objective = Regression::new(features, targets, SquaredError::HalfMean, batches);
        let hidden = vec![setting.width; setting.hidden_layers];
        let shape = Shape::new(encoding.features_len(), &hidden, picture.channels(), OutputActivation::Sigmoid);
        let mut rng = plain_rng(setting.seed, PlainPurpose::FigureParameters);
        let network = Mlp::new(shape, Initialization::Glorot, &mut rng);
        let params = LoopParams {
            steps: setting.steps,
            learning_rate,
            encoder_rate: 1.0,
            schedule: Schedule::Constant,
            optimizer: Optimizer::default(),
            row_limit: None,
        };
        let mut state = TrainState::new(vec![network]);
        let mut observe = |_: &TrainState, _: f64| monitor.advance(1);
        let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
        if train(&mut objective, &mut state, &params, &mut watch)? == Ended::Interrupted {
            return Err(ReproduceError::Interrupted);
        }
        Ok(evaluate(&encoding, &state.networks[0]))
    }
}

fn evaluate(encoding: &Encoding, network: &Mlp<f32>) -> Array2<f32> {
    let all: Vec<usize> = (0..SIDE * SIDE).collect();
    let mut output = Array2::zeros((all.len(), network.shape().outputs()));
    // Strips, so that the features need little memory.
    for (strip, mut part) in all.chunks(16 * SIDE).zip(output.axis_chunks_iter_mut(ndarray::Axis(0), 16 * SIDE)) {
        part.assign(&network.predict(encoding.features(coordinates(strip).view()).view()));
    }
    output
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::reproduce::Figure;
    use crate::reproduce::parts::Parts;

    #[test]
    fn the_split_is_that_of_the_paper() {
        let (train, test) = (pixels(0), pixels(1));
        assert_eq!((train.len(), test.len()), (SIDE * SIDE / 4, SIDE * SIDE / 4));
        assert!(train.iter().all(|pixel| pixel % 2 == 0 && (pixel / SIDE).is_multiple_of(2)));
        assert!(test.iter().all(|pixel| pixel % 2 == 1 && (pixel / SIDE) % 2 == 1));
        // Column 3 of row 1: x first.
        assert_eq!(coordinates(&[SIDE + 3]).row(0).to_vec(), [3 << 24, 1 << 24]);
    }

    #[test]
    fn a_training_is_kept_by_all_that_it_depends_on() {
        let (stop, out) = (AtomicBool::new(false), tempfile::tempdir().unwrap());
        let parts = Parts::of(Figure::Encodings, out.path());
        let monitor = FigureWatch { parts: Some(&parts), ..FigureWatch::new(&stop, &|_| {}) };
        let setting = Setting { width: 4, hidden_layers: 1, frequencies: 2, steps: 2, batch: Some(64), seed: 1 };
        let (picture, terrain) = (Picture::camera(), Picture::terrain());
        let encoding = setting.encoding(EncodingKind::Gaussian, 1.0);
        let job = Job { picture: &picture, encoding, learning_rate: 1e-2, setting };
        let made = job.fit(&monitor).unwrap();
        // Whatever must be trained is interrupted.
        stop.store(true, Ordering::Relaxed);
        let kept = job.fit(&monitor).unwrap();
        assert!(made.output == kept.output && made.test_psnr.to_bits() == kept.test_psnr.to_bits());
        for other in [
            Job { picture: &terrain, ..job.clone() },
            Job { encoding: setting.encoding(EncodingKind::None, 1.0), ..job.clone() },
            Job { learning_rate: 2e-2, ..job.clone() },
            Job { setting: Setting { steps: 3, ..setting }, ..job.clone() },
        ] {
            let other = other.fit(&monitor);
            assert!(matches!(other, Err(ReproduceError::Interrupted)), "{other:?}");
        }
    }

    #[test]
    fn every_picture_has_contrast() {
        for picture in [Picture::camera(), Picture::coffee(), Picture::terrain(), Picture::text().unwrap()] {
            assert!(picture.values.iter().all(|value| (0.0..=1.0).contains(value)), "{}", picture.name);
            assert!(picture.values.std(0.0) > 0.1, "{}: {}", picture.name, picture.values.std(0.0));
        }
    }
}
