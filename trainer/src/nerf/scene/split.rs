//! Which frames of a list of all views belong to which part.
//!
//! The list may say so itself, by `train_filenames`, `val_filenames` and `test_filenames` as nerfstudio writes them.
//! Where it does not, every [`HELD_OUT`]th view in the order of the file names, from the first, is held out, as
//! nerfstudio and the well-known forward-facing scenes do.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::error::SceneError;
use super::keys::Keys;
use super::{Notes, Part};

/// One view in so many is held out.
const HELD_OUT: usize = 8;
/// The key of each part.
const KEYS: [&str; 3] = ["train_filenames", "val_filenames", "test_filenames"];

/// The frames of a part, in the list's order; `names` are the `file_path` of all frames.
pub(super) fn split(list: Keys<'_>, names: &[&str], part: Part, notes: &mut Notes) -> Result<Vec<usize>, SceneError> {
    let [train, validation, test] = [0, 1, 2].map(|index| named(list, names, KEYS[index]));
    let (train, validation, test) = (train?, validation?, test?);
    let path = list.path.display();
    let chosen: BTreeSet<usize> = if train.is_none() && validation.is_none() && test.is_none() {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|&frame| plain(names[frame]));
        let held_out: BTreeSet<usize> = order.into_iter().step_by(HELD_OUT).collect();
        notes.say(format!(
            "{path} does not say which views to judge by: every {HELD_OUT}th in the order of the file names is held out, {} of {}.",
            held_out.len(),
            names.len()
        ));
        match part {
            Part::Train => (0..names.len()).filter(|frame| !held_out.contains(frame)).collect(),
            Part::Validation | Part::Test => held_out,
        }
    } else {
        // All that the list does not give to another part.
        let rest = |others: [&Option<BTreeSet<usize>>; 2]| {
            (0..names.len())
                .filter(|frame| !others.iter().any(|other| other.as_ref().is_some_and(|o| o.contains(frame))))
                .collect()
        };
        match part {
            Part::Train => train.unwrap_or_else(|| rest([&validation, &test])),
            Part::Validation | Part::Test => {
                let (own, other) = if part == Part::Test { (&test, &validation) } else { (&validation, &test) };
                let (key, other_key) = if part == Part::Test { (KEYS[2], KEYS[1]) } else { (KEYS[1], KEYS[2]) };
                let held_out = match (own, other) {
                    (Some(own), _) => own.clone(),
                    (None, Some(other)) => {
                        notes.say(format!("{path} has no {key}: the views of {other_key} stand for them."));
                        other.clone()
                    }
                    (None, None) => {
                        notes
                            .say(format!("{path} has no {key}: the views that are not in {} stand for them.", KEYS[0]));
                        rest([&train, &None])
                    }
                };
                let both = train.map_or(0, |train| train.intersection(&held_out).count());
                if both > 0 {
                    notes.say(format!(
                        "{path} names {both} of the {} views to judge by in {} too: what is said of them is not of new views.",
                        held_out.len(),
                        KEYS[0]
                    ));
                }
                held_out
            }
        }
    };
    if chosen.is_empty() {
        let (purpose, remedy) = match part {
            Part::Train => {
                ("to train on", "one view in eight is held out, so list two at least, or name some in train_filenames")
            }
            _ => ("to judge by", "name some in test_filenames, and others in train_filenames"),
        };
        return Err(SceneError::EmptyPart { path: list.path.to_owned(), purpose, remedy });
    }
    Ok(chosen.into_iter().collect())
}

/// The frames that a key names.
fn named(list: Keys<'_>, names: &[&str], key: &'static str) -> Result<Option<BTreeSet<usize>>, SceneError> {
    const EXPECTED: &str = "a list of texts, each the file_path of a frame";
    let Some(value) = list.get(key) else { return Ok(None) };
    let wanted = value.as_array().ok_or_else(|| list.unfit(key, EXPECTED))?;
    let mut frames: HashMap<String, Vec<usize>> = HashMap::new();
    for (frame, name) in names.iter().enumerate() {
        frames.entry(plain(name)).or_default().push(frame);
    }
    let mut chosen = BTreeSet::new();
    for name in wanted {
        let Value::String(name) = name else { return Err(list.unfit(key, EXPECTED)) };
        let found = frames.get(&plain(name));
        let missing = || SceneError::SplitName { path: list.path.to_owned(), key, name: name.clone() };
        chosen.extend(found.ok_or_else(missing)?);
    }
    Ok(Some(chosen))
}

/// A path as it is compared: slashes, and no `./` before it.
fn plain(name: &str) -> String {
    let slashed = name.trim().replace('\\', "/");
    slashed.strip_prefix("./").unwrap_or(&slashed).to_owned()
}
