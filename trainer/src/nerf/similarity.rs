//! How alike two pictures are: PSNR, and the structural similarity of Wang et al. (2004).
//!
//! SSIM compares means, variances and covariance under a Gaussian window of 11×11 pixels with deviation 1.5, constants
//! (0.01)² and (0.03)² for a range of 1, at every place where the window fits, and takes the mean over places and
//! channels: the definition that most published values follow. Smaller pictures have a window of their own size.

use crate::data::metrics::psnr_db;

const WINDOW: usize = 11;
const DEVIATION: f64 = 1.5;
const C1: f64 = 1e-4;
const C2: f64 = 9e-4;

/// A colour picture, `[height·width]` row-major, values in [0, 1].
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Number of pixels in a row.
    pub width: usize,
    /// Red, green and blue from 0 to 1, row by row from the top.
    pub pixels: &'a [[f32; 3]],
}

/// Mean squared error over pixels and channels; what is drawn is confined to [0, 1] first, as a display does.
///
/// # Panics
/// If the pictures differ in size.
pub fn mean_squared_error(drawn: &[[f32; 3]], exact: &[[f32; 3]]) -> f64 {
    assert_eq!(drawn.len(), exact.len(), "pictures of one size");
    let pairs = drawn.as_flattened().iter().zip(exact.as_flattened());
    let sum: f64 = pairs.map(|(&a, &b)| f64::from(a.clamp(0.0, 1.0) - b).powi(2)).sum();
    sum / (3 * exact.len()).max(1) as f64
}

/// PSNR in dB; the peak is 1.
pub fn psnr(drawn: &[[f32; 3]], exact: &[[f32; 3]]) -> f64 {
    psnr_db(mean_squared_error(drawn, exact), 1.0)
}

/// SSIM; 1 for equal pictures.
///
/// # Panics
/// If the pictures differ in size.
pub fn ssim(drawn: Picture<'_>, exact: Picture<'_>) -> f64 {
    ssim_within(drawn, exact, None)
}

/// SSIM over the places whose middle pixel a mask leaves; over all where it leaves none of those.
///
/// # Panics
/// If pictures and mask differ in size.
pub fn ssim_within(drawn: Picture<'_>, exact: Picture<'_>, mask: Option<&[bool]>) -> f64 {
    assert_eq!((drawn.width, drawn.pixels.len()), (exact.width, exact.pixels.len()), "pictures of one size");
    let (width, height) = (drawn.width, drawn.pixels.len() / drawn.width.max(1));
    let (columns, rows) = (window(width), window(height));
    let kept = mask.map(|mask| {
        let (across, down) = (width + 1 - columns.len(), height + 1 - rows.len());
        let middle = |place: usize| (place / across + rows.len() / 2) * width + place % across + columns.len() / 2;
        (0..across * down).filter(|&place| mask[middle(place)]).collect::<Vec<usize>>()
    });
    let kept = kept.filter(|kept| !kept.is_empty());
    let mut sum = 0.0;
    for channel in 0..3 {
        let plane = |picture: &Picture<'_>| -> Vec<f64> {
            picture.pixels.iter().map(|pixel| f64::from(pixel[channel].clamp(0.0, 1.0))).collect()
        };
        let (a, b) = (plane(&drawn), plane(&exact));
        let product = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
        let [mean_a, mean_b, aa, bb, ab] = [a.clone(), b.clone(), product(&a, &a), product(&b, &b), product(&a, &b)]
            .map(|plane| blurred(&plane, width, &columns, &rows));
        let at = |i: usize| {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (va, vb, cov) = (aa[i] - ma * ma, bb[i] - mb * mb, ab[i] - ma * mb);
            (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
        };
        let (total, places): (f64, usize) = match &kept {
            Some(kept) => (kept.iter().map(|&i| at(i)).sum(), kept.len()),
            None => ((0..mean_a.len()).map(at).sum(), mean_a.len()),
        };
        sum += total / places as f64 / 3.0;
    }
    sum
}

