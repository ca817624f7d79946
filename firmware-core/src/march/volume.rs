//! The volume that rays march through, its file, and the sum along a ray.
//!
//! The file holds what a renderer must know beside the model: words of 32 bits, little-endian.
//!
//! | word | content |
//! | --- | --- |
//! | 0 | `FFV1` |
//! | 1 | CRC-32 of all words that follow |
//! | 2 | cells n along each axis, 1 to 256 |
//! | 3 | density: 0 ReLU, 1 softplus |
//! | 4 | step δ, user units, f32 |
//! | 5 | density scale, per user unit, f32 |
//! | 6 | transmittance below which a ray ends, f32 |
//! | 7 … 9 | background, f32 |
//! | 10 … | occupancy, one bit a cell, lowest bit first; cell (x, y, z) is bit (z·n + y)·n + x |

use super::camera::Ray;
use super::elementary::{exp_negative, sigmoid, softplus};
use crate::artifact::crc32;
use crate::coordinate::{Axis, Outside};
use crate::error::EvalError;
use crate::model::{Model, OutputActivation};

/// Outputs of a model that can be marched: three colour logits and one of density.
pub const OUTPUTS: usize = 4;
/// Words before the occupancy.
pub const HEADER_WORDS: usize = 10;
const MAGIC: u32 = u32::from_le_bytes(*b"FFV1");
const MAX_RESOLUTION: u32 = 256;

/// How a logit becomes a density.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Density {
    /// max(z, 0).
    Relu,
    /// ln(1 + e^z).
    #[default]
    Softplus,
}

/// What rays march through: settings and the occupancy grid, which stays where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a> {
    /// The bounding box, and the model's coordinates in it.
    pub axes: [Axis; 3],
    /// δ: the distance between two samples, user units.
    pub step: f32,
    /// How a logit becomes a density.
    pub density: Density,
    /// What that is multiplied by, per user unit.
    pub density_scale: f32,
    /// The transmittance below which a ray ends; 0 marches every ray to its end.
    pub termination: f32,
    /// Colour behind everything.
    pub background: [f32; 3],
    /// Cells along each axis.
    pub resolution: u32,
    /// One bit a cell; cells beyond the end count as occupied.
    pub occupancy: &'a [u32],
}

/// Why bytes are no volume for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum VolumeError {
    /// Not at a multiple of four, or of a length that is none.
    Alignment,
    /// Not a volume file, or one of another version.
    Magic,
    /// Damaged, or cut short.
    Checksum,
    /// Numbers that make no sense.
    Settings,
    /// The grid has another length than its resolution says.
    Length,
    /// The model does not have three inputs and four linear outputs.
    Model,
}

impl core::fmt::Display for VolumeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Alignment => "the volume does not lie on whole words",
            Self::Magic => "not a volume file of this version",
            Self::Checksum => "the volume file is damaged or cut short",
            Self::Settings => "the volume's settings are out of range",
            Self::Length => "the occupancy grid has another length than its resolution says",
            Self::Model => "the model does not map three coordinates to four linear outputs",
        })
    }
}

impl core::error::Error for VolumeError {}

/// Words of an occupancy grid.
#[must_use]
pub const fn grid_words(resolution: u32) -> usize {
    let n = resolution as usize;
    (n * n * n).div_ceil(32)
}

/// The length of the volume file that `bytes` begin with, as its header says; `None` where that cannot be. What follows
/// a volume in memory begins there.
#[must_use]
pub fn volume_bytes(bytes: &[u8]) -> Option<usize> {
    let word = |index: usize| Some(u32::from_le_bytes(*bytes.get(4 * index..)?.first_chunk()?));
    let resolution = word(2)?;
    let fits = word(0)? == MAGIC && resolution <= MAX_RESOLUTION;
    fits.then(|| 4 * (HEADER_WORDS + grid_words(resolution)))
}

