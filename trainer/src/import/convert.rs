//! From the network of a file to the network of a run.

use std::f64::consts::TAU;

use firmware_core::OutputActivation;
use ndarray::{Array1, Array2, Axis as Dimension};

use super::source::{Features, Layer, SourceNetwork};
use super::{ImportError, Units};
use crate::data::{Dataset, OutputMap};
use crate::fit::FitParams;
use crate::network::Mlp;
use crate::network::encoding::{EncodingKind, EncodingParams};

/// One cycle in Q16.16.
const CYCLE: f64 = 65_536.0;
/// The highest frequency of the format, in cycles.
const HIGHEST: f64 = 32_767.0;

/// A network as a run takes it.
#[derive(Clone, Debug)]
pub struct Converted {
    /// Hyperparameters of a fit that has this network.
    pub params: FitParams,
    /// The network, with its frequencies behind the parameters of the layers.
    pub network: Mlp<f32>,
    /// From unit values to the data's units, for each output, where these are other ones than the data's.
    pub output_maps: Option<Vec<OutputMap>>,
}

impl SourceNetwork {
    /// Rewrites the network for coordinates in the unit domain of the data and for unit outputs.
    ///
    /// The frequencies are rounded as a device has them, and what rounding does to their phases in the middle of the
    /// domain is made good.
    ///
    /// # Errors
    /// If a frequency is too high for a device, or all are too low.
    pub fn convert(&self, dataset: &Dataset, units: &Units) -> Result<Converted, ImportError> {
        let mut layers = self.layers.clone();
        let mut encoding = EncodingParams { kind: EncodingKind::None, ..EncodingParams::default() };
        let mut frequencies = Vec::new();
        match &self.features {
            None => take_coordinates(&mut layers[0], units),
            Some(features) => {
                let (cycles, phases) = rounded(features, dataset, units)?;
                turn(&mut layers[0], &phases);
                let square = cycles.iter().map(|cycles| cycles * cycles).sum::<f64>() / cycles.len() as f64;
                // What a gaussian encoding of such frequencies would be drawn with, within what is possible.
                let scale = square.sqrt().clamp(0.1, 1000.0);
                let rows = cycles.nrows();
                encoding = EncodingParams { frequencies: rows, scale, learned: true, ..EncodingParams::default() };
                frequencies = cycles.iter().map(|&cycles| cycles as f32).collect();
            }
        }
        let output_maps = self.take_outputs(&mut layers, dataset, units);
        let hidden = layers[..layers.len() - 1].iter().map(|layer| layer.bias.len()).collect();
        let output = if self.is_sigmoid { OutputActivation::Sigmoid } else { OutputActivation::Linear };
        let params = FitParams { encoding, hidden, activation: self.hidden, output, ..FitParams::default() };
        let shape = params.check(dataset.inputs(), dataset.outputs())?.shape().clone();
        let of_layer = |layer: &Layer| {
            let weights = layer.weights.iter().chain(&layer.bias).map(|&number| number as f32);
            weights.collect::<Vec<f32>>()
        };
        let parameters = layers.iter().flat_map(of_layer).chain(frequencies).collect();
        let network = Mlp::from_parameters(shape, parameters).expect("the layers of this shape");
        Ok(Converted { params, network, output_maps })
    }

    /// Lets the last layer give unit values. After a sigmoid, what the network gives is between 0 and 1, whatever range
    /// the data have, and their range has to be that of the network.
    fn take_outputs(&self, layers: &mut [Layer], dataset: &Dataset, units: &Units) -> Option<Vec<OutputMap>> {
        let (a, b) = self.scaled;
        let maps = units.outputs.iter().map(|&(offset, scale)| (offset + scale * a, scale * b));
        if self.is_sigmoid {
            let maps = maps.map(|(offset, scale)| OutputMap { scale: scale as f32, offset: offset as f32 });
            let maps: Vec<OutputMap> = maps.collect();
            return (maps != dataset.output_maps).then_some(maps);
        }
        let last = layers.last_mut().expect("a network has layers");
        let rows = last.weights.rows_mut().into_iter().zip(&mut last.bias);
        for (((mut row, bias), (offset, scale)), map) in rows.zip(maps).zip(&dataset.output_maps) {
            row *= scale / f64::from(map.scale);
            *bias = (*bias * scale + offset - f64::from(map.offset)) / f64::from(map.scale);
        }
        None
    }
}

/// Lets a layer of the inputs themselves take 2v - 1, which an encoding without frequencies gives.
fn take_coordinates(layer: &mut Layer, units: &Units) {
    for (mut column, &(a, b)) in layer.weights.columns_mut().into_iter().zip(&units.inputs) {
        layer.bias.scaled_add(a + b / 2.0, &column);
        column *= b / 2.0;
    }
}

/// The frequencies in cycles over the domain, as a device has them, and the phases of the features in cycles.
fn rounded(features: &Features, dataset: &Dataset, units: &Units) -> Result<(Array2<f64>, Array1<f64>), ImportError> {
    let (mut cycles, mut phases) = (features.frequencies.clone(), features.phases.clone());
    for (row, (mut cycles, phase)) in cycles.rows_mut().into_iter().zip(&mut phases).enumerate() {
        for ((cycles, &(a, b)), axis) in cycles.iter_mut().zip(&units.inputs).zip(&dataset.axes) {
            *phase += *cycles * a;
            let exact = *cycles * b;
            if exact.abs() > HIGHEST {
                return Err(ImportError::Frequency { row, cycles: exact });
            }
            // The network keeps them in f32, of which the encoding makes whole numbers.
            *cycles = (f64::from(((exact * CYCLE).round() / CYCLE) as f32) * CYCLE).round() / CYCLE;
            let middle = f64::from(axis.maximum - axis.minimum) * f64::from(axis.scale) / 2.0;
            *phase += (exact - *cycles) * middle;
        }
    }
    if cycles.iter().all(|&cycles| cycles == 0.0) {
        return Err(ImportError::AllZero);
    }
    Ok((cycles, phases))
}

/// Lets a layer of cosines and sines at θ + φ take those at θ.
fn turn(layer: &mut Layer, phases: &Array1<f64>) {
    let (mut cosines, mut sines) = layer.weights.view_mut().split_at(Dimension(1), phases.len());
    let columns = cosines.columns_mut().into_iter().zip(sines.columns_mut());
    for ((mut cosines, mut sines), &phase) in columns.zip(phases) {
        let (sin, cos) = (phase * TAU).sin_cos();
        ndarray::Zip::from(&mut cosines).and(&mut sines).for_each(|c, s| {
            (*c, *s) = (*c * cos + *s * sin, *s * cos - *c * sin);
        });
    }
}
