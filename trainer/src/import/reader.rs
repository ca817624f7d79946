//! The tensors of a file put together: a network in the units and the order that [`SourceNetwork`] has.

use std::f64::consts::TAU;
use std::path::Path;

use ndarray::{Array1, Array2, Axis, concatenate, s};

use super::params::{Gamma, Layout, OutputFunction};
use super::roles::{self, LayerNames, Roles, Style};
use super::source::{Features, Layer, SourceNetwork};
use super::{ImportError, ImportParams};
use crate::network::HiddenActivation;
use crate::store::tensors::Tensors;

/// ω₀ of SIREN (Sitzmann et al. 2020).
const OMEGA: f64 = 30.0;

impl SourceNetwork {
    /// Reads the network of a file for data with so many inputs and outputs.
    ///
    /// # Errors
    /// [`ImportError`], with the tensor that makes the network one that a device cannot evaluate, or what it would be.
    pub fn read(path: &Path, params: &ImportParams, data: (usize, usize)) -> Result<Self, ImportError> {
        let tensors = Tensors::read(path)?;
        if tensors.has_settings() {
            return Err(ImportError::OwnRun { path: path.to_owned() });
        }
        let roles = roles::find(path, &tensors, params)?;
        let reader = Reader { tensors: &tensors, params, inputs: data.0 };
        let network = reader.network(path, &roles)?;
        network.check_limits(data)?;
        Ok(network)
    }
}

/// Puts the tensors of a file together.
struct Reader<'a> {
    tensors: &'a Tensors,
    params: &'a ImportParams,
    inputs: usize,
}

