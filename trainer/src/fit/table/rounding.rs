//! Whole numbers near a least-squares solution.

use super::normal::Normal;

/// Sweeps of coordinate descent at most.
const SWEEPS: usize = 20;

/// The whole numbers within ±`largest` that nearly minimize (q - c)ᵀH(q - c).
pub(super) fn round(normal: &Normal<'_>, exact: &[f64], largest: f64) -> Vec<f64> {
    let rounded = |value: f64| value.round().clamp(-largest, largest);
    // Error feedback: what is still free moves to where the rounding so far is made good.
    let mut q = exact.to_vec();
    let mut gradient = vec![0.0; q.len()];
    let move_to = |q: &mut [f64], gradient: &mut [f64], node: usize, value: f64| {
        let change = value - q[node];
        if change != 0.0 {
            q[node] = value;
            for &(column, entry) in normal.row(node) {
                gradient[column as usize] += entry * change;
            }
        }
    };
    for node in 0..q.len() {
        let value = rounded(q[node]);
        move_to(&mut q, &mut gradient, node, value);
        for &(column, _) in normal.row(node) {
            let free = column as usize;
            if free > node {
                let value = q[free] - gradient[free] / normal.diagonal()[free];
                move_to(&mut q, &mut gradient, free, value);
            }
        }
    }
    for _ in 0..SWEEPS {
        let mut is_changed = false;
        for node in 0..q.len() {
            let value = rounded(q[node] - gradient[node] / normal.diagonal()[node]);
            is_changed |= value != q[node];
            move_to(&mut q, &mut gradient, node, value);
        }
        if !is_changed {
            break;
        }
    }
    q
}
