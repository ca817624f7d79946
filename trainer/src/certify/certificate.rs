//! The file that says what is proven, and how anyone proves it again.

use firmware_core::Model;
use serde::{Deserialize, Serialize};

use super::Certification;
use super::enumerate::{Enumerated, Extreme};
use super::search::{Found, Goal, Quantity, Search};
use crate::artifact::card_text;
use crate::data::Dataset;

/// How a proof is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CertifySettings {
    /// Seconds that a search takes at most.
    pub seconds: f64,
    /// A search ends where what is proven is within this ratio of what was found.
    pub ratio: f64,
    /// The largest distance to the data that is to be proven, user units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_error: Option<f64>,
    /// The range that no output is to leave, user units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within: Option<[f64; 2]>,
    /// The input along which every output is to rise or fall throughout, by its name or its number from 1; a
    /// certificate has the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub monotone: Option<String>,
}

/// The data that a proof compares with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfData {
    /// The number of samples.
    pub samples: usize,
    /// A checksum of positions and values, in hexadecimal.
    pub fingerprint: String,
}

/// By what a proof was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every answer that the device can give, so many of them: the bounds are exact.
    Enumeration {
        /// The number of points.
        points: u64,
    },
    /// So many boxes of coordinates.
    BranchAndBound {
        /// The number of boxes that were bounded.
        boxes: u64,
    },
}

/// A bound, and the nearest to it that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// What is not exceeded anywhere.
    pub proven: f64,
    /// What is reached.
    pub found: f64,
    /// Where it is reached, in the numbers of the data.
    pub at: Vec<f64>,
}

/// What is proven of one output, in the units of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The name of the output.
    pub output: String,
    /// Its unit, empty where the data name none.
    pub unit: String,
    /// No answer is smaller.
    pub smallest: Bound,
    /// No answer is larger.
    pub largest: Bound,
    /// No answer is farther from the data's interpolant: linear between the rows of a table of one input, multilinear
    /// between the points of a grid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub distance: Option<Bound>,
    /// For each input, the largest magnitude of the slope; of codes the largest step from one to the next.
    pub slopes: Vec<Bound>,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Proven.
    Yes,
    /// There is a point that shows the contrary.
    No,
    /// Neither, in the time that there was.
    NotDecided,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The question in words.
    pub question: String,
    /// The answer.
    pub answer: Verdict,
    /// Where the contrary is seen, in words; empty where it is not.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub counterexample: String,
}

/// What is proven of a model, of which data, and by which settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The checksum (CRC-32) of the model file, in hexadecimal, as `trainer inspect` shows it.
    pub model_crc32: String,
    /// The data that it was compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<OfData>,
    /// By what it was proven.
    pub method: Method,
    /// With which settings.
    pub settings: CertifySettings,
    /// For each output.
    pub outputs: Vec<Proof>,
    /// The questions that were asked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub questions: Vec<Answered>,
    /// The command that proves it again.
    pub check: String,
}

impl OfData {
    /// What tells data apart.
    #[must_use]
    pub fn of(data: &Dataset) -> Self {
        Self { samples: data.len(), fingerprint: format!("{:016x}", data.fingerprint()) }
    }
}

/// The checksum of a model's file as certificates have it.
pub(super) fn checksum(model: &Model<'_>) -> String {
    format!("{:08x}", model.checksum())
}

/// The names of a model's inputs.
pub(crate) fn input_names(model: &Model<'_>) -> Vec<String> {
    named(model, "inputs", model.inputs())
}

/// The names of a model's outputs.
pub(crate) fn output_names(model: &Model<'_>) -> Vec<String> {
    named(model, "outputs", model.outputs())
}

fn named(model: &Model<'_>, key: &str, count: usize) -> Vec<String> {
    let names = card_text::names(model.text(), key);
    (0..count).map(|k| names.get(k).cloned().unwrap_or_else(|| format!("{} {k}", key.trim_end_matches('s')))).collect()
}

