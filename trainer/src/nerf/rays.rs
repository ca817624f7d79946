//! Training rays: all pixels of all views, drawn at random.

use firmware_core::march::{Camera, Ray};
use rand::RngExt;

use super::scene::View;
use crate::train::step_rng;

/// Which random numbers choose the rays of a step.
const CHOICE: u64 = 22;

/// Pixels of views with their cameras, all of one size.
#[derive(Clone, Debug)]
pub struct Pixels {
    cameras: Vec<Camera>,
    /// Over the background, view by view, row by row.
    colors: Vec<[f32; 3]>,
    per_view: usize,
}

/// A ray with what it should show.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Through the centre of a pixel.
    pub ray: Ray,
    /// The pixel's colour.
    pub color: [f32; 3],
}

impl Pixels {
    /// The pixels of views over a background.
    ///
    /// # Panics
    /// If the views differ in size, or there are none; reading a scene has checked that.
    pub fn new(views: &[View], background: [f32; 3]) -> Self {
        let per_view = views[0].pixels.len();
        assert!(views.iter().all(|view| view.pixels.len() == per_view), "views of one size");
        Self {
            cameras: views.iter().map(|view| view.camera).collect(),
            colors: views.iter().flat_map(|view| view.over(background)).collect(),
            per_view,
        }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.colors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.colors.is_empty()
    }

    /// A pixel's ray and colour.
    pub fn target(&self, index: usize) -> Target {
        let camera = &self.cameras[index / self.per_view];
        let (width, pixel) = (usize::from(camera.width), index % self.per_view);
        let ray = camera.ray((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5);
        Target { ray, color: self.colors[index] }
    }

    /// Draws the pixels of a step, with a seed for the samples of each.
    pub fn choose(&self, seed: u64, step: u64, count: usize, chosen: &mut Vec<(u32, u64)>) {
        let mut rng = step_rng(seed, CHOICE, step);
        chosen.clear();
        chosen.extend((0..count).map(|_| (rng.random_range(0..self.len()) as u32, rng.random())));
    }
}

/// Uniform numbers in [0, 1) that cost a few instructions each (SplitMix64): places of samples within their intervals.
#[derive(Clone, Debug)]
pub struct Jitter(pub u64);

impl Jitter {
    /// The next number.
    pub fn draw(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 24 bits are exact in f32, so that 1 is never reached.
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / 16_777_216.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_keep_their_view_and_place() {
        let view = |x: f32| {
            let camera = Camera {
                to_world: [[1.0, 0.0, 0.0, x], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 9.0]],
                focal: 2.0,
                width: 4,
                height: 2,
            };
            let pixels = (0..8).map(|k| [x, k as f32 / 8.0, 0.0, 0.5]).collect();
            View { name: String::new(), camera, pixels }
        };
        let pixels = Pixels::new(&[view(0.0), view(1.0)], [1.0; 3]);
        assert_eq!(pixels.len(), 16);
        let Target { ray, color } = pixels.target(8 + 6);
        assert_eq!(ray, view(1.0).camera.ray(2.5, 1.5));
        assert_eq!(color, [1.0, 0.875, 0.5]);
        let mut chosen = Vec::new();
        pixels.choose(0, 3, 1000, &mut chosen);
        assert!((0..16).all(|pixel| chosen.iter().any(|&(found, _)| found == pixel)));
    }

    #[test]
    fn jitter_is_uniform() {
        let mut jitter = Jitter(7);
        let values: Vec<f32> = (0..20_000).map(|_| jitter.draw()).collect();
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let square = values.iter().map(|value| value * value).sum::<f32>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01);
    }
}
