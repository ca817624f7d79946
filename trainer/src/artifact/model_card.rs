//! What a model file says about itself.
//!
//! The artifact's header holds what the device needs. Its text, lines of `key: value`, holds the rest: the names and
//! ranges of the data, which [`data_text`] writes, and whatever settings the trainer adds.

use std::fmt;
use std::path::Path;

use firmware_core::kernels::layer_words;
use firmware_core::{Model, OutputActivation, Outside, Precision};
use serde::Serialize;

use crate::data::metrics::HeldOut;
use crate::data::metrics::short;
use crate::data::sentinel::plain;
use crate::data::{DataKind, Dataset, LoadOptions, Origins, has_columns};

const INPUT_UNITS: &str = "input_units";
const OUTPUT_UNITS: &str = "output_units";
const INPUT_ORIGINS: &str = "input_origins";
const OUTPUT_ORIGINS: &str = "output_origins";
const NO_DATA: &str = "no_data";

/// The text lines that describe the data: names of what goes in and comes out; units where the file gives them; and origins where they
/// are not 0, with which `x = file value - origin` goes in and `file value = origin + y` comes out. Values are JSON.
#[must_use]
pub fn data_text(dataset: &Dataset) -> String {
    let maps = dataset.output_maps.iter();
    let ranges: Vec<[f32; 2]> = maps.map(|map| [map.offset, map.offset + map.scale]).collect();
    let json = |value: serde_json::Value| value.to_string();
    let channels_last = matches!(dataset.kind, DataKind::Grid { channels_last: true, .. });
    let mut text = format!(
        "inputs: {}\noutputs: {}\noutput_ranges: {}\nchannels_last: {channels_last}\n",
        json(dataset.input_names.clone().into()),
        json(dataset.output_names.clone().into()),
        json(serde_json::json!(ranges)),
    );
    for (key, units) in [(INPUT_UNITS, &dataset.input_units), (OUTPUT_UNITS, &dataset.output_units)] {
        if units.iter().any(|unit| !unit.is_empty()) {
            text += &format!("{key}: {}\n", json(units.clone().into()));
        }
    }
    for (key, origins) in [(INPUT_ORIGINS, &dataset.input_origins), (OUTPUT_ORIGINS, &dataset.output_origins)] {
        if origins.iter().any(|&origin| origin != 0.0) {
            text += &format!("{key}: {}\n", json(origins.clone().into()));
        }
    }
    text
}

/// The text line that keeps which values stood for missing data in training, so that the same are left out of what the model is
/// compared with; nothing if none did.
#[must_use]
pub fn no_data_text(no_data: &[f64]) -> String {
    let texts: Vec<String> = no_data.iter().map(f64::to_string).collect();
    if texts.is_empty() { String::new() } else { format!("{NO_DATA}: {}\n", serde_json::Value::from(texts)) }
}

/// From where the inputs and outputs of the model with this text are counted.
#[must_use]
pub fn origins(text: &str) -> Origins {
    Origins { inputs: list(text, INPUT_ORIGINS), outputs: list(text, OUTPUT_ORIGINS) }
}

/// The text line that says how good the model is at samples that its training did not see; nothing where that was not measured.
#[must_use]
pub fn held_out_text(held_out: Option<&HeldOut>) -> String {
    let Some(HeldOut { how, precision, model, .. }) = held_out else { return String::new() };
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    let outputs: Vec<_> = model
        .outputs
        .iter()
        .map(|output| {
            let error = |value: f64| short(value).parse::<f64>().unwrap_or(value);
            serde_json::json!({
                "psnr_db": hundredths(output.psnr_db), "rmse": error(output.rmse), "largest_error": error(output.max_abs_error)
            })
        })
        .collect();
    format!("held_out: {}\n", serde_json::json!({ "how": how, "precision": precision, "outputs": outputs }))
}

/// The value of a key in a model's text.
#[must_use]
pub fn text_value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    lines(text).find_map(|(found, value)| (found == key).then_some(value))
}

/// The names of the columns that a model was trained on, `inputs` or `outputs`; empty if its text has none.
#[must_use]
pub fn names(text: &str, key: &str) -> Vec<String> {
    list(text, key)
}

fn list<T: serde::de::DeserializeOwned>(text: &str, key: &str) -> Vec<T> {
    text_value(text, key).and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
}

/// How to read the data at `path` as the model with this text was trained, where `given` leaves it open.
#[must_use]
pub fn load_options(text: &str, path: &Path, given: LoadOptions) -> LoadOptions {
    let mut options = given;
    options.origins = Some(origins(text));
    if options.no_data.is_empty() {
        options.no_data = names(text, NO_DATA).iter().filter_map(|value| value.parse().ok()).collect();
    }
    if options.targets.is_some() {
        return options;
    }
    if has_columns(path) {
        if options.inputs.is_empty() {
            options.inputs = names(text, "inputs");
        }
        if options.outputs.is_empty() {
            options.outputs = names(text, "outputs");
        }
    } else if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy") || end.eq_ignore_ascii_case("npz")) {
        options.channels_last |= text_value(text, "channels_last") == Some("true");
        // Whether an array of height x width x 3 is a volume shows in the number of inputs.
        options.volume |= !options.channels_last && names(text, "inputs").len() == 3;
    }
    options
}

fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim()))
}

/// One input of a model.
#[derive(Clone, Debug, Serialize)]
pub struct InputCard {
    /// As in the data.
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
    /// What is to be subtracted from a value of the file: `x = file value - origin`; the limits above are of `x`.
    #[serde(skip_serializing_if = "is_zero")]
    pub origin: f64,
    /// As in the data, if they name it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// One output of a model.
#[derive(Clone, Debug, Serialize)]
pub struct OutputCard {
    /// As in the data.
    pub name: String,
    /// The range of the training data, user units, if the text has it.
    pub range: Option<[f32; 2]>,
    /// What is to be added to what the model answers: `file value = origin + y`; the range above is of `y`.
    #[serde(skip_serializing_if = "is_zero")]
    pub origin: f64,
    /// As in the data, if they name it.
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
    /// What it holds.
    pub name: String,
    /// Its length.
    pub bytes: usize,
}

/// Everything that a person or a script may ask about a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// `f32`, `w8a16` or `w16a16`.
    pub precision: &'static str,
    /// The inputs, in order.
    pub inputs: Vec<InputCard>,
    /// The outputs, in order.
    pub outputs: Vec<OutputCard>,
    /// What happens to points beyond the trained domain: `clamp`, `periodic` or `reject`; an input may say otherwise.
    pub outside: &'static str,
    /// Rows of the frequency matrix.
    pub frequencies: usize,
    /// Inputs that reach the network as they are.
    pub passthrough: usize,
    /// Width of the feature vector.
    pub features: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// `linear` or `sigmoid`.
    pub output_activation: &'static str,
    /// Weights and biases.
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
    /// What this precision loses against f32 on the training data; `null` if unknown.
    pub quantization_loss_db: Option<f32>,
    /// The checksum, as in zip, in hexadecimal.
    pub crc32: String,
    /// The trainer's settings.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl ModelCard {
    /// The card of a model whose file has `model_bytes` bytes.
    #[must_use]
    pub fn new(model: &Model<'_>, model_bytes: usize) -> Self {
        let (header, text) = (model.header(), model.text());
        let numbered =
            |names: Vec<String>, k: usize, kind: &str| names.get(k).cloned().unwrap_or_else(|| format!("{kind} {k}"));
        let origins = origins(text);
        let unit = |key: &str, k: usize| names(text, key).get(k).cloned().unwrap_or_default();
        let input = |(k, axis): (usize, firmware_core::Axis)| InputCard {
            name: numbered(names(text, "inputs"), k, "input"),
            minimum: axis.minimum,
            maximum: axis.maximum,
            period: period(&axis),
            outside: (header.outside_along(k) != header.outside).then(|| outside_name(header.outside_along(k))),
            origin: origins.input(k),
            unit: unit(INPUT_UNITS, k),
        };
        let ranges: Vec<[f32; 2]> =
            text_value(text, "output_ranges").and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default();
        let output = |k: usize| OutputCard {
            name: numbered(names(text, "outputs"), k, "output"),
            range: ranges.get(k).copied(),
            origin: origins.output(k),
            unit: unit(OUTPUT_UNITS, k),
        };
        let of_data = [
            "inputs",
            "outputs",
            "output_ranges",
            "channels_last",
            INPUT_UNITS,
            OUTPUT_UNITS,
            INPUT_ORIGINS,
            OUTPUT_ORIGINS,
        ];
        let settings = lines(text)
            .filter(|(key, _)| !of_data.contains(key))
            .map(|(key, value)| (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
            .collect();

        let hidden: Vec<usize> = header.hidden.iter().map(|&width| usize::from(width)).collect();
        let features = model.encoding().features_len();
        let known = |db: f32| db.is_finite().then_some(db);
        Self {
            precision: precision_name(header.precision),
            inputs: model.axes().enumerate().map(input).collect(),
            outputs: (0..model.outputs()).map(output).collect(),
            outside: outside_name(header.outside),
            frequencies: usize::from(header.frequencies),
            passthrough: usize::from(header.passthrough),
            features,
            output_activation: match header.activation {
                OutputActivation::Linear => "linear",
                OutputActivation::Sigmoid => "sigmoid",
            },
            parameters: model.macs() + hidden.iter().sum::<usize>() + model.outputs(),
            macs: model.macs(),
            model_bytes,
            sections: sections(model, &hidden, features, model_bytes),
            hidden,
            scratch_bytes: 4 * model.scratch_words(),
            training_psnr_db: known(header.training_psnr_db),
            quantization_loss_db: known(header.quantization_loss_db),
            crc32: format!("{:08x}", model.checksum()),
            settings,
        }
    }
}

/// The name of a precision on the command line and in every report.
#[must_use]
pub fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::W8A16 => "w8a16",
        Precision::W16A16 => "w16a16",
    }
}