/// A number with five digits that count.
pub(super) fn shown(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (4 - value.abs().log10().floor() as i32).clamp(0, 17) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

impl Certification<'_> {
    /// What is proven so far.
    #[must_use]
    pub fn certificate(&self, data: Option<&Dataset>, check: String) -> Certificate {
        let outputs = (0..self.parts.outputs()).map(|output| self.proof(output)).collect();
        let method = match &self.enumerated {
            Some(_) => Method::Enumeration { points: self.enumerated_points },
            None => Method::BranchAndBound { boxes: self.searches.iter().map(|search| search.boxes).sum() },
        };
        Certificate {
            model_crc32: checksum(self.parts.model),
            data: data.map(OfData::of),
            method,
            settings: self.settings.clone(),
            outputs,
            questions: self.questions(),
            check,
        }
    }

    /// A point in the numbers of the data.
    fn place(&self, point: impl Iterator<Item = f64>) -> Vec<f64> {
        let origins = card_text::origins(self.parts.model.text());
        point
            .enumerate()
            .map(|(axis, x)| if origins.input(axis) == 0.0 { x } else { origins.input(axis) + x })
            .collect()
    }

    /// What is known of a quantity: a bound in the model's own numbers.
    fn bound(&self, quantity: Quantity, output: usize) -> Option<Bound> {
        if let Some(enumerated) = &self.enumerated {
            let Enumerated { upper, lower, distance, rise, fall } = &enumerated[output];
            let steepest = |axis: usize| if rise[axis].value > fall[axis].value { &rise[axis] } else { &fall[axis] };
            let Extreme { value, codes } = match quantity {
                Quantity::Upper => upper,
                Quantity::Lower => lower,
                Quantity::Distance => distance.as_ref().filter(|distance| !distance.codes.is_empty())?,
                Quantity::Slope(axis) => steepest(axis),
                Quantity::Fall(axis) => &fall[axis],
                Quantity::Rise(axis) => &rise[axis],
            };
            let at = codes.iter().map(|&code| f64::from(code)).collect();
            return Some(Bound { proven: *value, found: *value, at });
        }
        let search = self.searches.iter().find(|search| search.goal == Goal { quantity, output })?;
        let Search { found: Found { value, point, .. }, .. } = search;
        let at = self.place(point.iter().map(|&x| f64::from(x)));
        Some(Bound { proven: search.proven(), found: *value, at })
    }

    fn proof(&self, output: usize) -> Proof {
        let model = self.parts.model;
        let origin = self.output_origin(output);
        let none = || Bound { proven: f64::MAX, found: 0.0, at: Vec::new() };
        let moved = |bound: Bound, sign: f64| Bound {
            proven: origin + sign * bound.proven,
            found: origin + sign * bound.found,
            at: bound.at,
        };
        Proof {
            output: output_names(model)[output].clone(),
            unit: card_text::names(model.text(), "output_units").get(output).cloned().unwrap_or_default(),
            smallest: moved(self.bound(Quantity::Lower, output).unwrap_or_else(none), -1.0),
            largest: moved(self.bound(Quantity::Upper, output).unwrap_or_else(none), 1.0),
            distance: self.bound(Quantity::Distance, output),
            slopes: (0..self.parts.inputs())
                .map(|axis| self.bound(Quantity::Slope(axis), output).unwrap_or_else(none))
                .collect(),
        }
    }

    fn questions(&self) -> Vec<Answered> {
        let mut questions = Vec::new();
        let inputs = input_names(self.parts.model);
        let at = |bound: &Bound| {
            let place = inputs.iter().zip(&bound.at).map(|(name, x)| format!("{name} = {x}"));
            place.collect::<Vec<_>>().join(", ")
        };
        for output in 0..self.parts.outputs() {
            let proof = self.proof(output);
            let name = &proof.output;
            if let Some(limit) = self.settings.max_error.filter(|_| self.interpolant.is_some()) {
                let (answer, text) = match &proof.distance {
                    Some(distance) => (
                        verdict(distance.proven <= limit, distance.found > limit),
                        format!("{} at {}", distance.found, at(distance)),
                    ),
                    // No code lies within the data.
                    None => (Verdict::NotDecided, String::new()),
                };
                questions.push(answered(format!("is {name} within {limit} of the data?"), answer, text));
            }
            if let Some([low, high]) = self.settings.within {
                let (smallest, largest) = (&proof.smallest, &proof.largest);
                let is_proven = smallest.proven >= low && largest.proven <= high;
                let worst = if largest.found > high { largest } else { smallest };
                let answer = verdict(is_proven, smallest.found < low || largest.found > high);
                let text = format!("{} at {}", worst.found, at(worst));
                questions.push(answered(format!("is {name} between {low} and {high}?"), answer, text));
            }
            if let Some(axis) = self.monotone
                && let (Some(fall), Some(rise)) =
                    (self.bound(Quantity::Fall(axis), output), self.bound(Quantity::Rise(axis), output))
            {
                let answer = verdict(fall.proven <= 0.0 || rise.proven <= 0.0, fall.found > 0.0 && rise.found > 0.0);
                let text = format!("it rises at {} and falls at {}", at(&rise), at(&fall));
                questions.push(answered(format!("is {name} monotone in {}?", inputs[axis]), answer, text));
            }
        }
        questions
    }
}

