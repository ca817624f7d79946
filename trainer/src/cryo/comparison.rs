//! Encodings side by side: the same images, the same network and steps, another γ.

use super::error::CryoError;
use super::fit::{Results, reconstruct};
use super::params::CryoParams;
use super::particles::ParticleStack;
use super::report;
use super::run::{CryoSettings, Images, Run};
use super::subset::Subset;
use super::synthesis::Truth;
use crate::base::files;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::report::figure::Figure as _;
use crate::report::sheet::Sheet;
use crate::store::json;
use crate::store::run::RunFolder;
use crate::training::Watch;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What is compared, the proposed one last.
pub const ENCODINGS: [EncodingKind; 3] = [EncodingKind::None, EncodingKind::Positional, EncodingKind::Gaussian];

/// One encoding's reconstruction.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How frequencies became features.
    pub kind: EncodingKind,
    /// What came of it.
    pub results: Results,
}

/// Training steps of a comparison, for a progress display.
pub fn steps(params: &CryoParams) -> u64 {
    let of =
        |params: CryoParams| Subset::trained(&params).iter().map(|subset| subset.params(&params).steps).sum::<u64>();
    ENCODINGS.iter().map(|&kind| of(with_encoding(params, kind))).sum()
}

/// The settings of `base` for one of [`ENCODINGS`]: all the same, but half sets only with the last.
pub fn with_encoding(base: &CryoParams, kind: EncodingKind) -> CryoParams {
    CryoParams {
        encoding: EncodingParams { kind, ..base.encoding.clone() },
        half_sets: base.half_sets && kind == ENCODINGS[2],
        ..base.clone()
    }
}

/// Reconstructs with each encoding in memory; half sets, if the parameters ask for them, with the last one alone.
/// `None` if the watch stopped it.
///
/// # Errors
/// If a hyperparameter is out of its range or training diverges.
///
/// # Panics
/// Never: there is an entry for each encoding.
pub fn compare(
    stack: &ParticleStack,
    truth: Option<&Truth>,
    params: &CryoParams,
    watch: &mut Watch<'_>,
) -> Result<Option<[Entry; ENCODINGS.len()]>, CryoError> {
    let mut entries = Vec::new();
    for kind in ENCODINGS {
        match reconstruct(stack, truth, &with_encoding(params, kind), watch)? {
            None => return Ok(None),
            Some(results) => entries.push(Entry { kind, results }),
        }
    }
    Ok(Some(entries.try_into().expect("one entry for each encoding")))
}

/// A comparison in its folder: for each encoding the folder of a run, and `comparison.json` and `comparison.png`.
pub struct Comparison<'a> {
    folder: PathBuf,
    images: &'a Images,
    runs: Vec<Run<'a>>,
}

impl<'a> Comparison<'a> {
    /// Begins all runs in a new folder, so that any of them can be resumed; a folder that holds anything is only taken
    /// with `force`. All settings but the encoding are those of `base`.
    ///
    /// # Errors
    /// If the settings do not suit the images, or the folder cannot be made or is taken.
    pub fn start(folder: &Path, force: bool, base: &CryoSettings, images: &'a Images) -> Result<Self, CryoError> {
        let settings = ENCODINGS.map(|kind| CryoSettings { params: with_encoding(&base.params, kind), ..base.clone() });
        settings.iter().try_for_each(|settings| images.check(&settings.params))?;
        RunFolder::create(folder, force)?;
        files::remove_all(folder, &["comparison.png", "comparison.json"])?;
        let start = |(kind, settings)| {
            let folder = RunFolder::create(&folder_of(folder, kind), true)?;
            Run::start(folder, settings, images)
        };
        let runs = ENCODINGS.into_iter().zip(settings).map(start).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), images, runs })
    }

    /// The comparison in a folder, where it stopped.
    ///
    /// # Errors
    /// If there is none.
    pub fn resume(folder: &Path, images: &'a Images) -> Result<Self, CryoError> {
        let resume = |kind| Run::resume(&folder_of(folder, kind), images);
        let runs = ENCODINGS.into_iter().map(resume).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), images, runs })
    }

    /// The settings of the comparison in a folder, as its first run has them.
    ///
    /// # Errors
    /// If there is none.
    pub fn settings_of(folder: &Path) -> Result<CryoSettings, CryoError> {
        CryoSettings::of_run(&folder_of(folder, ENCODINGS[0]))
    }

    /// Reconstructs with each encoding and writes all files; `None` if the watch stopped it.
    ///
    /// # Errors
    /// If the images are not those that it was begun with, training diverges, or a file cannot be written.
    ///
    /// # Panics
    /// Never: a result is plain values.
    pub fn finish(self, watch: &mut Watch<'_>) -> Result<Option<Vec<Entry>>, CryoError> {
        let mut entries = Vec::new();
        for (kind, run) in ENCODINGS.into_iter().zip(self.runs) {
            let Some((results, _)) = run.finish(watch)? else { return Ok(None) };
            entries.push(Entry { kind, results });
        }
        let motions = self.images.stack.motions();
        if let Some(sheet) = sheet("Encodings", &entries, motions.as_deref()) {
            files::write(&self.folder.join("comparison.png"), &sheet.png()?)?;
        }
        json::write(&self.folder.join("comparison.json"), &json!({ "encodings": to_json(&entries) }))?;
        Ok(Some(entries))
    }
}

fn folder_of(comparison: &Path, kind: EncodingKind) -> PathBuf {
    comparison.join(kind.name())
}

/// Head and rows: the baseline, then each encoding with its rank correlation.
pub fn table(entries: &[Entry]) -> (Vec<String>, Vec<Vec<String>>) {
    let qualities: Vec<_> = qualities(entries);
    let (mut head, mut rows) = report::table(&qualities);
    head.push("ρ".to_owned());
    for (index, row) in rows.iter_mut().enumerate() {
        let entry = index.checked_sub(1).map(|index| &entries[index]);
        let rho = entry.and_then(|entry| entry.results.spearman);
        row.push(rho.map_or_else(|| "–".to_owned(), |rho| format!("{:.3}", rho.abs())));
    }
    (head, rows)
}

/// The entries as JSON.
pub fn to_json(entries: &[Entry]) -> Value {
    let of_entry = |entry: &Entry| {
        json!({
            "encoding": entry.kind,
            "spearman": entry.results.spearman,
            "qualities": entry.results.qualities,
        })
    };
    entries.iter().map(of_entry).collect()
}

fn qualities(entries: &[Entry]) -> Vec<super::evaluation::Quality> {
    let baseline = entries.first().map(|entry| entry.results.qualities[0].clone());
    baseline.into_iter().chain(entries.iter().map(|entry| entry.results.qualities[1].clone())).collect()
}

/// Slices and latent of the last encoding, correlation curves of all; `None` if there are no entries.
pub fn sheet(title: &str, entries: &[Entry], motions: Option<&[f64]>) -> Option<Sheet> {
    let last = entries.last()?;
    let results = Results { qualities: qualities(entries), ..last.results.clone() };
    Some(report::sheet(title, &results, motions))
}