/// Writes a volume's file (its axes are the model's); `None` where `words` is not [`HEADER_WORDS`] and the grid long.
pub fn write_volume(volume: &Volume<'_>, words: &mut [u32]) -> Option<()> {
    let density = match volume.density {
        Density::Relu => 0,
        Density::Softplus => 1,
    };
    let [red, green, blue] = volume.background.map(f32::to_bits);
    let header: [u32; HEADER_WORDS] = [
        MAGIC,
        0,
        volume.resolution,
        density,
        volume.step.to_bits(),
        volume.density_scale.to_bits(),
        volume.termination.to_bits(),
        red,
        green,
        blue,
    ];
    if words.len() != HEADER_WORDS + volume.occupancy.len() {
        return None;
    }
    for (word, value) in words.iter_mut().zip(header.iter().chain(volume.occupancy)) {
        *word = *value;
    }
    let checksum = checksum(words);
    *words.get_mut(1)? = checksum;
    Some(())
}

fn checksum(words: &[u32]) -> u32 {
    let mut digest = crc32();
    digest.update(bytemuck::cast_slice(words.get(2..).unwrap_or_default()));
    digest.finalize()
}

impl<'a> Volume<'a> {
    /// Checks a volume's file and that `model` can be marched.
    ///
    /// # Errors
    ///
    /// The first thing found wrong.
    pub fn parse(bytes: &'a [u8], model: &Model<'_>) -> Result<Self, VolumeError> {
        let words: &[u32] = bytemuck::try_cast_slice(bytes).map_err(|_| VolumeError::Alignment)?;
        let Some((header, occupancy)) = words.split_first_chunk::<HEADER_WORDS>() else {
            return Err(VolumeError::Length);
        };
        let &[magic, sum, resolution, density, step, density_scale, termination, red, green, blue] = header;
        if magic != MAGIC {
            return Err(VolumeError::Magic);
        }
        if sum != checksum(words) {
            return Err(VolumeError::Checksum);
        }
        if !(1..=MAX_RESOLUTION).contains(&resolution) {
            return Err(VolumeError::Settings);
        }
        if occupancy.len() != grid_words(resolution) {
            return Err(VolumeError::Length);
        }
        let density = match density {
            0 => Density::Relu,
            1 => Density::Softplus,
            _ => return Err(VolumeError::Settings),
        };
        let mut axes = model.axes();
        let (Some(x), Some(y), Some(z), None) = (axes.next(), axes.next(), axes.next(), axes.next()) else {
            return Err(VolumeError::Model);
        };
        if model.outputs() != OUTPUTS || model.header().activation != OutputActivation::Linear {
            return Err(VolumeError::Model);
        }
        let volume = Self {
            axes: [x, y, z],
            step: f32::from_bits(step),
            density,
            density_scale: f32::from_bits(density_scale),
            termination: f32::from_bits(termination),
            background: [red, green, blue].map(f32::from_bits),
            resolution,
            occupancy,
        };
        if volume.is_valid() { Ok(volume) } else { Err(VolumeError::Settings) }
    }

    /// Whether the numbers make sense.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        // A ray takes a bounded number of steps, and every step moves it: f32 would lose steps far below the box's size.
        let span = self.axes.iter().fold(0.0f32, |span, axis| span + (axis.maximum - axis.minimum));
        self.axes.iter().all(Axis::is_valid)
            && self.step > 0.0
            && span / self.step < 65_536.0
            && self.density_scale > 0.0
            && self.density_scale.is_finite()
            && (0.0..1.0).contains(&self.termination)
            && self.background.iter().all(|channel| channel.is_finite())
    }

    /// The distances at which a ray enters and leaves the box; `None` where it misses it.
    #[must_use]
    pub fn span(&self, ray: &Ray) -> Option<(f32, f32)> {
        let (mut near, mut far) = (0.0f32, f32::INFINITY);
        for ((axis, &origin), &direction) in self.axes.iter().zip(&ray.origin).zip(&ray.direction) {
            let (low, high) = (axis.minimum - origin, axis.maximum - origin);
            if direction == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return None;
                }
                continue;
            }
            let (a, b) = (low / direction, high / direction);
            let (first, last) = if a < b { (a, b) } else { (b, a) };
            near = if first > near { first } else { near };
            far = if last < far { last } else { far };
        }
        (near < far && far.is_finite()).then_some((near, far))
    }

    /// The samples of a ray in occupied cells, front to back. Interval k of length δ behind the entrance is sampled at
    /// the part `place()` of its length, from [0, 1): 0.5 to draw, random numbers to learn (stratified samples).
    pub fn samples<P: FnMut() -> f32>(&self, ray: &Ray, place: P) -> Samples<'_, P> {
        let (near, far) = self.span(ray).unwrap_or((0.0, 0.0));
        Samples { volume: self, ray: *ray, near, far, interval: 0, place }
    }

    /// The cell of Q0.32 coordinates.
    #[inline]
    #[must_use]
    pub fn cell(&self, coordinates: &[u32; 3]) -> usize {
        let n = u64::from(self.resolution);
        let [x, y, z] = coordinates.map(|v| (u64::from(v) * n) >> 32);
        ((z * n + y) * n + x) as usize
    }

    /// Whether the cell of Q0.32 coordinates is occupied.
    #[inline]
    #[must_use]
    pub fn is_occupied(&self, coordinates: &[u32; 3]) -> bool {
        let cell = self.cell(coordinates);
        self.occupancy.get(cell / 32).is_none_or(|word| word >> (cell % 32) & 1 == 1)
    }

    /// Draws the ray with `model`, stopping early where nothing further would be seen.
    ///
    /// # Errors
    ///
    /// [`EvalError::ScratchLength`], and [`EvalError::OutputLength`] for a model without four outputs.
    pub fn draw(&self, ray: &Ray, model: &Model<'_>, scratch: &mut [u32]) -> Result<Pixel, EvalError> {
        let mut sum = Accumulator::new();
        let mut outputs = [0.0; OUTPUTS];
        for sample in self.samples(ray, || 0.5) {
            model.eval_into(&sample.position, scratch, &mut outputs)?;
            if !sum.add(self, &sample, &outputs) {
                break;
            }
        }
        Ok(sum.finish(self))
    }
}

