//! The options that choose a kernel, shared by all subcommands.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use ndarray::Array2;
use trainer::fit::encoding_option::EncodingOption;
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::theory::TheoryError;
use trainer::theory::kernel::{FourierFeatures, Kernel, Rbf};
use trainer::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel, Parametrization};

use super::super::warn_of_uneven_frequencies;
use super::arrays;

#[derive(clap::Args)]
pub(super) struct KernelArgs {
    /// The points: an .npy [n] or [n, d], in their own units
    #[arg(long, value_name = "X.npy")]
    points: PathBuf,
    /// Subtract this number from every coordinate first; with `--encoding none` the place of the origin matters
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    origin: f64,
    /// Which kernel to compute between the points
    #[arg(long, value_enum, default_value_t = Which::Ntk)]
    kernel: Which,
    /// Standard deviation of the RBF kernel, in units of the points [default: 1]
    #[arg(long, allow_negative_numbers = true)]
    length: Option<f64>,
    /// Encoding in front of the network; its frequencies are in cycles per unit of the points
    #[arg(long, value_enum, default_value_t = EncodingKind::None, help_heading = "Encoding")]
    encoding: EncodingKind,
    /// Number of frequencies, for all inputs together [default: 16]
    #[arg(long, help_heading = "Encoding")]
    frequencies: Option<usize>,
    /// For gaussian: the standard deviation of the frequencies; for positional: the upper limit of the frequencies
    /// [default: 10]
    #[arg(long, allow_negative_numbers = true, help_heading = "Encoding")]
    scale: Option<f64>,
    /// For fourier: the power p of the amplitudes 1/j^p, a number or inf [default: 0]
    #[arg(long, allow_negative_numbers = true, help_heading = "Encoding")]
    amplitude_power: Option<f64>,
    /// For fourier: the frequencies along each input [default: 1, 2, 3, …]
    #[arg(long, value_delimiter = ',', value_name = "B", conflicts_with = "frequencies", help_heading = "Encoding")]
    frequency_list: Vec<f64>,
    /// For positional: use the frequencies 2^s - 1, with s from 0 to --scale, as in the code published with the paper
    #[arg(long, help_heading = "Encoding")]
    positional_notebook: bool,
    /// For gaussian: seed of the frequencies, the same as in `trainer fit` [default: 0]
    #[arg(long, help_heading = "Encoding")]
    seed: Option<u64>,
    /// Divide the features by the norm of the amplitudes
    #[arg(long, help_heading = "Encoding")]
    normalize: bool,
    /// Number of hidden layers, which are ReLU [default: 3]
    #[arg(long, allow_negative_numbers = true, help_heading = "Network")]
    hidden_layers: Option<usize>,
    /// How the weights of the network are scaled [default: ntk]
    #[arg(long, value_enum, help_heading = "Network")]
    parametrization: Option<ParametrizationArg>,
    /// Width of a hidden layer; only the kernel of the standard parametrization depends on it [default: 1024]
    #[arg(long, help_heading = "Network")]
    width: Option<usize>,
    /// Standard deviation of the weights [default: √2]
    #[arg(long, allow_negative_numbers = true, help_heading = "Network")]
    weight_std: Option<f64>,
    /// Standard deviation of the biases; 0: they start at zero and are trained; none: there are no trained biases
    /// [default: none]
    #[arg(long, allow_negative_numbers = true, value_parser = bias_std, help_heading = "Network")]
    bias_std: Option<BiasStd>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// The neural tangent kernel of the infinitely wide network
    Ntk,
    /// The covariance of the outputs of the infinitely wide network before training
    Nngp,
    /// The inner product of the features: Σ a² cos(2π b·Δ)
    Features,
    /// The RBF kernel of the points: exp(-|Δ|²/(2 length²))
    Rbf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ParametrizationArg {
    /// Weights are drawn from N(0, 1) and scaled within the network
    Ntk,
    /// Weights are drawn from N(0, weight-std²/fan-in)
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
    /// The file of the points.
    pub(super) fn points_path(&self) -> &Path {
        &self.points
    }

    /// The points, moved to the origin.
    pub(super) fn points(&self) -> anyhow::Result<Array2<f64>> {
        let points = self.read("points", &self.points)?;
        if let Some(frequencies) = self.frequencies.filter(|_| self.kernel != Which::Rbf) {
            let encoding = EncodingParams { kind: self.encoding, frequencies, ..EncodingParams::default() };
            warn_of_uneven_frequencies(&encoding, points.ncols());
        }
        Ok(points)
    }

    /// Other points, treated alike.
    pub(super) fn read(&self, what: &'static str, path: &Path) -> anyhow::Result<Array2<f64>> {
        anyhow::ensure!(self.origin.is_finite(), "--origin is {}; give a number", self.origin);
        Ok(arrays::read(what, path)? - self.origin)
    }

    /// The kernel for points with `dims` coordinates.
    pub(super) fn kernel(&self, dims: usize) -> anyhow::Result<Box<dyn Kernel>> {
        self.warn_of_options_without_effect(self.parametrization == Some(ParametrizationArg::Standard));
        let covariance = match self.kernel {
            Which::Rbf => return Ok(Box::new(Rbf::new(self.length.unwrap_or(1.0))?)),
            Which::Nngp => Covariance::Nngp,
            Which::Ntk | Which::Features => Covariance::Ntk,
        };
        let kernel = self.network_kernel(dims, self.width.unwrap_or(1024), covariance)?;
        if self.kernel == Which::Features {
            let features = kernel
                .features
                .context("--kernel features is that of an encoding; give an --encoding other than none")?;
            return Ok(Box::new(features));
        }
        Ok(Box::new(kernel))
    }

    /// Says which of the options given change nothing: scripts that go through kernels and encodings may leave them on
    /// the line. `width` is whether --width decides anything of a network.
    pub(super) fn warn_of_options_without_effect(&self, width: bool) {
        let mapped = self.kernel != Which::Rbf;
        let network = matches!(self.kernel, Which::Ntk | Which::Nngp);
        let of_network = |given: bool, name| (given && !network).then_some(name);
        let of_encoding = |given: bool, name, option: EncodingOption| {
            (given && (!mapped || !option.belongs_to(self.encoding))).then_some(name)
        };
        let of_kind = |given: bool, name, kind| (given && (!mapped || self.encoding != kind)).then_some(name);
        let without_effect = [
            (self.length.is_some() && mapped).then_some("--length"),
            (self.encoding != EncodingKind::None && !mapped).then_some("--encoding"),
            of_encoding(self.frequencies.is_some(), "--frequencies", EncodingOption::Frequencies),
            of_encoding(self.scale.is_some(), "--scale", EncodingOption::Scale),
            of_encoding(self.amplitude_power.is_some(), "--amplitude-power", EncodingOption::AmplitudePower),
            of_encoding(!self.frequency_list.is_empty(), "--frequency-list", EncodingOption::AmplitudePower),
            of_encoding(self.normalize, "--normalize", EncodingOption::Normalize),
            of_kind(self.positional_notebook, "--positional-notebook", EncodingKind::Positional),
            of_kind(self.seed.is_some(), "--seed", EncodingKind::Gaussian),
            of_network(self.hidden_layers.is_some(), "--hidden-layers"),
            of_network(self.parametrization.is_some(), "--parametrization"),
            of_network(self.weight_std.is_some(), "--weight-std"),
            of_network(self.bias_std.is_some(), "--bias-std"),
            (self.width.is_some() && !(network && width)).then_some("--width"),
        ];
        for option in without_effect.into_iter().flatten() {
            trainer::note!("warning: {option} has no effect with this kernel, encoding and network");
        }
    }

    /// Refuses the other kernels.
    pub(super) fn must_be_tangent(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.kernel == Which::Ntk,
            "finite networks are compared by their tangent kernels; leave out --kernel"
        );
        Ok(())
    }