/// Weights of the window along a side of this length.
fn window(side: usize) -> Vec<f64> {
    let len = WINDOW.min(side);
    let weights: Vec<f64> = (0..len)
        .map(|i| {
            let offset = i as f64 - (len - 1) as f64 / 2.0;
            (-offset * offset / (2.0 * DEVIATION * DEVIATION)).exp()
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Weighted means wherever the window fits.
fn blurred(plane: &[f64], width: usize, columns: &[f64], rows: &[f64]) -> Vec<f64> {
    let along: Vec<Vec<f64>> = plane
        .chunks_exact(width)
        .map(|row| row.windows(columns.len()).map(|part| part.iter().zip(columns).map(|(x, w)| x * w).sum()).collect())
        .collect();
    along
        .windows(rows.len())
        .flat_map(|part| {
            (0..part[0].len()).map(|x| part.iter().zip(rows).map(|(row, w)| row[x] * w).sum()).collect::<Vec<f64>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(phase: f32) -> Vec<[f32; 3]> {
        (0..32 * 20)
            .map(|i| {
                let (x, y) = ((i % 32) as f32, (i / 32) as f32);
                [0.5 + 0.4 * (0.7 * x + phase).sin(), 0.5 + 0.4 * (0.5 * y).cos(), 0.01 * x]
            })
            .collect()
    }

    #[test]
    fn known_values() {
        let a = pattern(0.0);
        let picture = |pixels| Picture { width: 32, pixels };
        assert!((ssim(picture(&a), picture(&a)) - 1.0).abs() < 1e-12);
        // A brighter picture of one colour: only the means differ.
        let (dark, bright) = (vec![[0.25; 3]; 640], vec![[0.5; 3]; 640]);
        let expected = (2.0 * 0.125 + C1) / (0.0625 + 0.25 + C1);
        assert!((ssim(picture(&dark), picture(&bright)) - expected).abs() < 1e-6);
        assert!((psnr(&dark, &bright) - 10.0 * 16f64.log10()).abs() < 1e-6);
        // Noise of one size costs more structure than a shift of the mean.
        let noisy: Vec<[f32; 3]> =
            a.iter().enumerate().map(|(i, p)| p.map(|x| x + if i % 2 == 0 { 0.05 } else { -0.05 })).collect();
        let shifted: Vec<[f32; 3]> = a.iter().map(|p| p.map(|x| x + 0.05)).collect();
        assert!(ssim(picture(&noisy), picture(&a)) < ssim(picture(&shifted), picture(&a)) - 0.05);
        assert!(ssim(picture(&pattern(1.5)), picture(&a)) < 0.8);
        // A picture smaller than the window.
        let small = Picture { width: 4, pixels: &a[..12] };
        assert!((ssim(small, small) - 1.0).abs() < 1e-12);
    }

    /// Left and right halves that differ from the picture in their own way: each is judged as if it were alone, but for
    /// the windows that reach across.
    #[test]
    fn masks_choose_the_places() {
        let a = pattern(0.0);
        let b: Vec<[f32; 3]> = a.iter().enumerate().map(|(i, p)| if i % 32 < 16 { *p } else { [0.5; 3] }).collect();
        let picture = |pixels| Picture { width: 32, pixels };
        // The middles of windows that lie within the left half.
        let left: Vec<bool> = (0..a.len()).map(|i| i % 32 < 11).collect();
        assert!((ssim_within(picture(&a), picture(&b), Some(&left)) - 1.0).abs() < 1e-12);
        let right: Vec<bool> = left.iter().map(|kept| !kept).collect();
        let (all, other) = (ssim(picture(&a), picture(&b)), ssim_within(picture(&a), picture(&b), Some(&right)));
        // 6 of the 22 places of each row are the left's.
        assert!((all - (6.0 + 16.0 * other) / 22.0).abs() < 1e-9, "{all} {other}");
    }

    /// One place, where the definition can be written out.
    #[test]
    fn one_window_is_the_definition() {
        let (a, b) = (pattern(0.0), pattern(0.9));
        let cut = |p: &[[f32; 3]]| -> Vec<[f32; 3]> {
            (0..11).flat_map(|y| (0..11).map(move |x| y * 32 + x)).map(|i| [p[i][0]; 3]).collect()
        };
        let (a, b) = (cut(&a), cut(&b));
        let found = ssim(Picture { width: 11, pixels: &a }, Picture { width: 11, pixels: &b });
        let weight = |i: usize| {
            let (x, y) = ((i % 11) as f64 - 5.0, (i / 11) as f64 - 5.0);
            (-(x * x + y * y) / 4.5).exp()
        };
        let total: f64 = (0..121).map(weight).sum();
        let mean = |f: &dyn Fn(usize) -> f64| (0..121).map(|i| weight(i) * f(i)).sum::<f64>() / total;
        let (va, vb) = (|i: usize| f64::from(a[i][0]), |i: usize| f64::from(b[i][0]));
        let (ma, mb) = (mean(&va), mean(&vb));
        let variance_a = mean(&|i| (va(i) - ma).powi(2));
        let variance_b = mean(&|i| (vb(i) - mb).powi(2));
        let covariance = mean(&|i| (va(i) - ma) * (vb(i) - mb));
        let expected = (2.0 * ma * mb + C1) * (2.0 * covariance + C2)
            / ((ma * ma + mb * mb + C1) * (variance_a + variance_b + C2));
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}
