//! The occupancy grid: which cells of the bounding cube are worth a sample.
//!
//! Each cell keeps two running maxima. *Density*: the opacity α that the field has over one step at a random place of
//! the cell, drawn anew at every refresh. *Sight*: the largest weight w = T·α that a sample in the cell had for a
//! training ray, so that the inside of solids, which no ray reaches, is not marched. A cell is occupied if both are
//! above their thresholds. Maxima fade from refresh to refresh, so that cells can become empty.
//!
//! A cell that was wrongly given up would never be sampled again: therefore one ray in [`SCOUTS`] marches every dense
//! cell, in sight or not.
//!
//! Everything is a function of seed, step and network, and maxima do not depend on the order in which threads find
//! them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use firmware_core::march::grid_words;
use rand::RngExt;
use rayon::prelude::*;

use crate::base::random::{Purpose, part_rng};

/// One ray in so many marches every dense cell.
pub const SCOUTS: usize = 8;
/// Steps from refresh to refresh.
pub const REFRESH_STEPS: u64 = 16;
/// Up to this step a refresh visits every cell, later one in [`SPARSE`].
const DENSE_REFRESH_STEPS: u64 = 256;
const SPARSE: usize = 4;
/// What a refresh leaves of a maximum.
const DENSITY_FADE: f32 = 0.75;
const SIGHT_FADE: f32 = 0.85;
/// Least opacity over a step of a dense cell.
const DENSE_OPACITY: f32 = 0.01;
/// Least weight of a cell in sight.
const SEEN_WEIGHT: f32 = 0.003;
/// Before this step all dense cells count as seen: the field has not formed yet.
const SIGHT_FROM_STEP: u64 = 256;

/// The grid, `resolution`³ cells, cell (x, y, z) at (z·n + y)·n + x.
#[derive(Debug)]
pub struct Occupancy {
    resolution: u32,
    opacity: Vec<f32>,
    sight: Vec<f32>,
    /// Bits of the largest weight since the last refresh: of floats ≥ 0 they are in the floats' order.
    seen: Vec<AtomicU32>,
    dense: Vec<u32>,
    occupied: Vec<u32>,
    /// Samples and rays since the last refresh.
    samples: AtomicU64,
    rays: AtomicU64,
    /// Samples of a ray, as of the last refresh.
    samples_per_ray: f64,
}

/// What a checkpoint keeps of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct OccupancyState {
    /// Running maxima of opacity, `[n³]`.
    pub opacity: Vec<f32>,
    /// Running maxima of weights, `[n³]`.
    pub sight: Vec<f32>,
    /// Largest weights since the last refresh, as bits, `[n³]`.
    pub seen: Vec<u32>,
    /// Dense and occupied cells, one bit each, one list behind the other.
    pub bits: Vec<u32>,
    /// Samples, rays, and the bits of samples per ray.
    pub counts: [u64; 3],
}

impl Occupancy {
    /// A grid in which everything is occupied. `samples_per_ray` is a guess for the first steps.
    pub fn new(resolution: u32, samples_per_ray: f64) -> Self {
        let cells = (resolution as usize).pow(3);
        Self {
            resolution,
            opacity: vec![1.0; cells],
            sight: vec![1.0; cells],
            seen: (0..cells).map(|_| AtomicU32::new(0)).collect(),
            dense: vec![u32::MAX; grid_words(resolution)],
            occupied: vec![u32::MAX; grid_words(resolution)],
            samples: AtomicU64::new(0),
            rays: AtomicU64::new(0),
            samples_per_ray,
        }
    }

    /// Cells along each axis.
    pub fn resolution(&self) -> u32 {
        self.resolution
    }

    /// Bits of the cells that rays march: occupied ones, or for scouts all dense ones.
    pub fn bits(&self, scout: bool) -> &[u32] {
        if scout { &self.dense } else { &self.occupied }
    }

    /// The part of cells that is occupied.
    pub fn occupied_part(&self) -> f64 {
        let set = (0..self.opacity.len()).filter(|&cell| is_set(&self.occupied, cell)).count();
        set as f64 / self.opacity.len() as f64
    }

    /// Samples of a ray, on average before the last refresh.
    pub fn samples_per_ray(&self) -> f64 {
        self.samples_per_ray
    }

    /// Notes that a sample in a cell had a weight.
    pub fn see(&self, cell: usize, weight: f32) {
        if let Some(seen) = self.seen.get(cell)
            && weight > f32::from_bits(seen.load(Ordering::Relaxed))
        {
            seen.fetch_max(weight.to_bits(), Ordering::Relaxed);
        }
    }

