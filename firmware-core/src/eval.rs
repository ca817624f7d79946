//! Evaluation: points in, values out.

use crate::artifact::crc32;
use crate::error::EvalError;
use crate::float::scalar;
use crate::kernels::{self, Arithmetic, Layer, MAX_LANES, Point, layer_words, portable};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
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
        dispatch!(self.header.precision, kernels::, A => self.points::<A>(point, 1, scratch, out))
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
        dispatch!(self.header.precision, kernels::, A => {
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
        let mut answers = [0; MAX_OUTPUTS];
        self.raw_outputs(&padded(coordinates), scratch, &mut answers)?;
        for (raw, answer) in raw.iter_mut().zip(answers) {
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
        let mut answers = [0; MAX_OUTPUTS];
        dispatch!(self.header.precision, portable::, A => {
            self.forward::<A>(&[padded(coordinates)], scratch, &mut answers)
        })?;
        for (raw, answer) in raw.iter_mut().zip(answers) {
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
        dispatch!(self.header.precision, kernels::, A => {
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
            let mut raw = [0; MAX_OUTPUTS];
            self.raw_outputs(&coordinates, scratch, &mut raw)?;
            for raw in raw.iter().take(self.outputs()) {
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
        let (mut coordinates, mut raw) = ([0; MAX_LANES * MAX_INPUTS], [0; MAX_LANES * MAX_OUTPUTS]);
        while !points.is_empty() {
            let lanes = if points.len() >= wide * self.inputs() { wide } else { 1 };
            let (coordinates, _) = coordinates.as_chunks_mut();
            let coordinates: &mut [Point] = coordinates.get_mut(..lanes).unwrap_or_default();
            for coordinates in coordinates.iter_mut() {
                for (coordinate, axis) in coordinates.iter_mut().zip(self.axes()) {
                    let (&x, rest) = points.split_first().ok_or(EvalError::PointLength)?;
                    *coordinate = axis.to_fixed(x, self.header.outside).ok_or(EvalError::OutsideDomain)?;
                    points = rest;
                }
            }
            self.forward::<A>(coordinates, scratch, &mut raw)?;
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

    /// Raw outputs of one point.
    fn raw_outputs(&self, point: &Point, scratch: &mut [u32], raw: &mut [i32]) -> Result<(), EvalError> {
        let points = core::slice::from_ref(point);
        dispatch!(self.header.precision, kernels::, A => self.forward::<A>(points, scratch, raw))
    }

    /// Raw outputs `[row][lane]` of one point a lane.
    #[inline(never)]
    fn forward<A: Arithmetic>(&self, points: &[Point], scratch: &mut [u32], raw: &mut [i32]) -> Result<(), EvalError> {
        let lanes = points.len();
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * lanes).ok_or(EvalError::ScratchLength)?;
        let (mut y, _) = rest.split_at_mut_checked(odd * lanes).ok_or(EvalError::ScratchLength)?;
        A::encode(&self.encoding(), points, x);
        let mut words = self.layers;
        let mut inputs = self.encoding().features_len();
        for &width in &self.header.hidden {
            let rows = usize::from(width);
            let layer = self.take_layer(&mut words, inputs, rows)?;
            A::hidden(layer, lanes, x, y);
            (x, y) = (y, x);
            inputs = rows;
        }
        let layer = self.take_layer(&mut words, inputs, self.outputs())?;
        A::output(layer, lanes, x, raw);
        if self.header.activation == OutputActivation::Sigmoid {
            A::sigmoid(layer, lanes, raw);
        }
        Ok(())
    }

    /// The next layer; `parse` has checked that they are all there.
    #[inline]
    fn take_layer<'a>(&self, words: &mut &'a [u32], inputs: usize, rows: usize) -> Result<Layer<'a>, EvalError> {
        let len = layer_words(self.header.precision, inputs, rows);
        let (layer, rest) = words.split_at_checked(len).ok_or(EvalError::ScratchLength)?;
        *words = rest;
        Ok(Layer { words: layer, inputs, rows })
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
