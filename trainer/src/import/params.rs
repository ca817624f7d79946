//! What a file of tensors does not say.

use std::str::FromStr;

use crate::network::HiddenActivation;

/// How a file is to be understood; the [table](super) has the meanings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportParams {
    /// Tensors whose parts the names do not tell.
    pub map: Vec<Mapping>,
    /// Names of tensors that do not belong to the network.
    pub ignore: Vec<String>,
    /// The order of the features.
    pub gamma: Gamma,
    /// Whether B is in radians for a unit of the input, and not in cycles.
    pub radians: bool,
    /// Whether the features are divided by the norm of their amplitudes.
    pub normalize: bool,
    /// What follows the hidden layers.
    pub activation: Option<HiddenActivation>,
    /// ω₀ of the first sine layer and of the others; one number for all of them.
    pub omega: Option<(f64, f64)>,
    /// What follows the last layer.
    pub output: Option<OutputFunction>,
    /// Which axis of a matrix of weights counts the outputs.
    pub layout: Option<Layout>,
}

/// The order of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Gamma {
    /// All cosines, then all sines: Tancik et al. 2020, equation 5, and `rff` for PyTorch.
    #[default]
    CosSin,
    /// All sines, then all cosines: the notebook published with the paper.
    SinCos,
}

/// What follows the last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFunction {
    /// Nothing: the outputs are those of the last layer.
    Linear,
    /// 1/(1 + e⁻ᶻ).
    Sigmoid,
    /// tanh z, which is 2σ(2z) - 1.
    Tanh,
    /// sin ω₀z, which becomes one more hidden layer.
    Sine,
}

/// Which axis of a matrix of weights counts the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// `[out, in]`, as PyTorch and Equinox have it.
    OutIn,
    /// `[in, out]`, as Flax, Haiku, stax and Keras have it.
    InOut,
}

/// The part of a network that a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// B.
    Frequencies,
    /// a, of the features.
    Amplitudes,
    /// Both tensors of a layer, by what their names begin with.
    Layer(usize),
    /// The weights of a layer.
    Weight(usize),
    /// The biases of a layer.
    Bias(usize),
}

/// A part of the network, and the name of its tensor: `B=NAME`, `a=NAME`, `layers.N=NAME`, `layers.N.weight=NAME` or
/// `layers.N.bias=NAME`. Layers are counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub(super) part: Part,
    pub(super) name: String,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |part: &str| match part {
            "B" => Some(Part::Frequencies),
            "a" => Some(Part::Amplitudes),
            _ => {
                let layer = part.strip_prefix("layers.")?;
                let (number, leaf) = layer.split_once('.').map_or((layer, None), |(n, leaf)| (n, Some(leaf)));
                let number = number.parse().ok()?;
                match leaf {
                    None => Some(Part::Layer(number)),
                    Some("weight") => Some(Part::Weight(number)),
                    Some("bias") => Some(Part::Bias(number)),
                    Some(_) => None,
                }
            }
        };
        let parts = text.split_once('=').filter(|(_, name)| !name.is_empty());
        parts.and_then(|(left, name)| Some(Self { part: part(left)?, name: name.to_owned() })).ok_or_else(|| {
            "give PART=NAME, where PART is B, a, layers.N, layers.N.weight or layers.N.bias, and NAME is a tensor of the \
             file (for layers.N what the names of its two tensors begin with)"
                .to_owned()
        })
    }
}