/// One sample of a ray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Distance from the ray's origin.
    pub distance: f32,
    /// User units.
    pub position: [f32; 3],
    /// The model's coordinates, Q0.32.
    pub coordinates: [u32; 3],
}

/// An iterator; see [`Volume::samples`].
#[derive(Clone, Debug)]
pub struct Samples<'a, P> {
    volume: &'a Volume<'a>,
    ray: Ray,
    near: f32,
    far: f32,
    interval: u32,
    place: P,
}

impl<P: FnMut() -> f32> Iterator for Samples<'_, P> {
    type Item = Sample;

    #[inline]
    fn next(&mut self) -> Option<Sample> {
        loop {
            let start = self.near + self.interval as f32 * self.volume.step;
            if start >= self.far {
                return None;
            }
            self.interval += 1;
            let distance = start + (self.place)() * self.volume.step;
            if distance >= self.far {
                continue;
            }
            let mut position = self.ray.origin;
            let mut coordinates = [0; 3];
            for (((x, coordinate), direction), axis) in
                position.iter_mut().zip(&mut coordinates).zip(self.ray.direction).zip(&self.volume.axes)
            {
                *x += distance * direction;
                *coordinate = axis.to_fixed(*x, Outside::Clamp).unwrap_or(0);
            }
            if self.volume.is_occupied(&coordinates) {
                return Some(Sample { distance, position, coordinates });
            }
        }
    }
}

/// The picture's value along one ray.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pixel {
    /// Over the background.
    pub color: [f32; 3],
    /// The mean distance of what is seen, T·α-weighted; infinity where nothing is.
    pub depth: f32,
    /// 1 - T at the end.
    pub opacity: f32,
    /// Evaluations of the model.
    pub evaluations: u32,
}

/// The sum along a ray, front to back.
#[derive(Clone, Copy, Debug)]
pub struct Accumulator {
    color: [f32; 3],
    distance: f32,
    transmittance: f32,
    evaluations: u32,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Accumulator {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { color: [0.0; 3], distance: 0.0, transmittance: 1.0, evaluations: 0 }
    }

    /// Adds a sample with the model's outputs; `false` where the ray ends here.
    #[inline]
    pub fn add(&mut self, volume: &Volume<'_>, sample: &Sample, outputs: &[f32; OUTPUTS]) -> bool {
        let [red, green, blue, logit] = *outputs;
        let density = match volume.density {
            Density::Relu => {
                if logit > 0.0 {
                    logit
                } else {
                    0.0
                }
            }
            Density::Softplus => softplus(logit),
        };
        let passed = exp_negative(density * volume.density_scale * volume.step);
        let weight = self.transmittance * (1.0 - passed);
        for (sum, logit) in self.color.iter_mut().zip([red, green, blue]) {
            *sum += weight * sigmoid(logit);
        }
        self.distance += weight * sample.distance;
        self.transmittance *= passed;
        self.evaluations += 1;
        self.transmittance >= volume.termination
    }

