//! Why a file of weights cannot become a run.

use std::path::PathBuf;

use crate::artifact::model_file::ModelError;
use crate::fit::FitError;
use crate::fit::run::FitRunError;
use crate::store::tensors::TensorError;

/// Why a network cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be read, or holds no floating-point numbers.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// The file is a run's own network.
    #[error(
        "{} is the network of a run of this program; use `trainer quantize {}` for a model of another precision",
        path.display(),
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref()).display()
    )]
    OwnRun {
        /// The file of the weights.
        path: PathBuf,
    },
    /// A tensor that was named is not there.
    #[error("{} has no tensor {name}; it has {there}", path.display())]
    Missing {
        /// The file of the weights.
        path: PathBuf,
        /// The name that was given.
        name: String,
        /// Names and shapes of the tensors that are there.
        there: String,
    },
    /// A file without layers.
    #[error(
        "{} has no tensor that is a matrix of weights; it has {there}; name the layers with --map layers.0=NAME,…",
        path.display()
    )]
    NoLayers {
        /// The file of the weights.
        path: PathBuf,
        /// Names and shapes of the tensors that are there.
        there: String,
    },
    /// Tensors that no part of the network uses.
    #[error(
        "{} holds tensors that are no part of a network of Fourier features or sine layers: {unused}; if the outputs do \
         not depend on them, leave them out with --ignore{remedy}",
        path.display()
    )]
    Unused {
        /// The file of the weights.
        path: PathBuf,
        /// Names and shapes of these tensors.
        unused: String,
        /// What can be done about them beside that.
        remedy: &'static str,
    },
    /// Two tensors could be B.
    #[error("both {first} and {second} may be the frequencies; say which with --map B=NAME")]
    TwoFrequencies {
        /// The name of one.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// A tensor has a shape that its part cannot have.
    #[error("the tensor {name} has the shape {shape:?}; {wanted}")]
    Shape {
        /// The name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What shape is possible, as a clause.
        wanted: String,
    },
    /// The first layer does not take what comes before it.
    #[error("{name} takes {takes} values, and {before}; {remedy}")]
    FirstLayer {
        /// The name of the first layer's weights.
        name: String,
        /// Values that it takes.
        takes: usize,
        /// What comes before it, as a clause.
        before: String,
        /// What may be wrong.
        remedy: String,
    },
    /// Two layers do not follow each other.
    #[error("{name} takes {takes} values, and the layer before it gives {gives}; {remedy}")]
    Chain {
        /// The name of the weights.
        name: String,
        /// Values that it takes.
        takes: usize,
        /// Values that come.
        gives: usize,
        /// What may be wrong.
        remedy: String,
    },
    /// The last layer does not give what the data have.
    #[error(
        "{name}, the last layer, gives {gives} values, and the data have {wanted} outputs; name them with --outputs"
    )]
    Outputs {
        /// The name of the weights.
        name: String,
        /// Values that it gives.
        gives: usize,
        /// Outputs of the data.
        wanted: usize,
    },
    /// The names do not tell which activation the network has.
    #[error(
        "the names in {} do not tell what follows the hidden layers; give --activation relu or --activation sine",
        path.display()
    )]
    Activation {
        /// The file of the weights.
        path: PathBuf,
    },
    /// A size beyond what a device takes.
    #[error("{what} is {value}, and a device takes up to {limit}; train a smaller network")]
    Limit {
        /// The size, as in `the number of inputs`.
        what: String,
        /// The size of this network.
        value: usize,
        /// The largest possible size.
        limit: usize,
    },
    /// A number that is none.
    #[error("the tensor {name} holds a number that is not finite; the training diverged")]
    NotFinite {
        /// The name of the tensor.
        name: String,
    },
    /// A frequency beyond the format's range.
    #[error(
        "row {row} of the frequencies has {cycles:.4e} cycles over the domain of the data, and a device takes up to \
         32767; the units of --inputs may be other ones than the network's, which --input-range sets right"
    )]
    Frequency {
        /// The row of B, counted from 0.
        row: usize,
        /// Cycles over the domain.
        cycles: f64,
    },
    /// All frequencies vanish.
    #[error(
        "all frequencies are below 2^-16 cycles over the domain of the data, so that the network is constant there; the \
         units of --inputs may be other ones than the network's, which --input-range sets right"
    )]
    AllZero,
    /// A factor of an activation that makes no sense.
    #[error("an ω₀ of {omega} is not possible; --omega takes numbers above 0, as in 30 or 30,1")]
    Omega {
        /// The number.
        omega: f64,
    },
    /// A range without length.
    #[error("a range from {low} to {high} is not possible; give a smaller and a larger number, as in 0..1")]
    Range {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// The network is not possible for another reason.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// An input that the data have not.
    #[error("{} has the inputs {inputs}; --inputs names them in the order of the network", data.display())]
    UnknownInput {
        /// The data.
        data: PathBuf,
        /// The names of their inputs.
        inputs: String,
    },
    /// An order that leaves inputs out or has them twice.
    #[error("--inputs must name each of {inputs} once, in the order of the network")]
    Order {
        /// The names of the data's inputs.
        inputs: String,
    },
    /// A path that cannot be made whole.
    #[error("cannot tell the current directory")]
    Directory(#[source] std::io::Error),
    /// The run cannot be made or written.
    #[error(transparent)]
    Run(Box<FitRunError>),
    /// The model that was written cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl From<FitRunError> for ImportError {
    fn from(error: FitRunError) -> Self {
        Self::Run(Box::new(error))
    }
}
