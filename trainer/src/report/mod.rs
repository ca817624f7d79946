//! The report of a run: one page that opens anywhere, with pictures, numbers and settings.
//!
//! Every figure of the project is drawn here: the look is in [`style`], the kinds of figure in [`curve`], [`map`] and
//! [`scatter`], the formats (PNG, SVG) in [`figure`].

pub mod axis;
pub mod bars;
pub mod colormap;
pub mod curve;
mod error;
pub mod figure;
mod html;
mod live;
pub mod map;
pub(crate) mod markup;
mod png;
pub mod scatter;
pub mod sheet;
mod smooth;
pub mod style;
mod vector;
mod views;

use std::path::Path;

use ndarray::Array2;

use crate::artifact::export::Artifact;
use crate::base::files;
use crate::data::Dataset;
use crate::data::metrics::Metrics;
use curve::{Curves, Series};
pub use error::ReportError;
use figure::{Figure, FigureError};
pub(crate) use html::SheetPage;
pub use views::{Drawing, drawings, reconstruction};

/// All that a report shows.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The heading of the page.
    pub title: &'a str,
    /// One paragraph below it; may be empty.
    pub summary: &'a str,
    /// What was to be learned.
    pub dataset: &'a Dataset,
    /// The model at every sample of it, `[n, c]`, user units.
    pub predictions: &'a Array2<f32>,
    /// The model itself, which the page then runs.
    pub artifact: Option<&'a Artifact>,
    /// (step, loss), ascending; the loss curve is left out if empty.
    pub losses: &'a [(u64, f64)],
    /// How `auto` chose, if it did.
    pub choice: Option<&'a Drawing>,
    /// A row of the table each: what was compared, and how it went.
    pub metrics: &'a [(String, Metrics)],
    /// What is worth being told, a paragraph each.
    pub advice: &'a [String],
    /// Name and value.
    pub settings: &'a [(String, String)],
}

impl Report<'_> {
    /// Writes `report.html` and its pictures beside it into an existing directory. The page holds copies of the
    /// pictures, so it can be moved alone.
    ///
    /// # Errors
    ///
    /// If a figure cannot be drawn or a file not be written.
    pub fn write(&self, directory: &Path) -> Result<(), ReportError> {
        let mut drawings = drawings(self.dataset, self.predictions)?;
        if !self.losses.is_empty() {
            drawings.push(self.loss_curve()?);
        }
        drawings.extend(self.choice.cloned());
        for drawing in &drawings {
            files::write(&directory.join(format!("{}.png", drawing.name)), &drawing.png)?;
        }
        files::write(&directory.join("report.html"), html::page(self, &drawings).as_bytes())?;
        // Those of a run that this one replaced.
        for entry in directory.read_dir().into_iter().flatten().flatten() {
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".png"));
            if name.is_some_and(|name| is_drawing(name) && drawings.iter().all(|drawing| drawing.name != name)) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn loss_curve(&self) -> Result<Drawing, FigureError> {
        let points = self.losses.iter().map(|&(step, loss)| (step as f64, loss)).collect();
        let series = [Series { name: "loss".to_owned(), color: style::SERIES[0], points }];
        let curves = Curves { title: "Loss", x_label: "step", y_label: "loss", log_y: true, series: &series };
        Ok(Drawing { name: "loss".to_owned(), caption: "Training loss, logarithmic.".to_owned(), png: curves.png()? })
    }
}

/// Whether a report may have a drawing of this name, for one of several outputs too.
fn is_drawing(name: &str) -> bool {
    let base =
        name.rsplit_once('_').filter(|(_, output)| output.parse::<usize>().is_ok()).map_or(name, |(base, _)| base);
    ["choice", "error", "loss", "reconstruction", "scatter", "target"].contains(&base)
}
