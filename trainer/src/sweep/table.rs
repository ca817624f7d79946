//! The results of a sweep side by side: as text, CSV, JSON and a plot of PSNR over what was swept.

use std::path::Path;

use serde::Serialize;

use super::grid::Hyperparameter;
use super::store::SweepManifest;
use super::{Measured, SweepError, SweepRow, plot};
use crate::base::files;
use crate::report::figure::Figure as _;
use crate::report::sheet::{Panel, Plot, Row, Sheet};
use crate::store::error::StoreError;
use crate::store::json;

/// The columns of the CSV.
const CSV_COLUMNS: &str = "index,scale,amplitude_power,frequencies,hidden,train_psnr_db,test_psnr_db,\
                           model_test_psnr_db,test_rmse,test_max_abs_error,parameters,model_bytes,seconds,failure";

/// All settings of a sweep, finished or not.
#[derive(Clone, Debug)]
pub struct Table {
    manifest: SweepManifest,
    rows: Vec<Option<SweepRow>>,
}

/// What `sweep.json` holds.
#[derive(Serialize)]
struct Document<'a> {
    input: &'a Path,
    holdout: String,
    best: Option<&'a SweepRow>,
    missing: Vec<usize>,
    rows: Vec<&'a SweepRow>,
}

impl Table {
    /// `rows` has a place for each setting of `manifest`.
    #[must_use]
    pub fn new(manifest: SweepManifest, rows: Vec<Option<SweepRow>>) -> Self {
        Self { manifest, rows }
    }

    /// The finished settings, in order.
    pub fn rows(&self) -> impl Iterator<Item = &SweepRow> {
        self.rows.iter().flatten()
    }

    /// The numbers of settings that are not finished.
    #[must_use]
    pub fn missing(&self) -> Vec<usize> {
        self.rows.iter().enumerate().filter(|(_, row)| row.is_none()).map(|(index, _)| index).collect()
    }

    /// The settings that are not finished, in words.
    ///
    /// # Errors
    /// Those of the settings.
    pub fn missing_names(&self) -> Result<Vec<String>, SweepError> {
        let settings = self.manifest.settings()?;
        Ok(self.missing().into_iter().map(|index| self.name(&SweepRow::new(index, &settings[index]))).collect())
    }