/// The period of an axis: of the numbers that become the same scale, the one that is shortest to write.
fn period(axis: &firmware_core::Axis) -> f32 {
    let nearest = axis.period();
    let candidates = [nearest, nearest.next_up(), nearest.next_down()].into_iter();
    let shortest = candidates.filter(|period| 1.0 / period == axis.scale).min_by_key(|period| period.to_string().len());
    shortest.unwrap_or(nearest)
}

fn outside_name(outside: Outside) -> &'static str {
    match outside {
        Outside::Clamp => "clamp",
        Outside::Periodic => "periodic",
        Outside::Reject => "reject",
    }
}

fn sections(model: &Model<'_>, hidden: &[usize], features: usize, model_bytes: usize) -> Vec<Section> {
    let header = model.header();
    let mut sections = vec![
        Section { name: "domain and output maps".into(), bytes: 4 * (3 * model.inputs() + 2 * model.outputs()) },
        Section { name: "frequencies".into(), bytes: 4 * usize::from(header.frequencies) * model.inputs() },
    ];
    let mut width = features;
    for (layer, &rows) in hidden.iter().chain([&model.outputs()]).enumerate() {
        let bytes = 4 * layer_words(header.precision, width, rows);
        sections.push(Section { name: format!("layer {} ({rows} x {width})", layer + 1), bytes });
        width = rows;
    }
    sections.push(Section { name: "text".into(), bytes: model.text().len().next_multiple_of(4) });
    let rest = model_bytes - sections.iter().map(|section| section.bytes).sum::<usize>();
    sections.insert(0, Section { name: "header".into(), bytes: rest });
    sections
}

/// A unit after a number.
fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

impl fmt::Display for ModelCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |key: &str, value: &dyn fmt::Display| writeln!(f, "{key:<24}{value}");
        let db = |value: Option<f32>| value.map_or("unknown".to_owned(), |db| format!("{db:.2} dB"));
        row("precision", &self.precision)?;
        for input in &self.inputs {
            let InputCard { name, minimum, maximum, period, outside, origin, unit } = input;
            let unit = spaced(unit);
            let outside = outside.map_or(String::new(), |outside| format!(", {outside}"));
            row("input", &format_args!("{name}: {minimum} to {maximum}{unit}, period {period}{outside}"))?;
            if *origin != 0.0 {
                row("", &format_args!("x = {name} in the file - {} (give x to the model)", plain(*origin)))?;
            }
        }
        for output in &self.outputs {
            let range = output
                .range
                .map_or(String::new(), |[low, high]| format!(": {low} to {high}{} in training", spaced(&output.unit)));
            row("output", &format_args!("{}{range}", output.name))?;
            if output.origin != 0.0 {
                row(
                    "",
                    &format_args!("{} in the file = {} + y (the model answers y)", output.name, plain(output.origin)),
                )?;
            }
        }
        let others = if self.inputs.iter().any(|input| input.outside.is_some()) {
            ", but for the inputs above that say otherwise"
        } else {
            ""
        };
        row("outside the domain", &format_args!("{}{others}", self.outside))?;
        let (features, frequencies, passthrough) = (self.features, self.frequencies, self.passthrough);
        row("features", &format_args!("{features} ({frequencies} frequencies, {passthrough} passed through)"))?;
        let widths: Vec<_> = self.hidden.iter().map(usize::to_string).collect();
        row("hidden layers", &widths.join(", "))?;
        row("output activation", &self.output_activation)?;
        row("parameters", &self.parameters)?;
        row("multiply-adds", &format_args!("{} per sample", self.macs))?;
        row("flash", &format_args!("{} bytes", self.model_bytes))?;
        for section in &self.sections {
            row("", &format_args!("{:>8}  {}", section.bytes, section.name))?;
        }
        row("RAM (scratch)", &format_args!("{} bytes", self.scratch_bytes))?;
        row("training PSNR", &db(self.training_psnr_db))?;
        row("quantization loss", &db(self.quantization_loss_db))?;
        row("CRC-32", &self.crc32)?;
        for (key, value) in &self.settings {
            match value {
                serde_json::Value::Object(held_out) if key == "held_out" => {
                    let text = |key: &str| held_out.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
                    row("held out", &format_args!("{}; {}", text("how"), text("precision")))?;
                    let outputs = held_out.get("outputs").and_then(serde_json::Value::as_array);
                    for (of, output) in outputs.into_iter().flatten().zip(&self.outputs) {
                        let [psnr, rmse, largest] = ["psnr_db", "rmse", "largest_error"].map(|key| &of[key]);
                        let name = &output.name;
                        row("", &format_args!("{name}: PSNR {psnr} dB, RMSE {rmse}, largest error {largest}"))?;
                    }
                }
                serde_json::Value::String(text) => row(key, text)?,
                value => row(key, value)?,
            }
        }
        Ok(())
    }
}
