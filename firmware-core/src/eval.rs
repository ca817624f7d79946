//! Evaluation: points in, values out.

use crate::error::EvalError;
use crate::float::scalar;
use crate::kernels::{self, Arithmetic, Layer, MAX_LANES, Point, portable};
use crate::layout::layer_words;
use crate::limits::MAX_INPUTS;
use crate::model::Model;
use crate::output::{OutputActivation, OutputMap};
use crate::precision::BuiltIn;

/// Evaluates `$body` with `$arithmetic` as that of the model's precision; `$module` is where the three come from.
macro_rules! dispatch {
    ($model:expr, $($module:ident::)*, $arithmetic:ident => $body:expr) => {
        match $model.precision() {
            #[cfg(feature = "f32")]
            BuiltIn::F32 => {
                type $arithmetic = $($module::)*F32;
                $body
            }
            #[cfg(feature = "w8a16")]
            BuiltIn::W8A16 => {
                type $arithmetic = $($module::)*W8A16;
                $body
            }
            #[cfg(feature = "w16a16")]
            BuiltIn::W16A16 => {
                type $arithmetic = $($module::)*W16A16;
                $body
            }
        }
    };
}

impl Model<'_> {
    /// Evaluates one point: `point` `[d]` and `out` `[c]`, both in the user's units.
    ///
    /// ```
    /// use firmware_core::{Aligned, EvalError, Model, Scratch};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../testdata/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let mut scratch = Scratch::<16>::new(); // model.scratch_words() says how many
    /// let mut degrees = [0.0];
    /// model.eval_into(&[12.5], &mut scratch, &mut degrees)?; // 12.5 mV
    /// assert!((degrees[0] - 306.9).abs() < 5.0); // the standard's value, and the error of so small a network
    /// # Ok::<(), EvalError>(())
    /// ```
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
        dispatch!(self, kernels::, A => self.point::<A>(point, scratch, out))
    }

    /// Evaluates n points: `points` `[n, d]` and `out` `[n, c]`, row-major, in the user's units.
    ///
    /// The values are those of [`Model::eval_into`], bit for bit. Where `scratch` has [`Model::batch_scratch_words`],
    /// several points share the reading of the weights.
    ///
    /// ```
    /// use firmware_core::{Aligned, EvalError, Model, Scratch};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../testdata/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let mut scratch = Scratch::<32>::new(); // two points at a time, where that is faster
    /// let mut degrees = [0.0; 3];
    /// model.eval_batch_into(&[0.0, 20.0, 40.0], &mut scratch, &mut degrees)?;
    /// assert!(degrees.is_sorted());
    /// # Ok::<(), EvalError>(())
    /// ```
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
        dispatch!(self, kernels::, A => self.points::<A>(points, scratch, out))
    }

    /// Words of [`Scratch`](crate::Scratch) with which [`Model::eval_batch_into`] evaluates points side by side, where
    /// this build has kernels that gain by it.
    #[must_use]
    pub fn batch_scratch_words(&self) -> usize {
        dispatch!(self, kernels::, A => A::batch_lanes()) * self.scratch_words()
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
        let answers: &[i32] = dispatch!(self, portable::, A => {
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
        dispatch!(self, kernels::, A => {
            A::encode(&self.encoding(), &[padded(coordinates)], scratch);
            Ok(())
        })
    }

    /// One point, of lengths that were checked.
    fn point<A: Arithmetic>(&self, point: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        let raw = self.forward::<A>(&[self.coordinates(point)?], scratch)?;
        for ((slot, &raw), map) in out.iter_mut().zip(raw).zip(self.output_maps()) {
            *slot = value::<A>(raw, map);
        }
        Ok(())
    }

    /// Points of lengths that were checked: side by side as far as the scratch has room and there are enough, else one by one.
    fn points<A: Arithmetic>(&self, points: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        const { assert!(A::LANES <= MAX_LANES) };
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        let lanes = if scratch.len() >= A::batch_lanes() * self.scratch_words() { A::batch_lanes() } else { 1 };
        let mut coordinates = [[0; MAX_INPUTS]; MAX_LANES];
        let (coordinates, _) = coordinates.split_at_mut(lanes.min(MAX_LANES));
        for (points, out) in points.chunks(lanes * inputs).zip(out.chunks_mut(lanes * outputs)) {
            if points.len() < lanes * inputs || lanes == 1 {
                for (point, out) in points.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
                    self.point::<A>(point, scratch, out)?;
                }
                continue;
            }
            for (coordinates, point) in coordinates.iter_mut().zip(points.chunks_exact(inputs)) {
                *coordinates = self.coordinates(point)?;
            }
            let raw = self.forward::<A>(coordinates, scratch)?;
            for (lane, out) in out.chunks_exact_mut(outputs).enumerate() {
                for ((slot, &raw), map) in
                    out.iter_mut().zip(raw.iter().skip(lane).step_by(lanes)).zip(self.output_maps())
                {
                    *slot = value::<A>(raw, map);
                }
            }
        }
        Ok(())
    }

    /// The Q0.32 coordinates of a point.
    fn coordinates(&self, point: &[f32]) -> Result<Point, EvalError> {
        let mut coordinates = [0; MAX_INPUTS];
        for (k, ((coordinate, axis), &x)) in coordinates.iter_mut().zip(self.axes()).zip(point).enumerate() {
            *coordinate = axis.to_fixed(x, self.header().outside_along(k)).ok_or(EvalError::OutsideDomain)?;
        }
        Ok(coordinates)
    }

    /// Raw outputs of one point, and behind them what is of no use.
    pub(crate) fn raw_outputs<'s>(&self, point: &Point, scratch: &'s mut [u32]) -> Result<&'s [i32], EvalError> {
        let points = core::slice::from_ref(point);
        dispatch!(self, kernels::, A => self.forward::<A>(points, scratch))
    }

    /// Raw outputs `[row][lane]` of one point a lane, and behind them what is of no use.
    #[inline(never)]
    fn forward<'s, A: Arithmetic>(&self, points: &[Point], scratch: &'s mut [u32]) -> Result<&'s [i32], EvalError> {
        let lanes = points.len();
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * lanes).ok_or(EvalError::ScratchLength)?;
        let (mut y, _) = rest.split_at_mut_checked(odd * lanes).ok_or(EvalError::ScratchLength)?;
        A::encode(&self.encoding(), points, x);
        let (mut words, mut inputs) = (self.layers(), self.encoding().features_len());
        let mut hidden = self.header().hidden.iter();
        let layer = loop {
            let width = hidden.next();
            let rows = width.map_or(self.outputs(), |&width| usize::from(width));
            // They are all there, as `parse` has checked: the minimum only tells the compiler.
            let (layer, rest) = words.split_at(layer_words(A::PRECISION, inputs, rows).min(words.len()));
            let layer = Layer { words: layer, inputs, rows };
            if width.is_none() {
                break layer;
            }
            A::hidden(layer, lanes, x, y);
            (x, y) = (y, x);
            (words, inputs) = (rest, rows);
        };
        let raw = bytemuck::must_cast_slice_mut(y);
        A::output(layer, lanes, x, raw);
        if self.header().activation == OutputActivation::Sigmoid {
            A::sigmoid(layer, lanes, raw);
        }
        Ok(raw)
    }
}

/// A raw output in the user's units.
#[inline]
fn value<A: Arithmetic>(raw: i32, map: OutputMap) -> f32 {
    scalar(A::raw_to_f32(raw) * map.scale) + map.offset
}

/// Coordinates followed by zeros.
fn padded(coordinates: &[u32]) -> Point {
    let mut point = [0; MAX_INPUTS];
    for (slot, &coordinate) in point.iter_mut().zip(coordinates) {
        *slot = coordinate;
    }
    point
}
