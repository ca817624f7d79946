//! Encodings side by side: the same images, the same network and steps, another γ.

use super::error::CryoError;
use super::fit::{Results, reconstruct};
use super::params::CryoParams;
use super::particles::ParticleStack;
use super::report;
use super::subset::Subset;
use super::synthesis::Truth;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::report::sheet::Sheet;
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;

/// What is compared, the proposed one last.
pub const ENCODINGS: [EncodingKind; 3] = [EncodingKind::None, EncodingKind::Positional, EncodingKind::Gaussian];

/// One encoding's reconstruction.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
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

/// Reconstructs with each encoding; half sets, if the parameters ask for them, with the last one alone. `observe` sees
/// the loss of every step; `None` if stopped.
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
    stop: Option<&AtomicBool>,
    mut observe: impl FnMut(f64),
) -> Result<Option<[Entry; ENCODINGS.len()]>, CryoError> {
    let mut entries = Vec::new();
    for kind in ENCODINGS {
        match reconstruct(stack, truth, &with_encoding(params, kind), stop, &mut observe)? {
            None => return Ok(None),
            Some(results) => entries.push(Entry { kind, results }),
        }
    }
    Ok(Some(entries.try_into().expect("one entry for each encoding")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};

    #[test]
    fn every_encoding_gets_a_row() {
        let params = SynthesisParams { particles: 40, ..SynthesisParams::default() };
        let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
        let stack = synthesize(&truth.molecule, &truth.params).unwrap();
        let params = CryoParams { hidden: vec![8], steps: 4, images: 8, frequencies: 4, ..CryoParams::default() };
        let mut count = 0;
        let entries = compare(&stack, Some(&truth), &params, None, |_| count += 1).unwrap().unwrap();
        assert_eq!(count, steps(&params));
        let (head, rows) = table(&entries);
        assert!(rows.len() == 4 && rows.iter().all(|row| row.len() == head.len()));
        assert!(rows[1][0].ends_with("none") && rows[3][3] != "–" && rows[2][3] == "–", "{rows:?}");
        assert!(sheet("t", &entries, None).is_some() && sheet("t", &[], None).is_none());
    }
}
