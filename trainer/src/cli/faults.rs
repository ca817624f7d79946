//! `trainer faults`: what a flipped bit of a model does, and who finds it.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use trainer::artifact::model_file::ModelFile;
use trainer::base::files;
use trainer::faults::{FaultParams, FaultsError, Flip, Report, Study};
use trainer::report::figure::Figure;
use trainer::training::progress::Count;

use super::hold::{Others, hold_while_made};
use super::new_directories::NewDirectories;
use super::reading::{ReadingArgs, load_for, tell};
use super::{interrupt, number, print};

/// The files of --out.
const TABLE: &str = "faults.csv";
const FIGURE: &str = "faults.png";
const REPORT: &str = "faults.json";

/// Flip the bits of a model one at a time, and tell what each flip changes and who finds it.
///
/// For the domain, the output maps, the frequencies B, the grids and the layers: how far a flip moves an answer at the
/// samples of INPUT, by part of the file, and the ten worst bits. For every flip: whether the check at boot
/// (Model::parse) finds it, whether a round of Model::recheck_step in the idle loop does, and whether an answer leaves
/// the range that `trainer certify` proves for the model.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    trainer faults runs/thermocouple/model.ffm trainer/data/thermocouple_k.csv --out runs/flips\n  \
    trainer faults runs/terrain/model.ffm trainer/data/terrain_elevation.npy --flips 2000 --samples 300 --json")]
pub(crate) struct Faults {
    /// The model file (.ffm)
    model: PathBuf,
    /// Data of the kind that the model was trained on; answers are compared at its samples
    input: PathBuf,
    /// The most samples; of more, the seed draws so many. A flip in a grid only moves answers near its node, and few
    /// samples miss it
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = number::from_one::<usize>)]
    samples: usize,
    /// The most bits to flip, those of the header not counted; of more, the seed draws so many
    #[arg(long, value_name = "COUNT", default_value = "20000", value_parser = number::from_one::<usize>)]
    flips: usize,
    /// The most seconds for the proof of the range
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = number::positive)]
    time: f64,
    /// Seed of all random numbers; the same seed gives the same result
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write faults.csv (every flip), faults.png (the changes by part and by bit) and faults.json (the report) to this
    /// folder
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take an --out that holds something, and replace those files in it
    #[arg(long, requires = "out")]
    force: bool,
    /// The columns of a table that are inputs, by name or number [default: those that the model was trained on]
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The columns of a table to compare with, by name or number [default: those that the model was trained on]
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    targets: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Faults {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let stop = interrupt::catch()?;
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        let data = load_for(&model, &self.input, self.reading.options(&self.inputs, &self.targets))?;
        tell(&data);
        let params = FaultParams { samples: self.samples, flips: self.flips, seconds: self.time, seed: self.seed };
        let study = Study::new((&file, &model), &data, &params)?;
        let made = self.out.as_deref().map(NewDirectories::on_the_way_to);
        if let Some(out) = &self.out {
            hold_while_made(out, Others::Refused, || Ok(files::new_folder(out, self.force)?))?;
        }
        let done = self.flip_all(&study, stop).and_then(|(report, flips)| {
            self.write(&study, &report, &flips)?;
            Ok(report)
        });
        drop(made);
        let report = match done {
            Err(error @ FaultsError::Stopped) => {
                trainer::note!("{error}");
                interrupt::exit();
            }
            done => done?,
        };
        print(&if self.json {
            serde_json::to_string_pretty(&report)?
        } else {
            report.to_string().trim_end().to_owned()
        })
    }

    fn flip_all(&self, study: &Study<'_>, stop: &AtomicBool) -> Result<(Report, Vec<Flip>), FaultsError> {
        trainer::note!("proving the range of the answers, for {} s at most", self.time);
        let ranges = study.prove(stop)?;
        let count = Mutex::new(Count::on_stderr("flips", study.flips() as u64));
        let tell = |done| count.lock().unwrap_or_else(PoisonError::into_inner).at(done);
        let flips = study.run(ranges.as_deref().ok(), stop, &tell);
        count.into_inner().unwrap_or_else(PoisonError::into_inner).end();
        let flips = flips?;
        Ok((study.report(&flips, &ranges), flips))
    }

    fn write(&self, study: &Study<'_>, report: &Report, flips: &[Flip]) -> Result<(), FaultsError> {
        let Some(out) = &self.out else { return Ok(()) };
        let png = study.figure(report, flips).png()?;
        files::write(&out.join(TABLE), report.csv(flips).as_bytes())?;
        files::write(&out.join(FIGURE), &png)?;
        // Last, so that a folder with a report is complete.
        files::write_with(&out.join(REPORT), |writer| Ok(serde_json::to_writer_pretty(writer, report)?))?;
        Ok(())
    }
}
