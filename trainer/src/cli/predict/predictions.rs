//! Points with the outputs of a model there, as CSV or `.npy`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::bail;
use ndarray::Array2;
use rayon::prelude::*;
use trainer::base::files;
use trainer::data::npy;

/// Rows that one task writes as text.
const ROWS: usize = 8192;

/// A kind of file that is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum FileFormat {
    Csv,
    Npy,
}

impl FileFormat {
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("npy") => Ok(Self::Npy),
            _ => bail!("--out is {}, and what is written is a .csv or an .npy; name it so", path.display()),
        }
    }
}

/// Points and what the model says there, in the numbers of the data that it was trained on.
pub(super) struct Predictions {
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) points: Array2<f64>,
    /// In f32 but for what an origin adds.
    pub(super) values: Array2<f64>,
}

impl Predictions {
    /// Inputs and outputs, a line for each point.
    pub(super) fn write_csv(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut header = csv::Writer::from_writer(Vec::new());
        header.write_record(self.inputs.iter().chain(&self.outputs))?;
        writer.write_all(&header.into_inner().map_err(|error| error.into_error())?)?;
        // As much text at a time as the threads write together.
        let step = ROWS * rayon::current_num_threads();
        for start in (0..self.points.nrows()).step_by(step) {
            let rows = start..(start + step).min(self.points.nrows());
            let starts: Vec<usize> = rows.clone().step_by(ROWS).collect();
            let texts: Vec<String> =
                starts.par_iter().map(|&from| self.lines(from..(from + ROWS).min(rows.end))).collect();
            texts.iter().try_for_each(|text| writer.write_all(text.as_bytes()))?;
        }
        Ok(())
    }

    fn lines(&self, rows: std::ops::Range<usize>) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for row in rows {
            let numbers = self.points.row(row).into_iter().chain(self.values.row(row));
            for (k, &number) in numbers.enumerate() {
                let comma = if k == 0 { "" } else { "," };
                let narrow = number as f32;
                let written = if f64::from(narrow) == number {
                    write!(text, "{comma}{narrow}")
                } else {
                    write!(text, "{comma}{number}")
                };
                written.expect("writes to memory");
            }
            text.push('\n');
        }
        text
    }

    /// The outputs, in f64 where single precision does not hold them.
    pub(super) fn write_npy(&self, path: &Path) -> anyhow::Result<()> {
        let shape = [self.values.nrows(), self.values.ncols()];
        let narrow: Vec<f32> = self.values.iter().map(|&value| value as f32).collect();
        if self.values.iter().zip(&narrow).all(|(value, narrow)| f64::from(*narrow) == *value) {
            files::write_with(path, |writer| npy::write(writer, &shape, &narrow))?;
        } else {
            let values: Vec<f64> = self.values.iter().copied().collect();
            files::write_with(path, |writer| npy::write(writer, &shape, &values))?;
        }
        Ok(())
    }
}

/// Of a number that single precision holds, the f64 that is written as shortly as the f32 is.
pub(super) fn shortest(number: f64) -> f64 {
    let narrow = number as f32;
    if f64::from(narrow) == number { narrow.to_string().parse().unwrap_or(number) } else { number }
}