fn verdict(is_proven: bool, is_refuted: bool) -> Verdict {
    match (is_proven, is_refuted) {
        (true, _) => Verdict::Yes,
        (false, true) => Verdict::No,
        (false, false) => Verdict::NotDecided,
    }
}

fn answered(question: String, answer: Verdict, counterexample: String) -> Answered {
    let counterexample = if answer == Verdict::No { counterexample } else { String::new() };
    Answered { question, answer, counterexample }
}

impl Certificate {
    /// One of its questions with the answer, in words.
    #[must_use]
    pub fn sentence(&self, Answered { question, answer, counterexample }: &Answered) -> String {
        match (answer, self.method) {
            (Verdict::Yes, _) => format!("{question} yes, proven"),
            (Verdict::No, _) => format!("{question} no: {counterexample}"),
            (Verdict::NotDecided, Method::BranchAndBound { .. }) => format!("{question} not decided; give more --time"),
            // Where all answers are known, nothing else is left open.
            (Verdict::NotDecided, Method::Enumeration { .. }) => {
                format!("{question} not decided: no code lies between the first and the last position of the data")
            }
        }
    }
}

impl std::fmt::Display for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.method {
            Method::Enumeration { points } => writeln!(f, "all {points} answers that the device can give: exact")?,
            Method::BranchAndBound { boxes } => writeln!(f, "branch and bound, {boxes} boxes")?,
        }
        for proof in &self.outputs {
            let Proof { output, unit, smallest, largest, distance, slopes } = proof;
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            writeln!(f, "{output}{}", if unit.is_empty() { String::new() } else { format!(" in{unit}") })?;
            let mut row = |what: &str, bound: &Bound| {
                let at: Vec<String> = bound.at.iter().map(|&x| shown(x)).collect();
                let (proven, found) = (shown(bound.proven), shown(bound.found));
                writeln!(f, "  {what:<28} proven {proven:<12} found {found:<12} at {}", at.join(", "))
            };
            row("smallest", smallest)?;
            row("largest", largest)?;
            if let Some(distance) = distance {
                row("largest distance to data", distance)?;
            }
            for (axis, slope) in slopes.iter().enumerate() {
                let what = match self.method {
                    Method::Enumeration { .. } => "largest step",
                    Method::BranchAndBound { .. } => "largest slope",
                };
                let number = if slopes.len() > 1 { format!(", input {}", axis + 1) } else { String::new() };
                row(&format!("{what}{number}"), slope)?;
            }
        }
        self.questions.iter().try_for_each(|question| writeln!(f, "{}", self.sentence(question)))
    }
}
