//! Training rays: all pixels of all views, drawn at random.

use firmware_core::march::Ray;
use rand::RngExt;

use super::lens::Viewpoint;
use super::scene::View;
use crate::base::random::{Purpose, step_rng};

/// Pixels of views with their cameras, but for those that masks hide.
#[derive(Clone, Debug)]
pub struct Pixels {
    viewpoints: Vec<Viewpoint>,
    /// Where the pixels of each view begin.
    starts: Vec<usize>,
    /// Over the background, view by view, row by row.
    colors: Vec<[f32; 3]>,
    /// Which of them; `None`: all.
    kept: Option<Vec<u32>>,
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
    /// If there are more than 2³² of them: they take 52 gigabytes.
    pub fn new(views: &[View], background: [f32; 3]) -> Self {
        let (mut starts, mut end) = (Vec::with_capacity(views.len()), 0);
        for view in views {
            starts.push(end);
            end += view.pixels.len();
        }
        assert!(u32::try_from(end).is_ok(), "at most 2³² pixels");
        let places = views.iter().zip(&starts).flat_map(|(view, start)| {
            (0..view.pixels.len()).filter(|&pixel| view.is_kept(pixel)).map(move |pixel| (start + pixel) as u32)
        });
        Self {
            kept: views.iter().any(|view| view.mask.is_some()).then(|| places.collect()),
            viewpoints: views.iter().map(View::viewpoint).collect(),
            colors: views.iter().flat_map(|view| view.over(background)).collect(),
            starts,
        }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.kept.as_ref().map_or(self.colors.len(), Vec::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A pixel's ray and colour.
    pub fn target(&self, index: usize) -> Target {
        let place = self.kept.as_ref().map_or(index, |kept| kept[index] as usize);
        let view = self.starts.partition_point(|&start| start <= place) - 1;
        let ray = self.viewpoints[view].pixel_ray(place - self.starts[view]);
        Target { ray, color: self.colors[place] }
    }

    /// Draws `count` pixels for a step, with a seed for the samples of each.
    pub fn choose(&self, seed: u64, step: u64, count: usize) -> Vec<(u32, u64)> {
        let mut rng = step_rng(seed, Purpose::Rays, step);
        (0..count).map(|_| (rng.random_range(0..self.len()) as u32, rng.random())).collect()
    }
}

/// Uniform numbers in [0, 1) that cost a few instructions each (SplitMix64): places of samples within their intervals.
#[derive(Clone, Debug)]
pub struct Jitter(pub u64);

impl Jitter {
    /// A number from 0 up to and without 1; each call gives another.
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
    use firmware_core::march::Camera;

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
            View::new("", camera, pixels)
        };
        let pixels = Pixels::new(&[view(0.0), view(1.0)], [1.0; 3]);
        assert_eq!(pixels.len(), 16);
        let Target { ray, color } = pixels.target(8 + 6);
        assert_eq!(ray, view(1.0).camera.ray(2.5, 1.5));
        assert_eq!(color, [1.0, 0.875, 0.5]);
        let chosen = pixels.choose(0, 3, 1000);
        assert!((0..16).all(|pixel| chosen.iter().any(|&(found, _)| found == pixel)));
    }

    #[test]
    fn views_have_sizes_of_their_own_and_masks_hide_pixels() {
        let view = |width: u16, red: f32, mask: Option<Vec<bool>>| {
            let to_world = [[1.0, 0.0, 0.0, red], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 9.0]];
            let camera = Camera { to_world, focal: 2.0, width, height: 2 };
            let pixels = (0..2 * width).map(|k| [red, f32::from(k) / 8.0, 0.0, 1.0]).collect();
            View { mask, ..View::new("", camera, pixels) }
        };
        let views = [view(4, 0.0, None), view(3, 0.5, None), view(2, 1.0, None)];
        let pixels = Pixels::new(&views, [1.0; 3]);
        assert_eq!(pixels.len(), 8 + 6 + 4);
        for (index, expected) in [(7, (0, 7)), (8, (1, 0)), (12, (1, 4)), (17, (2, 3))] {
            let (Target { ray, color }, (view, pixel)) = (pixels.target(index), expected);
            let camera = views[view].camera;
            let (x, y) = (pixel % usize::from(camera.width), pixel / usize::from(camera.width));
            assert_eq!(ray, camera.ray(x as f32 + 0.5, y as f32 + 0.5));
            assert_eq!(color[..2], [views[view].pixels[0][0], pixel as f32 / 8.0]);
        }
        let mask = Some(vec![false, true, false, false, false, true]);
        let hidden = [views[0].clone(), view(3, 0.5, mask), views[2].clone()];
        let pixels = Pixels::new(&hidden, [1.0; 3]);
        assert_eq!(pixels.len(), 8 + 2 + 4);
        let seen: Vec<[f32; 2]> = (8..10).map(|index| pixels.target(index).color).map(|[r, g, _]| [r, g]).collect();
        assert_eq!(seen, [[0.5, 0.125], [0.5, 0.625]]);
        assert_eq!(pixels.target(9).ray, hidden[1].camera.ray(2.5, 1.5));
        assert_eq!(pixels.target(10).color[0], 1.0);
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