impl Reader<'_> {
    fn network(&self, path: &Path, roles: &Roles) -> Result<SourceNetwork, ImportError> {
        let mut features = roles.frequencies.as_deref().map(|name| self.features(name)).transpose()?;
        let mut layers = self.layers(roles, features.as_ref())?;
        let hidden = self.hidden_activation(path, roles, layers.len())?;
        let output = self.output_function(roles.style, hidden);
        let mut description = describe(features.as_ref(), &layers, (hidden, output));
        if output == OutputFunction::Sine {
            let width = layers.last().map_or(0, |layer| layer.bias.len());
            let name = "the output's sine".to_owned();
            layers.push(Layer { name, weights: Array2::eye(width), bias: Array1::zeros(width) });
        }
        let is_sine = hidden == HiddenActivation::Sine;
        if is_sine {
            let (first, others) = self.omegas(roles.style)?;
            description += &format!(", ω₀ {first} and {others}");
            let before_sines = layers.len() - 1;
            for (l, layer) in layers[..before_sines].iter_mut().enumerate() {
                layer.multiply(if l == 0 { first } else { others });
            }
            if features.is_none() && layers.len() > 1 {
                features = Some(sine_features(&mut layers));
            }
        }
        if let Some(features) = &features {
            self.apply_amplitudes(roles, features, &mut layers[0])?;
        }
        // tanh z = 2·sigmoid(2z) - 1.
        let is_tanh = output == OutputFunction::Tanh;
        if let (true, Some(last)) = (is_tanh, layers.last_mut()) {
            last.multiply(2.0);
        }
        Ok(SourceNetwork {
            features,
            layers,
            hidden,
            is_sigmoid: is_tanh || output == OutputFunction::Sigmoid,
            scaled: if is_tanh { (-1.0, 2.0) } else { (0.0, 1.0) },
            description,
            is_siren: is_sine && roles.frequencies.is_none(),
        })
    }

    /// What the caller says, or else what the names tell: layers behind frequencies have ReLU, others may have sines.
    fn hidden_activation(&self, path: &Path, roles: &Roles, layers: usize) -> Result<HiddenActivation, ImportError> {
        match (self.params.activation, &roles.frequencies, roles.style) {
            (Some(activation), ..) => Ok(activation),
            (None, Some(_), _) => Ok(HiddenActivation::Relu),
            (None, None, Style::Unknown) if layers > 1 => Err(ImportError::Activation { path: path.to_owned() }),
            (None, None, Style::Unknown) => Ok(HiddenActivation::Relu),
            (None, None, _) => Ok(HiddenActivation::Sine),
        }
    }

    fn output_function(&self, style: Style, hidden: HiddenActivation) -> OutputFunction {
        self.params.output.unwrap_or(match style {
            Style::Sine { to_the_end: true } if hidden == HiddenActivation::Sine => OutputFunction::Sine,
            _ => OutputFunction::Linear,
        })
    }

    /// ω₀ of the first layer and of the others.
    fn omegas(&self, style: Style) -> Result<(f64, f64), ImportError> {
        let (first, others) = self.params.omega.unwrap_or(match style {
            Style::SirenPytorch => (OMEGA, 1.0),
            _ => (OMEGA, OMEGA),
        });
        match [first, others].into_iter().find(|omega| !(*omega > 0.0 && omega.is_finite())) {
            Some(omega) => Err(ImportError::Omega { omega }),
            None => Ok((first, others)),
        }
    }

    /// B, from `[m, d]` or `[d, m]`.
    fn features(&self, name: &str) -> Result<Features, ImportError> {
        let (shape, values) = self.numbers(name)?;
        let inputs = self.inputs;
        let wanted = || ImportError::Shape {
            name: name.to_owned(),
            shape: shape.clone(),
            wanted: format!("frequencies of {inputs} inputs have the shape [m, {inputs}] or [{inputs}, m]"),
        };
        let matrix = match shape[..] {
            [rows] if inputs == 1 => Array2::from_shape_vec((rows, 1), values),
            [rows, columns] => Array2::from_shape_vec((rows, columns), values),
            _ => return Err(wanted()),
        };
        let matrix = matrix.map_err(|_| wanted())?;
        let frequencies = match matrix.dim() {
            (_, columns) if columns == inputs => matrix,
            (rows, _) if rows == inputs => matrix.reversed_axes(),
            _ => return Err(wanted()),
        };
        let unit = if self.params.radians { 1.0 / TAU } else { 1.0 };
        Ok(Features { phases: Array1::zeros(frequencies.nrows()), frequencies: frequencies * unit })
    }

    /// The layers, turned so that each takes what the one before it gives.
    fn layers(&self, roles: &Roles, features: Option<&Features>) -> Result<Vec<Layer>, ImportError> {
        let width = features.map_or(self.inputs, |features| 2 * features.phases.len());
        let read = |layout: Option<Layout>| -> Result<Vec<Layer>, ImportError> {
            roles.layers.iter().map(|names| self.layer(names, layout)).collect()
        };
        let layers = read(self.params.layout)?;
        match chain(&layers, width, self.inputs) {
            Ok(()) => Ok(layers),
            Err(error) if self.params.layout.is_some() => Err(error),
            // As JAX has them, whatever they are called; or else the first error is what counts.
            Err(error) => {
                let turned = read(Some(Layout::InOut)).ok();
                turned.filter(|layers| chain(layers, width, self.inputs).is_ok()).ok_or(error)
            }
        }
    }

    fn layer(&self, names: &LayerNames, layout: Option<Layout>) -> Result<Layer, ImportError> {
        let name = &names.weight;
        let (shape, values) = self.numbers(name)?;
        let layout = layout.unwrap_or(names.layout());
        // Convolutions over one pixel: the other axes have one element.
        let (matrix, rest): (&[usize], &[usize]) = match (layout, shape.len()) {
            (Layout::OutIn, 2..) => shape.split_at(2),
            (Layout::InOut, len @ 2..) => {
                let (rest, matrix) = shape.split_at(len - 2);
                (matrix, rest)
            }
            _ => (&[], &shape),
        };
        let wanted =
            |wanted: &str| ImportError::Shape { name: name.clone(), shape: shape.clone(), wanted: wanted.to_owned() };
        if matrix.len() != 2 || rest.iter().any(|&len| len != 1) {
            return Err(wanted("a device has layers whose weights are a matrix, and no convolutions"));
        }
        let weights = Array2::from_shape_vec((matrix[0], matrix[1]), values).expect("as many as the shape says");
        let weights = if layout == Layout::InOut { weights.reversed_axes() } else { weights };
        if weights.is_empty() {
            return Err(wanted("it has no weights"));
        }
        // Whether it has as many numbers as rows is for `chain` to say, when it is known which axis counts them.
        let bias = match &names.bias {
            None => Array1::zeros(weights.nrows()),
            Some(name) => Array1::from(self.numbers(name)?.1),
        };
        Ok(Layer { name: name.clone(), weights, bias })
    }

    /// Puts the features of the first layer's columns in the order cosines, sines, and multiplies them by a.
    fn apply_amplitudes(&self, roles: &Roles, features: &Features, first: &mut Layer) -> Result<(), ImportError> {
        if roles.frequencies.is_none() {
            return Ok(());
        }
        let rows = features.phases.len();
        if self.params.gamma == Gamma::SinCos {
            let (sines, cosines) = first.weights.view().split_at(Axis(1), rows);
            first.weights = concatenate![Axis(1), cosines, sines];
        }
        let mut amplitudes = Array1::ones(rows);
        if let Some(name) = &roles.amplitudes {
            let (shape, values) = self.numbers(name)?;
            if values.len() != rows {
                let wanted = format!("{rows} frequencies have as many amplitudes");
                return Err(ImportError::Shape { name: name.clone(), shape, wanted });
            }
            amplitudes = Array1::from(values);
        }
        if self.params.normalize {
            let norm = amplitudes.dot(&amplitudes).sqrt();
            amplitudes /= norm;
        }
        first.weights *= &concatenate![Axis(0), amplitudes, amplitudes];
        Ok(())
    }

    /// The numbers of a tensor, all finite.
    fn numbers(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), ImportError> {
        let (shape, values) = self.tensors.numbers(name)?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ImportError::NotFinite { name: name.to_owned() });
        }
        Ok((shape.to_vec(), values))
    }
}

