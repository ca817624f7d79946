//! A model taken apart: its numbers as f64, in which every one of them is exact.

use firmware_core::artifact::{GridUse, HiddenActivation};
use firmware_core::{Axis, Grids, Model, OutputActivation, OutputMap, Outside, Precision};

use super::region::{MAX_AXES, Region};

/// A dense layer.
pub(super) struct Dense {
    pub(super) inputs: usize,
    pub(super) rows: usize,
    /// `[rows, inputs]`.
    pub(super) weights: Vec<f64>,
    pub(super) bias: Vec<f64>,
    /// Q0.32; zeros where there are none.
    pub(super) multiplier: Vec<i32>,
}

/// A grid of coefficients.
pub(super) struct Level {
    pub(super) nodes: Vec<u32>,
    /// Q16.16.
    pub(super) cells: Vec<u32>,
    /// `[nodes…, channels]`, as they count: 2^(16 - bits) times the stored ones.
    pub(super) coefficients: Vec<f64>,
}

/// The grids of a model.
pub(super) struct Spline {
    pub(super) levels: Vec<Level>,
    pub(super) channels: usize,
    pub(super) order: usize,
    pub(super) is_table: bool,
}

/// A model that bounds can be found for.
pub(super) struct Parts<'a> {
    pub(super) model: &'a Model<'a>,
    pub(super) axes: Vec<Axis>,
    pub(super) maps: Vec<OutputMap>,
    /// `[m, d]`, Q16.16.
    pub(super) frequencies: &'a [i32],
    pub(super) passthrough: usize,
    pub(super) spline: Option<Spline>,
    pub(super) layers: Vec<Dense>,
    pub(super) has_sines: bool,
    pub(super) has_sigmoid: bool,
    pub(super) is_float: bool,
    /// How fast the features change along each axis: which axis of a box is long.
    pub(super) speed: [f64; MAX_AXES],
}

impl<'a> Parts<'a> {
    pub(super) fn of(model: &'a Model<'a>) -> Self {
        let header = model.header();
        let layers = model.dense_layers().map(|layer| {
            let (inputs, rows) = (layer.inputs(), layer.rows());
            let weights = (0..rows * inputs).map(|k| f64::from(layer.weight(k / inputs, k % inputs)));
            Dense {
                inputs,
                rows,
                weights: weights.collect(),
                bias: (0..rows).map(|row| layer.bias(row)).collect(),
                multiplier: (0..rows).map(|row| layer.multiplier(row)).collect(),
            }
        });
        let (encoding, spline) = (model.encoding(), model.grids().map(|grids| Spline::of(&grids)));
        let inputs = model.inputs();
        let mut speed = [0.0; MAX_AXES];
        for (axis, speed) in speed.iter_mut().enumerate().take(inputs) {
            let waves = encoding.frequencies().chunks(inputs).map(|row| (f64::from(row[axis]) / 65_536.0).powi(2));
            let levels = spline.iter().flat_map(|spline| &spline.levels);
            let cells = levels.map(|level| (f64::from(level.cells[axis]) / 65_536.0).powi(2) / 4.0);
            *speed = (waves.sum::<f64>() + cells.sum::<f64>() + 1e-3).sqrt();
        }
        Self {
            axes: model.axes().collect(),
            maps: model.output_maps().collect(),
            frequencies: encoding.frequencies(),
            passthrough: encoding.passthrough(),
            spline,
            layers: layers.collect(),
            has_sines: header.hidden_activation == HiddenActivation::Sine,
            has_sigmoid: header.activation == OutputActivation::Sigmoid,
            is_float: header.precision == Precision::F32,
            speed,
            model,
        }
    }

    pub(super) fn inputs(&self) -> usize {
        self.axes.len()
    }

    pub(super) fn outputs(&self) -> usize {
        self.maps.len()
    }

    pub(super) fn outside(&self, axis: usize) -> Outside {
        self.model.header().outside_along(axis)
    }

    /// Every coordinate that a point can have: those of the trained domain, of a periodic axis all.
    pub(super) fn domain(&self) -> Region {
        let mut domain = Region { lower: [0; MAX_AXES], upper: [0; MAX_AXES] };
        for (k, axis) in self.axes.iter().enumerate() {
            domain.upper[k] = match self.outside(k) {
                Outside::Periodic => u32::MAX,
                // Rounding to f32 and down is monotone, so that no point has a larger coordinate.
                Outside::Clamp | Outside::Reject => axis.to_fixed(axis.maximum, Outside::Clamp).unwrap_or(u32::MAX),
            };
        }
        domain
    }

    /// User units of a coordinate along an axis, and how far the points that have it may be from there.
    pub(super) fn position(&self, axis: usize, coordinate: f64) -> (f64, f64) {
        let Axis { minimum, scale, .. } = self.axes[axis];
        let unit = coordinate / 4_294_967_296.0;
        let span = unit / f64::from(scale);
        // Two roundings of a relative 2^-24 each, and the rounding down to a coordinate.
        let error = ((unit + 1e-9) * 1.2e-7 + 2.4e-10) / f64::from(scale);
        (f64::from(minimum) + span, error)
    }

    /// The point that a coordinate belongs to, as a program would hand it to the model.
    pub(super) fn point(&self, coordinates: &[u32; MAX_AXES]) -> Vec<f32> {
        let axes = self.axes.iter().enumerate();
        let place = |(k, axis): (usize, &Axis)| {
            let x = self.position(k, f64::from(coordinates[k]) + 0.5).0 as f32;
            if self.outside(k) == Outside::Periodic { x } else { x.clamp(axis.minimum, axis.maximum) }
        };
        axes.map(place).collect()
    }
}

impl Spline {
    fn of(grids: &Grids<'_>) -> Self {
        let shape = grids.shape();
        let unit = f64::from(1u32 << (16 - shape.bits));
        let levels = grids.levels().map(|level| Level {
            nodes: level.nodes().collect(),
            cells: level.cells().collect(),
            coefficients: level.coefficients().map(|coefficient| f64::from(coefficient) * unit).collect(),
        });
        Self {
            levels: levels.collect(),
            channels: usize::from(shape.channels),
            order: usize::from(shape.order),
            is_table: shape.used_as == GridUse::Outputs,
        }
    }
}
