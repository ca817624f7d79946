//! The text of an artifact: lines of `key: value` that say what a device does not need to know.
//!
//! Every text begins with the names of the inputs and outputs. The text of a network that was fitted to data goes on
//! with the ranges, units and origins of the data; settings of the training follow. Values are JSON, and keys keep the
//! order in which they were added.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::metrics::{HeldOut, short};
use crate::data::{DataKind, Dataset, LoadOptions, Origins, has_columns};

pub(super) const INPUTS: &str = "inputs";
pub(super) const OUTPUTS: &str = "outputs";
pub(super) const OUTPUT_RANGES: &str = "output_ranges";
pub(super) const CHANNELS_LAST: &str = "channels_last";
pub(super) const INPUT_UNITS: &str = "input_units";
pub(super) const OUTPUT_UNITS: &str = "output_units";
pub(super) const INPUT_ORIGINS: &str = "input_origins";
pub(super) const OUTPUT_ORIGINS: &str = "output_origins";
pub(super) const HELD_OUT: &str = "held_out";
const NO_DATA: &str = "no_data";

/// The text of an artifact, to which lines are added one after the other.
///
/// ```
/// use trainer::artifact::card_text::CardText;
/// let text = CardText::new(&["x", "y"], &["height"]).json("encoding", "gaussian").number("scale", 10.0);
/// assert_eq!(text.as_str(), "inputs: [\"x\",\"y\"]\noutputs: [\"height\"]\nencoding: \"gaussian\"\nscale: 10\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardText(String);

impl CardText {
    /// A text that names what goes in and what comes out, in order.
    pub fn new<I: Serialize, O: Serialize>(inputs: &[I], outputs: &[O]) -> Self {
        Self(String::new()).json(INPUTS, inputs).json(OUTPUTS, outputs)
    }

    /// A text that describes the data: names of what goes in and comes out; units where the file gives them; and
    /// origins where they are not 0, with which `x = file value - origin` goes in and `file value = origin + y` comes
    /// out.
    #[must_use]
    pub fn of_data(dataset: &Dataset) -> Self {
        let maps = dataset.output_maps.iter();
        let ranges: Vec<[f32; 2]> = maps.map(|map| [map.offset, map.offset + map.scale]).collect();
        let channels_last = matches!(dataset.kind, DataKind::Grid { channels_last: true, .. });
        let mut text = Self::new(&dataset.input_names, &dataset.output_names)
            .json(OUTPUT_RANGES, &ranges)
            .json(CHANNELS_LAST, &channels_last);
        for (key, units) in [(INPUT_UNITS, &dataset.input_units), (OUTPUT_UNITS, &dataset.output_units)] {
            if units.iter().any(|unit| !unit.is_empty()) {
                text = text.json(key, units);
            }
        }
        for (key, origins) in [(INPUT_ORIGINS, &dataset.input_origins), (OUTPUT_ORIGINS, &dataset.output_origins)] {
            if origins.iter().any(|&origin| origin != 0.0) {
                text = text.json(key, origins);
            }
        }
        text
    }

    /// A text that was written before.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// Adds a line whose value is JSON.
    ///
    /// # Panics
    /// If the value cannot be JSON, as a map whose keys are no strings.
    #[must_use]
    pub fn json<V: Serialize + ?Sized>(self, key: &str, value: &V) -> Self {
        let value = serde_json::to_string(value).expect("plain values");
        self.line(key, &value)
    }

    /// Adds a line with a number in the shortest digits that are read back as the same number: 10, not 10.0 as JSON has
    /// it.
    #[must_use]
    pub fn number(self, key: &str, value: f64) -> Self {
        self.line(key, &value.to_string())
    }

    /// Adds the line that keeps which values stood for missing data in training, so that the same are left out of what
    /// the model is compared with; nothing if none did.
    #[must_use]
    pub fn no_data(self, no_data: &[f64]) -> Self {
        let texts: Vec<String> = no_data.iter().map(f64::to_string).collect();
        if texts.is_empty() { self } else { self.json(NO_DATA, &texts) }
    }

    /// Adds the line that says how good the model is at samples that its training did not see.
    #[must_use]
    pub fn held_out(self, held_out: &HeldOut) -> Self {
        let hundredths = |value: f64| (value * 100.0).round() / 100.0;
        let error = |value: f64| short(value).parse::<f64>().unwrap_or(value);
        let outputs = held_out.model.outputs.iter().map(|output| {
            serde_json::json!({
                "psnr_db": hundredths(output.psnr_db),
                "rmse": error(output.rmse),
                "largest_error": error(output.max_abs_error),
            })
        });
        let outputs: Vec<_> = outputs.collect();
        let HeldOut { how, precision, .. } = held_out;
        self.json(HELD_OUT, &serde_json::json!({ "how": how, "precision": precision, "outputs": outputs }))
    }

    /// The text with a line break after each line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn line(mut self, key: &str, value: &str) -> Self {
        self.0 += &format!("{key}: {value}\n");
        self
    }
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

/// From where the inputs and outputs of the model with this text are counted.
#[must_use]
pub fn origins(text: &str) -> Origins {
    Origins { inputs: list(text, INPUT_ORIGINS), outputs: list(text, OUTPUT_ORIGINS) }
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
            options.inputs = names(text, INPUTS);
        }
        if options.outputs.is_empty() {
            options.outputs = names(text, OUTPUTS);
        }
    } else if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy") || end.eq_ignore_ascii_case("npz")) {
        options.channels_last |= text_value(text, CHANNELS_LAST) == Some("true");
        // Whether an array of height x width x 3 is a volume shows in the number of inputs.
        options.volume |= !options.channels_last && names(text, INPUTS).len() == 3;
    }
    options
}

pub(super) fn list<T: DeserializeOwned>(text: &str, key: &str) -> Vec<T> {
    text_value(text, key).and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
}

pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::data::OutputMap;

    #[test]
    fn numbers_have_the_shortest_digits_that_are_read_back() {
        let mut data = Dataset::from_grid(&[3], Array2::zeros((3, 1)));
        data.output_maps = vec![OutputMap { scale: 0.1, offset: -2.973131 }];
        data.output_origins = vec![4_649_770.5];
        let text = CardText::of_data(&data).no_data(&[-9999.0]).number("scale", 1e-7);
        // 0.1 and -2.973131 in f32 have 17 other digits in f64; their sum in f32 is -2.873131.
        let expected = "inputs: [\"x\"]\noutputs: [\"output 0\"]\noutput_ranges: [[-2.973131,-2.873131]]\nchannels_last: false\n\
                        output_origins: [4649770.5]\nno_data: [\"-9999\"]\nscale: 0.0000001\n";
        assert_eq!(text.as_str(), expected);
        assert_eq!(list::<[f32; 2]>(text.as_str(), OUTPUT_RANGES), [[-2.973131, -2.873131]]);
    }
}
