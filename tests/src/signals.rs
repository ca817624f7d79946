//! Pictures, terrains and lines that are made from a seed, to try the choice of a scale on: several of each kind,
//! unlike each other in how fine their detail is. Values are in no particular unit; [`trainer::data`] maps them to [0,
//! 1].

use std::f32::consts::TAU;

use crate::random::Random;

/// Values on a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Of one or two axes; the last is x.
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f32>,
}

fn square(side: usize, value: impl Fn(f32, f32) -> f32) -> Signal {
    let at = |k: usize| (k as f32 + 0.5) / side as f32;
    let values = (0..side * side).map(|k| value(at(k % side), at(k / side))).collect();
    Signal { shape: vec![side, side], values }
}

fn line(len: usize, value: impl FnMut(f32) -> f32) -> Signal {
    let values = (0..len).map(|k| k as f32 / len as f32).map(value).collect();
    Signal { shape: vec![len], values }
}

/// The dead leaves model of natural pictures: discs of radii with density 1/r³ hide one another. `texture` is the depth
/// of fine waves on each leaf.
pub fn dead_leaves(side: usize, radii: [f32; 2], texture: f32, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    // Front to back: the first leaf that covers a point is seen.
    let leaves: Vec<[f32; 6]> = (0..6000)
        .map(|_| {
            let (low, high) = (radii[0].powi(-2), radii[1].powi(-2));
            let radius = (high + (low - high) * random.unit()).powf(-0.5);
            let centre = [1.4 * random.unit() - 0.2, 1.4 * random.unit() - 0.2];
            [centre[0], centre[1], radius, random.unit(), 20.0 + 20.0 * random.unit(), TAU * random.unit()]
        })
        .collect();
    let grey = |x: f32, y: f32| {
        let seen = leaves.iter().find(|[u, v, radius, ..]| (x - u).hypot(y - v) < *radius);
        seen.map_or(0.5, |[_, _, _, shade, frequency, angle]| {
            shade + texture * (TAU * frequency * (x * angle.cos() + y * angle.sin())).sin()
        })
    };
    let quarter = 0.25 / side as f32;
    // Four points a pixel, as a lens and a sensor blur an edge.
    square(side, |x, y| {
        let around = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
        around.iter().map(|(u, v)| grey(x + u * quarter, y + v * quarter)).sum::<f32>() / 4.0
    })
}

