//! Evaluates a model on a device and compares every bit with the host.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use firmware_core::Model;
use firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS;

use crate::boards::Board;
use crate::firmware::Firmware;
use crate::model;
use crate::qemu::{self, Run, Task};
use trainer::artifact::export::Artifact;

/// What a device did with a model.
#[derive(Clone, Debug)]
pub struct Report {
    /// Points evaluated.
    pub samples: usize,
    /// Points of which some output differs in some bit from the host's.
    pub mismatched: usize,
    /// The device's outputs `[samples, outputs]`.
    pub outputs: Vec<f32>,
    /// Instructions of one evaluation by the single form, from point to outputs in the user's units.
    pub instructions_single: f64,
    /// Instructions of one evaluation within a batch, likewise.
    pub instructions_batch: f64,
    /// Code and constants of the program without the model.
    pub flash_bytes: u64,
    /// The artifact.
    pub model_bytes: usize,
    /// Static RAM with the scratch that this model needs, and without the buffers for the exchange with the host.
    pub ram_bytes: u64,
    /// Deepest use of the stack by an evaluation, painted and measured.
    pub stack_bytes: u64,
}

/// Evaluates the points `[n, inputs]` on the device.
///
/// # Errors
///
/// Where the firmware refuses the model or fails, or does not end in reasonable time. Differing bits are no error:
/// [`Report::mismatched`] counts them.
pub fn evaluate(firmware: &Firmware, artifact: &Artifact, points: &[f32]) -> Result<Report> {
    evaluate_watched(firmware, artifact, points, &mut |_| {})
}

/// As [`evaluate`]; `done` is told now and then how many points the device has evaluated.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_watched(
    firmware: &Firmware,
    artifact: &Artifact,
    points: &[f32],
    done: &mut dyn FnMut(u64),
) -> Result<Report> {
    let model = artifact.model()?;
    let samples = points.len() / model.inputs();
    let sample_bytes = 4 * model.outputs() as u64;
    let watch = qemu::Watch { limit: time_limit(&model, samples), written: &mut |bytes| done(bytes / sample_bytes) };
    let (expected, run) = thread::scope(|scope| {
        // The host works while the device does.
        let expected = scope.spawn(|| model::evaluate(&model, points));
        let run = qemu::work_watched(firmware, Task::evaluate(artifact.as_bytes(), points, samples), watch);
        (expected.join(), run)
    });
    let expected = expected.map_err(|_| anyhow!("the evaluation on the host was broken off"))??;
    let run = run?.success()?;
    if run.outputs.len() != expected.len() {
        bail!("the device wrote {} values instead of {}", run.outputs.len(), expected.len());
    }
    check_clock(firmware.board, &run)?;
    let scratch_words: u64 = run.line("buffers")?.value("scratch_words")?;
    let chunk_words: u64 = run.line("buffers")?.value("chunk_words")?;
    let buffers = 4 * (scratch_words + chunk_words);
    let ram_bytes =
        firmware.size.ram_bytes.checked_sub(buffers).context("the firmware's buffers are not in its RAM")?;
    Ok(Report {
        samples,
        mismatched: mismatched(&expected, &run.outputs, model.outputs()),
        instructions_single: per_sample(firmware.board, &run, "count form=single")?,
        instructions_batch: per_sample(firmware.board, &run, "count form=batch")?,
        flash_bytes: firmware.size.flash_bytes,
        model_bytes: artifact.as_bytes().len(),
        ram_bytes: ram_bytes + 4 * model.scratch_words() as u64,
        stack_bytes: run.line("stack")?.value("bytes")?,
        outputs: run.outputs,
    })
}

/// Samples `[outputs]` with any differing bit.
pub fn mismatched(expected: &[f32], actual: &[f32], outputs: usize) -> usize {
    let differs = |(a, b): (&[f32], &[f32])| a.iter().zip(b).any(|(a, b)| a.to_bits() != b.to_bits());
    expected.chunks(outputs).zip(actual.chunks(outputs)).filter(|&pair| differs(pair)).count()
}

/// Checks the length of a tick on the loop of known length that the firmware times at boot.
///
/// # Errors
///
/// Where it is more than 0.1 % beside the board table's.
pub fn check_clock(board: &Board, run: &Run) -> Result<()> {
    let measured = board.instructions(run.line("clock")?.value("ticks")?);
    let expected = f64::from(CALIBRATION_INSTRUCTIONS);
    if (measured / expected - 1.0).abs() > 1e-3 {
        bail!(
            "the board table's clock of {} makes {measured:.0} instructions of a loop of {expected:.0}; \
             this QEMU runs the board at another clock, so the counts would be wrong",
            board.name
        );
    }
    Ok(())
}

/// Instructions per sample; NaN where the form had no share in the job.
fn per_sample(board: &Board, run: &Run, subject: &str) -> Result<f64> {
    let line = run.line(subject)?;
    let samples: u32 = line.value("samples")?;
    Ok(board.instructions(line.value("ticks")?) / f64::from(samples))
}

/// Ten times what a slow machine needs: an emulated instruction takes some 20 ns there, and a multiplication in
/// software some 60 instructions.
fn time_limit(model: &Model<'_>, samples: usize) -> Duration {
    let operations = model.macs() + 50 * (model.encoding().features_len() + model.outputs()) + 1000;
    Duration::from_secs(60) + Duration::from_nanos(600 * operations as u64) * u32::try_from(samples).unwrap_or(u32::MAX)
}
