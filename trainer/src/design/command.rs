//! The `trainer fit` command that makes a model.

use std::path::Path;

use super::candidates::Candidate;
use crate::data::Outside;
use crate::fit::FitParams;
use crate::fit::settings::FitSettings;
use crate::network::HiddenActivation;
use crate::network::encoding::EncodingKind;
use crate::network::grid::Nodes;

/// The command that trains a candidate for so many steps, into the folder `out`.
#[must_use]
pub(super) fn command(base: &FitSettings, candidate: &Candidate, (steps, out): (u64, &Path)) -> String {
    let (fit, usual) = (&candidate.fit, FitParams::default());
    let mut words = vec!["trainer fit".to_owned()];
    match &base.load.targets {
        Some(targets) => {
            words.push(format!("--points {} --targets {}", quoted(&base.input), quoted(targets)));
        }
        None => words.push(quoted(&base.input)),
    }
    words.extend(of_data(base));
    let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
    let is_table = candidate.family.is_table();
    if is_table || fit.encoding.kind == EncodingKind::Grid {
        let grid = &fit.encoding.grid;
        option("encoding", fit.encoding.kind.name().to_owned());
        option("levels", grid.levels.iter().map(Nodes::to_string).collect::<Vec<_>>().join(","));
        if !is_table {
            option("channels", grid.channels.to_string());
        }
        option("order", grid.order.to_string());
        option("bits", grid.bits.to_string());
    } else {
        option("frequencies", fit.encoding.frequencies.to_string());
        option("scale", fit.encoding.scale.to_string());
    }
    if !is_table {
        let widths: Vec<String> = fit.hidden.iter().map(usize::to_string).collect();
        option("hidden", widths.join(","));
        if fit.activation == HiddenActivation::Sine {
            option("activation", "sine".to_owned());
        }
        option("steps", steps.to_string());
        option("schedule", "stable".to_owned());
        if fit.batch != usual.batch {
            option("batch", fit.batch.map_or("all".to_owned(), |batch| batch.to_string()));
        }
    }
    if fit.seed != usual.seed {
        option("seed", fit.seed.to_string());
    }
    option("precision", candidate.precision.name().to_owned());
    if fit.guide {
        words.push("--guide".to_owned());
    }
    words.push(format!("--out {}", quoted(out)));
    words.join(" ")
}

/// The options that say how the file is read.
fn of_data(base: &FitSettings) -> Vec<String> {
    let load = &base.load;
    let mut words = Vec::new();
    for (name, columns) in [("inputs", &load.inputs), ("outputs", &load.outputs)] {
        if !columns.is_empty() {
            words.push(format!("--{name} {}", shell(&columns.join(","))));
        }
    }
    if !load.no_data.is_empty() {
        let values: Vec<String> = load.no_data.iter().map(f64::to_string).collect();
        words.push(format!("--no-data {}", values.join(",")));
    }
    words.extend(load.array.iter().map(|array| format!("--array {}", shell(array))));
    words.extend(load.decimal.iter().map(|mark| format!("--decimal {}", mark.mark())));
    for (given, flag) in [
        (load.channels_last, "--channels-last"),
        (load.volume, "--volume"),
        (load.skip_missing, "--skip-missing"),
        (load.wide, "--wide"),
    ] {
        words.extend(given.then(|| flag.to_owned()));
    }
    if !base.fit.periodic.is_empty() {
        let periods = base.fit.periodic.iter().map(|period| format!("{}={}", period.axis + 1, period.period));
        words.push(format!("--periodic {}", periods.collect::<Vec<_>>().join(",")));
    }
    if !base.fit.codes.is_empty() {
        let codes = base.fit.codes.iter().map(|codes| format!("{}={}", codes.axis + 1, codes.bits));
        words.push(format!("--codes {}", codes.collect::<Vec<_>>().join(",")));
    }
    match base.fit.outside {
        Outside::Clamp => {}
        Outside::Periodic => words.push("--outside periodic".to_owned()),
        Outside::Reject => words.push("--outside reject".to_owned()),
    }
    words
}

fn quoted(path: &Path) -> String {
    shell(&path.to_string_lossy())
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/,=+:@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