/// Dark strokes of a pen on a page that darkens towards a corner.
pub fn strokes(side: usize, count: usize, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    let pen: Vec<[f32; 5]> = (0..count)
        .map(|_| {
            let (x, y, angle) = (random.unit(), random.unit(), TAU * random.unit());
            let length = 0.05 + 0.25 * random.unit();
            [x, y, x + length * angle.cos(), y + length * angle.sin(), 0.004 + 0.008 * random.unit()]
        })
        .collect();
    square(side, |x, y| {
        let ink = pen.iter().map(|&[x0, y0, x1, y1, width]| {
            let (dx, dy) = (x1 - x0, y1 - y0);
            let along = (((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
            let distance = (x - x0 - along * dx).hypot(y - y0 - along * dy);
            (1.0 - (distance - width) * side as f32).clamp(0.0, 1.0)
        });
        0.95 - 0.25 * x * y - 0.7 * ink.fold(0.0, f32::max)
    })
}

/// Gradient noise (Perlin 1985) with one gradient a lattice point, about -0.7 to 0.7.
fn noise(x: f32, y: f32, seed: u64) -> f32 {
    let (cell_x, cell_y) = (x.floor(), y.floor());
    let corner = |i: f32, j: f32| {
        let (u, v) = (cell_x + i, cell_y + j);
        let angle = TAU * Random::new(seed ^ ((u as i64 as u64) << 32) ^ (v as i64 as u64 & 0xffff_ffff)).unit();
        angle.cos() * (x - u) + angle.sin() * (y - v)
    };
    let fade = |t: f32| t * t * t * (t * (6.0 * t - 15.0) + 10.0);
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let (s, t) = (fade(x - cell_x), fade(y - cell_y));
    mix(mix(corner(0.0, 0.0), corner(1.0, 0.0), s), mix(corner(0.0, 1.0), corner(1.0, 1.0), s), t)
}

/// Hills upon hills: octaves of noise, each of twice the frequency and `gain` times the height; `ridged` folds them
/// into sharp crests.
pub fn hills(side: usize, gain: f32, ridged: bool, seed: u64) -> Signal {
    square(side, |x, y| {
        let octave = |k: i32| {
            let height = noise(3.0 * x * 2f32.powi(k), 3.0 * y * 2f32.powi(k), seed + k as u64);
            gain.powi(k) * if ridged { 0.5 - height.abs() } else { height }
        };
        (0..6).map(octave).sum()
    })
}

/// Bowls with rims on rolling ground.
pub fn craters(side: usize, count: usize, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    let bowls: Vec<[f32; 3]> =
        (0..count).map(|_| [random.unit(), random.unit(), 0.02 + 0.12 * random.unit().powi(3)]).collect();
    square(side, |x, y| {
        let ground = 0.08 * noise(4.0 * x, 4.0 * y, seed);
        bowls.iter().fold(ground, |height, &[u, v, radius]| {
            let r = (x - u).hypot(y - v) / radius;
            let rim = 0.3 * (-(r - 1.0) * (r - 1.0) / 0.06).exp();
            height + radius * (rim - if r < 1.0 { 0.6 * (1.0 - r * r) } else { 0.0 })
        })
    })
}

/// Tones of falling strength, with a step in the middle of the line.
pub fn tones(len: usize, frequencies: &[f32], step: f32) -> Signal {
    line(len, |t| {
        let tone = |(k, &frequency): (usize, &f32)| (TAU * frequency * t + k as f32).sin() / (1.0 + k as f32);
        frequencies.iter().enumerate().map(tone).sum::<f32>() + if t < 0.53 { 0.0 } else { step }
    })
}

/// A drunkard's walk, smoothed over `smooth` steps.
pub fn walk(len: usize, smooth: usize, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    let (mut at, mut path) = (0.0, Vec::new());
    for _ in 0..len + smooth {
        at += random.unit() - 0.5;
        path.push(at);
    }
    Signal { shape: vec![len], values: path.windows(smooth).take(len).map(|w| w.iter().sum::<f32>()).collect() }
}

/// A wave whose frequency rises from `low` to `high` cycles over the line while it dies away.
pub fn chirp(len: usize, low: f32, high: f32) -> Signal {
    line(len, |t| (-1.5 * t).exp() * (TAU * (low * t + 0.5 * (high - low) * t * t)).sin())
}

/// The pulse of a heart: three bumps a beat, on a baseline that breathes, with the noise of the electrodes.
pub fn heartbeat(len: usize, beats: f32, electrodes: f32, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    line(len, |t| {
        let phase = (beats * t + 0.15 * (TAU * 3.0 * t).sin()).rem_euclid(1.0);
        let bump = |at: f32, width: f32, height: f32| height * (-((phase - at) / width).powi(2)).exp();
        let beat = bump(0.25, 0.04, 0.15) + bump(0.42, 0.015, 1.0) - bump(0.46, 0.02, 0.25) + bump(0.7, 0.06, 0.3);
        beat + 0.1 * (TAU * 4.0 * t).sin() + electrodes * (random.unit() - 0.5)
    })
}

/// The demand for electricity over six weeks: days and weekends, mornings and evenings, and weather that wanders.
pub fn demand(len: usize, seed: u64) -> Signal {
    let mut random = Random::new(seed);
    let mut weather = 0.0;
    line(len, |t| {
        weather = 0.98 * weather + 0.08 * (random.unit() - 0.5);
        let day = 42.0 * t;
        let weekend = if day.rem_euclid(7.0) > 5.0 { 0.75 } else { 1.0 };
        let hours = TAU * day;
        weekend * (1.0 - 0.35 * hours.cos() - 0.2 * (2.0 * hours).cos() + 0.08 * (3.0 * hours).sin()) + weather
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean square of differences of neighbours in x, relative to the variance: 2 for noise, near 0 where all is
    /// smooth.
    fn roughness(signal: &Signal) -> f32 {
        let width = *signal.shape.last().unwrap();
        let n = signal.values.len() as f32;
        let mean = signal.values.iter().sum::<f32>() / n;
        let variance = signal.values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
        let steps = signal.values.chunks(width).flat_map(|row| row.windows(2)).map(|pair| (pair[1] - pair[0]).powi(2));
        steps.sum::<f32>() / n / variance
    }

    #[test]
    fn every_signal_has_its_shape_its_seed_and_detail_that_samples_resolve() {
        let all: Vec<Signal> = vec![
            dead_leaves(64, [0.03, 0.3], 0.0, 1),
            strokes(64, 20, 1),
            hills(64, 0.5, false, 1),
            hills(64, 0.5, true, 1),
            craters(64, 40, 1),
            tones(512, &[3.0, 11.0], 0.5),
            walk(512, 4, 1),
            chirp(512, 2.0, 40.0),
            heartbeat(512, 6.0, 0.02, 1),
            demand(1008, 1),
        ];
        for (k, signal) in all.iter().enumerate() {
            assert_eq!(signal.values.len(), signal.shape.iter().product::<usize>(), "{k}");
            let rough = roughness(signal);
            assert!(rough > 1e-4 && rough < 0.7, "{k}: {rough}");
        }
        assert_eq!(hills(64, 0.5, false, 1), all[2]);
        assert_ne!(hills(64, 0.5, false, 2), all[2]);
        assert!(roughness(&hills(64, 0.7, false, 1)) > roughness(&all[2]));
    }
}
