//! The figures of the text and of the paper it rests on (Tancik et al. 2020), each computed from nothing by one
//! function.
//!
//! | module | figure | shows |
//! | --- | --- | --- |
//! | `spectral_bias` | 1 | a picture with and without features; kernels, spectra, convergence by frequency |
//! | `kernels` | | encodings of one coordinate as kernels: shapes, spectra, bandwidths |
//! | `toy_1d` | 2 (paper: 3) | seven mappings of a signal: kernels, fits, losses and their prediction |
//! | `scale_sweep` | 4 (paper: 10) | under-fitting, best and over-fitting in σ |
//! | `encodings` | table 1 | none, basic, positional and Gaussian on pictures |
//! | `axis_aligned` | paper: 11 | why positional encoding favours the axes |
//! | `dynamics` | | predicted against measured loss of wide networks |
//! | `bases` | | frequencies, sines, grids and tables: kernels, spectra, what a byte buys |
//! | `nerf` | table 7 | new views of a scene from pictures of it |
//! | `cryo` | | the volumes of a protein that moves, from noisy projections |
//! | `inverse` | table 1 | a section from projections, a volume from part of its spectrum, a solid |
//!
//! A figure is a drawing, its numbers, and the [`Claim`]s that the numbers support or contradict. [`reproduce`] writes
//! it as `NAME.png`, `NAME.svg` and `NAME.json`; [`kept`] finds it there again; [`page`] puts several on one page. The
//! same seed gives the same numbers, however many cores there are.

mod axis_aligned;
mod bases;
mod cryo;
mod dynamics;
mod encodings;
mod error;
mod inverse;
mod kernels;
mod monitor;
mod nerf;
pub mod page;
mod parts;
mod pictures;
mod scale_sweep;
mod spectral_bias;
mod toy;
mod toy_1d;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::ReproduceError;
pub use monitor::{Event, FigureWatch};

use self::parts::Parts;
use crate::base::files;
use crate::report::figure::Figure as _;
use crate::report::sheet::Sheet;

/// A figure, in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// A network on a picture with and without features; kernels, spectra, convergence by frequency
    SpectralBias,
    /// Encodings of one coordinate as kernels: shapes, spectra, bandwidths
    Kernels,
    /// Seven mappings of a signal: kernels, fits, losses and their prediction
    #[value(name = "toy-1d")]
    #[serde(rename = "toy-1d")]
    Toy1d,
    /// Predicted against measured loss of wide networks
    Dynamics,
    /// Under-fitting, best and over-fitting in the scale
    ScaleSweep,
    /// None, basic, positional and Gaussian on pictures
    Encodings,
    /// Why positional encoding favours axis-aligned content
    AxisAligned,
    /// Frequencies, sines, grids and tables: kernels, spectra, and what a byte buys
    Bases,
    /// New views of a scene from pictures of it, with each encoding
    Nerf,
    /// The volumes of a protein that moves, from noisy projections
    Cryo,
    /// A section of a head from 20 projections
    Ct,
    /// A head from a part of its Fourier coefficients
    Mri,
    /// A solid from its occupancy
    Shape,
}

impl Figure {
    /// Those of the text and its theory, in its order.
    pub const ALL: [Self; 8] = [
        Self::SpectralBias,
        Self::Kernels,
        Self::Toy1d,
        Self::Dynamics,
        Self::ScaleSweep,
        Self::Encodings,
        Self::AxisAligned,
        Self::Bases,
    ];

    /// What Fourier features made possible.
    pub const APPLICATIONS: [Self; 5] = [Self::Nerf, Self::Cryo, Self::Ct, Self::Mri, Self::Shape];

    /// As the command line and the files spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SpectralBias => "spectral-bias",
            Self::Kernels => "kernels",
            Self::Toy1d => "toy-1d",
            Self::Dynamics => "dynamics",
            Self::ScaleSweep => "scale-sweep",
            Self::Encodings => "encodings",
            Self::AxisAligned => "axis-aligned",
            Self::Bases => "bases",
            Self::Nerf => "nerf",
            Self::Cryo => "cryo",
            Self::Ct => "ct",
            Self::Mri => "mri",
            Self::Shape => "shape",
        }
    }
}

/// How to make figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Small settings, ten seconds or less each on two cores, instead of the full ones.
    pub quick: bool,
    /// Of initial weights and random frequencies.
    pub seed: u64,
}

/// What the text, the paper or the theory says, beside what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What is said.
    pub statement: String,
    /// What was measured.
    pub measured: String,
    /// Whether they agree.
    pub holds: bool,
}

impl Claim {
    fn new(statement: impl Into<String>, measured: impl Into<String>, holds: bool) -> Self {
        Self { statement: statement.into(), measured: measured.into(), holds }
    }
}

/// Numbers in rows, as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What they are.
    pub caption: String,
    /// Heads of the columns.
    pub head: Vec<String>,
    /// As wide as the head; the first entry names the row.
    pub rows: Vec<Vec<String>>,
}

