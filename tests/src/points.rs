//! Points that host and device must agree on: random ones, a lattice, the edges of the domain, and beyond it.

use firmware_core::{Axis, Model};

use crate::random::Random;

/// Points `[samples, inputs]` in the user's units, from a seed. The four kinds alternate, so that every form of
/// evaluation sees each of them.
pub fn all_kinds(model: &Model<'_>, samples: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let mut points = Vec::with_capacity(samples * model.inputs());
    for sample in 0..samples {
        let place = match sample % 4 {
            0 => inside,
            1 => on_lattice,
            2 => at_edge,
            _ => anywhere,
        };
        points.extend(model.axes().map(|axis| place(&axis, &mut random)));
    }
    points
}

/// Points `[samples, inputs]` in the user's units, from a seed, all of them inside the domain.
pub fn inside_the_domain(model: &Model<'_>, samples: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..samples).flat_map(|_| model.axes().map(|axis| inside(&axis, &mut random)).collect::<Vec<_>>()).collect()
}

fn inside(axis: &Axis, random: &mut Random) -> f32 {
    axis.minimum + (axis.maximum - axis.minimum) * random.unit()
}

/// A multiple of 1/1024 of the period, where coordinates are whole and phases come close to quarter turns.
fn on_lattice(axis: &Axis, random: &mut Random) -> f32 {
    axis.minimum + axis.period() * (random.bits() % 1024) as f32 / 1024.0
}

fn at_edge(axis: &Axis, random: &mut Random) -> f32 {
    let period_end = axis.minimum + axis.period();
    let edges = [axis.minimum, axis.maximum, period_end, period_end - axis.period() / 2.0, 0.0, -0.0];
    let edge = random.pick(&edges);
    random.pick(&[edge, edge.next_up(), edge.next_down()])
}

fn anywhere(axis: &Axis, random: &mut Random) -> f32 {
    let span = axis.maximum - axis.minimum;
    let beyond = 3.0 * random.unit();
    let far = 1000.0 * axis.period() * random.unit();
    let number = f32::from_bits(random.bits() as u32);
    let usual = inside(axis, random);
    random.pick(&[
        axis.minimum - span * beyond,
        axis.maximum + span * beyond,
        axis.minimum - far,
        usual,
        number, // any number at all, NaN and infinities too
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
    ])
}
