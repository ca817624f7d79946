//! What was compared, side by side: bytes, instructions, RAM and quality, and which models no other one beats.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::DesignError;
use super::budget::{Goal, largest_error};
use super::candidates::Family;
use super::command::command;
use super::store::{DesignManifest, Outcome};
use crate::base::files;
use crate::data::metrics::{Metrics, short};
use crate::report::figure::Figure as _;
use crate::report::sheet::{Line, Panel, Plot, Row as SheetRow, Sheet, Stroke};
use crate::report::style;
use crate::store::error::StoreError;
use crate::store::json;

const CSV_COLUMNS: &str =
    "model,on_front,bytes,instructions,ram_bytes,psnr_db,f32_psnr_db,largest_error,meets_goal,precision,steps,command";
/// Instructions that differ by less than the cost model's error are taken for equal.
const SAME_INSTRUCTIONS: f64 = 0.05;

/// One model that was compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its kind, in words.
    pub model: &'static str,
    /// Whether no other model is at least as good in everything, and better in something.
    pub on_front: bool,
    /// Whether it is the one that was chosen.
    pub chosen: bool,
    /// Length of its artifact.
    pub bytes: usize,
    /// Instructions of one evaluation, estimated.
    pub instructions: u64,
    /// Scratch memory of one evaluation.
    pub ram_bytes: usize,
    /// PSNR of its artifact on the samples that judge, dB.
    pub psnr_db: f64,
    /// The same in f32.
    pub f32_psnr_db: f64,
    /// The largest error of its artifact there, over all outputs, each in its unit.
    pub largest_error: f64,
    /// Whether it is good enough: on the samples that judge, and the chosen one on all samples as well. None without a
    /// goal.
    pub meets_goal: Option<bool>,
    /// How its numbers are stored.
    pub precision: &'static str,
    /// Steps of its training.
    pub steps: u64,
    /// The command that makes it, in a folder of its own beside that of the winner.
    pub command: String,
    #[serde(skip)]
    family: Family,
}

/// Every model that was compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Front {
    /// What the models were judged on, in words.
    pub judged_on: String,
    /// The board that instructions are estimated for.
    pub board: String,
    /// How good the model must be.
    pub goal: Option<Goal>,
    /// The quality of the chosen model as it is written, over all samples; none before it is written.
    pub chosen_on_all: Option<OnAll>,
    /// The models, the smallest first.
    pub rows: Vec<Row>,
}

/// The quality of a model over all samples of the data, computed as on the device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OnAll {
    /// Their number.
    pub samples: usize,
    /// PSNR, dB.
    pub psnr_db: f64,
    /// The largest error over all outputs, each in its unit.
    pub largest_error: f64,
}

impl From<&Metrics> for OnAll {
    fn from(metrics: &Metrics) -> Self {
        Self { samples: metrics.samples, psnr_db: metrics.psnr_db, largest_error: largest_error(metrics) }
    }
}

impl OnAll {
    /// A sentence without its end.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { samples, psnr_db, largest_error } = self;
        format!("PSNR {psnr_db:.2} dB over all {samples} samples, largest error {}", short(*largest_error))
    }
}

impl Front {
    /// Puts outcomes side by side; `chosen` is the place of the winner in the manifest, `run` the folder of its run.
    #[must_use]
    pub fn new(
        manifest: &DesignManifest,
        outcomes: &[Outcome],
        (run, chosen): (&Path, usize),
        judged_on: String,
    ) -> Self {
        let mut rows: Vec<Row> = outcomes.iter().filter_map(|outcome| row(manifest, outcome, (run, chosen))).collect();
        rows.sort_by_key(|row| (row.bytes, row.instructions));
        let on_front: Vec<bool> = rows.iter().map(|row| !rows.iter().any(|other| beats(other, row))).collect();
        rows.iter_mut().zip(on_front).for_each(|(row, on_front)| row.on_front = on_front);
        Self { judged_on, board: manifest.board.clone(), goal: manifest.goal, chosen_on_all: None, rows }
    }