    /// Adds the background.
    #[must_use]
    pub fn finish(&self, volume: &Volume<'_>) -> Pixel {
        let mut color = self.color;
        for (sum, background) in color.iter_mut().zip(volume.background) {
            *sum += self.transmittance * background;
        }
        let opacity = 1.0 - self.transmittance;
        let depth = if opacity > 0.0 { self.distance / opacity } else { f32::INFINITY };
        Pixel { color, depth, opacity, evaluations: self.evaluations }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::Aligned;
    use crate::artifact::{Description, Header, Layer, LayerKind, write};
    use crate::model::{OutputMap, Precision};
    use std::vec;
    use std::vec::Vec;

    const AXES: [Axis; 3] = [Axis { minimum: -1.0, maximum: 1.0, scale: 0.5 }; 3];

    const ZEROS: [f32; 12] = [0.0; 12];
    const MAPS: [OutputMap; OUTPUTS] = [OutputMap { scale: 1.0, offset: 0.0 }; OUTPUTS];

    fn volume(occupancy: &[u32]) -> Volume<'_> {
        Volume {
            axes: AXES,
            step: 0.01,
            density: Density::Softplus,
            density_scale: 40.0,
            termination: 0.001,
            background: [0.25, 0.5, 0.75],
            resolution: 8,
            occupancy,
        }
    }

    fn ray(origin: [f32; 3], direction: [f32; 3]) -> Ray {
        Ray { origin, direction }
    }

    /// A model of constant logits.
    fn constant(logits: [f32; OUTPUTS], outputs: u8) -> (Aligned<[u8; 512]>, usize) {
        let header = Header {
            precision: Precision::F32,
            outside: Outside::Clamp,
            activation: OutputActivation::Linear,
            inputs: 3,
            outputs,
            frequencies: 0,
            passthrough: 3,
            hidden: Default::default(),
            training_psnr_db: f32::NAN,
            quantization_loss_db: f32::NAN,
        };
        let rows = usize::from(outputs);
        let (weights, bias) = (&ZEROS[..3 * rows], &logits[..rows]);
        let layers = [Layer { weights: LayerKind::Float(weights), bias: LayerKind::Float(bias), multiplier: &[] }];
        let description = Description {
            header: &header,
            axes: &AXES,
            output_maps: &MAPS[..rows],
            frequencies: &[],
            text: "",
            layers: &layers,
        };
        let mut file = Aligned([0; 512]);
        let len = write(&description, &mut [0; 64], &mut file.0).unwrap();
        (file, len)
    }

    #[test]
    fn a_ray_samples_the_middle_of_its_intervals_in_occupied_cells() {
        let all = [u32::MAX; 16];
        let down = ray([0.1, 0.2, 3.0], [0.0, 0.0, -1.0]);
        let full = volume(&all);
        assert_eq!(full.span(&down), Some((2.0, 4.0)));
        let samples: Vec<Sample> = full.samples(&down, || 0.5).collect();
        assert_eq!(samples.len(), 200);
        assert!((samples[0].distance - 2.005).abs() < 1e-5 && (samples[199].position[2] + 0.995).abs() < 1e-4);
        // Only the cells of the lowest layer.
        let mut lowest = [0; 16];
        lowest[..2].fill(u32::MAX);
        let lowest = volume(&lowest);
        let samples: Vec<Sample> = lowest.samples(&down, || 0.5).collect();
        assert_eq!(samples.len(), 25);
        assert!(samples.iter().all(|sample| sample.position[2] < -0.75));
        for miss in [
            ray([0.0, 0.0, 3.0], [0.0, 0.0, 1.0]),
            ray([0.0, 1.5, 3.0], [0.0, 0.0, -1.0]),
            ray([f32::NAN; 3], [0.0, 0.0, 1.0]),
            ray([0.0, 0.0, 3.0], [f32::NAN; 3]),
        ] {
            assert_eq!(full.samples(&miss, || 0.5).count(), 0, "{miss:?}");
        }
        // From inside the box a ray begins at its origin.
        assert_eq!(full.samples(&ray([0.0; 3], [1.0, 0.0, 0.0]), || 0.0).count(), 100);
    }