/// What is told about a figure, without its drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureContent {
    /// The heading.
    pub title: String,
    /// Paragraphs that lead the eye over the drawing. Empty in files of earlier versions.
    #[serde(default)]
    pub what_you_see: Vec<String>,
    /// Paragraphs that explain it by the tangent kernel. Empty in files of earlier versions.
    #[serde(default)]
    pub why: Vec<String>,
    /// Paragraphs: the settings, and how they differ from the published ones.
    #[serde(rename = "text")]
    pub method: Vec<String>,
    /// The text below the drawing.
    pub caption: String,
    /// The claims that were checked, those that do not hold too.
    pub claims: Vec<Claim>,
    /// Tables below the explanation.
    pub tables: Vec<Table>,
    /// Every number that was drawn.
    pub numbers: serde_json::Value,
}

/// A figure that is computed, but not written yet.
#[derive(Clone, Debug)]
struct Draft {
    content: FigureContent,
    sheet: Sheet,
}

/// What `NAME.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureRecord {
    /// Which figure it is.
    pub figure: Figure,
    /// The size and the seed it was made with.
    #[serde(flatten)]
    pub options: Options,
    /// Its text and numbers.
    #[serde(flatten)]
    pub content: FigureContent,
}

/// A figure whose files are written.
#[derive(Clone, Debug)]
pub struct WrittenFigure {
    /// What its JSON file holds.
    pub record: FigureRecord,
    /// The drawing as a PNG.
    pub png: Vec<u8>,
    /// How long this call took, which may have gone on with an earlier one's trainings; none if the figure was made
    /// before.
    pub seconds: Option<f64>,
}

fn paragraphs<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

fn path(out: &Path, figure: Figure, extension: &str) -> PathBuf {
    out.join(format!("{}.{extension}", figure.name()))
}

/// Makes a figure and writes `NAME.png`, `NAME.svg` and `NAME.json` into `out`, which is created if need be.
///
/// # Errors
/// If it is [there at full settings](check_free), the directory cannot be made, the work fails or is interrupted, or a
/// file cannot be written. Nothing of the figure is written before all of it is computed; until then, what its
/// trainings came to lies in `NAME.parts`, and the next call of the same program with the same options goes on from
/// there (the applications begin anew).
pub fn reproduce(
    figure: Figure,
    options: Options,
    out: &Path,
    monitor: &FigureWatch<'_>,
) -> Result<WrittenFigure, ReproduceError> {
    // Before the work, not after it.
    check_free(figure, out)?;
    files::make_folder(out)?;
    files::check_writable(out)?;
    let begun = std::time::Instant::now();
    let make = match figure {
        Figure::SpectralBias => spectral_bias::make,
        Figure::Kernels => kernels::make,
        Figure::Toy1d => toy_1d::make,
        Figure::Dynamics => dynamics::make,
        Figure::ScaleSweep => scale_sweep::make,
        Figure::Encodings => encodings::make,
        Figure::AxisAligned => axis_aligned::make,
        Figure::Bases => bases::make,
        Figure::Nerf => nerf::make,
        Figure::Cryo => cryo::make,
        Figure::Ct => inverse::ct,
        Figure::Mri => inverse::mri,
        Figure::Shape => inverse::shape,
    };
    let parts = Parts::of(figure, out);
    let monitor = &FigureWatch { parts: Some(&parts), ..*monitor };
    let Draft { content, sheet } = make(options, monitor)?;
    monitor.check()?;
    let (png, svg) = (sheet.png()?, sheet.svg()?);
    let record = FigureRecord { figure, options, content };
    // Gone first and written last: where it lies, the figure is whole.
    files::remove(&path(out, figure, "json"))?;
    files::write(&path(out, figure, "svg"), svg.as_bytes())?;
    files::write(&path(out, figure, "png"), &png)?;
    files::write(&path(out, figure, "json"), &serde_json::to_vec(&record)?)?;
    parts.remove_used();
    (monitor.tell)(Event::End);
    Ok(WrittenFigure { record, png, seconds: Some(begun.elapsed().as_secs_f64()) })
}

/// Refuses to replace a figure at full settings, which may have taken hours; those of `quick` are replaced.
///
/// # Errors
/// [`ReproduceError::Finished`].
pub fn check_free(figure: Figure, out: &Path) -> Result<(), ReproduceError> {
    let path = path(out, figure, "json");
    // All that is asked of the file: it may be of an earlier version.
    let options = fs::read(&path).ok().and_then(|json| serde_json::from_slice::<Options>(&json).ok());
    if options.is_some_and(|options| !options.quick) { Err(ReproduceError::Finished { path }) } else { Ok(()) }
}

/// The figure that `out` holds, if it was made there whole and with these options.
#[must_use]
pub fn kept(figure: Figure, options: Options, out: &Path) -> Option<WrittenFigure> {
    let record: FigureRecord = serde_json::from_slice(&fs::read(path(out, figure, "json")).ok()?).ok()?;
    let png = fs::read(path(out, figure, "png")).ok()?;
    let svg = fs::read_to_string(path(out, figure, "svg")).ok()?;
    let whole = svg.trim_end().ends_with("</svg>") && image::load_from_memory(&png).is_ok();
    (whole && record.figure == figure && record.options == options).then_some(WrittenFigure {
        record,
        png,
        seconds: None,
    })
}
