//! The folder of a search, `design` in that of the run.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings.json` | the data, the budget and every candidate; another search is refused |
//! | `rounds-I-of-N.json` | which candidates each round of a shard trains, and how long |
//! | `outcomes/CANDIDATE-ROUND.json` | how good a candidate is after a round |
//! | `states/CANDIDATE.safetensors` | its training at the highest learning rate, to be continued in the next round |
//! | `states/CANDIDATE-end.safetensors` | the same after the decay of the rate: what was judged last and did not fail |
//!
//! Every file is written whole or not at all, so that a search continues after whatever ended it. Shards may share the
//! folder: no two of them write the same file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DesignError;
use super::budget::{Budget, Goal};
use super::candidates::Candidate;
use crate::base::files;
use crate::base::fingerprint::fingerprint_of;
use crate::base::shard::Shard;
use crate::data::metrics::Metrics;
use crate::fit::settings::FitSettings;
use crate::store::error::StoreError;
use crate::store::{checkpoint, json};
use crate::training::TrainState;

/// What a search is: all that its result depends on, but for the time that it is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignManifest {
    /// The settings that all candidates share.
    pub base: FitSettings,
    /// What the model may take: bytes, no more than are [of use for the data](Budget::for_data), instructions and RAM.
    pub budget: Budget,
    /// How good the model must be.
    pub goal: Option<Goal>,
    /// The board that instructions are estimated for.
    pub board: String,
    /// [`fingerprint`](crate::data::Dataset::fingerprint) of the data, in hexadecimal.
    pub data: String,
    /// The models that are compared.
    pub candidates: Vec<Candidate>,
}

/// The trainings of one round. All take about the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The candidates, by their place in the manifest.
    pub candidates: Vec<usize>,
    /// The steps of each before its learning rate falls; 0 for tables, which are fitted in one step.
    pub stable: Vec<u64>,
}

impl Round {
    /// The steps of a candidate before its learning rate falls; 0 if it is not in this round.
    #[must_use]
    pub fn stable_of(&self, candidate: usize) -> u64 {
        let place = self.candidates.iter().position(|&other| other == candidate);
        place.and_then(|place| self.stable.get(place)).copied().unwrap_or(0)
    }

    /// All steps of a candidate: the rate falls in the last third of them.
    #[must_use]
    pub fn steps_of(&self, candidate: usize) -> u64 {
        (self.stable_of(candidate) / 2).saturating_mul(3).max(1)
    }
}

/// How good a candidate is after a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its place in the manifest.
    pub candidate: usize,
    /// The round, from 0.
    pub round: usize,
    /// Steps that it was trained for.
    pub steps: u64,
    /// Time of this round's training.
    pub seconds: f64,
    /// Length of its artifact; none if training failed.
    pub bytes: Option<usize>,
    /// How good its artifact is on the samples that judge; none if training failed.
    pub device: Option<Metrics>,
    /// The same in f32.
    pub f32: Option<Metrics>,
    /// Why training failed, as a sentence.
    pub failure: Option<String>,
}

impl Outcome {
    /// What is known before anything is trained or judged.
    pub(super) fn new(candidate: usize, round: usize, steps: u64) -> Self {
        Self { candidate, round, steps, seconds: 0.0, bytes: None, device: None, f32: None, failure: None }
    }

    /// PSNR of the artifact, dB; minus infinity if training failed.
    #[must_use]
    pub fn psnr_db(&self) -> f64 {
        self.device.as_ref().map_or(f64::NEG_INFINITY, |metrics| metrics.psnr_db)
    }
}

/// The folder of one search, seen by one shard.
#[derive(Clone, Debug)]
pub struct DesignStore {
    path: PathBuf,
    /// A checksum of the manifest.
    fingerprint: u64,
    shard: Shard,
}

