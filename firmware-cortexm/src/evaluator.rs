//! The model with its scratch memory, checked at boot.

#[cfg(not(baked_model))]
use firmware_core::march::{Pixel, Ray, Volume};
use firmware_core::{EvalError, Model};

use crate::failure::Failure;
use crate::{board, cpu};

/// The program's one scratch memory, for whoever asks first.
pub(crate) fn take_scratch() -> Result<&'static mut [u32], Failure> {
    let scratch = cpu::singleton!(: [u32; board::SCRATCH_WORDS] = [0; board::SCRATCH_WORDS]);
    Ok(scratch.ok_or(Failure::Buffers)?)
}

/// Whether a line of a model's text tells how its inputs and outputs are counted: `input_origins:
/// [500000.0,4649770.0]`.
fn is_about_numbers(line: &str) -> bool {
    ["input_units:", "output_units:", "input_origins:", "output_origins:"].iter().any(|key| line.starts_with(key))
}

/// A model that parsed and gave its known answers.
pub(crate) struct Evaluator<'s> {
    model: Model<'static>,
    scratch: &'s mut [u32],
}

impl<'s> Evaluator<'s> {
    /// Parses the artifact and repeats its known-answer test, in the program's scratch memory.
    pub(crate) fn new(artifact: &'static [u8], scratch: &'s mut [u32]) -> Result<Self, Failure> {
        let model = Model::parse(artifact).map_err(Failure::Model)?;
        let header = model.header();
        defmt::info!(
            "model bytes={=usize} precision={} inputs={=u8} outputs={=u8} scratch_words={=usize}",
            artifact.len(),
            header.precision,
            header.inputs,
            header.outputs,
            model.scratch_words()
        );
        if model.scratch_words() > board::SCRATCH_WORDS {
            return Err(Failure::Scratch { available_words: board::SCRATCH_WORDS });
        }
        model.self_test(scratch).map_err(Failure::SelfTest)?;
        defmt::info!("self-test passed");
        // In which units and from which origins the model answers, where that differs from plain numbers.
        for line in model.text().lines().filter(|line| is_about_numbers(line)) {
            defmt::info!("{=str}", line);
        }
        Ok(Self { model, scratch })
    }

    /// The model.
    pub(crate) fn model(&self) -> &Model<'static> {
        &self.model
    }

    /// Evaluates one point.
    #[inline(never)] // so that the counts do not depend on what surrounds the call
    pub(crate) fn single(&mut self, point: &[f32], outputs: &mut [f32]) -> Result<(), EvalError> {
        self.model.eval_into(point, self.scratch, outputs)
    }

    /// Draws one ray.
    #[cfg(not(baked_model))]
    #[inline(never)]
    pub(crate) fn draw(&mut self, volume: &Volume<'_>, ray: &Ray) -> Result<Pixel, EvalError> {
        volume.draw(ray, &self.model, self.scratch)
    }

    /// Encodes a point given as Q0.32 coordinates, and evaluates nothing.
    #[cfg(not(baked_model))]
    #[inline(never)]
    pub(crate) fn encode(&mut self, coordinates: &[u32]) -> Result<(), EvalError> {
        self.model.encode_fixed(coordinates, self.scratch)
    }

    /// Evaluates a point given as Q0.32 coordinates.
    #[cfg(not(baked_model))]
    #[inline(never)]
    pub(crate) fn fixed(&mut self, coordinates: &[u32], raw: &mut [i32]) -> Result<(), EvalError> {
        self.model.eval_fixed_into(coordinates, self.scratch, raw)
    }

    /// The same by the portable kernels.
    #[cfg(not(baked_model))]
    #[inline(never)]
    pub(crate) fn fixed_portable(&mut self, coordinates: &[u32], raw: &mut [i32]) -> Result<(), EvalError> {
        self.model.eval_fixed_portable_into(coordinates, self.scratch, raw)
    }

    /// Evaluates points `[n, inputs]` side by side.
    #[inline(never)]
    pub(crate) fn batch(&mut self, points: &[f32], outputs: &mut [f32]) -> Result<(), EvalError> {
        self.model.eval_batch_into(points, self.scratch, outputs)
    }
}
