//! Samples with their domain, ranges and names, whatever file they come from.

use std::path::Path;

use ndarray::Array2;

use super::domain::{self, Axis, OutputMap};
use super::npy;
use crate::base::files;
use crate::base::fingerprint::fingerprint_of;

/// What a file of data looked like before it became samples; reports draw it in this form again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// A picture, whose values are intensities from 0 to 1.
    Image {
        /// Pixels in a row, the range of x.
        width: usize,
        /// Rows of pixels, the range of y.
        height: usize,
        /// Values of each pixel: 1 (grey) or 3 (RGB).
        channels: usize,
    },
    /// An array of one, two or three spatial dimensions.
    Grid {
        /// The spatial dimensions in the array's order: the last is x.
        shape: Vec<usize>,
        /// Whether the array had one more axis, the last, which held the outputs.
        channels_last: bool,
    },
    /// Rows of a table, in the file's order.
    Table,
}

/// Samples to train on or to compare with; the module's header says what is in which unit and order.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Q0.32 coordinates in the unit domain, `[n, d]`.
    pub coordinates: Array2<u32>,
    /// Coordinates in the user's units, `[n, d]`.
    pub points: Array2<f32>,
    /// Unit values in [0, 1], `[n, c]`.
    pub targets: Array2<f32>,
    /// The domain of each input.
    pub axes: Vec<Axis>,
    /// From unit values back to the user's units, for each output.
    pub output_maps: Vec<OutputMap>,
    /// What the file looked like.
    pub kind: DataKind,
    /// `x`, `y`, `z`, or the names of the columns.
    pub input_names: Vec<String>,
    /// `value`, `red`, …, or the names of the columns.
    pub output_names: Vec<String>,
    /// The unit of each input as the file gives it, empty where it gives none; no element at all if it gives no units.
    pub input_units: Vec<String>,
    /// The unit of each output, given as those of the inputs are.
    pub output_units: Vec<String>,
    /// What zero stands for in `points`, in the file's own numbers, for each input: `file value = origin + point`. Not
    /// zero only where the rounding of single precision would be seen in the data otherwise.
    pub input_origins: Vec<f64>,
    /// The same of each output: `file value = origin + map.offset + map.scale · target`.
    pub output_origins: Vec<f64>,
    /// Which cell of the grid or pixel of the picture each sample is, row-major; `None`: every one, in order.
    pub cells: Option<Vec<usize>>,
    /// What was skipped, assumed or changed on reading, a whole sentence each; the command that reads says them once.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A checksum of what a training sees of the data: coordinates and targets.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let targets = self.targets.iter().map(|target| target.to_bits());
        fingerprint_of(self.coordinates.iter().copied().chain(targets))
    }

    /// A grid of unit values that no file holds: `targets` `[n, c]` at the points of `shape`, x (the last axis of
    /// `shape`) fastest, each output with scale 1 and offset 0.
    ///
    /// # Panics
    /// If the number of targets is not the product of `shape`, or that is zero.
    pub fn from_grid(shape: &[usize], targets: Array2<f32>) -> Self {
        assert!(!targets.is_empty() && shape.iter().product::<usize>() == targets.nrows(), "a target for each point");
        let axes: Vec<Axis> = shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
        let points = domain::lattice_points(shape);
        Self {
            coordinates: domain::to_fixed(&points, &axes),
            points,
            output_maps: vec![OutputMap { scale: 1.0, offset: 0.0 }; targets.ncols()],
            kind: DataKind::Grid { shape: shape.to_vec(), channels_last: targets.ncols() > 1 },
            input_names: domain::index_names(axes.len()),
            output_names: (0..targets.ncols()).map(|output| format!("output {output}")).collect(),
            input_units: Vec::new(),
            output_units: Vec::new(),
            input_origins: vec![0.0; axes.len()],
            output_origins: vec![0.0; targets.ncols()],
            cells: None,
            notes: Vec::new(),
            axes,
            targets,
        }
    }

    /// The number of samples, `n`.
    pub fn len(&self) -> usize {
        self.points.nrows()
    }

    /// Whether there are no samples; [`load`](crate::data::load) never returns such a set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of inputs, `d`.
    pub fn inputs(&self) -> usize {
        self.axes.len()
    }

    /// The number of outputs, `c`.
    pub fn outputs(&self) -> usize {
        self.output_maps.len()
    }

    /// The spatial dimensions in the array's order (`[height, width]` of a picture), or `None` for a table.
    pub fn grid_shape(&self) -> Option<Vec<usize>> {
        match &self.kind {
            DataKind::Image { width, height, .. } => Some(vec![*height, *width]),
            DataKind::Grid { shape, .. } => Some(shape.clone()),
            DataKind::Table => None,
        }
    }

    /// Values of all samples, `[n, c]`, in the order of the file's cells with NaN in the holes: as
    /// [`Dataset::output_shape`] tells.
    pub fn on_grid(&self, values: &Array2<f32>) -> Array2<f32> {
        let Some((shape, cells)) = self.grid_shape().zip(self.cells.as_deref()) else {
            return values.clone();
        };
        let mut all = Array2::from_elem((shape.iter().product(), values.ncols()), f32::NAN);
        for (row, &cell) in values.rows().into_iter().zip(cells) {
            all.row_mut(cell).assign(&row);
        }
        all
    }

    /// The shape in which the outputs are written to an `.npy`: that of the input array, or `[n, c]` for a table.
    pub fn output_shape(&self) -> Vec<usize> {
        let Some(mut shape) = self.grid_shape() else {
            return vec![self.len(), self.outputs()];
        };
        let channels_last = match self.kind {
            DataKind::Grid { channels_last, .. } => channels_last,
            _ => self.outputs() > 1,
        };
        if channels_last {
            shape.push(self.outputs());
        }
        shape
    }

    /// Writes what a model answers at every sample, `[n, c]` counted from [`output_origins`](Self::output_origins), to
    /// an `.npy` in the file's own numbers: f32, or f64 where an origin needs it; cells without data are NaN.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_outputs(&self, path: &Path, predictions: &Array2<f32>) -> Result<(), files::WriteError> {
        let (shape, predictions) = (self.output_shape(), self.on_grid(predictions));
        if self.output_origins.iter().all(|&origin| origin == 0.0) {
            let values: Vec<f32> = predictions.iter().copied().collect();
            return files::write_with(path, |writer| npy::write(writer, &shape, &values));
        }
        let origins = self.output_origins.iter().cycle();
        let values: Vec<f64> = predictions.iter().zip(origins).map(|(&y, origin)| origin + f64::from(y)).collect();
        files::write_with(path, |writer| npy::write(writer, &shape, &values))
    }
}