    /// The setting that is best on held-out samples.
    #[must_use]
    pub fn best(&self) -> Option<&SweepRow> {
        // The first of equals.
        let better = |best: Option<&'_ SweepRow>, row: &SweepRow| {
            best.is_none_or(|best| row.test_psnr_db() > best.test_psnr_db())
        };
        let measured = self.rows().filter(|row| row.measured.is_some());
        measured.fold(None, |best, row| if better(best, row) { Some(row) } else { best })
    }

    /// The axes at whose first or last value the best setting lies, of those with several values: a better one may lie
    /// beyond.
    #[must_use]
    pub fn edges(&self) -> Vec<String> {
        let Some(best) = self.best() else { return Vec::new() };
        let numbers = |axis: Hyperparameter| -> Vec<f64> {
            let mut values: Vec<f64> = self.rows().map(|row| row.value(axis)).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        let at_edge = |&axis: &Hyperparameter| {
            let (values, best) = (numbers(axis), best.value(axis));
            values.len() > 1 && (values.first() == Some(&best) || values.last() == Some(&best))
        };
        let axes = self.manifest.grid.axes().into_iter().filter(at_edge);
        axes.map(|axis| format!("{} {}", axis.name(), best.value_text(axis))).collect()
    }

    /// A setting by what was swept, such as `scale 4, width 64`.
    #[must_use]
    pub fn name(&self, row: &SweepRow) -> String {
        row.name(&self.manifest.grid.axes())
    }

    /// The table in columns, the best setting marked.
    #[must_use]
    pub fn text(&self) -> String {
        let axes = self.manifest.grid.axes();
        let mut head: Vec<String> = axes.iter().map(|axis| axis.name().to_owned()).collect();
        head.extend(
            ["train dB", "held out dB", "on device dB", "parameters", "bytes", "seconds", ""].map(str::to_owned),
        );
        let mut lines = vec![head];
        let best = self.best().map(|row| row.index);
        for row in self.rows() {
            let mut line: Vec<String> = axes.iter().map(|&axis| row.value_text(axis)).collect();
            let db = |of: fn(&Measured) -> f64| row.measured.as_ref().map_or("-".into(), |m| format!("{:.2}", of(m)));
            let count = |of: fn(&Measured) -> usize| row.measured.as_ref().map_or("-".into(), |m| of(m).to_string());
            line.extend([db(|m| m.train.psnr_db), db(|m| m.test.psnr_db), db(|m| m.model_test.psnr_db)]);
            line.extend([count(|m| m.parameters), count(|m| m.model_bytes)]);
            line.push(row.seconds.map_or("-".into(), |seconds| format!("{seconds:.1}")));
            let note = if best == Some(row.index) { Some("best".to_owned()) } else { row.failure.clone() };
            line.push(note.unwrap_or_default());
            lines.push(line);
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let last = lines[0].len() - 1;
        let widths: Vec<usize> = (0..last).map(width).collect();
        let aligned = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
            format!("{}  {}", cells.collect::<Vec<_>>().join("  "), line[last]).trim_end().to_owned()
        };
        lines.iter().map(aligned).collect::<Vec<_>>().join("\n")
    }

    /// The table as CSV, every column whether swept or not.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |cells: &[String]| writer.write_record(cells).expect("every row has a cell for each column");
        write(&CSV_COLUMNS.split(',').map(str::to_owned).collect::<Vec<_>>());
        for row in self.rows() {
            let hidden: Vec<String> = row.hidden.iter().map(usize::to_string).collect();
            let measured = |of: &dyn Fn(&Measured) -> Option<f64>| {
                row.measured.as_ref().and_then(of).map_or(String::new(), |number| number.to_string())
            };
            write(&[
                row.index.to_string(),
                row.scale.to_string(),
                row.amplitude_power.to_string(),
                row.frequencies.to_string(),
                hidden.join(" "),
                measured(&|m| Some(m.train.psnr_db)),
                measured(&|m| Some(m.test.psnr_db)),
                measured(&|m| Some(m.model_test.psnr_db)),
                measured(&|m| m.test.rmse),
                measured(&|m| m.test.max_abs_error),
                measured(&|m| Some(m.parameters as f64)),
                measured(&|m| Some(m.model_bytes as f64)),
                row.seconds.map_or(String::new(), |seconds| format!("{seconds:.3}")),
                row.failure.clone().unwrap_or_default(),
            ]);
        }
        String::from_utf8(writer.into_inner().expect("writes to memory")).expect("made of text")
    }

    /// The table as one JSON object.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json::bytes(&Document {
            input: &self.manifest.base.input,
            holdout: self.manifest.base.fit.holdout.to_string(),
            best: self.best(),
            missing: self.missing(),
            rows: self.rows().collect(),
        })
    }

    /// PSNR over the first thing that was swept, a line for each combination of the others.
    #[must_use]
    pub fn plot(&self) -> Sheet {
        let title = self.best().map_or_else(String::new, |best| {
            format!("Best on held-out samples: {} ({:.2} dB)", self.name(best), best.test_psnr_db())
        });
        let rows: Vec<&SweepRow> = self.rows().collect();
        let plot = Plot { title, ..plot::of(&rows, &self.manifest.grid.axes()) };
        let input = self.manifest.base.input.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Sheet { title: input, rows: vec![Row { height: 720, panels: vec![Panel::Plot(plot)] }] }
    }

    /// Writes `sweep.json`, `sweep.csv`, `sweep.png` and `sweep.svg` into a directory.
    ///
    /// # Errors
    /// If the plot cannot be drawn or a file not be written.
    pub fn write(&self, directory: &Path) -> Result<(), SweepError> {
        let sheet = self.plot();
        let (png, svg) = (sheet.png()?, sheet.svg()?);
        files::write(&directory.join("sweep.csv"), self.csv().as_bytes()).map_err(StoreError::from)?;
        files::write(&directory.join("sweep.json"), &self.json()).map_err(StoreError::from)?;
        files::write(&directory.join("sweep.svg"), svg.as_bytes()).map_err(StoreError::from)?;
        files::write(&directory.join("sweep.png"), &png).map_err(StoreError::from)?;
        Ok(())
    }
}
