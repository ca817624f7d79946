//! The work of a search: boxes are bounded, halved, and looked into.

use std::collections::BinaryHeap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::arithmetic::Arithmetic;
use super::bounds::{Answers, answers};
use super::interpolant::Interpolant;
use super::parts::Parts;
use super::region::{MAX_AXES, Region};
use super::search::{Found, Goal, Open, Quantity, Search, Until};
use super::slope::slope_range;

/// Boxes that are halved at a time: the same on every machine, so that a search does not depend on its threads.
const ROUND: usize = 256;
/// Boxes of a round that are followed to one point.
const DIVES: usize = 4;
/// A box of so few coordinates is evaluated point by point.
const FEW: f64 = 64.0;

/// What searches are made on.
pub(super) struct Bench<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) interpolant: Option<&'a Interpolant>,
}

/// What a box has, of one quantity.
struct Bounded {
    bound: f64,
    found: Option<Found>,
    is_exact: bool,
}

impl Bench<'_> {
    /// A search that has looked at some points and at the whole domain.
    pub(super) fn search(&self, goal: Goal) -> Search {
        let domain = self.domain(goal);
        let mut search = Search {
            goal,
            found: Found { value: f64::NEG_INFINITY, point: Vec::new(), answer: 0.0 },
            boxes: 1,
            closed: None,
            open: BinaryHeap::from([Open { region: domain, bound: self.score(goal, &domain) }]),
        };
        for point in samples(&domain, self.parts.inputs()) {
            search.meet(self.at(goal, &point));
        }
        search
    }

    fn domain(&self, goal: Goal) -> Region {
        match (goal.quantity, self.interpolant) {
            (Quantity::Distance, Some(interpolant)) => interpolant.domain(self.parts),
            _ => self.parts.domain(),
        }
    }

    /// Goes on with a search.
    pub(super) fn run(&self, search: &mut Search, until: &Until<'_>, mut tell: impl FnMut(&Search)) {
        let mut told = Instant::now();
        while !search.is_near(until) && !until.stop.load(Relaxed) && Instant::now() < until.end {
            let mut halves = Vec::new();
            while halves.len() < 2 * ROUND {
                let Some(open) = search.open.pop() else { break };
                if open.bound <= search.found.value || open.region.len() == 1.0 {
                    search.close(open.bound);
                } else {
                    halves.extend(self.halve(search.goal, &open.region).map(|region| Open { region, ..open }));
                }
            }
            if halves.is_empty() {
                return;
            }
            // Thin places where the worst point may hide.
            let step = (halves.len() / DIVES).max(1);
            let dives: Vec<&Open> = halves.iter().step_by(step).take(DIVES).collect();
            for found in dives.par_iter().map(|open| self.dive(search.goal, open.region)).collect::<Vec<_>>() {
                search.meet(found);
            }
            let bounded: Vec<Bounded> = halves.par_iter().map(|open| self.bound(search.goal, open)).collect();
            search.boxes += bounded.len() as u64;
            for (open, bounded) in halves.into_iter().zip(bounded) {
                search.meet(bounded.found);
                let bound = bounded.bound.min(open.bound);
                if bounded.is_exact {
                    search.close(bound);
                } else {
                    search.open.push(Open { region: open.region, bound });
                }
            }
            if told.elapsed() > Duration::from_secs(2) {
                tell(search);
                told = Instant::now();
            }
        }
    }

    /// The worst point that is met on the way into the half with the larger bound, again and again.
    fn dive(&self, goal: Goal, mut region: Region) -> Option<Found> {
        let mut worst = self.at(goal, &region.middle());
        while region.len() > 1.0 {
            let halves = self.halve(goal, &region).map(|half| (self.score(goal, &half), half));
            region = if halves[0].0 > halves[1].0 { halves[0].1 } else { halves[1].1 };
            worst = worse(worst, self.at(goal, &region.middle()));
        }
        worst
    }

    /// Two boxes, cut where the data have a position if there is one between.
    fn halve(&self, goal: Goal, region: &Region) -> [Region; 2] {
        let length = |axis: usize| self.parts.speed[axis] * region.half(axis);
        let inputs = self.parts.inputs();
        let knots: Vec<Vec<u32>> = match (goal.quantity, self.interpolant) {
            (Quantity::Distance, Some(interpolant)) => {
                (0..inputs).map(|axis| self.knots_in(interpolant, region, axis)).collect()
            }
            _ => vec![Vec::new(); inputs],
        };
        // Where the interpolant has a kink nothing else helps.
        let has_knots = knots.iter().any(|knots| !knots.is_empty());
        let axes = (0..inputs).filter(|&axis| region.half(axis) > 0.0 && (!has_knots || !knots[axis].is_empty()));
        let axis = axes.max_by(|&a, &b| length(a).total_cmp(&length(b))).unwrap_or(0);
        let (low, high) = (region.lower[axis], region.upper[axis]);
        let middle = low + (high - low) / 2 + 1;
        let nearest = knots[axis].iter().copied().min_by_key(|knot| knot.abs_diff(middle));
        region.split(axis, nearest.unwrap_or(middle))
    }

    /// The coordinates of positions of the data behind the lower end of a box, and within it.
    fn knots_in(&self, interpolant: &Interpolant, region: &Region, axis: usize) -> Vec<u32> {
        let of = self.parts.axes[axis];
        let coordinate = |x: f64| {
            ((x - f64::from(of.minimum)) * f64::from(of.scale) * 4_294_967_296.0).clamp(0.0, 4_294_967_295.0) as u32
        };
        let (low, high) = (region.lower[axis], region.upper[axis]);
        let knots = interpolant.knots(axis);
        let first = knots.partition_point(|&x| coordinate(x) <= low);
        let last = knots.partition_point(|&x| coordinate(x) <= high);
        knots[first..last].iter().map(|&x| coordinate(x)).collect()
    }

    /// What the quantity does not exceed in a box, and what it is at a point of it.
    fn bound(&self, goal: Goal, open: &Open) -> Bounded {
        let region = &open.region;
        let bound = self.score(goal, region);
        let found = self.at(goal, &region.middle());
        if region.len() > FEW || self.takes_slopes(goal) {
            // One coordinate cannot be halved.
            return Bounded { bound, found, is_exact: region.len() == 1.0 };
        }
        // So few that each of them is a box.
        let (mut largest, mut met) = (f64::NEG_INFINITY, found);
        for point in region.points() {
            let one = Region { lower: point, upper: point };
            largest = largest.max(self.score(goal, &one));
            met = worse(met, self.at(goal, &point));
        }
        Bounded { bound: largest, found: met, is_exact: true }
    }

    fn takes_slopes(&self, goal: Goal) -> bool {
        matches!(goal.quantity, Quantity::Slope(_) | Quantity::Fall(_) | Quantity::Rise(_))
    }

    /// What the quantity does not exceed in a box.
    fn score(&self, goal: Goal, region: &Region) -> f64 {
        let Goal { quantity, output } = goal;
        let arithmetic = if self.takes_slopes(goal) { Arithmetic::Exact } else { Arithmetic::Device };
        let answers = &answers(self.parts, region, arithmetic);
        let slope = |axis: usize| slope_range(self.parts, region, answers, (output, axis));
        match quantity {
            Quantity::Upper => self.ends(answers, output)[1],
            Quantity::Lower => -self.ends(answers, output)[0],
            Quantity::Slope(axis) => slope(axis).map(f64::abs).into_iter().fold(0.0, f64::max),
            Quantity::Fall(axis) => -slope(axis)[0],
            Quantity::Rise(axis) => slope(axis)[1],
            Quantity::Distance => {
                let Some(interpolant) = self.interpolant else { return f64::INFINITY };
                let other = interpolant.over(self.parts, region, output);
                let [low, high] = answers.values[output].add(&other, -1.0).range();
                low.abs().max(high.abs())
            }
        }
    }

    /// The smallest and the largest answer in a box, as the device rounds them.
    fn ends(&self, answers: &Answers, output: usize) -> [f64; 2] {
        let map = self.parts.maps[output];
        // Each of these steps is monotone, as the device's are.
        let is_whole = !self.parts.is_float || self.parts.has_sigmoid;
        let [low, high] = answers.raw[output];
        let ends =
            if is_whole { [low as f32, high as f32] } else { [(low as f32).next_down(), (high as f32).next_up()] };
        let [a, b] = ends.map(|raw| f64::from(raw * map.scale + map.offset));
        [a.min(b), a.max(b)]
    }

    /// The quantity at a point, as the device computes it; of a slope, in exact arithmetic, what it certainly is at
    /// least.
    fn at(&self, goal: Goal, coordinates: &[u32; MAX_AXES]) -> Option<Found> {
        let Goal { quantity, output } = goal;
        let mut point = self.parts.point(coordinates);
        if let (Quantity::Distance, Some(interpolant)) = (quantity, self.interpolant) {
            for (axis, x) in point.iter_mut().enumerate() {
                let [first, last] = interpolant.ends(axis);
                *x = x.clamp(first as f32, last as f32);
            }
        }
        let mut scratch = vec![0; self.parts.model.scratch_words()];
        let mut answer = vec![0.0; self.parts.outputs()];
        self.parts.model.eval_into(&point, &mut scratch, &mut answer).ok()?;
        let answer = answer[output];
        let value = match quantity {
            Quantity::Upper => f64::from(answer),
            Quantity::Lower => -f64::from(answer),
            Quantity::Distance => {
                let place: Vec<f64> = point.iter().map(|&x| f64::from(x)).collect();
                (f64::from(answer) - self.interpolant?.at(&place, output)).abs()
            }
            Quantity::Slope(axis) | Quantity::Fall(axis) | Quantity::Rise(axis) => {
                let one = Region { lower: *coordinates, upper: *coordinates };
                let answers = answers(self.parts, &one, Arithmetic::Exact);
                let [low, high] = slope_range(self.parts, &one, &answers, (output, axis));
                // What is true of every slope between the two: at a kink there are several.
                match quantity {
                    Quantity::Slope(_) => low.max(-high).max(0.0),
                    Quantity::Fall(_) => -high,
                    _ => low,
                }
            }
        };
        Some(Found { value, point, answer })
    }
}

/// The one with the larger value.
fn worse(a: Option<Found>, b: Option<Found>) -> Option<Found> {
    if b.as_ref().map(|found| found.value) > a.as_ref().map(|found| found.value) { b } else { a }
}

/// Points of a lattice over a box, its corners among them.
fn samples(domain: &Region, inputs: usize) -> impl Iterator<Item = [u32; MAX_AXES]> + use<> {
    let each: u64 = [1, 2049, 65, 17][inputs.min(MAX_AXES)];
    let domain = *domain;
    (0..each.pow(inputs as u32)).map(move |mut index| {
        let mut point = domain.lower;
        for (axis, point) in point.iter_mut().enumerate().take(inputs) {
            let span = u64::from(domain.upper[axis] - domain.lower[axis]);
            *point += (span * (index % each) / (each - 1)) as u32;
            index /= each;
        }
        point
    })
}
