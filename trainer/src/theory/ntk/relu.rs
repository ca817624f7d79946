//! What a ReLU does to a pair of correlated Gaussians, without cancellation.

use std::f64::consts::PI;

/// Rounding of the two terms whose difference gives the angle, in units of their size.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// What a ReLU makes of two correlated Gaussians.
pub(super) struct Relu {
    /// E[(relu(u) - relu(v))²]
    pub(super) distance: f64,
    /// E[relu(u) relu(v)]
    pub(super) covariance: f64,
    /// E[relu'(u) relu'(v)]
    pub(super) derivative: f64,
}

/// For two Gaussians of standard deviations `r1`, `r2` with E[(u - v)²] = `distance`.
pub(super) fn relu(distance: f64, r1: f64, r2: f64) -> Relu {
    let (product, gap) = (r1 * r2, r1 - r2);
    if product == 0.0 {
        return Relu { distance: (r1 * r1 + r2 * r2) / 2.0, covariance: 0.0, derivative: 0.25 };
    }
    // 1 - cos θ and 1 + cos θ, each from a difference that vanishes with it; what is within its rounding is zero
    let floor = |numerator: f64, rounding: f64| {
        if numerator > ROUNDING * rounding { numerator } else { 0.0 }
    };
    let less = floor(distance - gap * gap, distance + gap.abs() * r1.max(r2)) / (2.0 * product);
    let more = floor((r1 + r2).powi(2) - distance, distance) / (2.0 * product);
    let (less, more) =
        if less < more { (less.min(1.0), 2.0 - less.min(1.0)) } else { (2.0 - more.min(1.0), more.min(1.0)) };
    let angle = 2.0 * less.sqrt().atan2(more.sqrt());
    let (sine, cosine) = ((less * more).sqrt(), if less < more { 1.0 - less } else { more - 1.0 });
    // 1 - (sin θ + (π - θ) cos θ)/π, without cancellation
    let complement = less - sine_minus_angle_cosine(angle, sine, cosine) / PI;
    Relu {
        distance: gap * gap / 2.0 + product * complement,
        covariance: product * (sine + (PI - angle) * cosine) / (2.0 * PI),
        derivative: (PI - angle) / (2.0 * PI),
    }
}

/// sin θ - θ cos θ, which is θ³/3 - θ⁵/30 + θ⁷/840 - … near 0. Relative error below 1e-12.
fn sine_minus_angle_cosine(angle: f64, sine: f64, cosine: f64) -> f64 {
    if angle > 0.1 {
        return sine - angle * cosine;
    }
    let square = angle * angle;
    angle * square * (1.0 / 3.0 - square * (1.0 / 30.0 - square * (1.0 / 840.0 - square / 45360.0)))
}