    /// Notes how many samples some rays had.
    pub fn count(&self, rays: usize, samples: usize) {
        self.rays.fetch_add(rays as u64, Ordering::Relaxed);
        self.samples.fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// Renews the grid: `opacity_at` gives α over one step at Q0.32 coordinates `[n]`.
    pub fn refresh(&mut self, seed: u64, step: u64, opacity_at: impl Fn(&[[u32; 3]]) -> Vec<f32> + Sync) {
        const BLOCK: usize = 2048;
        let n = self.resolution;
        let stride = if step < DENSE_REFRESH_STEPS { 1 } else { SPARSE };
        let turn = (step / REFRESH_STEPS) as usize % stride;
        self.opacity.par_chunks_mut(BLOCK).enumerate().for_each(|(block, opacity)| {
            let mut rng = part_rng(seed, Purpose::OccupancyPoints, block as u32, step);
            let visited: Vec<usize> = (0..opacity.len()).filter(|index| index % stride == turn).collect();
            let places: Vec<[u32; 3]> = visited
                .iter()
                .map(|index| {
                    let cell = (block * BLOCK + index) as u32;
                    [cell % n, cell / n % n, cell / n / n].map(|k| {
                        let inside: u32 = rng.random();
                        // (k + inside)/n in Q0.32, rounded up so that it lies in the cell whatever n is.
                        (((u64::from(k) << 32) + u64::from(inside)).div_ceil(u64::from(n))).min(u64::from(u32::MAX))
                            as u32
                    })
                })
                .collect();
            for (&index, found) in visited.iter().zip(opacity_at(&places)) {
                opacity[index] = (opacity[index] * DENSITY_FADE).max(found);
            }
        });
        for (sight, seen) in self.sight.iter_mut().zip(&mut self.seen) {
            *sight = (*sight * SIGHT_FADE).max(f32::from_bits(*seen.get_mut()));
            *seen.get_mut() = 0;
        }
        let sighted = step >= SIGHT_FROM_STEP;
        for cell in 0..self.opacity.len() {
            let dense = self.opacity[cell] > DENSE_OPACITY;
            set(&mut self.dense, cell, dense);
            set(&mut self.occupied, cell, dense && (!sighted || self.sight[cell] > SEEN_WEIGHT));
        }
        let (samples, rays) = (*self.samples.get_mut(), *self.rays.get_mut());
        if rays > 0 {
            // Never below one: rays that meet nothing are cheap, but not free.
            self.samples_per_ray = (samples as f64 / rays as f64).max(1.0);
        }
        (self.samples, self.rays) = (AtomicU64::new(0), AtomicU64::new(0));
    }

    /// What a checkpoint keeps.
    pub fn state(&self) -> OccupancyState {
        OccupancyState {
            opacity: self.opacity.clone(),
            sight: self.sight.clone(),
            seen: self.seen.iter().map(|seen| seen.load(Ordering::Relaxed)).collect(),
            bits: [&self.dense[..], &self.occupied[..]].concat(),
            counts: [
                self.samples.load(Ordering::Relaxed),
                self.rays.load(Ordering::Relaxed),
                self.samples_per_ray.to_bits(),
            ],
        }
    }

    /// The grid of a checkpoint; `None` if lengths do not fit the resolution.
    pub fn from_state(resolution: u32, state: OccupancyState) -> Option<Self> {
        let (cells, words) = ((resolution as usize).pow(3), grid_words(resolution));
        let fits =
            [state.opacity.len(), state.sight.len(), state.seen.len()] == [cells; 3] && state.bits.len() == 2 * words;
        let [samples, rays, per_ray] = state.counts;
        fits.then(|| Self {
            resolution,
            opacity: state.opacity,
            sight: state.sight,
            seen: state.seen.into_iter().map(AtomicU32::new).collect(),
            dense: state.bits[..words].to_vec(),
            occupied: state.bits[words..].to_vec(),
            samples: AtomicU64::new(samples),
            rays: AtomicU64::new(rays),
            samples_per_ray: f64::from_bits(per_ray),
        })
    }
}

fn set(bits: &mut [u32], cell: usize, on: bool) {
    let mask = 1 << (cell % 32);
    if on { bits[cell / 32] |= mask } else { bits[cell / 32] &= !mask }
}

fn is_set(bits: &[u32], cell: usize) -> bool {
    bits[cell / 32] >> (cell % 32) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opaque where x < 1/2.
    fn half(places: &[[u32; 3]]) -> Vec<f32> {
        places.iter().map(|place| if place[0] < 1 << 31 { 0.9 } else { 0.0 }).collect()
    }

    #[test]
    fn empties_where_the_field_is_empty_and_fills_again() {
        let mut grid = Occupancy::new(6, 50.0);
        assert_eq!(grid.occupied_part(), 1.0);
        for step in 0..60 {
            grid.refresh(1, step * REFRESH_STEPS / 8, half);
        }
        assert_eq!(grid.occupied_part(), 0.5);
        for step in 0..4 {
            grid.refresh(1, 512 + step * REFRESH_STEPS, |places| vec![0.5; places.len()]);
        }
        // The new half is dense, and not in sight: only scouts go there.
        let dense = (0..216).filter(|&cell| is_set(grid.bits(true), cell)).count();
        assert_eq!(dense, 216);
        grid.see(5, 0.2);
        grid.count(10, 35);
        grid.refresh(1, 1024, |places| vec![0.5; places.len()]);
        assert!(is_set(grid.bits(false), 5));
        assert_eq!(grid.samples_per_ray(), 3.5);
    }

    #[test]
    fn cells_out_of_sight_are_not_marched() {
        let mut grid = Occupancy::new(4, 50.0);
        for refresh in 0..80 {
            grid.see(7, 0.01);
            grid.refresh(1, 256 + refresh * REFRESH_STEPS, |places| vec![1.0; places.len()]);
        }
        assert!((0..64).all(|cell| is_set(grid.bits(false), cell) == (cell == 7)));
        assert!((0..64).all(|cell| is_set(grid.bits(true), cell)));
        let again = Occupancy::from_state(4, grid.state()).unwrap();
        assert_eq!(again.state(), grid.state());
        assert!(Occupancy::from_state(5, grid.state()).is_none());
    }
}
