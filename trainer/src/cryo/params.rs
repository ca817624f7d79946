//! Hyperparameters of a reconstruction.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `encoding` | Gaussian, 128 rows | of the frequency k; z passes by | see [`crate::network::encoding`] |
//! | `scale` | size/8, positional 3·size/8 | of the encoding, cycles over the domain: atoms 1/8 of the box from its centre | > 0 |
//! | `hidden` | 96, 96, 96 | of the decoder | up to 8 of 1 … 2048 |
//! | `encoder_hidden` | 64, 32 | of the encoder | up to 8 of 1 … 2048 |
//! | `latent` | 1 | dimensions of z; 0: homogeneous, no encoder | 0 … 8 |
//! | `steps` | 5000 | updates; the half sets take half as many each | ≥ 1 |
//! | `images` | 128 | images a step | 1 … 65,536 |
//! | `frequencies` | 48 | pairs drawn of each image in a step | 1 … 4096 |
//! | `optimizer` | Adam | see [`crate::training::optimizer`] | Adam, Muon |
//! | `learning_rate` | 2e-3 | cosine to 1 % | > 0, ≤ 10 |
//! | `beta` | 0.3 | weight of KL(q(z) ‖ N(0, 1)) in nats at the end, after a slow rise; 1 is the evidence lower bound | 0 to 1e6 |
//! | `half_sets` | yes | also fit the even and the odd images alone | |
//! | `seed` | 0 | of everything random | |

use super::error::CryoError;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::network::grid::GridParams;
use crate::network::trained_encoding::TrainedEncoding;
use crate::training::LoopParams;
use crate::training::optimizer::{Optimizer, Schedule};
use serde::{Deserialize, Serialize};

/// Most images of a step, and pairs of each.
const MAX_IMAGES: usize = 65_536;
const MAX_PAIRS: usize = 4096;

/// See the module's table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CryoParams {
    /// Of the frequency; its `scale`, `passthrough` and `seed` are set from the fields below.
    pub encoding: EncodingParams,
    /// The encoding's scale; `None`: an eighth of the image's size, three for positional.
    pub scale: Option<f64>,
    /// Widths of the decoder's hidden layers.
    pub hidden: Vec<usize>,
    /// Widths of the encoder's hidden layers.
    pub encoder_hidden: Vec<usize>,
    /// Dimensions of z.
    pub latent: usize,
    /// Updates of the parameters.
    pub steps: u64,
    /// Images a step.
    pub images: usize,
    /// Pairs of each of them.
    pub frequencies: usize,
    /// How gradients become updates.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Learning rate at its highest.
    pub learning_rate: f64,
    /// Weight of the KL divergence.
    pub beta: f64,
    /// Whether to fit half sets.
    pub half_sets: bool,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for CryoParams {
    fn default() -> Self {
        Self {
            encoding: EncodingParams { frequencies: 128, grid: GridParams::of_volumes(), ..EncodingParams::default() },
            scale: None,
            hidden: vec![96; 3],
            encoder_hidden: vec![64, 32],
            latent: 1,
            steps: 5000,
            images: 128,
            frequencies: 48,
            optimizer: Optimizer::default(),
            learning_rate: 2e-3,
            beta: 0.3,
            half_sets: true,
            seed: 0,
        }
    }
}

/// Checked hyperparameters for images of one size.
#[derive(Clone, Debug)]
pub struct ValidCryoParams {
    params: CryoParams,
    encoding: TrainedEncoding,
}

