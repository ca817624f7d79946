//! Evaluation: points in, values out.

use crate::artifact::crc32;
use crate::error::EvalError;
use crate::kernels::{Arithmetic, F32, Layer, Raw, W8A16, W16A16, batch_lanes, layer_words, portable};
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
        match self.header.precision {
            Precision::F32 => self.batch::<F32, { batch_lanes(Precision::F32) }>(points, scratch, out),
            Precision::W8A16 => self.batch::<W8A16, { batch_lanes(Precision::W8A16) }>(points, scratch, out),
            Precision::W16A16 => self.batch::<W16A16, { batch_lanes(Precision::W16A16) }>(points, scratch, out),
        }
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
        let mut answers = [[0]; MAX_OUTPUTS];
        self.raw_outputs(coordinates, scratch, &mut answers)?;
        for (raw, answer) in raw.iter_mut().zip(answers.as_flattened()) {
            *raw = *answer;
        }
        Ok(())
    }

    /// [`Model::eval_fixed_into`] by the portable kernels: the oracle of the others, for tests on a device.
    #[doc(hidden)]
    pub fn eval_fixed_portable_into(
        &self,
        coordinates: &[u32],
        scratch: &mut [u32],
        raw: &mut [i32],
    ) -> Result<(), EvalError> {
        let mut answers = [[0]; MAX_OUTPUTS];
        match self.header.precision {
            Precision::F32 => self.forward::<portable::F32, 1>(&[coordinates], scratch, &mut answers),
            Precision::W8A16 => self.forward::<portable::W8A16, 1>(&[coordinates], scratch, &mut answers),
            Precision::W16A16 => self.forward::<portable::W16A16, 1>(&[coordinates], scratch, &mut answers),
        }?;
        for (raw, answer) in raw.iter_mut().zip(answers.as_flattened()) {
            *raw = *answer;
        }
        Ok(())
    }

    /// Encodes a point given as Q0.32 coordinates `[d]` into `scratch`, as an evaluation begins: for counting it apart.
    #[doc(hidden)]
    pub fn encode_fixed(&self, coordinates: &[u32], scratch: &mut [u32]) -> Result<(), EvalError> {
        if coordinates.len() != self.inputs() {
            return Err(EvalError::PointLength);
        }
        let scratch = scratch.get_mut(..self.buffer_words().0).ok_or(EvalError::ScratchLength)?;
        match self.header.precision {
            Precision::F32 => F32::encode::<1>(&self.encoding(), &[coordinates], scratch),
            Precision::W8A16 => W8A16::encode::<1>(&self.encoding(), &[coordinates], scratch),
            Precision::W16A16 => W16A16::encode::<1>(&self.encoding(), &[coordinates], scratch),
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
            let mut raw = [[0]; MAX_OUTPUTS];
            self.raw_outputs(&coordinates, scratch, &mut raw)?;
            for raw in raw.as_flattened().iter().take(self.outputs()) {
                digest.update(&raw.to_le_bytes());
            }
        }
        Ok(digest.finalize())
    }

    /// Points in groups of `L` where the scratch has room for it, the rest one by one.
    fn batch<A: Arithmetic, const L: usize>(
        &self,
        points: &[f32],
        scratch: &mut [u32],
        out: &mut [f32],
    ) -> Result<(), EvalError> {
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        let (mut points, mut out) = (points, out);
        if L > 1 && scratch.len() / L >= self.scratch_words() {
            let mut wide_points = points.chunks_exact(inputs * L);
            let mut wide_out = out.chunks_exact_mut(outputs * L);
            for (points, out) in wide_points.by_ref().zip(wide_out.by_ref()) {
                self.lanes::<A, L>(points, scratch, out)?;
            }
            points = wide_points.remainder();
            out = wide_out.into_remainder();
        }
        for (point, out) in points.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
            self.lanes::<A, 1>(point, scratch, out)?;
        }
        Ok(())
    }

    fn lanes<A: Arithmetic, const L: usize>(
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
        let mut raw = [[0; L]; MAX_OUTPUTS];
        let points = coordinates.each_ref().map(|c| c.get(..inputs).unwrap_or(c));
        self.forward::<A, L>(&points, scratch, &mut raw)?;
        for (lane, out) in out.chunks_exact_mut(outputs).enumerate() {
            for ((out, raw), map) in out.iter_mut().zip(&raw).zip(self.output_maps()) {
                let raw = raw.get(lane).copied().unwrap_or(0);
                *out = A::raw_to_f32(raw) * map.scale + map.offset;
            }
        }
        Ok(())
    }

    /// Raw outputs of one point of at least d Q0.32 coordinates.
    fn raw_outputs(&self, point: &[u32], scratch: &mut [u32], raw: &mut Raw<1>) -> Result<(), EvalError> {
        match self.header.precision {
            Precision::F32 => self.forward::<F32, 1>(&[point], scratch, raw),
            Precision::W8A16 => self.forward::<W8A16, 1>(&[point], scratch, raw),
            Precision::W16A16 => self.forward::<W16A16, 1>(&[point], scratch, raw),
        }
    }

    #[inline(never)]
    fn forward<A: Arithmetic, const L: usize>(
        &self,
        points: &[&[u32]; L],
        scratch: &mut [u32],
        raw: &mut Raw<L>,
    ) -> Result<(), EvalError> {
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * L).ok_or(EvalError::ScratchLength)?;
        let (mut y, _) = rest.split_at_mut_checked(odd * L).ok_or(EvalError::ScratchLength)?;
        A::encode::<L>(&self.encoding(), points, x);
        let mut words = self.layers;
        let last = self.header.hidden.len();
        for (l, (inputs, rows)) in self.shapes().enumerate() {
            // `parse` has checked that the layers are all there.
            let len = layer_words(self.header.precision, inputs, rows);
            let (layer, rest) = words.split_at_checked(len).ok_or(EvalError::ScratchLength)?;
            let layer = Layer { words: layer, inputs, rows };
            words = rest;
            if l < last {
                A::hidden::<L>(layer, x, y);
                (x, y) = (y, x);
            } else {
                A::output::<L>(layer, x, raw);
                if self.header.activation == OutputActivation::Sigmoid {
                    A::sigmoid::<L>(layer, raw);
                }
            }
        }
        Ok(())
    }
}
