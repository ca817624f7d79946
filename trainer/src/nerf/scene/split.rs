//! Which frames of a list of all views belong to which part.
//!
//! The list may say so itself, by `train_filenames`, `val_filenames` and `test_filenames` as nerfstudio writes them.
//! Where it does not, every [`HELD_OUT`]th view in the order of the file names, from the first, is held out, as
//! nerfstudio and the well-known forward-facing scenes do.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

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
    let [train, validation, test] = KEYS.map(|key| named(list, names, key));
    let said = Said { path: list.path, frames: names.len(), train: train?, validation: validation?, test: test? };
    let chosen = if said.is_nothing() {
        every_eighth(list, names, part, notes)
    } else if part == Part::Train {
        said.to_train_on()
    } else {
        said.to_judge_by(part, notes)
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

/// The frames of a part where the list does not say them.
fn every_eighth(list: Keys<'_>, names: &[&str], part: Part, notes: &mut Notes) -> Frames {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&frame| plain(names[frame]));
    let held_out: Frames = order.into_iter().step_by(HELD_OUT).collect();
    notes.say(format!(
        "{} does not say which views to judge by: every {HELD_OUT}th in the order of the file names is held out, {} \
         of {}.",
        list.path.display(),
        held_out.len(),
        names.len()
    ));
    match part {
        Part::Train => (0..names.len()).filter(|frame| !held_out.contains(frame)).collect(),
        Part::Validation | Part::Test => held_out,
    }
}

/// Frames by their places in the list.
type Frames = BTreeSet<usize>;

/// The parts that a list names.
struct Said<'a> {
    path: &'a Path,
    /// How many the list has.
    frames: usize,
    train: Option<Frames>,
    validation: Option<Frames>,
    test: Option<Frames>,
}

impl Said<'_> {
    fn is_nothing(&self) -> bool {
        self.train.is_none() && self.validation.is_none() && self.test.is_none()
    }

    /// All frames that are in none of these parts.
    fn rest(&self, others: &[&Option<Frames>]) -> Frames {
        let is_free = |frame: &usize| !others.iter().copied().flatten().any(|other| other.contains(frame));
        (0..self.frames).filter(is_free).collect()
    }

    fn to_train_on(&self) -> Frames {
        self.train.clone().unwrap_or_else(|| self.rest(&[&self.validation, &self.test]))
    }

    /// The validation or test views. Where the list names only the others of them, these stand for them; where it names
    /// neither, all that is not trained on.
    fn to_judge_by(&self, part: Part, notes: &mut Notes) -> Frames {
        let [training, validation, test] = KEYS;
        let [own, other] = match part {
            Part::Test => [(test, &self.test), (validation, &self.validation)],
            _ => [(validation, &self.validation), (test, &self.test)],
        };
        let (path, key) = (self.path.display(), own.0);
        let held_out = match (own.1, other) {
            (Some(own), _) => own.clone(),
            (None, (other_key, Some(other))) => {
                notes.say(format!("{path} has no {key}: the views of {other_key} stand for them."));
                other.clone()
            }
            (None, (_, None)) => {
                notes.say(format!("{path} has no {key}: the views that are not in {training} stand for them."));
                self.rest(&[&self.train])
            }
        };
        let both = self.train.as_ref().map_or(0, |train| train.intersection(&held_out).count());
        if both > 0 {
            let count = held_out.len();
            notes.say(format!(
                "{path} names {both} of the {count} views to judge by in {training} too: what is said of them is not \
                 of new views."
            ));
        }
        held_out
    }
}

/// The frames that a key names.
fn named(list: Keys<'_>, names: &[&str], key: &'static str) -> Result<Option<Frames>, SceneError> {
    const EXPECTED: &str = "a list of texts, each the file_path of a frame";
    let Some(value) = list.get(key) else { return Ok(None) };
    let wanted = value.as_array().ok_or_else(|| list.unfit(key, EXPECTED))?;
    let mut frames: HashMap<String, Vec<usize>> = HashMap::new();
    for (frame, name) in names.iter().enumerate() {
        frames.entry(plain(name)).or_default().push(frame);
    }
    let mut chosen = Frames::new();
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
