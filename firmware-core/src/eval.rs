//! Evaluation: points in, values out.

use crate::artifact::crc32;
use crate::error::EvalError;
use crate::kernels::{Arithmetic, BATCH_LANES, F32, W8A16, W16A16, layer_words};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::{Model, OutputActivation, Precision};

/// Points whose answers the artifact's digest covers.
const KNOWN_ANSWERS: usize = 16;

impl Model<'_> {
    /// Evaluates one point: `point` `[d]` and `out` `[c]`, both in the user's units.
    ///
    /// # Errors
    ///
    /// For lengths that do not fit, and for a point outside the domain where the model rejects it; `out` is then as it
    /// was.
    pub fn eval_into(&self, point: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        if point.len() != self.inputs() {
            return Err(EvalError::PointLength);
        }
        self.eval_batch_into(point, scratch, out)
    }

    /// Evaluates n points: `points` `[n, d]` and `out` `[n, c]`, row-major, in the user's units.
    ///
    /// The values are those of [`Model::eval_into`], bit for bit. Where `scratch` is a multiple of
    /// [`Model::scratch_words`], several points share the reading of the weights.
    ///
    /// # Errors
    ///
    /// As for one point. At the first point that is rejected the evaluation stops; earlier points may have been written.
    pub fn eval_batch_into(&self, points: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        if !points.len().is_multiple_of(inputs) {
            return Err(EvalError::PointLength);
        }
        if out.len() / outputs != points.len() / inputs || !out.len().is_multiple_of(outputs) {
            return Err(EvalError::OutputLength);
        }
        let single = self.scratch_words();
        if scratch.len() < single {
            return Err(EvalError::ScratchLength);
        }
        let (mut points, mut out) = (points, out);
        if BATCH_LANES > 1 && scratch.len() / BATCH_LANES >= single {
            let mut wide_points = points.chunks_exact(inputs * BATCH_LANES);
            let mut wide_out = out.chunks_exact_mut(outputs * BATCH_LANES);
            for (points, out) in wide_points.by_ref().zip(wide_out.by_ref()) {
                self.eval_lanes::<BATCH_LANES>(points, scratch, out)?;
            }
            points = wide_points.remainder();
            out = wide_out.into_remainder();
        }
        for (point, out) in points.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
            self.eval_lanes::<1>(point, scratch, out)?;
        }
        Ok(())
    }

    /// Evaluates one point given as Q0.32 coordinates `[d]`; `raw` `[c]` is what the output maps take (for `f32` the
    /// bits). With the integer precisions this uses no floating point at all.
    ///
    /// # Errors
    ///
    /// For lengths that do not fit.
    pub fn eval_fixed_into(&self, coordinates: &[u32], scratch: &mut [u32], raw: &mut [i32]) -> Result<(), EvalError> {
        if coordinates.len() != self.inputs() {
            return Err(EvalError::PointLength);
        }
        if raw.len() != self.outputs() {
            return Err(EvalError::OutputLength);
        }
        let mut answers = [[0; MAX_OUTPUTS]];
        self.raw_lanes(&[coordinates], scratch, &mut answers)?;
        for (raw, answer) in raw.iter_mut().zip(answers.as_flattened()) {
            *raw = *answer;
        }
        Ok(())
    }

    /// Recomputes the known answers and compares their digest with the artifact's.
    ///
    /// A device calls this once at start and serves only if it passes.
    ///
    /// # Errors
    ///
    /// [`EvalError::KnownAnswer`] where this build computes something else than the trainer did, and
    /// [`EvalError::ScratchLength`].
    pub fn self_test(&self, scratch: &mut [u32]) -> Result<(), EvalError> {
        if self.known_answer_digest(scratch)? == self.known_answers() { Ok(()) } else { Err(EvalError::KnownAnswer) }
    }

    pub(crate) fn known_answer_digest(&self, scratch: &mut [u32]) -> Result<u32, EvalError> {
        let mut digest = crc32();
        let mut state = 1u32;
        for _ in 0..KNOWN_ANSWERS {
            let coordinates = [0; MAX_INPUTS].map(|_: u32| {
                let coordinate = state;
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                coordinate
            });
            let mut raw = [[0; MAX_OUTPUTS]];
            self.raw_lanes(&[&coordinates], scratch, &mut raw)?;
            for raw in raw.as_flattened().iter().take(self.outputs()) {
                digest.update(&raw.to_le_bytes());
            }
        }
        Ok(digest.finalize())
    }

    #[inline(always)]
    fn eval_lanes<const L: usize>(
        &self,
        points: &[f32],
        scratch: &mut [u32],
        out: &mut [f32],
    ) -> Result<(), EvalError> {
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        let mut coordinates = [[0; MAX_INPUTS]; L];
        for (coordinates, point) in coordinates.iter_mut().zip(points.chunks_exact(inputs)) {
            for ((coordinate, &x), axis) in coordinates.iter_mut().zip(point).zip(self.axes()) {
                *coordinate = axis.to_fixed(x, self.header.outside).ok_or(EvalError::OutsideDomain)?;
            }
        }
        let mut raw = [[0; MAX_OUTPUTS]; L];
        self.raw_lanes(&coordinates.each_ref().map(|c| c.as_slice()), scratch, &mut raw)?;
        for (out, raw) in out.chunks_exact_mut(outputs).zip(&raw) {
            for ((out, &raw), map) in out.iter_mut().zip(raw).zip(self.output_maps()) {
                let raw = match self.header.precision {
                    Precision::F32 => F32::raw_to_f32(raw),
                    Precision::W8A16 => W8A16::raw_to_f32(raw),
                    Precision::W16A16 => W16A16::raw_to_f32(raw),
                };
                *out = raw * map.scale + map.offset;
            }
        }
        Ok(())
    }

    /// Raw outputs `[lane][c]` of `L` points of at least d Q0.32 coordinates each.
    #[inline(always)]
    fn raw_lanes<const L: usize>(
        &self,
        points: &[&[u32]; L],
        scratch: &mut [u32],
        raw: &mut [[i32; MAX_OUTPUTS]; L],
    ) -> Result<(), EvalError> {
        let done = match self.header.precision {
            Precision::F32 => self.forward::<F32, L>(points, scratch, raw),
            Precision::W8A16 => self.forward::<W8A16, L>(points, scratch, raw),
            Precision::W16A16 => self.forward::<W16A16, L>(points, scratch, raw),
        };
        // `parse` has checked that the layers are all there.
        done.ok_or(EvalError::ScratchLength)
    }

    #[inline(never)]
    fn forward<A: Arithmetic, const L: usize>(
        &self,
        points: &[&[u32]; L],
        scratch: &mut [u32],
        raw: &mut [[i32; MAX_OUTPUTS]; L],
    ) -> Option<()> {
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * L)?;
        let (mut y, _) = rest.split_at_mut_checked(odd * L)?;
        self.encoding().encode::<L>(points, |k, lane, value| A::store_feature::<L>(x, k, lane, value));
        let mut words = self.layers;
        let last = self.header.hidden.len();
        for (l, (inputs, rows)) in self.shapes().enumerate() {
            let (layer, rest) = words.split_at_checked(layer_words(self.header.precision, inputs, rows))?;
            words = rest;
            if l < last {
                A::hidden::<L>(layer, inputs, x, y);
                (x, y) = (y, x);
            } else {
                let sigmoid = self.header.activation == OutputActivation::Sigmoid;
                A::output::<L>(layer, inputs, x, sigmoid, |row, lane, value| {
                    if let Some(slot) = raw.get_mut(lane).and_then(|raw| raw.get_mut(row)) {
                        *slot = value;
                    }
                });
            }
        }
        Some(())
    }
}