impl CryoParams {
    /// Checks everything, for `count` images of `size` pixels a side: nothing that was checked fails later for its
    /// settings.
    ///
    /// # Errors
    /// Naming the option that is out of its range.
    pub fn check(&self, count: usize, size: usize) -> Result<ValidCryoParams, CryoError> {
        let refuse = |text: &str| Err(CryoError::Setting(text.to_owned()));
        let layers = |widths: &[usize]| widths.len() <= 8 && widths.iter().all(|width| (1..=2048).contains(width));
        if !layers(&self.hidden) || !layers(&self.encoder_hidden) {
            return refuse("--hidden and --encoder-hidden take up to 8 widths from 1 to 2048");
        }
        if self.latent > 8 {
            return refuse("--latent takes 0 to 8");
        }
        if self.steps == 0 {
            return refuse("--steps takes 1 or more");
        }
        if !(1..=MAX_IMAGES).contains(&self.images) || !(1..=MAX_PAIRS).contains(&self.frequencies) {
            return Err(CryoError::Setting(format!(
                "--images takes 1 to {MAX_IMAGES} and --image-frequencies 1 to {MAX_PAIRS}: what a step holds in memory"
            )));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 10.0) {
            return refuse("--learning-rate takes a number above 0, up to 10");
        }
        if !(0.0..=1e6).contains(&self.beta) {
            return refuse("--beta takes 0 to 1e6");
        }
        if self.half_sets && count < 2 {
            return Err(CryoError::Setting(format!(
                "half sets need 2 images and there is {count}; add --no-half-sets"
            )));
        }
        match self.encoding.kind {
            EncodingKind::Table => return refuse("--encoding table has no layers to train; use grid or any other"),
            EncodingKind::Grid if self.latent > 0 => {
                return refuse(
                    "--encoding grid has no gradient for a latent variable; add --homogeneous or use another encoding",
                );
            }
            _ => {}
        }
        let encoding = self.encoding_for(size);
        let start = encoding.check(3 + self.latent)?;
        Ok(ValidCryoParams { params: self.clone(), encoding: TrainedEncoding::new(&encoding, start) })
    }

    /// The encoding's settings for images of a size.
    fn encoding_for(&self, size: usize) -> EncodingParams {
        // The highest of log-spaced frequencies is where a Gaussian has three deviations.
        let deviations = if self.encoding.kind == EncodingKind::Positional { 3.0 } else { 1.0 };
        let scale = self.scale.unwrap_or(deviations * size as f64 / 8.0);
        // Without an encoding every input passes by as it is.
        let passthrough = if self.encoding.kind == EncodingKind::None { 0 } else { self.latent };
        EncodingParams { scale, passthrough, seed: self.seed, ..self.encoding.clone() }
    }
}

impl ValidCryoParams {
    /// The hyperparameters as they were given.
    pub fn params(&self) -> &CryoParams {
        &self.params
    }

    /// The encoding of the frequency, with z passed by.
    pub fn encoding(&self) -> &TrainedEncoding {
        &self.encoding
    }

    /// How the loop runs.
    pub fn loop_params(&self) -> LoopParams {
        LoopParams {
            steps: self.params.steps,
            learning_rate: self.params.learning_rate,
            encoder_rate: self.encoding.rate(),
            schedule: Schedule::Cosine { warmup: 50, floor: 0.01 },
            optimizer: self.params.optimizer.clone(),
            row_limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named() {
        let base = CryoParams::default();
        for kind in [EncodingKind::None, EncodingKind::Positional, EncodingKind::Gaussian] {
            let encoding = EncodingParams { kind, ..base.encoding.clone() };
            CryoParams { encoding, ..base.clone() }.check(100, 32).unwrap();
        }
        let of = |kind| EncodingParams { kind, ..base.encoding.clone() };
        let grid = CryoParams { encoding: of(EncodingKind::Grid), ..base.clone() };
        CryoParams { latent: 0, ..grid.clone() }.check(100, 32).unwrap();
        let none = EncodingParams { frequencies: 0, ..base.encoding.clone() };
        for (params, words) in [
            (CryoParams { latent: 9, ..base.clone() }, "--latent"),
            (CryoParams { steps: 0, ..base.clone() }, "--steps"),
            (CryoParams { images: 0, ..base.clone() }, "--images"),
            (CryoParams { images: usize::MAX, ..base.clone() }, "--images"),
            (CryoParams { frequencies: 10_000_000_000_000, ..base.clone() }, "--image-frequencies"),
            (CryoParams { learning_rate: f64::NAN, ..base.clone() }, "--learning-rate"),
            (CryoParams { beta: -1.0, ..base.clone() }, "--beta"),
            (CryoParams { hidden: vec![0], ..base.clone() }, "--hidden"),
            (CryoParams { scale: Some(-1.0), ..base.clone() }, "scale"),
            (CryoParams { encoding: none, ..base.clone() }, "frequencies"),
            (grid, "--homogeneous"),
            (CryoParams { encoding: of(EncodingKind::Table), ..base.clone() }, "--encoding table"),
        ] {
            let error = params.check(100, 32).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(base.check(1, 32).unwrap_err().to_string().contains("add --no-half-sets"));
        CryoParams { half_sets: false, ..base }.check(1, 32).unwrap();
    }
}