    /// The models that no other one beats.
    pub fn front(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.on_front)
    }

    /// The front as a table of text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:26} {:>7} {:>12} {:>6} {:>9} {:>13}\n",
            "model", "bytes", "instructions", "RAM", "PSNR", "largest error"
        );
        for row in self.front() {
            text += &format!(
                "{:26} {:>7} {:>12} {:>6} {:>6.2} dB {:>13}{}\n",
                row.model,
                row.bytes,
                row.instructions,
                row.ram_bytes,
                row.psnr_db,
                short(row.largest_error),
                if row.chosen { "  chosen" } else { "" }
            );
        }
        text
    }

    /// All models as CSV.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |cells: &[String]| writer.write_record(cells).expect("every row has a cell for each column");
        write(&CSV_COLUMNS.split(',').map(str::to_owned).collect::<Vec<_>>());
        for row in &self.rows {
            write(&[
                row.model.to_owned(),
                row.on_front.to_string(),
                row.bytes.to_string(),
                row.instructions.to_string(),
                row.ram_bytes.to_string(),
                row.psnr_db.to_string(),
                row.f32_psnr_db.to_string(),
                row.largest_error.to_string(),
                row.meets_goal.map_or(String::new(), |meets| meets.to_string()),
                row.precision.to_owned(),
                row.steps.to_string(),
                row.command.clone(),
            ]);
        }
        String::from_utf8(writer.into_inner().expect("writes to memory")).expect("made of text")
    }

    /// PSNR over bytes and over instructions.
    #[must_use]
    pub fn plot(&self) -> Sheet {
        let panel = |x_label: &str, x: fn(&Row) -> f64| {
            let mut lines = vec![Line::new("no other is better", style::INK, Stroke::Solid, envelope(&self.rows, x))];
            for (family, color) in Family::ALL.into_iter().zip(style::SERIES) {
                let of_family = self.rows.iter().filter(|row| row.family == family);
                lines.push(Line::new(family.name(), color, Stroke::Points, of_family.map(|row| (x(row), row.psnr_db))));
            }
            Panel::Plot(Plot {
                x_label: x_label.to_owned(),
                y_label: "PSNR (dB)".to_owned(),
                log_x: true,
                lines,
                ..Plot::default()
            })
        };
        let panels = vec![
            panel("bytes", |row| row.bytes as f64),
            panel("instructions of one evaluation", |row| row.instructions as f64),
        ];
        Sheet {
            title: format!("What bytes and instructions buy ({})", self.board),
            rows: vec![SheetRow { height: 720, panels }],
        }
    }

    /// Writes `design.csv`, `design.json` and `design.png` into a folder.
    ///
    /// # Errors
    /// If the figure cannot be drawn or a file not be written.
    pub fn write(&self, folder: &Path) -> Result<(), DesignError> {
        let png = self.plot().png()?;
        files::write(&folder.join("design.csv"), self.csv().as_bytes()).map_err(StoreError::from)?;
        json::write(&folder.join("design.json"), self).map_err(StoreError::from)?;
        Ok(files::write(&folder.join("design.png"), &png).map_err(StoreError::from)?)
    }
}

fn row(manifest: &DesignManifest, outcome: &Outcome, (run, chosen): (&Path, usize)) -> Option<Row> {
    let candidate = &manifest.candidates[outcome.candidate];
    let metrics = outcome.device.as_ref()?;
    Some(Row {
        model: candidate.family.name(),
        on_front: false,
        chosen: chosen == outcome.candidate,
        bytes: outcome.bytes?,
        instructions: candidate.size.instructions,
        ram_bytes: candidate.size.ram_bytes,
        psnr_db: metrics.psnr_db,
        f32_psnr_db: outcome.f32.as_ref()?.psnr_db,
        largest_error: largest_error(metrics),
        meets_goal: manifest.goal.map(|goal| goal.is_met(metrics)),
        precision: candidate.precision.name(),
        steps: outcome.steps,
        command: command(&manifest.base, candidate, (outcome.steps, &folder_of(run, outcome.candidate))),
        family: candidate.family,
    })
}

/// The folder for a run of one of the models, beside that of the winner.
fn folder_of(run: &Path, candidate: usize) -> PathBuf {
    match run.file_name() {
        Some(name) => run.with_file_name(format!("{}-{candidate}", name.to_string_lossy())),
        None => run.join(format!("model-{candidate}")),
    }
}

/// Whether a model is at least as good as another one in everything, and better in something.
fn beats(a: &Row, b: &Row) -> bool {
    let instructions = a.instructions as f64 <= b.instructions as f64;
    let is_as_good = a.bytes <= b.bytes
        && instructions
        && a.ram_bytes <= b.ram_bytes
        && a.psnr_db >= b.psnr_db
        && a.largest_error <= b.largest_error;
    let cheaper = (b.instructions as f64) * (1.0 - SAME_INSTRUCTIONS) > a.instructions as f64;
    is_as_good
        && (a.bytes < b.bytes
            || cheaper
            || a.ram_bytes < b.ram_bytes
            || a.psnr_db > b.psnr_db
            || a.largest_error < b.largest_error)
}

/// The best PSNR that so much buys.
fn envelope(rows: &[Row], x: fn(&Row) -> f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = rows.iter().map(|row| (x(row), row.psnr_db)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|&(_, psnr)| {
        let is_better = psnr > best;
        best = best.max(psnr);
        is_better
    });
    points
}
