//! Branch and bound: boxes of coordinates are halved, those with the largest bounds first, until the bound of all of
//! them is near to the worst point that was found.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::region::Region;

/// The bounds of an output are cheap, and asked to be nearer by this factor.
const OF_RANGE: f64 = 10.0;

/// What is bounded from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// An output, user units.
    Upper,
    /// An output with the other sign.
    Lower,
    /// The distance of an output to the interpolant of the data.
    Distance,
    /// The magnitude of the derivative along this axis, counted from 0.
    Slope(usize),
    /// How fast an output falls along this axis.
    Fall(usize),
    /// How fast an output rises along this axis.
    Rise(usize),
}

/// A quantity of one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// What is bounded.
    pub quantity: Quantity,
    /// The output, counted from 0.
    pub output: usize,
}

/// A box, and what nothing in it exceeds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) region: Region,
    pub(super) bound: f64,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        let ends = |open: &Self| (open.region.lower, open.region.upper);
        self.bound.total_cmp(&other.bound).then_with(|| ends(self).cmp(&ends(other)))
    }
}

/// The largest value of a quantity that was met, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// The value, as large as it is there.
    pub value: f64,
    /// The point, user units counted from the model's origins.
    pub point: Vec<f32>,
    /// What the device answers there.
    pub answer: f32,
}

/// A search for the largest value of a quantity, which can be stopped and continued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    /// What is searched for.
    pub goal: Goal,
    /// The worst point so far.
    pub found: Found,
    /// The number of boxes that were bounded.
    pub boxes: u64,
    /// What no box that was closed exceeds.
    pub(super) closed: Option<f64>,
    pub(super) open: BinaryHeap<Open>,
}

/// Until when a search goes on.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// A quantity is near enough at this ratio of what is proven to what was found. Of the answers themselves the
    /// excess is compared with their range, and a tenth of it is enough: 1 % of the range for a ratio of 1.1.
    pub ratio: f64,
    /// The width to which the bounds of an output are compared; 0 for a quantity that is its own measure.
    pub width: f64,
    /// A bound that is asked for: the search goes on until it is proven, or a point exceeds it.
    pub enough: Option<f64>,
    /// When to stop.
    pub end: Instant,
    /// Set where the user wants to stop.
    pub stop: &'a AtomicBool,
}

impl Search {
    /// What the quantity does not exceed anywhere in the domain.
    #[must_use]
    pub fn proven(&self) -> f64 {
        self.open
            .peek()
            .map_or(f64::NEG_INFINITY, |open| open.bound)
            .max(self.closed.unwrap_or(f64::NEG_INFINITY))
            .max(self.found.value)
    }

    /// Whether the search may end. Where no box is left to halve, nothing would come nearer.
    pub(super) fn is_near(&self, until: &Until<'_>) -> bool {
        let (proven, found) = (self.proven(), self.found.value);
        if self.open.is_empty() {
            return true;
        }
        until.enough.is_none_or(|enough| proven <= enough || found > enough)
            && match self.goal.quantity {
                Quantity::Upper | Quantity::Lower => proven - found <= (until.ratio - 1.0) / OF_RANGE * until.width,
                Quantity::Distance | Quantity::Slope(_) => proven <= until.ratio * found,
                Quantity::Fall(_) | Quantity::Rise(_) => true,
            }
    }
}

impl Search {
    pub(super) fn close(&mut self, bound: f64) {
        self.closed = Some(self.closed.map_or(bound, |closed| closed.max(bound)));
    }

    pub(super) fn meet(&mut self, found: Option<Found>) {
        if let Some(found) = found
            && found.value > self.found.value
        {
            self.found = found;
        }
    }
}