    #[test]
    fn fog_of_one_density_dims_exponentially_and_ends_early() {
        let all = [u32::MAX; 16];
        let down = ray([0.0, 0.0, 3.0], [0.0, 0.0, -1.0]);
        for (density_scale, evaluations) in [(0.5, 200), (40.0, 0)] {
            let (file, len) = constant([0.0, 100.0, -100.0, 0.0], 4);
            let model = Model::parse(&file.0[..len]).unwrap();
            let volume = Volume { density_scale, ..volume(&all) };
            let pixel = volume.draw(&down, &model, &mut vec![0; model.scratch_words()]).unwrap();
            let density = core::f64::consts::LN_2 * f64::from(density_scale);
            if evaluations > 0 {
                let passed = (-2.0 * density).exp();
                for (found, (color, background)) in pixel.color.iter().zip([(0.5, 0.25), (1.0, 0.5), (0.0, 0.75)]) {
                    let exact = color * (1.0 - passed) + background * passed;
                    assert!((f64::from(*found) - exact).abs() < 1e-5, "{found} {exact}");
                }
                assert_eq!(pixel.evaluations, evaluations);
            } else {
                assert!(pixel.opacity > 0.999 && pixel.evaluations < 40, "{pixel:?}");
                // The mean free path behind the entrance at 2.
                assert!((f64::from(pixel.depth) - 2.0 - 1.0 / density).abs() < 0.01);
            }
        }
    }

    #[test]
    fn a_file_comes_back_and_every_damaged_one_is_refused() {
        let (file, len) = constant([0.0; 4], 4);
        let model = Model::parse(&file.0[..len]).unwrap();
        let bits: Vec<u32> = (0..16).map(|k: u32| k.wrapping_mul(0x9e37_79b9)).collect();
        let mut words = [0; HEADER_WORDS + 16];
        assert!(write_volume(&volume(&bits), &mut words[1..]).is_none());
        write_volume(&volume(&bits), &mut words).unwrap();
        let bytes: &[u8] = bytemuck::cast_slice(&words);
        let read = Volume::parse(bytes, &model).unwrap();
        assert_eq!((read.step, read.background, read.occupancy), (0.01, [0.25, 0.5, 0.75], &bits[..]));
        assert_eq!(volume_bytes(bytes), Some(bytes.len()));
        assert_eq!(Volume::parse(&bytes[4..], &model).unwrap_err(), VolumeError::Magic);
        assert_eq!(Volume::parse(&bytes[..bytes.len() - 4], &model).unwrap_err(), VolumeError::Checksum);
        assert_eq!(Volume::parse(&bytes[..7], &model).unwrap_err(), VolumeError::Alignment);
        assert_eq!(Volume::parse(&bytes[..8], &model).unwrap_err(), VolumeError::Length);
        for bit in 0..32 * words.len() {
            let mut damaged = words;
            damaged[bit / 32] ^= 1 << (bit % 32);
            assert!(Volume::parse(bytemuck::cast_slice(&damaged), &model).is_err(), "bit {bit}");
        }
        for broken in [
            Volume { step: 0.0, ..volume(&bits) },
            Volume { step: 1e-9, ..volume(&bits) },
            Volume { density_scale: f32::INFINITY, ..volume(&bits) },
            Volume { termination: 1.0, ..volume(&bits) },
            Volume { background: [f32::NAN; 3], ..volume(&bits) },
            Volume { resolution: 0, ..volume(&bits) },
        ] {
            write_volume(&broken, &mut words).unwrap();
            assert_eq!(Volume::parse(bytemuck::cast_slice(&words), &model).unwrap_err(), VolumeError::Settings);
        }
        write_volume(&Volume { resolution: 9, ..volume(&bits) }, &mut words).unwrap();
        assert_eq!(Volume::parse(bytemuck::cast_slice(&words), &model).unwrap_err(), VolumeError::Length);
        write_volume(&volume(&bits), &mut words).unwrap();
        let (other, len) = constant([0.0; 4], 3);
        let other = Model::parse(&other.0[..len]).unwrap();
        assert_eq!(Volume::parse(bytemuck::cast_slice(&words), &other).unwrap_err(), VolumeError::Model);
    }
}
