//! The model card: everything that a person or a script may ask about a model, in JSON or as a table of two columns.
//!
//! Most of it stands in the artifact's header; the names and ranges of the data and the settings of the training stand
//! in its [text](super::card_text). The table is what `Display` writes.

use firmware_core::artifact::{GridShape, GridUse, HiddenActivation};
use firmware_core::layout::layer_words;
use firmware_core::{Grids, Model, OutputActivation, Outside};
use serde::Serialize;

use super::card_text::{
    CHANNELS_LAST, INPUT_ORIGINS, INPUT_UNITS, INPUTS, OUTPUT_ORIGINS, OUTPUT_RANGES, OUTPUT_UNITS, OUTPUTS, lines,
    list, names, origins,
};
use super::precision::NamedPrecision;
use crate::network::grid::Nodes;

/// What the text says of the data, which the card has in places of their own.
const OF_DATA: [&str; 8] =
    [INPUTS, OUTPUTS, OUTPUT_RANGES, CHANNELS_LAST, INPUT_UNITS, OUTPUT_UNITS, INPUT_ORIGINS, OUTPUT_ORIGINS];

/// What the card says of one input of a model.
#[derive(Clone, Debug, Serialize)]
pub struct InputCard {
    /// The name of the input in the data.
    pub name: String,
    /// The smallest trained position, user units.
    pub minimum: f32,
    /// The largest trained position, user units.
    pub maximum: f32,
    /// The length of the unit domain, user units.
    pub period: f32,
    /// `periodic` where the model is so along this axis and not along every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<&'static str>,
    /// Bits of a code, where the input consists of integer codes, which a device takes as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_bits: Option<u8>,
    /// What is to be subtracted from a value of the file: `x = file value - origin`; the limits above are of `x`.
    #[serde(skip_serializing_if = "is_zero")]
    pub origin: f64,
    /// The unit in the data, empty if they name none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// What the card says of one output of a model.
#[derive(Clone, Debug, Serialize)]
pub struct OutputCard {
    /// The name of the output in the data.
    pub name: String,
    /// The range of the training data, user units, if the text has it.
    pub range: Option<[f32; 2]>,
    /// What is to be added to what the model answers: `file value = origin + y`; the range above is of `y`.
    #[serde(skip_serializing_if = "is_zero")]
    pub origin: f64,
    /// The unit in the data, empty if they name none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Bytes of a part of the file.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// What the section holds, such as `layer 1 (64 x 128)`.
    pub name: String,
    /// Length of the section.
    pub bytes: usize,
}

/// What the card says of the grids of a model.
#[derive(Clone, Debug, Serialize)]
pub struct GridCard {
    /// `features` of a network, or `outputs`: the model is a table.
    pub used_as: &'static str,
    /// Nodes along each axis of each level, in the order of the features.
    pub levels: Vec<Vec<u32>>,
    /// Values at a node.
    pub channels: u8,
    /// Order of the splines between the nodes: 1 or 2.
    pub order: u8,
    /// Bits of a coefficient.
    pub bits: u8,
    /// Number of coefficients of all levels.
    pub coefficients: usize,
}

impl GridCard {
    fn of(grids: &Grids<'_>) -> Self {
        let shape = grids.shape();
        Self {
            used_as: if is_table(shape) { "outputs" } else { "features" },
            levels: grids.levels().map(|level| level.nodes().collect()).collect(),
            channels: shape.channels,
            order: shape.order,
            bits: shape.bits,
            coefficients: grids.levels().map(|level| level.coefficients().count()).sum(),
        }
    }
}

fn is_table(shape: GridShape) -> bool {
    shape.used_as == GridUse::Outputs
}

/// Nodes of a level as `--levels` takes them.
pub(super) fn nodes_text(nodes: &[u32]) -> String {
    Nodes(nodes.to_vec()).to_string()
}

/// Everything that a person or a script may ask about a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// `f32`, `w8a16` or `w16a16`.
    pub precision: &'static str,
    /// The inputs in the order in which a point lists its coordinates.
    pub inputs: Vec<InputCard>,
    /// The outputs in the order in which the model gives them.
    pub outputs: Vec<OutputCard>,
    /// What happens to points beyond the trained domain: `clamp`, `periodic` or `reject`; an input may say otherwise.
    pub outside: &'static str,
    /// Rows of the frequency matrix.
    pub frequencies: usize,
    /// Inputs that reach the network as they are.
    pub passthrough: usize,
    /// The grids that the model has in place of frequencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridCard>,
    /// Width of the feature vector; of a table the number of outputs.
    pub features: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer: `relu` or `sine`.
    pub hidden_activation: &'static str,
    /// What follows the last layer: `linear` or `sigmoid`.
    pub output_activation: &'static str,
    /// Number of weights, biases and coefficients of grids.
    pub parameters: usize,
    /// Multiply-adds of one evaluation, the encoding not counted.
    pub macs: usize,
    /// Flash for the model: the length of the file.
    pub model_bytes: usize,
    /// The parts of the file; they add up to `model_bytes`.
    pub sections: Vec<Section>,
    /// RAM that one evaluation needs from its caller.
    pub scratch_bytes: usize,
    /// PSNR in f32 on the training data; `null` if unknown or infinite.
    pub training_psnr_db: Option<f32>,
    /// PSNR in f32 less that of this model, dB, on training samples that the calibration of the quantization did not
    /// see; `null` if unknown.
    pub quantization_loss_db: Option<f32>,
    /// The checksum, as in zip, in hexadecimal.
    pub crc32: String,
    /// All other lines of the artifact's text: settings of the training, and the quality at held-out samples.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl ModelCard {
    /// The card of a model whose file has `model_bytes` bytes.
    #[must_use]
    pub fn new(model: &Model<'_>, model_bytes: usize) -> Self {
        let header = model.header();
        let grids = model.grids();
        let features = grids.map_or_else(|| model.encoding().features_len(), |grids| grids.features_len());
        let grid = grids.as_ref().map(GridCard::of);
        let layers = layers(model, features);
        let stored: usize = layers.iter().map(|&(inputs, rows)| (inputs + 1) * rows).sum();
        let known = |db: f32| db.is_finite().then_some(db);
        Self {
            precision: NamedPrecision(header.precision).name(),
            inputs: inputs(model),
            outputs: outputs(model),
            outside: outside_name(header.outside),
            frequencies: usize::from(header.frequencies),
            passthrough: usize::from(header.passthrough),
            features,
            hidden_activation: match header.hidden_activation {
                HiddenActivation::Relu => "relu",
                HiddenActivation::Sine => "sine",
            },
            output_activation: match header.activation {
                OutputActivation::Linear => "linear",
                OutputActivation::Sigmoid => "sigmoid",
            },
            parameters: stored + grid.as_ref().map_or(0, |grid| grid.coefficients),
            macs: model.macs(),
            model_bytes,
            sections: sections(model, &layers, model_bytes),
            hidden: header.hidden.iter().map(|&width| usize::from(width)).collect(),
            grid,
            scratch_bytes: 4 * model.scratch_words(),
            training_psnr_db: known(header.training_psnr_db),
            quantization_loss_db: known(header.quantization_loss_db),
            crc32: format!("{:08x}", model.checksum()),
            settings: settings(model.text()),
        }
    }
}