    /// The tangent kernel of a network of this width.
    pub(super) fn tangent_kernel(&self, dims: usize, width: usize) -> Result<NetworkKernel, TheoryError> {
        self.network_kernel(dims, width, Covariance::Ntk)
    }

    fn network_kernel(&self, dims: usize, width: usize, covariance: Covariance) -> Result<NetworkKernel, TheoryError> {
        let encoding = EncodingParams {
            kind: self.encoding,
            frequencies: self.frequencies.unwrap_or(16),
            scale: self.scale.unwrap_or(10.0),
            amplitude_power: self.amplitude_power.filter(|_| self.encoding == EncodingKind::Fourier).unwrap_or(0.0),
            normalize: self.normalize,
            notebook: self.positional_notebook && self.encoding == EncodingKind::Positional,
            list: if self.encoding == EncodingKind::Fourier { self.frequency_list.clone() } else { Vec::new() },
            seed: self.seed.unwrap_or(0),
            ..EncodingParams::default()
        };
        let features = FourierFeatures::of(&encoding, dims)?;
        let default = InfiniteMlpParams::default();
        let network = InfiniteMlpParams {
            hidden_layers: self.hidden_layers.unwrap_or(default.hidden_layers),
            parametrization: match self.parametrization {
                None | Some(ParametrizationArg::Ntk) => Parametrization::Ntk,
                Some(ParametrizationArg::Standard) => Parametrization::Standard { width },
            },
            weight_std: self.weight_std.unwrap_or(default.weight_std),
            bias_std: self.bias_std.map_or(default.bias_std, |bias| bias.0),
        };
        Ok(NetworkKernel { features, network: network.check()?, covariance })
    }
}
