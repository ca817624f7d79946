//! Evaluation: points in, values out.

use crate::artifact::crc32;
use crate::error::EvalError;
use crate::float::scalar;
use crate::kernels::{self, Arithmetic, BLOCK_ROWS, Layer, MAX_LANES, Point, layer_words, portable};
use crate::limits::MAX_INPUTS;
use crate::model::{Model, OutputActivation, Precision};

/// Points whose answers the artifact's digest covers.
const KNOWN_ANSWERS: usize = 16;

/// Evaluates `$body` with `$arithmetic` as that of the model's precision, among those built in. `$module` is where the
/// three come from.
macro_rules! dispatch {
    ($precision:expr, $($module:ident::)*, $arithmetic:ident => $body:expr) => {
        match $precision {
            #[cfg(feature = "f32")]
            Precision::F32 => {
                type $arithmetic = $($module::)*F32;
                $body
            }
            #[cfg(feature = "w8a16")]
            Precision::W8A16 => {
                type $arithmetic = $($module::)*W8A16;
                $body
            }
            #[cfg(feature = "w16a16")]
            Precision::W16A16 => {
                type $arithmetic = $($module::)*W16A16;
                $body
            }
            // `parse` has refused what is not built in.
            #[allow(unreachable_patterns, reason = "with all of them built in")]
            _ => Err(EvalError::ScratchLength),
        }
    };
}

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
        if out.len() != self.outputs() {
            return Err(EvalError::OutputLength);
        }
        dispatch!(self.precision(), kernels::, A => self.points::<A>(point, 1, scratch, out))
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
        dispatch!(self.precision(), kernels::, A => {
            let lanes = A::batch_lanes();
            let is_wide = scratch.len() >= lanes * self.scratch_words();
            self.points::<A>(points, if is_wide { lanes } else { 1 }, scratch, out)
        })
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
        let answers = self.raw_outputs(&padded(coordinates), scratch)?;
        for (raw, &answer) in raw.iter_mut().zip(answers) {
            *raw = answer;
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
        let answers: &[i32] = dispatch!(self.precision(), portable::, A => {
            self.forward::<A>(&[padded(coordinates)], scratch)
        })?;
        for (raw, &answer) in raw.iter_mut().zip(answers) {
            *raw = answer;
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
        dispatch!(self.precision(), kernels::, A => {
            A::encode(&self.encoding(), &[padded(coordinates)], scratch);
            Ok(())
        })
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
            for raw in self.raw_outputs(&coordinates, scratch)?.iter().take(self.outputs()) {
                digest.update(&raw.to_le_bytes());
            }
        }
        Ok(digest.finalize())
    }

    /// Points in groups of `wide` lanes, 1 or [`Arithmetic::batch_lanes`], the rest one by one.
    fn points<A: Arithmetic>(
        &self,
        mut points: &[f32],
        wide: usize,
        scratch: &mut [u32],
        mut out: &mut [f32],
    ) -> Result<(), EvalError> {
        const { assert!(A::LANES <= MAX_LANES) };
        // Not an array: clearing one costs more flash than all of this function.
        let mut coordinates = heapless::Vec::<u32, { MAX_LANES * MAX_INPUTS }>::new();
        while !points.is_empty() {
            let lanes = if points.len() >= wide * self.inputs() { wide } else { 1 };
            coordinates.clear();
            for _ in 0..lanes {
                let mut axes = self.axes();
                for k in 0..MAX_INPUTS {
                    let mut coordinate = 0;
                    if let Some(axis) = axes.next() {
                        let (&x, rest) = points.split_first().ok_or(EvalError::PointLength)?;
                        coordinate = axis.to_fixed(x, self.header.outside_along(k)).ok_or(EvalError::OutsideDomain)?;
                        points = rest;
                    }
                    coordinates.push(coordinate).map_err(|_| EvalError::ScratchLength)?;
                }
            }
            let (coordinates, _) = coordinates.as_chunks();
            // The cut tells the compiler where there can only be one: eval_into goes without the kernels for several.
            let coordinates = coordinates.get(..lanes).ok_or(EvalError::ScratchLength)?;
            let raw = self.forward::<A>(coordinates, scratch)?;
            for lane in 0..lanes {
                for (raw, map) in raw.iter().skip(lane).step_by(lanes).zip(self.output_maps()) {
                    let (slot, rest) = core::mem::take(&mut out).split_first_mut().ok_or(EvalError::OutputLength)?;
                    *slot = scalar(A::raw_to_f32(*raw) * map.scale) + map.offset;
                    out = rest;
                }
            }
        }
        Ok(())
    }

    /// Raw outputs of one point, rows of padding included.
    fn raw_outputs<'s>(&self, point: &Point, scratch: &'s mut [u32]) -> Result<&'s [i32], EvalError> {
        let points = core::slice::from_ref(point);
        dispatch!(self.precision(), kernels::, A => self.forward::<A>(points, scratch))
    }

    /// Raw outputs `[row][lane]` of one point a lane, rows of padding included.
    #[inline(never)]
    fn forward<'s, A: Arithmetic>(&self, points: &[Point], scratch: &'s mut [u32]) -> Result<&'s [i32], EvalError> {
        let lanes = points.len();
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * lanes).ok_or(EvalError::ScratchLength)?;
        let (mut y, _) = rest.split_at_mut_checked(odd * lanes).ok_or(EvalError::ScratchLength)?;
        A::encode(&self.encoding(), points, x);
        let (mut words, mut inputs) = (self.layers, self.encoding().features_len());
        let mut hidden = self.header.hidden.iter();
        let layer = loop {
            let width = hidden.next();
            let rows = width.map_or(self.outputs(), |&width| usize::from(width));
            let len = layer_words(self.precision(), inputs, rows);
            // `parse` has checked that they are all there.
            let (layer, rest) = words.split_at_checked(len).ok_or(EvalError::ScratchLength)?;
            let layer = Layer { words: layer, inputs, rows };
            if width.is_none() {
                break layer;
            }
            A::hidden(layer, lanes, x, y);
            (x, y) = (y, x);
            (words, inputs) = (rest, rows);
        };
        let raw = y.get_mut(..layer.rows.next_multiple_of(BLOCK_ROWS) * lanes).ok_or(EvalError::ScratchLength)?;
        let raw = bytemuck::must_cast_slice_mut(raw);
        A::output(layer, lanes, x, raw);
        if self.header.activation == OutputActivation::Sigmoid {
            A::sigmoid(layer, lanes, raw);
        }
        Ok(raw)
    }
}

/// Coordinates followed by zeros.
fn padded(coordinates: &[u32]) -> Point {
    let mut point = [0; MAX_INPUTS];
    for (slot, &coordinate) in point.iter_mut().zip(coordinates) {
        *slot = coordinate;
    }
    point
}