/// What the network is, as a phrase.
fn describe(
    features: Option<&Features>,
    layers: &[Layer],
    (hidden, output): (HiddenActivation, OutputFunction),
) -> String {
    let frequencies = features.map_or(String::new(), |f| format!("{} frequencies, ", f.phases.len()));
    let widths = layers.iter().map(|layer| layer.weights.ncols().to_string()).collect::<Vec<_>>().join(" → ");
    let outputs = layers.last().map_or(0, |layer| layer.bias.len());
    let hidden = match hidden {
        HiddenActivation::Relu => "ReLU",
        HiddenActivation::Sine => "sine",
    };
    let output = match output {
        OutputFunction::Linear => "linear",
        OutputFunction::Sigmoid => "sigmoid",
        OutputFunction::Tanh => "tanh",
        OutputFunction::Sine => "sine",
    };
    format!("{frequencies}layers {widths} → {outputs}, {hidden}, {output} output")
}

/// The first sine layer as features: of the second one, which then takes cosines too.
fn sine_features(layers: &mut Vec<Layer>) -> Features {
    let Layer { weights, bias, .. } = layers.remove(0);
    let (rows, width) = layers[0].weights.dim();
    let mut both = Array2::zeros((rows, 2 * width));
    both.slice_mut(s![.., width..]).assign(&layers[0].weights);
    layers[0].weights = both;
    Features { frequencies: weights / TAU, phases: bias / TAU }
}

/// Whether every layer takes what comes before it.
fn chain(layers: &[Layer], width: usize, inputs: usize) -> Result<(), ImportError> {
    let first = &layers[0];
    let takes = first.weights.ncols();
    if takes != width {
        let before = if width == inputs {
            format!("the data have {inputs} inputs, and no tensor is called B")
        } else {
            format!("{} frequencies give {width} features", width / 2)
        };
        let remedy = if takes == width + inputs && width != inputs {
            "a network that is given the inputs beside their features cannot be represented"
        } else if width == inputs {
            "name the inputs with --inputs, or the frequencies with --map B=NAME; frequencies that the program does \
             not save, as those of a positional encoding, must be put into the file as B"
        } else {
            "the network is none of Fourier features, or weights are [in, out] (--layout in-out)"
        };
        return Err(ImportError::FirstLayer { name: first.name.clone(), takes, before, remedy: remedy.to_owned() });
    }
    for pair in layers.windows(2) {
        let (gives, takes) = (pair[0].weights.nrows(), pair[1].weights.ncols());
        if gives != takes {
            let remedy = if [gives + width, gives + inputs].contains(&takes) {
                "a skip connection cannot be represented".to_owned()
            } else {
                let order = layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(", ");
                format!("the order {order} may be wrong, which --map layers.0=NAME,… sets right")
            };
            return Err(ImportError::Chain { name: pair[1].name.clone(), takes, gives, remedy });
        }
    }
    let unfit = layers.iter().find(|layer| layer.bias.len() != layer.weights.nrows());
    unfit.map_or(Ok(()), |layer| {
        Err(ImportError::Shape {
            name: layer.name.clone(),
            shape: layer.weights.shape().to_vec(),
            wanted: format!("its bias has {} numbers", layer.bias.len()),
        })
    })
}
