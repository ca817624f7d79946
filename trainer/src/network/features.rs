//! What networks are fed: rows of numbers, stored or computed when they are asked for.

use crate::network::encoding::Encoding;
use crate::network::{Gradients, Mlp, Tape, vectorized};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use std::ops::Range;

/// Which samples of a data set are asked for.
#[derive(Clone, Debug)]
pub enum Rows<'a> {
    /// Samples that follow each other.
    Range(Range<usize>),
    /// Samples of any index, in this order.
    Indices(&'a [u32]),
}

impl Rows<'_> {
    /// How many samples are asked for.
    pub fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Indices(indices) => indices.len(),
        }
    }

    /// Whether no sample is asked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples' indices, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let (range, indices) = match self {
            Self::Range(range) => (range.clone(), &[][..]),
            Self::Indices(indices) => (0..0, *indices),
        };
        range.chain(indices.iter().map(|&index| index as usize))
    }
}

/// The gradient of the loss with respect to the features of some samples.
#[derive(Clone, Copy, Debug)]
pub struct FeatureGradient<'a> {
    /// The samples.
    pub rows: &'a Rows<'a>,
    /// Their features `[n, width]`, as [`Features::rows`] gave them.
    pub features: ArrayView2<'a, f32>,
    /// `[n, width]`.
    pub gradient: ArrayView2<'a, f32>,
}

/// What a network is fed: `[n, width]` numbers, stored or computed when asked for.
///
/// Features can have parameters of their own, which are trained with those of the layers and lie behind them
/// ([`Mlp::encoder`](crate::network::Mlp::encoder)).
pub trait Features: Sync {
    /// Samples that there are, n.
    fn samples(&self) -> usize;
    /// Values of one sample.
    fn width(&self) -> usize;
    /// Hears the number of a step and the parameters that it begins with, before any row of it is asked for.
    fn begin_step(&mut self, _step: u64, _parameters: &[f32]) {}
    /// The rows asked for, either as they lie in memory or put together in `buffer`.
    fn rows<'a>(&'a self, rows: &Rows<'_>, parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32>;
    /// Adds the gradient of the loss with respect to the features' own parameters to `into`.
    fn add_gradient(&self, _of: &FeatureGradient<'_>, _into: &mut [f32]) {}
}

impl<F: Features + ?Sized> Features for Box<F> {
    fn samples(&self) -> usize {
        (**self).samples()
    }

    fn width(&self) -> usize {
        (**self).width()
    }

    fn begin_step(&mut self, step: u64, parameters: &[f32]) {
        (**self).begin_step(step, parameters);
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        (**self).rows(rows, parameters, buffer)
    }

    fn add_gradient(&self, of: &FeatureGradient<'_>, into: &mut [f32]) {
        (**self).add_gradient(of, into);
    }
}

impl Features for Array2<f32> {
    fn samples(&self) -> usize {
        self.nrows()
    }

    fn width(&self) -> usize {
        self.ncols()
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, _parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        if let Rows::Range(range) = rows {
            return self.slice(s![range.clone(), ..]);
        }
        let mut gathered = buffer_rows(buffer, rows.len(), self.ncols());
        for (mut row, index) in gathered.rows_mut().into_iter().zip(rows.iter()) {
            // An assignment of arrays takes longer to begin than a short row takes.
            row.iter_mut().zip(self.row(index)).for_each(|(to, from)| *to = *from);
        }
        filled_rows(buffer, rows.len(), self.ncols())
    }
}

/// What a backward pass goes through: a network after the forward pass of `tape` on features.
pub struct Backward<'a> {
    /// The network.
    pub network: &'a Mlp<f32>,
    /// After its forward pass.
    pub tape: &'a mut Tape<f32>,
    /// What it was fed, `[n, width]`.
    pub features: ArrayView2<'a, f32>,
    /// The gradient of the loss with respect to its outputs, `[n, out]`.
    pub outputs: ArrayView2<'a, f32>,
    /// Added to: with respect to its parameters, in their layout.
    pub gradient: &'a mut [f32],
}

impl Backward<'_> {
    /// [`Tape::backward`], and then the encoding's own parameters, if it has any: `add` gets the gradient with respect
    /// to the features, which lies in `buffer`, and adds that of its parameters.
    pub fn run(self, buffer: &mut Vec<f32>, add: impl FnOnce(ArrayView2<'_, f32>, &mut [f32])) {
        let Self { network, tape, features, outputs, gradient } = self;
        if network.encoder().is_empty() {
            return tape.backward(network, features, Gradients { outputs, parameters: gradient, inputs: None });
        }
        let (rows, width) = features.dim();
        let inputs = Some(buffer_rows(buffer, rows, width));
        tape.backward(network, features, Gradients { outputs, parameters: gradient, inputs });
        add(filled_rows(buffer, rows, width), &mut gradient[network.shape().encoder_range()]);
    }
}

