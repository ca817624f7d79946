//! Many models in few runs of an emulated board: a board takes longer to start than to evaluate a small network.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use trainer::artifact::export::Artifact;

use crate::firmware::Firmware;
use crate::qemu::{self, Run, Task};
use crate::{device, model, points};

/// Far more than any group of models needs.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs a task on the artifacts, as many in one run as the board's memory holds: each group with its run. `task` is
/// given the artifacts of a group one behind another.
///
/// # Errors
///
/// Where an artifact alone is too large for the board, or the device fails.
pub fn work<'a>(
    firmware: &Firmware,
    artifacts: &'a [Artifact],
    task: impl Fn(&'a [Artifact], &[u8]) -> Result<Run>,
) -> Result<Vec<(&'a [Artifact], Run)>> {
    let room = firmware.model_region.len as usize;
    let mut runs = Vec::new();
    let mut rest = artifacts;
    while !rest.is_empty() {
        let mut bytes = Vec::new();
        let mut len = 0;
        while let Some(artifact) = rest.get(len).map(Artifact::as_bytes) {
            if len > 0 && bytes.len() + artifact.len() > room {
                break;
            }
            bytes.extend_from_slice(artifact);
            len += 1;
        }
        let (group, behind) = rest.split_at(len);
        runs.push((group, task(group, &bytes)?.success()?));
        rest = behind;
    }
    Ok(runs)
}

/// How many of `samples` points of all kinds differ in any bit between host and device, for each artifact.
///
/// # Errors
///
/// Where an artifact is refused, or the device fails.
pub fn mismatched(firmware: &Firmware, artifacts: &[Artifact], samples: usize, seed: u64) -> Result<Vec<usize>> {
    let points = |artifact: &Artifact| Ok(points::all_kinds(&artifact.model()?, samples, seed ^ 0x5eed));
    let runs = work(firmware, artifacts, |group, bytes| {
        let points = group.iter().map(points).collect::<Result<Vec<_>>>()?.concat();
        qemu::work(firmware, Task::evaluate(bytes, &points, samples), LIMIT)
    })?;
    let mut mismatched = Vec::new();
    for (group, run) in runs {
        // Each model was evaluated in both forms.
        for form in ["single", "batch"] {
            let told = run.lines(&format!("count form={form} ")).count();
            ensure!(told == group.len(), "{told} of {} models were evaluated in the form {form}", group.len());
        }
        let mut outputs = run.outputs.as_slice();
        for artifact in group {
            let model = artifact.model()?;
            let expected = model::evaluate(&model, &points(artifact)?)?;
            let (actual, rest) =
                outputs.split_at_checked(expected.len()).context("the device wrote fewer values than it was to")?;
            mismatched.push(device::mismatched(&expected, actual, model.outputs()));
            outputs = rest;
        }
        ensure!(outputs.is_empty(), "the device wrote {} values too many", outputs.len());
    }
    Ok(mismatched)
}