/// The text of one of several in a list of the model's text, such as the name of an input.
fn one_of(text: &str, key: &str, k: usize) -> Option<String> {
    names(text, key).into_iter().nth(k)
}

fn inputs(model: &Model<'_>) -> Vec<InputCard> {
    let (header, text) = (model.header(), model.text());
    let origins = origins(text);
    let input = |(k, axis): (usize, firmware_core::Axis)| InputCard {
        name: one_of(text, INPUTS, k).unwrap_or_else(|| format!("input {k}")),
        minimum: axis.minimum,
        maximum: axis.maximum,
        period: period(&axis),
        outside: (header.outside_along(k) != header.outside).then(|| outside_name(header.outside_along(k))),
        code_bits: header.code_bits.get(k).copied().filter(|&bits| bits > 0),
        origin: origins.input(k),
        unit: one_of(text, INPUT_UNITS, k).unwrap_or_default(),
    };
    model.axes().enumerate().map(input).collect()
}

fn outputs(model: &Model<'_>) -> Vec<OutputCard> {
    let text = model.text();
    let (origins, ranges): (_, Vec<[f32; 2]>) = (origins(text), list(text, OUTPUT_RANGES));
    let output = |k: usize| OutputCard {
        name: one_of(text, OUTPUTS, k).unwrap_or_else(|| format!("output {k}")),
        range: ranges.get(k).copied(),
        origin: origins.output(k),
        unit: one_of(text, OUTPUT_UNITS, k).unwrap_or_default(),
    };
    (0..model.outputs()).map(output).collect()
}

