//! Arrays and elevation grids of any file, as samples: cells without data are left out, and all others become targets.
//!
//! A cell is a hole if any of its values is what the file itself names as missing (`GDAL_NODATA`, `NODATA_value`, the
//! void of `.hgt`) or what the user names. The domain stays that of the whole grid, so that a model of a grid with
//! holes has the coordinates of the grid; [`Dataset::cells`] says which cell each sample is.

pub(super) mod ascii;
mod error;
mod georeference;
pub(super) mod hgt;
mod lzw;
pub(super) mod pfm;
pub(super) mod tiff;

use ndarray::{Array2, Axis as Dimension};

use super::domain::{self, LONGEST_AXIS, OutputMap};
use super::origin::Spread;
use super::sentinel::{self, is_no_data};
use super::{DataKind, Dataset, LoadOptions, Origins};
use firmware_core::limits::MAX_OUTPUTS;

pub use error::{AsciiError, ElevationError, GridError, HgtError, PfmError, TiffFault};

/// The values of a file on a grid, before it is known which of them are data.
pub(super) struct Raster {
    /// The spatial dimensions, the last is x.
    pub(super) shape: Vec<usize>,
    /// Whether the outputs are an axis of their own in the file's shape, the last one.
    pub(super) channels_last: bool,
    /// What each output is called.
    pub(super) names: Vec<String>,
    /// Row-major, the outputs of a cell side by side.
    pub(super) values: Vec<f64>,
    /// Whether all outputs have one range, since they are of one kind.
    pub(super) one_range: bool,
    /// Values that the file itself names as missing, and how it does that.
    pub(super) missing: Option<Missing>,
    /// For [`Dataset::notes`].
    pub(super) notes: Vec<String>,
}

/// What a file says about its holes.
pub(super) struct Missing {
    /// As they stand in the file.
    pub(super) values: Vec<f64>,
    /// In words, such as `its GDAL_NODATA is -9999`.
    pub(super) reason: String,
}

impl Raster {
    /// One output on a grid.
    pub(super) fn new(shape: Vec<usize>, values: Vec<f64>) -> Self {
        Self {
            shape,
            channels_last: false,
            names: vec!["value".to_owned()],
            values,
            one_range: true,
            missing: None,
            notes: Vec::new(),
        }
    }

    /// The samples, without those that hold one of the values that the options name as missing.
    pub(super) fn dataset(mut self, options: &LoadOptions) -> Result<Dataset, GridError> {
        self.check_shape()?;
        let cells = self.leave_out(&options.missing())?;
        self.check_finite(cells.as_deref())?;
        let output_origins = self.count_from_origins(options.origins.as_ref());
        let maps = self.maps()?;
        for (output, name) in self.names.iter().enumerate() {
            let mut values = self.values.iter().skip(output).step_by(self.names.len());
            let first = values.next().copied().unwrap_or_default();
            if values.len() > 0 && values.all(|&value| value == first) {
                let value = sentinel::plain(first + output_origins[output]);
                self.notes.push(constant_note(name, &value, "cell"));
            }
        }
        let axes: Vec<_> = self.shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
        let mut points = domain::lattice_points(&self.shape);
        if let Some(cells) = &cells {
            points = points.select(Dimension(0), cells);
        }
        let outputs = self.names.len();
        let units =
            self.values.iter().zip(maps.iter().cycle()).map(|(&value, map)| domain::to_unit(value, map)).collect();
        Ok(Dataset {
            coordinates: domain::to_fixed(&points, &axes),
            targets: Array2::from_shape_vec((points.nrows(), outputs), units)
                .expect("one value for each cell and output"),
            points,
            input_names: domain::index_names(axes.len()),
            input_origins: vec![0.0; axes.len()],
            axes,
            output_maps: maps,
            kind: DataKind::Grid { shape: self.shape, channels_last: self.channels_last },
            output_names: self.names,
            input_units: Vec::new(),
            output_units: Vec::new(),
            output_origins,
            cells,
            notes: self.notes,
        })
    }

    fn check_shape(&self) -> Result<(), GridError> {
        let shape = || self.shape.clone();
        if self.values.is_empty() {
            return Err(GridError::Empty(shape()));
        }
        if self.shape.iter().any(|&len| len > LONGEST_AXIS) {
            return Err(GridError::AxisTooLong(shape()));
        }
        if self.names.len() > MAX_OUTPUTS {
            return Err(GridError::Outputs(shape(), self.names.len()));
        }
        Ok(())
    }

