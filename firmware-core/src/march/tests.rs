//! The parts together: rays through models of known content, and files.

extern crate std;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::Aligned;
use crate::artifact::{Header, HiddenActivation};
use crate::coordinate::{Axis, Outside};
use crate::model::Model;
use crate::output::{OutputActivation, OutputMap};
use crate::precision::Precision;
use crate::write::{self, Description, FloatLayer, Layers};

const AXES: [Axis; 3] = [Axis { minimum: -1.0, maximum: 1.0, scale: 0.5 }; 3];

const ZEROS: [f32; 24] = [0.0; 24];
const MAPS: [OutputMap; OUTPUTS] = [OutputMap { scale: 1.0, offset: 0.0 }; OUTPUTS];

fn volume(occupancy: &[u32]) -> Volume<'_> {
    Volume {
        axes: AXES,
        step: 0.01,
        density: Density::Softplus,
        density_scale: 40.0,
        view_direction: false,
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
    linear(&AXES, &ZEROS[..3 * usize::from(outputs)], &logits[..usize::from(outputs)])
}

/// A model of logits that are linear in the integer features of the coordinates: `weights` `[outputs, inputs]`, `bias`
/// `[outputs]`.
fn linear(axes: &[Axis], weights: &[f32], bias: &[f32]) -> (Aligned<[u8; 512]>, usize) {
    let (inputs, outputs) = (axes.len() as u8, bias.len() as u8);
    let header = Header {
        precision: Precision::F32,
        outside: Outside::Clamp,
        periodic: 0,
        hidden_activation: HiddenActivation::Relu,
        grid: None,
        code_bits: Default::default(),
        activation: OutputActivation::Linear,
        inputs,
        outputs,
        frequencies: 0,
        passthrough: inputs,
        hidden: Default::default(),
        training_psnr_db: f32::NAN,
        quantization_loss_db: f32::NAN,
    };
    let layers = [FloatLayer { weights, bias }];
    let description = Description {
        header: &header,
        axes,
        output_maps: &MAPS[..bias.len()],
        frequencies: &[],
        grids: &[],
        text: "",
        layers: Layers::Float(&layers),
    };
    let mut file = Aligned([0; 512]);
    let len = write::artifact(&description, &mut [0; 64], &mut file.0).unwrap();
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
    for bit in (0..32 * words.len()).step_by(if cfg!(miri) { 31 } else { 1 }) {
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
    let far = Axis { maximum: 2.0, ..DIRECTION_AXIS };
    for (axes, outputs) in [
        (&AXES[..], 3),
        (&AXES[..2], 4),
        (&[DIRECTION_AXIS; 5][..], 4),
        (&[AXES[0], AXES[1], AXES[2], far, far, far][..], 4),
    ] {
        let (other, len) = linear(axes, &ZEROS[..axes.len() * outputs], &[0.0; 4][..outputs]);
        let other = Model::parse(&other.0[..len]).unwrap();
        assert_eq!(Volume::parse(bytemuck::cast_slice(&words), &other).unwrap_err(), VolumeError::Model);
    }
}

#[test]
fn a_model_of_six_inputs_sees_the_direction_of_the_ray() {
    // Red and green logits are four times the direction's x and z; density and blue depend on the position alone.
    let mut weights = ZEROS;
    (weights[3], weights[6 + 5], weights[12 + 1], weights[18]) = (4.0, 4.0, 1.0, 3.0);
    let weights = weights.map(|weight| weight / crate::fixed::ONE as f32);
    let axes = [AXES[0], AXES[1], AXES[2], DIRECTION_AXIS, DIRECTION_AXIS, DIRECTION_AXIS];
    let (file, len) = linear(&axes, &weights, &[0.0; OUTPUTS]);
    let model = Model::parse(&file.0[..len]).unwrap();
    let bits = [u32::MAX; 16];
    let mut words = [0; HEADER_WORDS + 16];
    write_volume(&volume(&bits), &mut words).unwrap();
    let volume = Volume::parse(bytemuck::cast_slice(&words), &model).unwrap();
    assert!(volume.view_direction && volume.inputs() == DIRECTED_INPUTS);
    let mut scratch = vec![0; model.scratch_words()];
    let mut draw = |origin, direction| volume.draw(&ray(origin, direction), &model, &mut scratch).unwrap();
    for (direction, red, green) in
        [([0.6, 0.0, -0.8], 2.4, -3.2), ([-0.6, 0.0, 0.8], -2.4, 3.2), ([0.0, 0.0, -1.0], 0.0, -4.0)]
    {
        let pixel = draw(direction.map(|d| -3.0 * d), direction);
        assert!(pixel.opacity > 0.99);
        for (found, logit) in pixel.color.iter().zip([red, green]) {
            assert!((found - sigmoid(logit)).abs() < 1e-2, "{direction:?}: {pixel:?}");
        }
    }
    // One line from either end: another colour, the same fog.
    let [there, back] = [-1.0, 1.0].map(|z| draw([0.3, 0.2, -3.0 * z], [0.0, 0.0, z]));
    assert!((there.opacity - back.opacity).abs() < 1e-6 && (there.color[2] - back.color[2]).abs() < 1e-6);
    assert!((there.color[1] - back.color[1]).abs() > 0.5);
}