/// Lends out `buffer` as `[rows, width]`, growing it as needed; the content is what was there before.
pub fn buffer_rows(buffer: &mut Vec<f32>, rows: usize, width: usize) -> ArrayViewMut2<'_, f32> {
    if buffer.len() < rows * width {
        buffer.resize(rows * width, 0.0);
    }
    ArrayViewMut2::from_shape((rows, width), &mut buffer[..rows * width]).expect("the length fits the shape")
}

/// As [`buffer_rows`], to read.
pub(super) fn filled_rows(buffer: &[f32], rows: usize, width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, width), &buffer[..rows * width]).expect("the length fits the shape")
}

/// Encoded features larger than this are computed anew in every step rather than kept.
const STORED_BYTES: usize = 1 << 30;

/// The features of coordinates under an encoding: sixteen-bit integers from the device's encoder, times amplitudes.
#[derive(Clone, Debug)]
pub struct EncodedFeatures {
    encoding: Encoding,
    source: Source,
    /// What an integer feature is multiplied by, per column.
    factors: Vec<f32>,
}

#[derive(Clone, Debug)]
enum Source {
    /// Integer features `[n, width]`.
    Stored(Array2<i16>),
    /// Coordinates `[n, d]`.
    Computed(Array2<u32>),
}

impl EncodedFeatures {
    /// Features of `coordinates` `[n, d]` (Q0.32), kept if they take up to a gigabyte.
    ///
    /// # Panics
    /// If the coordinates do not have the encoding's number of inputs.
    pub fn new(encoding: &Encoding, coordinates: ArrayView2<'_, u32>) -> Self {
        let bytes = coordinates.nrows() * encoding.features_len() * size_of::<i16>();
        let source = if bytes <= STORED_BYTES {
            Source::Stored(encoding.encode(coordinates))
        } else {
            Source::Computed(coordinates.to_owned())
        };
        Self { encoding: encoding.clone(), source, factors: encoding.feature_factors() }
    }
}

impl Features for EncodedFeatures {
    fn samples(&self) -> usize {
        match &self.source {
            Source::Stored(features) => features.nrows(),
            Source::Computed(coordinates) => coordinates.nrows(),
        }
    }

    fn width(&self) -> usize {
        self.factors.len()
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, _parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        let mut out = buffer_rows(buffer, rows.len(), self.width());
        let out_rows = out.rows_mut().into_iter().zip(rows.iter());
        match &self.source {
            Source::Stored(features) => {
                for (mut out, index) in out_rows {
                    let (out, features) = (out.as_slice_mut().expect("a row"), features.row(index));
                    let features = features.to_slice().expect("a row");
                    vectorized(
                        #[inline(always)]
                        || scale(features, &self.factors, out),
                    );
                }
            }
            Source::Computed(coordinates) => {
                let device = self.encoding.device();
                let mut integers = vec![0; self.width()];
                for (mut out, index) in out_rows {
                    let out = out.as_slice_mut().expect("a row");
                    device.encode_into(coordinates.row(index).to_slice().expect("a row"), &mut integers);
                    scale(&integers, &self.factors, out);
                }
            }
        }
        filled_rows(buffer, rows.len(), self.width())
    }
}

#[inline(always)]
fn scale(integers: &[i16], factors: &[f32], out: &mut [f32]) {
    for ((out, &integer), factor) in out.iter_mut().zip(integers).zip(factors) {
        *out = f32::from(integer) * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::encoding::EncodingParams;

    #[test]
    fn stored_and_computed_features_are_the_same() {
        let encoding = EncodingParams { passthrough: 1, ..EncodingParams::default() }.check(2).unwrap();
        let coordinates =
            Array2::from_shape_fn((40, 2), |(i, j)| (i as u32 + 1).wrapping_mul(2_654_435_761 + j as u32));
        let stored = EncodedFeatures::new(&encoding, coordinates.view());
        let computed = EncodedFeatures { source: Source::Computed(coordinates.clone()), ..stored.clone() };
        let all = encoding.features(coordinates.view());
        let indices = [7, 0, 39, 7];
        for rows in [Rows::Range(3..9), Rows::Indices(&indices), Rows::Range(0..0)] {
            let expected =
                Array2::from_shape_fn((rows.len(), all.ncols()), |(i, j)| all[[rows.iter().nth(i).unwrap(), j]]);
            let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
            assert_eq!(stored.rows(&rows, &[], &mut first), expected);
            assert_eq!(computed.rows(&rows, &[], &mut second), expected);
            assert_eq!(Features::rows(&all, &rows, &[], &mut third), expected);
        }
    }
}