    /// Takes the holes out of the values and says how many there were; the cells that are left, if not all are.
    fn leave_out(&mut self, no_data: &[f64]) -> Result<Option<Vec<usize>>, GridError> {
        let outputs = self.names.len();
        let mut missing = no_data.to_vec();
        missing.extend(self.missing.iter().flat_map(|missing| missing.values.iter().copied()));
        if missing.is_empty() {
            self.note_suspects();
            return Ok(None);
        }
        let all = self.values.len() / outputs;
        let is_whole = |cell: &[f64]| !cell.iter().any(|&value| is_no_data(value, &missing));
        let cells: Vec<usize> =
            self.values.chunks_exact(outputs).enumerate().filter(|(_, cell)| is_whole(cell)).map(|(k, _)| k).collect();
        if cells.is_empty() {
            return Err(GridError::AllMissing(all));
        }
        if cells.len() == all {
            if let Some(value) = no_data.first() {
                self.notes.push(format!("note: no cell is {}; nothing is left out", sentinel::plain(*value)));
            }
            self.note_suspects();
            return Ok(None);
        }
        let reason = match &self.missing {
            Some(Missing { values, reason }) if values.iter().any(|value| self.holds(*value)) => format!(" ({reason})"),
            _ => String::new(),
        };
        self.values =
            cells.iter().flat_map(|&cell| &self.values[outputs * cell..outputs * (cell + 1)]).copied().collect();
        self.notes
            .push(format!("note: {} of the {all} cells are without data{reason} and are left out", all - cells.len()));
        self.note_suspects();
        Ok(Some(cells))
    }

    fn holds(&self, wanted: f64) -> bool {
        self.values.iter().any(|&value| is_no_data(value, &[wanted]))
    }

    /// Says which of the values that are left look like holes that nobody named.
    fn note_suspects(&mut self) {
        let outputs = self.names.len();
        if self.one_range {
            self.notes.extend(sentinel::suspects(&self.values).iter().map(|suspect| suspect.note("the grid")));
            return;
        }
        for (output, name) in self.names.iter().enumerate() {
            let values: Vec<f64> = self.values.iter().skip(output).step_by(outputs).copied().collect();
            self.notes.extend(sentinel::suspects(&values).iter().map(|suspect| suspect.note(&format!("'{name}'"))));
        }
    }

    fn check_finite(&self, cells: Option<&[usize]>) -> Result<(), GridError> {
        // What f32 cannot hold is as good as infinite.
        let Some(position) = self.values.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        let outputs = self.names.len();
        let cell = cells.map_or(position / outputs, |cells| cells[position / outputs]);
        let mut index = domain::unravel(cell, &self.shape);
        if self.channels_last {
            index.push(position % outputs);
        }
        Err(GridError::NotFinite(index, self.values[position]))
    }

    /// Counts the values of each output from an origin, that of a model if there is one, and says so. Values that
    /// single precision holds exactly need none.
    fn count_from_origins(&mut self, given: Option<&Origins>) -> Vec<f64> {
        let outputs = self.names.len();
        let is_exact = self.values.iter().all(|&value| f64::from(value as f32) == value);
        let mut origins = vec![0.0; outputs];
        if let Some(given) = given {
            origins = (0..outputs).map(|output| given.output(output)).collect();
        } else if !is_exact && self.one_range {
            let spread = Spread::of(&self.values);
            origins.fill(spread.origin());
            self.notes.extend(spread.notes("the grid", origins[0], false));
        } else if !is_exact {
            for (output, name) in self.names.iter().enumerate() {
                let values: Vec<f64> = self.values.iter().skip(output).step_by(outputs).copied().collect();
                let spread = Spread::of(&values);
                origins[output] = spread.origin();
                self.notes.extend(spread.notes(&format!("'{name}'"), origins[output], false));
            }
        }
        for (value, origin) in self.values.iter_mut().zip(origins.iter().cycle()) {
            *value -= origin;
        }
        origins
    }

    /// The map of each output to its unit range.
    fn maps(&self) -> Result<Vec<OutputMap>, GridError> {
        let outputs = self.names.len();
        let map = |skip, step| {
            let values = || self.values.iter().skip(skip).step_by(step).copied();
            let (minimum, maximum) =
                (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            domain::range_map(minimum, maximum).ok_or(GridError::Range(minimum, maximum))
        };
        if self.one_range {
            Ok(vec![map(0, 1)?; outputs])
        } else {
            (0..outputs).map(|output| map(output, outputs)).collect()
        }
    }
}

/// What is said of an output that has one value in every `place`, such as a cell.
pub(super) fn constant_note(name: &str, value: &dyn std::fmt::Display, place: &str) -> String {
    format!("warning: '{name}' is {value} in every {place}, so there is nothing to learn")
}
