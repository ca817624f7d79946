//! What the data tell of what the file leaves open: another reading of the same tensors that fits them better.

use std::path::Path;

use ndarray::Axis;

use super::{Gamma, ImportParams, InputRange, OutputFunction, SourceNetwork, Units};
use crate::data::Dataset;
use crate::data::metrics::Metrics;
use crate::network::HiddenActivation;

/// Samples that readings are compared on.
const SAMPLES: usize = 200;
/// From here on the reading is right, dB.
const GOOD_DB: f64 = 30.0;
/// How much better another reading has to be to be told of, dB.
const BETTER_DB: f64 = 6.0;
/// How good it has to be, dB.
const LEAST_DB: f64 = 15.0;

/// Another reading of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The options that ask for it.
    pub options: String,
    /// PSNR of the network so read on the data, dB.
    pub psnr_db: f64,
}

/// What is known of a reading.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The file of the weights.
    pub path: &'a Path,
    /// How it is read.
    pub params: &'a ImportParams,
    /// Which input of the data each input of the network is.
    pub order: &'a [usize],
    /// Whether the user may ask for another order.
    pub may_turn: bool,
    /// What the network's inputs are for the data's.
    pub range: Option<InputRange>,
    /// Whether the user gave the range.
    pub fixed_range: bool,
    /// What the network gives for the least and the greatest value of the data.
    pub outputs: Option<(f64, f64)>,
}

/// The reading that fits the data much better than the one that gives `psnr_db`, if there is one: the other order of
/// the features or of the inputs, other ranges, another ω₀, another last activation.
#[must_use]
pub fn better(reading: Reading<'_>, dataset: &Dataset, psnr_db: f64) -> Option<Alternative> {
    if psnr_db > GOOD_DB {
        return None;
    }
    let step = dataset.len().div_ceil(SAMPLES).max(1);
    let samples: Vec<usize> = (0..dataset.len()).step_by(step).collect();
    let points = dataset.points.select(Axis(0), &samples);
    let targets = dataset.targets.select(Axis(0), &samples);
    let psnr = |network: &SourceNetwork, range, outputs| {
        let units = Units::new(dataset, range, outputs).ok()?;
        let found = units.values(network, dataset, points.view()).mapv(|value| value as f32);
        Some(Metrics::compare(&found, &targets, &dataset.output_maps).psnr_db)
    };
    let mut ranges = vec![reading.range];
    if !reading.fixed_range {
        let known = [InputRange::UNIT, InputRange::SYMMETRIC].map(Some);
        ranges.extend(known.iter().filter(|known| **known != reading.range));
    }
    let mut best: Option<Alternative> = None;
    for (options, params) in readings(reading.params) {
        let network = SourceNetwork::read(reading.path, &params, (dataset.inputs(), dataset.outputs()));
        let Ok(network) = network.map(|network| network.with_inputs(reading.order)) else { continue };
        let backwards: Vec<usize> = (0..dataset.inputs()).rev().collect();
        let turned = (dataset.inputs() > 1 && reading.may_turn).then(|| network.with_inputs(&backwards));
        let names: Vec<&str> = dataset.input_names.iter().rev().map(String::as_str).collect();
        let turned_option = format!(" --inputs {}", names.join(","));
        for (network, order) in [Some(&network), turned.as_ref()].into_iter().flatten().zip(["", &turned_option]) {
            for &range in &ranges {
                // The reading that is asked for comes first: others have to be better.
                for outputs in [reading.outputs, Some((-1.0, 1.0))] {
                    let Some(psnr_db) = psnr(network, range, outputs) else { continue };
                    if best.as_ref().is_none_or(|best| psnr_db > best.psnr_db + 0.01) {
                        let of_range = range.filter(|_| reading.range != range);
                        let of_range = of_range.map_or(String::new(), |range| format!(" --input-range={range}"));
                        let of_outputs = if outputs == reading.outputs { "" } else { " --output-range=-1..1" };
                        let options = format!("{options}{order}{of_range}{of_outputs}").trim_start().to_owned();
                        best = Some(Alternative { options, psnr_db });
                    }
                }
            }
        }
    }
    best.filter(|best| best.psnr_db > LEAST_DB && best.psnr_db > psnr_db + BETTER_DB && !best.options.is_empty())
}

/// What makes another reading of one.
type Change = dyn Fn(&mut ImportParams);

/// The readings of what is not given, the one that is asked for first, each with the options that ask for it.
fn readings(given: &ImportParams) -> Vec<(String, ImportParams)> {
    let mut all = vec![(String::new(), given.clone())];
    let mut also = |changes: &[(&str, &Change)]| {
        for (options, params) in all.clone() {
            for (option, change) in changes {
                let mut params = params.clone();
                change(&mut params);
                all.push((format!("{options} {option}"), params));
            }
        }
    };
    match given.gamma {
        Gamma::CosSin => also(&[("--gamma sin-cos", &|params| params.gamma = Gamma::SinCos)]),
        Gamma::SinCos => also(&[("--gamma cos-sin", &|params| params.gamma = Gamma::CosSin)]),
    }
    if given.omega.is_none() && given.activation != Some(HiddenActivation::Relu) {
        also(&[
            ("--omega 30,1", &|params| params.omega = Some((30.0, 1.0))),
            ("--omega 30", &|params| params.omega = Some((30.0, 30.0))),
        ]);
    }
    if given.output.is_none() {
        also(&[
            ("--output sigmoid", &|params| params.output = Some(OutputFunction::Sigmoid)),
            ("--output tanh", &|params| params.output = Some(OutputFunction::Tanh)),
            ("--output sine", &|params| params.output = Some(OutputFunction::Sine)),
        ]);
    }
    all
}
