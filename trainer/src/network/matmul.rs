//! Matrix products: the one place that calls the `gemm` crate.
//!
//! `gemm` multiplies views of any strides on one thread into a borrowed buffer, which suits the chunks of the training
//! loop. It takes raw pointers and has no safe interface. A library with one may round differently in the last bits,
//! and the same seed would then give another network. The allowance for unsafe code is therefore this one call, in a
//! safe function that checks all shapes first; everything else about networks is safe code.
//!
//! Each call runs on the calling thread alone; parallel code splits its rows itself, in a way that does not depend on
//! the number of threads. The instruction set is picked at run time, so one binary gives the same bits on one machine
//! however many threads it uses, but may differ in the last bits between kinds of processor.

use ndarray::{ArrayView2, ArrayViewMut2};

/// A float that networks can be made of: f32 for training, f64 where derivatives are checked or theory needs digits.
pub trait Real:
    ndarray::LinalgScalar + ndarray::ScalarOperand + PartialOrd + Send + Sync + std::fmt::Debug + std::ops::AddAssign
{
    /// The nearest value to `value`.
    fn from_f64(value: f64) -> Self;
    /// Widens to f64, exactly.
    fn to_f64(self) -> f64;
    /// e to this power.
    fn exp(self) -> Self;
    /// The sine and the cosine of this angle in radians.
    fn sin_cos(self) -> (Self, Self);
}

macro_rules! impl_real {
    ($t:ty, $sin_cos:expr) => {
        impl Real for $t {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                <$t>::exp(self)
            }
            #[inline(always)]
            fn sin_cos(self) -> (Self, Self) {
                $sin_cos(self)
            }
        }
    };
}
impl_real!(f32, sin_cos_f32);
impl_real!(f64, f64::sin_cos);

/// Sine and cosine with an error of at most 3e-7 for angles up to a thousand: without branches or tables, so that the
/// compiler makes vectors of it, and the same on every processor.
#[inline(always)]
fn sin_cos_f32(angle: f32) -> (f32, f32) {
    // π/2 in three parts, of which products with small whole numbers are exact (Cody and Waite 1980).
    const PARTS: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];
    let quarter = (angle * std::f32::consts::FRAC_2_PI).round_ties_even();
    let x = ((angle - quarter * PARTS[0]) - quarter * PARTS[1]) - quarter * PARTS[2];
    let square = x * x;
    // Minimax polynomials on ±π/4 (Cephes, sinf and cosf).
    let sine = x + x * square * (-1.666_665_5e-1 + square * (8.332_161e-3 - square * 1.951_529_6e-4));
    let cosine =
        1.0 - 0.5 * square + square * square * (4.166_664_6e-2 + square * (-1.388_731_6e-3 + square * 2.443_315_7e-5));
    // The lowest bits of a number to which 1.5·2²³ is added are those of its whole part. No conversion saturates here,
    // and no sum is checked for overflow: either would keep the compiler from making vectors.
    let turn = (quarter + 12_582_912.0).to_bits();
    let (sin, cos) = if turn & 1 == 0 { (sine, cosine) } else { (cosine, sine) };
    let flipped = |value: f32, sign: u32| f32::from_bits(value.to_bits() ^ (sign & 2) << 30);
    (flipped(sin, turn), flipped(cos, turn.wrapping_add(1)))
}

/// What happens to the old content of the output of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// It is overwritten, whatever it was.
    Replace,
    /// The product is added to it.
    Add,
}

/// `c = a·b` or `c += a·b`, for views of any strides. Fastest where `c` has unit stride along its longer axis.
///
/// # Panics
/// If the shapes do not fit: `a` [m, k], `b` [k, n], `c` [m, n].
pub fn multiply_into<T: Real>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    accumulate: Accumulate,
    mut c: ArrayViewMut2<'_, T>,
) {
    let (m, k) = a.dim();
    let (k_of_b, n) = b.dim();
    assert_eq!(k, k_of_b, "inner dimensions of a matrix product differ");
    assert_eq!(c.dim(), (m, n), "the output of a matrix product has the wrong shape");
    let (a_strides, b_strides) = (strides(&a), strides(&b));
    let c_strides = [c.strides()[0], c.strides()[1]];
    #[expect(unsafe_code, reason = "gemm takes raw pointers; this function is its safe façade")]
    // SAFETY: the pointers and strides are those of three live ndarray views whose shapes were checked above, so every
    // element that gemm touches is inside them; `c` is borrowed exclusively, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            c_strides[1],
            c_strides[0],
            accumulate == Accumulate::Add,
            a.as_ptr(),
            a_strides[1],
            a_strides[0],
            b.as_ptr(),
            b_strides[1],
            b_strides[0],
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn strides<T>(view: &ArrayView2<'_, T>) -> [isize; 2] {
    [view.strides()[0], view.strides()[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    fn sample(rows: usize, columns: usize, salt: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17 + salt) % 23) as f64 - 11.0)
    }

    #[test]
    fn equals_the_definition_for_every_layout() {
        for (m, k, n) in [(1, 1, 1), (5, 3, 4), (40, 33, 3), (70, 2, 65), (3, 100, 17)] {
            let (a, b) = (sample(m, k, 1), sample(k, n, 2));
            let expected = Array2::from_shape_fn((m, n), |(i, j)| (0..k).map(|l| a[[i, l]] * b[[l, j]]).sum::<f64>());
            let (a_transposed, b_transposed) =
                (a.t().as_standard_layout().to_owned(), b.t().as_standard_layout().to_owned());
            for (a, b) in [(a.view(), b.view()), (a_transposed.t(), b.view()), (a.view(), b_transposed.t())] {
                let mut c = Array2::from_elem((m, n), f64::NAN);
                multiply_into(a, b, Accumulate::Replace, c.view_mut());
                assert_eq!(c, expected); // small integers: exact in any order
                multiply_into(a, b, Accumulate::Add, c.view_mut());
                assert_eq!(c, &expected * 2.0);
                let mut wide = Array2::zeros((n, m + 3));
                multiply_into(a, b, Accumulate::Replace, wide.slice_mut(s![.., 1..=m]).reversed_axes());
                assert_eq!(wide.slice(s![.., 1..=m]).t(), expected);
            }
        }
    }

    #[test]
    fn sines_and_cosines_are_those_of_f64() {
        for k in -1_000_000..1_000_000 {
            let angle = k as f32 * 1e-3;
            let ((sin, cos), exact) = (sin_cos_f32(angle), f64::from(angle).sin_cos());
            let error = (f64::from(sin) - exact.0).abs().max((f64::from(cos) - exact.1).abs());
            assert!(error < 3e-7, "{angle}: {error:e}");
        }
        assert!(sin_cos_f32(f32::NAN).0.is_nan() && sin_cos_f32(f32::INFINITY).1.is_nan());
    }

    #[test]
    fn nothing_to_add_up_gives_zero() {
        let mut c = Array2::from_elem((2, 3), 7.0f32);
        multiply_into(Array2::zeros((2, 0)).view(), Array2::zeros((0, 3)).view(), Accumulate::Replace, c.view_mut());
        assert_eq!(c, Array2::<f32>::zeros((2, 3)));
    }
}
