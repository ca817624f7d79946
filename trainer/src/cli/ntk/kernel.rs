//! The options that choose a kernel, shared by all subcommands.

use std::path::PathBuf;

use clap::ValueEnum;
use ndarray::Array2;
use trainer::encoding::{EncodingKind, EncodingParams};
use trainer::theory::TheoryError;
use trainer::theory::kernel::{FourierFeatures, Kernel, Rbf};
use trainer::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel, Parametrization};

use super::arrays;

#[derive(clap::Args)]
pub(super) struct KernelArgs {
    /// The points, .npy [n] or [n, d], in their own units
    #[arg(long, value_name = "X.npy")]
    points: PathBuf,
    /// Subtract this from every coordinate first: with `--encoding none` the network sees where the origin lies
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    origin: f64,
    /// Which kernel of the points
    #[arg(long, value_enum, default_value_t = Which::Ntk)]
    kernel: Which,
    /// Standard deviation of the RBF kernel, in units of the points
    #[arg(long, allow_negative_numbers = true, default_value_t = 1.0)]
    length: f64,
    /// Encoding in front of the network; frequencies are in cycles per unit of the points
    #[arg(long, value_enum, default_value_t = EncodingKind::None, help_heading = "Encoding")]
    encoding: EncodingKind,
    /// Number of frequencies, for all axes together
    #[arg(long, default_value_t = 16, help_heading = "Encoding")]
    frequencies: usize,
    /// Gaussian: deviation of a frequency; positional: the largest frequency, which the series approaches
    #[arg(long, allow_negative_numbers = true, default_value_t = 10.0, help_heading = "Encoding")]
    scale: f64,
    /// Fourier: p of the amplitudes 1/j^p, a number or inf
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true, help_heading = "Encoding")]
    amplitude_power: f64,
    /// Fourier: frequencies along each axis, in the place of 1, 2, 3, …
    #[arg(long, value_delimiter = ',', value_name = "B", conflicts_with = "frequencies", help_heading = "Encoding")]
    frequency_list: Vec<f64>,
    /// Positional: frequencies 2^s - 1, s from 0 to --scale, as in the published code
    #[arg(long, help_heading = "Encoding")]
    positional_notebook: bool,
    /// Seed of the Gaussian frequencies: those of `trainer fit` with this seed
    #[arg(long, default_value_t = 0, help_heading = "Encoding")]
    seed: u64,
    /// Divide the features by the norm of the amplitudes
    #[arg(long, help_heading = "Encoding")]
    normalize: bool,
    /// ReLU layers
    #[arg(long, default_value_t = 3, help_heading = "Network")]
    hidden_layers: usize,
    /// ntk: weights N(0, 1), scaled in the network; standard: weights N(0, weight-std²/fan-in)
    #[arg(long, value_enum, default_value_t = ParametrizationArg::Ntk, help_heading = "Network")]
    parametrization: ParametrizationArg,
    /// Units of a hidden layer, which the kernel of the standard parametrization grows with
    #[arg(long, default_value_t = 1024, help_heading = "Network")]
    width: usize,
    /// Deviation of the weights
    #[arg(long, allow_negative_numbers = true, default_value_t = std::f64::consts::SQRT_2, help_heading = "Network")]
    weight_std: f64,
    /// Deviation of the biases, 0 if they start at zero and are trained, or none for no trained bias
    #[arg(long, allow_negative_numbers = true, default_value = "none", value_parser = bias_std, help_heading = "Network")]
    bias_std: BiasStd,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// neural tangent kernel of the infinitely wide network
    Ntk,
    /// covariance of its outputs at initialization
    Nngp,
    /// inner product of the features: Σ a² cos(2π b·Δ)
    Features,
    /// exp(-|Δ|²/(2 length²)) of the points
    Rbf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ParametrizationArg {
    Ntk,
    Standard,
}

/// A number or `none`; a type of its own because clap reads an `Option` as an optional argument.
#[derive(Clone, Copy)]
struct BiasStd(Option<f64>);

fn bias_std(text: &str) -> Result<BiasStd, String> {
    if text == "none" {
        return Ok(BiasStd(None));
    }
    text.parse().map(|std| BiasStd(Some(std))).map_err(|_| "give a number or none".to_owned())
}

impl KernelArgs {
    /// The points, moved to the origin.
    pub(super) fn points(&self) -> anyhow::Result<Array2<f64>> {
        self.read("points", &self.points)
    }

    /// Other points, treated alike.
    pub(super) fn read(&self, what: &'static str, path: &std::path::Path) -> anyhow::Result<Array2<f64>> {
        Ok(arrays::read(what, path)? - self.origin)
    }

    /// The kernel for points with `dims` coordinates.
    pub(super) fn kernel(&self, dims: usize) -> Result<Box<dyn Kernel>, TheoryError> {
        let covariance = match self.kernel {
            Which::Rbf => return Ok(Box::new(Rbf::new(self.length)?)),
            Which::Nngp => Covariance::Nngp,
            Which::Ntk | Which::Features => Covariance::Ntk,
        };
        let kernel = self.network_kernel(dims, self.width, covariance)?;
        if self.kernel == Which::Features {
            let requirement = "the kernel of the features needs an encoding other than none";
            let missing = TheoryError::Parameter { name: "frequencies", value: 0.0, requirement };
            return Ok(Box::new(kernel.features.ok_or(missing)?));
        }
        Ok(Box::new(kernel))
    }

    /// The tangent kernel, whatever `--kernel` says, of a network of this width.
    pub(super) fn tangent_kernel(&self, dims: usize, width: usize) -> Result<NetworkKernel, TheoryError> {
        self.network_kernel(dims, width, Covariance::Ntk)
    }

    fn network_kernel(&self, dims: usize, width: usize, covariance: Covariance) -> Result<NetworkKernel, TheoryError> {
        let encoding = EncodingParams {
            kind: self.encoding,
            frequencies: self.frequencies,
            scale: self.scale,
            amplitude_power: self.amplitude_power,
            normalize: self.normalize,
            notebook: self.positional_notebook,
            list: self.frequency_list.clone(),
            seed: self.seed,
            ..EncodingParams::default()
        };
        let features = FourierFeatures::of(&encoding, dims)?;
        let network = InfiniteMlpParams {
            hidden_layers: self.hidden_layers,
            parametrization: match self.parametrization {
                ParametrizationArg::Ntk => Parametrization::Ntk,
                ParametrizationArg::Standard => Parametrization::Standard { width },
            },
            weight_std: self.weight_std,
            bias_std: self.bias_std.0,
        };
        Ok(NetworkKernel { features, network: network.check()?, covariance })
    }
}
