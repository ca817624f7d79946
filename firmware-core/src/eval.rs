//! Evaluation: points in, values out.

use crate::artifact::HiddenActivation;
use crate::coordinate::{Axis, Outside};
use crate::error::EvalError;
use crate::float::scalar;
use crate::kernels::{self, Arithmetic, Layer, MAX_LANES, MIN_COORDINATES, Results, portable};
use crate::layout::{BLOCK_ROWS, layer_words};
use crate::limits::MAX_INPUTS;
use crate::model::Model;
use crate::output::OutputActivation;
use crate::precision::{BuiltIn, Precision};

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
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let mut scratch = Scratch::<16>::new(); // model.scratch_words() says how many
    /// let mut degrees = [0.0];
    /// model.eval_into(&[12.5], &mut scratch, &mut degrees)?; // 12.5 mV
    /// assert!((degrees[0] - 307.0).abs() < 5.0); // a small network: its error is a few degrees
    /// # Ok::<(), EvalError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For lengths that do not fit, and for a point outside the domain where the model rejects it; `out` is then as it
    /// was.
    #[inline(never)] // in this crate it is optimized for size, as its profile says
    pub fn eval_into(&self, point: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        if point.len() != self.axes().len() {
            return Err(EvalError::PointLength);
        }
        if out.len() != self.output_maps().len() {
            return Err(EvalError::OutputLength);
        }
        let mut coordinates = Coordinates::<MAX_INPUTS>::new();
        self.locate(point, &mut coordinates)?;
        dispatch!(self, kernels::, A => {
            let raw = self.forward::<A>(&coordinates, 1, scratch).ok_or(EvalError::ScratchLength)?;
            self.map_outputs::<A>(raw, out);
            Ok(())
        })
    }

    /// Evaluates n points: `points` `[n, d]` and `out` `[n, c]`, row-major, in the user's units.
    ///
    /// The values are those of [`Model::eval_into`], bit for bit. Where `scratch` has [`Model::batch_scratch_words`],
    /// several points share the reading of the weights.
    ///
    /// ```
    /// use firmware_core::{Aligned, EvalError, Model, Scratch};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
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
    /// As for one point. At the first point that is rejected the evaluation stops; earlier points may have been
    /// written.
    pub fn eval_batch_into(&self, points: &[f32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        self.check_batch(points.len(), out.len())?;
        dispatch!(self, kernels::, A => {
            let lanes = self.batch_lanes::<A>();
            let is_wide = scratch.len() >= lanes * self.scratch_words();
            self.points::<A>(points, if is_wide { lanes } else { 1 }, scratch, out)
        })
    }

    /// Whether so many coordinates are whole points, and so many outputs those of as many points.
    fn check_batch(&self, coordinates: usize, out: usize) -> Result<(), EvalError> {
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        if !coordinates.is_multiple_of(inputs) {
            return Err(EvalError::PointLength);
        }
        if out / outputs != coordinates / inputs || !out.is_multiple_of(outputs) {
            return Err(EvalError::OutputLength);
        }
        Ok(())
    }

    /// Words of [`Scratch`](crate::Scratch) with which [`Model::eval_batch_into`] evaluates points side by side, where
    /// this build has kernels that gain by it.
    #[must_use]
    pub fn batch_scratch_words(&self) -> usize {
        let lanes: usize = dispatch!(self, kernels::, A => self.batch_lanes::<A>());
        lanes * self.scratch_words()
    }

    /// Evaluates one point of integer codes `[d]`, as a converter gives them: every axis consists of codes
    /// ([`Header::code_bits`](crate::artifact::Header::code_bits)). The values `out` `[c]` are those of
    /// [`Model::eval_into`] at the same numbers, bit for bit; no code is converted to a float on the way.
    ///
    /// Codes beyond the largest one are clamped, wrapped or rejected, as the model says of points outside its domain.
    ///
    /// # Errors
    ///
    /// [`EvalError::NotCodes`] for a model with an axis of other numbers; otherwise as [`Model::eval_into`].
    pub fn eval_codes_into(&self, codes: &[u32], scratch: &mut [u32], out: &mut [f32]) -> Result<(), EvalError> {
        if codes.len() != self.inputs() {
            return Err(EvalError::PointLength);
        }
        if out.len() != self.outputs() {
            return Err(EvalError::OutputLength);
        }
        let bits = &self.header().code_bits;
        if bits.is_empty() || bits.contains(&0) {
            return Err(EvalError::NotCodes);
        }
        let mut coordinates = Coordinates::<MAX_INPUTS>::new();
        for (k, (&code, &bits)) in codes.iter().zip(bits).enumerate() {
            let coordinate = Axis::code_to_fixed(code, bits, self.header().outside_along(k));
            // There is room for the most inputs.
            let _ = coordinates.push(coordinate.ok_or(EvalError::OutsideDomain)?);
        }
        pad(&mut coordinates, MIN_COORDINATES);
        dispatch!(self, kernels::, A => {
            let raw = self.forward::<A>(&coordinates, 1, scratch).ok_or(EvalError::ScratchLength)?;
            self.map_outputs::<A>(raw, out);
            Ok(())
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
        let mut pair = [0; MIN_COORDINATES];
        let answers = self.raw_outputs(at_least_two(coordinates, &mut pair), scratch)?;
        for (raw, &answer) in raw.iter_mut().zip(answers) {
            *raw = answer;
        }
        Ok(())
    }

    /// Evaluates n points given as Q0.32 coordinates: `coordinates` `[n, d]` and `raw` `[n, c]`, row-major.
    ///
    /// The values are those of [`Model::eval_fixed_into`], bit for bit. With [`Model::batch_scratch_words`] of scratch,
    /// several points are evaluated side by side, as by [`Model::eval_batch_into`].
    ///
    /// ```
    /// use firmware_core::{Aligned, EvalError, Model, Scratch};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let mut scratch = Scratch::<32>::new();
    /// let mut raw = [0; 2]; // a quarter and three quarters along the axis
    /// model.eval_fixed_batch_into(&[1 << 30, 3 << 30], &mut scratch, &mut raw)?;
    /// assert!(raw.is_sorted());
    /// # Ok::<(), EvalError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For lengths that do not fit.
    pub fn eval_fixed_batch_into(
        &self,
        coordinates: &[u32],
        scratch: &mut [u32],
        raw: &mut [i32],
    ) -> Result<(), EvalError> {
        self.check_batch(coordinates.len(), raw.len())?;
        let (inputs, outputs) = (self.inputs().max(1), self.outputs().max(1));
        dispatch!(self, kernels::, A => {
            let lanes = self.batch_lanes::<A>().max(1);
            let wide = if scratch.len() >= lanes * self.scratch_words() { lanes } else { 1 };
            let mut padded = Coordinates::<{ MAX_LANES * MAX_INPUTS }>::new();
            for (group, raw) in coordinates.chunks(wide * inputs).zip(raw.chunks_mut(wide * outputs)) {
                // The last ones that fill no group go one by one.
                let lanes = if group.len() == wide * inputs { wide } else { 1 };
                for (points, raw) in group.chunks(lanes * inputs).zip(raw.chunks_mut(lanes * outputs)) {
                    padded.clear();
                    for point in points.chunks(inputs) {
                        // There is room for the most inputs of every lane.
                        let first = padded.len();
                        let _ = padded.extend_from_slice(point);
                        pad(&mut padded, first + MIN_COORDINATES);
                    }
                    let answers = self.forward::<A>(&padded, lanes, scratch).ok_or(EvalError::ScratchLength)?;
                    for (lane, raw) in raw.chunks_mut(outputs).enumerate() {
                        for (raw, &answer) in raw.iter_mut().zip(answers.iter().skip(lane).step_by(lanes)) {
                            *raw = answer;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// [`Model::eval_fixed_into`] by the portable kernels: the oracle of the others, for tests on a device.
    #[doc(hidden)]
    pub fn eval_fixed_portable_into(
        &self,
        coordinates: &[u32],
        scratch: &mut [u32],
        raw: &mut [i32],
    ) -> Result<(), EvalError> {
        let mut pair = [0; MIN_COORDINATES];
        let points = at_least_two(coordinates, &mut pair);
        let answers: Option<&[i32]> = dispatch!(self, portable::, A => self.forward::<A>(points, 1, scratch));
        for (raw, &answer) in raw.iter_mut().zip(answers.ok_or(EvalError::ScratchLength)?) {
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
        let mut pair = [0; MIN_COORDINATES];
        let point = at_least_two(coordinates, &mut pair);
        dispatch!(self, kernels::, A => {
            match self.grids_in_place() {
                Some(grids) => A::grids(grids, point, 1, scratch),
                None => A::encode(&self.encoding(), point, 1, scratch),
            }
            Ok(())
        })
    }

    /// Points that a batch evaluates side by side.
    #[inline]
    fn batch_lanes<A: Arithmetic>(&self) -> usize {
        if self.grids_in_place().is_some() { A::batch_lanes().min(A::GRID_LANES) } else { A::batch_lanes() }
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
        let inputs = self.inputs();
        // Not an array: clearing one costs more flash than all of this function.
        let mut coordinates = Coordinates::<{ MAX_LANES * MAX_INPUTS }>::new();
        while !points.is_empty() {
            let lanes = if points.len() >= wide * inputs { wide } else { 1 };
            coordinates.clear();
            for _ in 0..lanes {
                let (point, rest) = points.split_at_checked(inputs).ok_or(EvalError::PointLength)?;
                points = rest;
                self.locate(point, &mut coordinates)?;
            }
            let raw = self.forward::<A>(&coordinates, lanes, scratch).ok_or(EvalError::ScratchLength)?;
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

    /// Adds the coordinates of a point, [`MIN_COORDINATES`] numbers at least.
    #[inline(always)]
    fn locate<const N: usize>(&self, point: &[f32], coordinates: &mut Coordinates<N>) -> Result<(), EvalError> {
        let (first, header) = (coordinates.len(), self.header());
        let mut periodic = header.periodic;
        for (&x, axis) in point.iter().zip(self.axes()) {
            let outside = if periodic & 1 == 1 { Outside::Periodic } else { header.outside };
            periodic >>= 1;
            // There is room for the most inputs of every lane.
            let _ = coordinates.push(axis.to_fixed(x, outside).ok_or(EvalError::OutsideDomain)?);
        }
        pad(coordinates, first + MIN_COORDINATES);
        Ok(())
    }

    /// The values of one point from its raw outputs.
    #[inline(always)]
    fn map_outputs<A: Arithmetic>(&self, raw: &[i32], out: &mut [f32]) {
        for ((slot, &raw), map) in out.iter_mut().zip(raw).zip(self.output_maps()) {
            *slot = scalar(A::raw_to_f32(raw) * map.scale) + map.offset;
        }
    }

    /// Raw outputs of one point, rows of padding included.
    pub(crate) fn raw_outputs<'s>(&self, point: &[u32], scratch: &'s mut [u32]) -> Result<&'s [i32], EvalError> {
        let answers: Option<&[i32]> = dispatch!(self, kernels::, A => self.forward::<A>(point, 1, scratch));
        answers.ok_or(EvalError::ScratchLength)
    }

    /// Raw outputs `[row][lane]` of one point a lane, rows of padding included; `None` where the scratch is too short.
    #[inline(never)]
    fn forward<'s, A: Arithmetic>(&self, points: &[u32], lanes: usize, scratch: &'s mut [u32]) -> Option<&'s [i32]> {
        let (even, odd) = self.buffer_words();
        let (mut x, rest) = scratch.split_at_mut_checked(even * lanes)?;
        match self.grids_in_place() {
            Some(grids) => {
                A::grids(grids, points, lanes, x);
                // Single precision has no tables.
                if A::PRECISION != Precision::F32 && grids.is_table() {
                    return Some(bytemuck::must_cast_slice_mut(x));
                }
            }
            None => A::encode(&self.encoding(), points, lanes, x),
        }
        let (mut y, _) = rest.split_at_mut_checked(odd * lanes)?;
        let (mut words, mut inputs) = (self.layers(), self.header().features());
        let mut hidden = self.header().hidden.iter();
        let has_sines = cfg!(feature = "sine") && self.header().hidden_activation == HiddenActivation::Sine;
        let (layer, raw_rows) = loop {
            let width = hidden.next();
            let rows = width.map_or(self.outputs(), |&width| usize::from(width));
            let len = layer_words(A::PRECISION, inputs, rows);
            // `parse` has checked that they are all there.
            let Some((layer, rest)) = words.split_at_checked(len) else { return Some(&[]) };
            let layer = Layer { words: layer, inputs, rows };
            // Not known to the compiler, so that there is only one place in the code that evaluates a layer.
            let is_hidden = width.is_some();
            let results = if is_hidden && !has_sines { Results::Hidden } else { Results::Raw };
            let results = core::hint::black_box(results);
            let Some(()) = A::layer(layer, lanes, x, y, results) else { return Some(&[]) };
            let raw_rows = rows.next_multiple_of(BLOCK_ROWS);
            if !is_hidden {
                break (layer, raw_rows);
            }
            if has_sines {
                let Some(y) = y.get_mut(..raw_rows * lanes) else { return Some(&[]) };
                A::sine(layer, lanes, y);
            }
            (x, y) = (y, x);
            (words, inputs) = (rest, rows);
        };
        // The buffers were planned to hold them.
        let Some(raw) = y.get_mut(..raw_rows * lanes) else { return Some(&[]) };
        let raw = bytemuck::must_cast_slice_mut(raw);
        if self.header().activation == OutputActivation::Sigmoid {
            A::sigmoid(layer, lanes, raw);
        }
        Some(raw)
    }
}

/// The coordinates of points.
type Coordinates<const N: usize> = heapless::Vec<u32, N>;

/// Adds a zero up to this length, which only a point of one coordinate is short of.
#[inline(always)]
fn pad<const N: usize>(coordinates: &mut Coordinates<N>, len: usize) {
    if coordinates.len() < len {
        let _ = coordinates.push(0);
    }
}

/// The coordinates of a point, and a zero where there is only one of them.
#[inline]
fn at_least_two<'a>(coordinates: &'a [u32], pair: &'a mut [u32; MIN_COORDINATES]) -> &'a [u32] {
    if let &[v] = coordinates {
        *pair = [v, 0];
        return pair;
    }
    coordinates
}
