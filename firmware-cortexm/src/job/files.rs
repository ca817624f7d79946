//! The job that a host gives through semihosting files, for the models in the board's region `MODEL`.

use firmware_core::EvalError;
use firmware_cortexm::protocol::{JOB_FILE, Job, JobError, Mode, OUTPUTS_FILE, POINTS_FILE, REJECTED_BITS};
use semihosting::fs::File;
use semihosting::io::{self, Read as _, Write as _};

use crate::count::Count;
use crate::evaluator::{Evaluator, take_scratch};
use crate::failure::Failure;
use crate::{benchmark, board, compare, cpu, draw, model_source, stack};

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::File
    }
}

/// Reads the job, checks the model, does the job.
pub(crate) fn run() -> Result<(), Failure> {
    let job = read_job()?;
    let model = model_source::region(job.model_bytes as usize).ok_or(Failure::ModelRegion)?;
    match job.mode {
        Mode::Evaluate => {
            let mut exchange = Exchange::new()?;
            with_each(model, |evaluator| evaluate(evaluator, &mut exchange, job.samples as usize))
        }
        Mode::Count => with_each(model, benchmark::run),
        Mode::Compare => compare::run(model, job.samples as usize),
        Mode::Draw => draw::run(model, job.samples as usize),
        _ => Err(Failure::Job(JobError::Mode)),
    }
}

/// Does the work with each artifact.
fn with_each(
    mut artifacts: &'static [u8],
    mut work: impl FnMut(&mut Evaluator<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let scratch = take_scratch()?;
    loop {
        let (artifact, rest) = model_source::split_first(artifacts);
        work(&mut Evaluator::new(artifact, scratch)?)?;
        if rest.is_empty() {
            return Ok(());
        }
        artifacts = rest;
    }
}

/// Size of each buffer of the exchange.
const LEN: usize = board::CHUNK_WORDS;

/// The files of points and outputs, and what lies between them and the evaluations.
struct Exchange {
    points: &'static mut [f32; LEN],
    outputs: &'static mut [f32; LEN],
    points_file: File,
    outputs_file: File,
}

impl Exchange {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            points: cpu::singleton!(: [f32; LEN] = [0.0; LEN]).ok_or(Failure::Buffers)?,
            outputs: cpu::singleton!(: [f32; LEN] = [0.0; LEN]).ok_or(Failure::Buffers)?,
            points_file: File::open(POINTS_FILE)?,
            outputs_file: File::create(OUTPUTS_FILE)?,
        })
    }
}

fn read_job() -> Result<Job, Failure> {
    let mut bytes = [0; Job::BYTES];
    File::open(JOB_FILE)?.read_exact(&mut bytes)?;
    Job::from_bytes(&bytes).map_err(Failure::Job)
}

/// Evaluates the points chunk by chunk, in turn by the batch and by the single form: the host compares every output, so
/// both forms are checked, and each is counted.
fn evaluate(evaluator: &mut Evaluator<'_>, exchange: &mut Exchange, samples: usize) -> Result<(), Failure> {
    defmt::info!("buffers scratch_words={=usize} chunk_words={=usize}", board::SCRATCH_WORDS, 2 * LEN);
    let (point_len, output_len) = (evaluator.model().inputs(), evaluator.model().outputs());
    let chunk_samples = LEN / point_len.max(output_len);

    let (mut single, mut batch) = (Count::default(), Count::default());
    let mut stack_bytes = 0;
    let mut done = 0;
    let mut is_batch = false;
    while done < samples {
        // Halves where the whole job is one chunk, so that both forms get their share.
        let count = chunk_samples.min(samples - done).min(samples.div_ceil(2));
        let points = &mut exchange.points[..count * point_len];
        let outputs = &mut exchange.outputs[..count * output_len];
        exchange.points_file.read_exact(bytemuck::cast_slice_mut(points))?;
        let painted = stack::paint();
        if !is_batch || !evaluate_batch(evaluator, &mut batch, points, outputs)? {
            evaluate_singly(evaluator, &mut single, points, outputs)?;
        }
        stack_bytes = painted.used_bytes().max(stack_bytes);
        exchange.outputs_file.write_all(bytemuck::cast_slice(outputs))?;
        done += count;
        is_batch = !is_batch;
    }
    single.log("single");
    batch.log("batch");
    defmt::info!("stack bytes={=usize}", stack_bytes);
    Ok(())
}

/// Evaluates a chunk by the batch form; `false` where that stops at a point that the model rejects.
fn evaluate_batch(
    evaluator: &mut Evaluator<'_>,
    count: &mut Count,
    points: &[f32],
    outputs: &mut [f32],
) -> Result<bool, Failure> {
    let samples = points.len() / evaluator.model().inputs();
    let mut timed = Count::default();
    match timed.time(samples, || evaluator.batch(points, outputs)) {
        Ok(()) => count.add(&timed),
        Err(EvalError::OutsideDomain) => return Ok(false),
        Err(error) => return Err(Failure::Evaluation(error)),
    }
    Ok(true)
}

/// Evaluates a chunk point by point. The outputs of a rejected point become [`REJECTED_BITS`].
fn evaluate_singly(
    evaluator: &mut Evaluator<'_>,
    count: &mut Count,
    points: &[f32],
    outputs: &mut [f32],
) -> Result<(), Failure> {
    let (point_len, output_len) = (evaluator.model().inputs(), evaluator.model().outputs());
    let samples = points.len() / point_len;
    count.time(samples, || {
        for (point, output) in points.chunks_exact(point_len).zip(outputs.chunks_exact_mut(output_len)) {
            match evaluator.single(point, output) {
                Ok(()) => {}
                Err(EvalError::OutsideDomain) => output.fill(f32::from_bits(REJECTED_BITS)),
                Err(error) => return Err(Failure::Evaluation(error)),
            }
        }
        Ok(())
    })
}
