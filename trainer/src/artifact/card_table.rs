//! The model card for people: a table of two columns.

use std::fmt;

use firmware_core::Outside;

use super::card_text::HELD_OUT;
use super::model_card::{GridCard, InputCard, ModelCard, OutputCard, nodes_text, outside_name};
use crate::data::sentinel::plain;

/// A unit with the space that sets it off from a number before it.
fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// A line of a card.
fn row(f: &mut fmt::Formatter<'_>, key: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "{key:<24}{value}")
}

impl fmt::Display for ModelCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "precision", &self.precision)?;
        self.write_axes(f)?;
        self.write_network(f)?;
        self.write_sizes(f)?;
        self.write_settings(f)
    }
}

impl ModelCard {
    /// Inputs, outputs, and what happens outside the domain.
    fn write_axes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for input in &self.inputs {
            let InputCard { name, minimum, maximum, period, outside, code_bits, origin, unit } = input;
            let unit = spaced(unit);
            let repeats = outside.unwrap_or(self.outside) == outside_name(Outside::Periodic);
            let outside = outside.map_or(String::new(), |outside| format!(", {outside}"));
            let codes = code_bits.map_or(String::new(), |bits| format!(", integer codes of {bits} bits"));
            let period = if repeats { format!(", period {period}") } else { String::new() };
            row(f, "input", &format_args!("{name}: {minimum} to {maximum}{unit}{period}{codes}{outside}"))?;
            if *origin != 0.0 {
                row(f, "", &format_args!("x = {name} in the file - {} (give x to the model)", plain(*origin)))?;
            }
        }
        for output in &self.outputs {
            let OutputCard { name, origin, .. } = output;
            let range = output
                .range
                .map_or(String::new(), |[low, high]| format!(": {low} to {high}{} in training", spaced(&output.unit)));
            row(f, "output", &format_args!("{name}{range}"))?;
            if *origin != 0.0 {
                row(f, "", &format_args!("{name} in the file = {} + y (the model answers y)", plain(*origin)))?;
            }
        }
        let others = if self.inputs.iter().any(|input| input.outside.is_some()) {
            ", but for the inputs above that say otherwise"
        } else {
            ""
        };
        row(f, "outside the domain", &format_args!("{}{others}", self.outside))
    }

    /// Grids or features, and the layers.
    fn write_network(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (features, frequencies, passthrough) = (self.features, self.frequencies, self.passthrough);
        if let Some(GridCard { used_as, levels, channels, order, bits, coefficients }) = &self.grid {
            let levels = levels.iter().map(|nodes| nodes_text(nodes)).collect::<Vec<_>>().join(", ");
            let splines = if *order == 1 { "linear" } else { "quadratic" };
            let values =
                format!("{levels} nodes with {channels} values each, {splines}; their values are the {used_as}");
            row(f, "grids", &values)?;
            row(f, "coefficients", &format_args!("{coefficients} of {bits} bits"))?;
            row(f, "features", &features)?;
        } else {
            let parts = format!("{features} ({frequencies} frequencies, {passthrough} passed through)");
            row(f, "features", &parts)?;
        }
        let widths: Vec<_> = self.hidden.iter().map(usize::to_string).collect();
        let activation = if widths.is_empty() { String::new() } else { format!(" ({})", self.hidden_activation) };
        row(f, "hidden layers", &format_args!("{}{activation}", widths.join(", ")))?;
        row(f, "output activation", &self.output_activation)
    }

    /// What it takes, and how good it is.
    fn write_sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let db = |value: Option<f32>, of: &str| value.map_or("unknown".to_owned(), |db| format!("{db:.2} dB ({of})"));
        row(f, "parameters", &self.parameters)?;
        row(f, "multiply-adds", &format_args!("{} per sample", self.macs))?;
        row(f, "flash", &format_args!("{} bytes", self.model_bytes))?;
        for section in &self.sections {
            row(f, "", &format_args!("{:>8}  {}", section.bytes, section.name))?;
        }
        row(f, "RAM (scratch)", &format_args!("{} bytes", self.scratch_bytes))?;
        row(f, "training PSNR", &db(self.training_psnr_db, "in f32, over the samples that it was trained on"))?;
        let loss = format!("{} against f32, over some of these samples", self.precision);
        row(f, "quantization loss", &db(self.quantization_loss_db, &loss))?;
        row(f, "CRC-32", &self.crc32)
    }

    /// What the text of the model says beside that.
    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.settings {
            match value {
                serde_json::Value::Object(held_out) if key == HELD_OUT => {
                    let text = |key: &str| held_out.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
                    row(f, "held out", &format_args!("{}; {}", text("how"), text("precision")))?;
                    let outputs = held_out.get("outputs").and_then(serde_json::Value::as_array);
                    for (of, output) in outputs.into_iter().flatten().zip(&self.outputs) {
                        let [psnr, rmse, largest] = ["psnr_db", "rmse", "largest_error"].map(|key| &of[key]);
                        let name = &output.name;
                        row(f, "", &format_args!("{name}: PSNR {psnr} dB, RMSE {rmse}, largest error {largest}"))?;
                    }
                }
                serde_json::Value::String(text) => row(f, key, text)?,
                value => row(f, key, value)?,
            }
        }
        Ok(())
    }
}