/// What the text says that is not of the data: JSON, or else text.
fn settings(text: &str) -> serde_json::Map<String, serde_json::Value> {
    let others = lines(text).filter(|(key, _)| !OF_DATA.contains(key));
    others.map(|(key, value)| (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()))).collect()
}

/// The period of an axis: of the numbers that become the same scale, the one that is shortest to write.
fn period(axis: &firmware_core::Axis) -> f32 {
    let nearest = axis.period();
    let candidates = [nearest, nearest.next_up(), nearest.next_down()].into_iter();
    let shortest = candidates.filter(|period| 1.0 / period == axis.scale).min_by_key(|period| period.to_string().len());
    shortest.unwrap_or(nearest)
}

pub(super) fn outside_name(outside: Outside) -> &'static str {
    match outside {
        Outside::Clamp => "clamp",
        Outside::Periodic => "periodic",
        Outside::Reject => "reject",
    }
}

/// Inputs and rows of each layer, first to last; a table has none.
fn layers(model: &Model<'_>, features: usize) -> Vec<(usize, usize)> {
    let header = model.header();
    if header.grid.is_some_and(is_table) {
        return Vec::new();
    }
    let rows = header.hidden.iter().map(|&width| usize::from(width)).chain([model.outputs()]);
    rows.scan(features, |inputs, rows| Some((std::mem::replace(inputs, rows), rows))).collect()
}

fn sections(model: &Model<'_>, layers: &[(usize, usize)], model_bytes: usize) -> Vec<Section> {
    let header = model.header();
    let words = |words: usize| 4 * words;
    let mut sections =
        vec![Section { name: "domain and output maps".into(), bytes: words(3 * model.inputs() + 2 * model.outputs()) }];
    if let Some(grids) = model.grids() {
        for (k, level) in grids.levels().enumerate() {
            let nodes: Vec<u32> = level.nodes().collect();
            let coefficients = grids.shape().coefficient_words(nodes.iter().copied()).unwrap_or_default();
            let (number, channels) = (k + 1, grids.shape().channels);
            let name = format!("grid {number} ({} nodes, {channels} a node)", nodes_text(&nodes));
            sections.push(Section { name, bytes: words(2 * nodes.len() + coefficients) });
        }
    } else {
        let bytes = words(usize::from(header.frequencies) * model.inputs());
        sections.push(Section { name: "frequencies".into(), bytes });
    }
    for (k, &(inputs, rows)) in layers.iter().enumerate() {
        let bytes = words(layer_words(header.precision, inputs, rows));
        sections.push(Section { name: format!("layer {} ({rows} x {inputs})", k + 1), bytes });
    }
    sections.push(Section { name: "text".into(), bytes: model.text().len().next_multiple_of(4) });
    let rest = model_bytes - sections.iter().map(|section| section.bytes).sum::<usize>();
    sections.insert(0, Section { name: "header".into(), bytes: rest });
    sections
}