impl DesignStore {
    /// The folder for a search in that of a run: a new one, or one that holds the same search.
    ///
    /// # Errors
    /// If it holds another search or cannot be made.
    pub fn create(run: &Path, manifest: &DesignManifest, shard: Shard) -> Result<Self, DesignError> {
        let path = run.join("design");
        if let Some(there) = json::read::<DesignManifest>(&path.join("settings.json"))?
            && there != *manifest
        {
            return Err(DesignError::Other { path: run.to_owned() });
        }
        for folder in ["outcomes", "states"] {
            files::make_folder(&path.join(folder)).map_err(StoreError::from)?;
        }
        json::write(&path.join("settings.json"), manifest).map_err(StoreError::from)?;
        Ok(Self { path, fingerprint: fingerprint_of(json::bytes(manifest)), shard })
    }

    /// What is searched for in the folder of a run.
    ///
    /// # Errors
    /// If there is no search in it, or its settings are damaged.
    pub fn manifest_of(run: &Path) -> Result<DesignManifest, DesignError> {
        let manifest = json::read(&run.join("design/settings.json"))?;
        manifest.ok_or_else(|| DesignError::NotADesign { path: run.to_owned() })
    }

    /// The rounds that this shard has begun.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn rounds(&self) -> Result<Vec<Round>, StoreError> {
        Ok(json::read(&self.rounds_path())?.unwrap_or_default())
    }

    /// Keeps the rounds that this shard has begun.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn keep_rounds(&self, rounds: &[Round]) -> Result<(), StoreError> {
        Ok(json::write(&self.rounds_path(), &rounds)?)
    }

    /// The shards that have begun, this one left out, by their names such as `2-of-3`.
    #[must_use]
    pub fn other_shards(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Some(name.strip_prefix("rounds-")?.strip_suffix(".json")?.to_owned())
        });
        let mut names: Vec<String> = names.filter(|name| *name != self.shard.to_string()).collect();
        names.sort();
        names
    }

    /// What came of a candidate in a round, if that is done.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn outcome(&self, candidate: usize, round: usize) -> Result<Option<Outcome>, StoreError> {
        json::read(&self.path.join("outcomes").join(format!("{candidate:05}-{round}.json")))
    }

    /// The last outcome of every candidate that has one, in the order of the candidates; one that failed only where no
    /// round before it was sound.
    ///
    /// # Errors
    /// If a file is damaged.
    pub fn last_outcomes(&self, candidates: usize) -> Result<Vec<Outcome>, StoreError> {
        let mut all = Vec::new();
        for candidate in 0..candidates {
            let mut last: Option<Outcome> = None;
            let mut round = 0;
            while let Some(outcome) = self.outcome(candidate, round)? {
                if outcome.failure.is_none() || last.is_none() {
                    last = Some(outcome);
                }
                round += 1;
            }
            all.extend(last);
        }
        Ok(all)
    }

    /// Keeps an outcome.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let name = format!("{:05}-{}.json", outcome.candidate, outcome.round);
        Ok(json::write(&self.path.join("outcomes").join(name), outcome)?)
    }

    /// What was kept of a candidate's training, which starts as `untrained`. `end` chooses the state after the decay of
    /// the learning rate.
    #[must_use]
    pub fn read_state(&self, candidate: usize, end: bool, untrained: &TrainState) -> Option<TrainState> {
        checkpoint::kept(&self.state_path(candidate, end), untrained, self.fingerprint)
    }

    /// Keeps a candidate's training.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_state(&self, candidate: usize, end: bool, state: &TrainState) -> Result<(), StoreError> {
        Ok(checkpoint::write(&self.state_path(candidate, end), state, &"", self.fingerprint)?)
    }

    /// Removes the trainings of a candidate that is not continued.
    pub fn forget(&self, candidate: usize) {
        // One that stays is never read again.
        let _ = std::fs::remove_file(self.state_path(candidate, false));
    }

    fn state_path(&self, candidate: usize, end: bool) -> PathBuf {
        let end = if end { "-end" } else { "" };
        self.path.join("states").join(format!("{candidate:05}{end}.safetensors"))
    }

    fn rounds_path(&self) -> PathBuf {
        self.path.join(format!("rounds-{}.json", self.shard))
    }
}
