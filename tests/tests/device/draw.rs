//! A device marches rays through a model: the host's picture, to the last bit.

use std::time::Duration;

use firmware_core::march::{
    Camera, DIRECTED_INPUTS, DIRECTION_AXIS, Density, HEADER_WORDS, Pixel, Volume, grid_words, write_volume,
};
use firmware_core::{Axis, Model, Precision};
use firmware_cortexm::protocol::PIXEL_VALUES;
use tests::boards::BOARDS;
use tests::qemu;
use tests::random::Random;
use tests::synthetic::Network;

use crate::firmware;

const RESOLUTION: u32 = 6;

/// Two views of the model's domain: along an axis, and turned about the vertical by 30 degrees. Some rays miss it.
fn cameras() -> [Camera; 2] {
    [(0.0f32, 1.0f32), (0.5, 0.866)].map(|(sin, cos)| {
        let to_world =
            [[cos, 0.0, sin, 50.0 + 250.0 * sin], [0.0, 1.0, 0.0, 50.0], [-sin, 0.0, cos, 50.0 + 250.0 * cos]];
        Camera { to_world, focal: 18.0, width: 12, height: 9 }
    })
}

/// A volume's file for the model: half of the cells are empty.
fn volume_file(model: &Model<'_>, density: Density, density_scale: f32) -> Vec<u32> {
    let mut random = Random::new(7);
    let occupancy: Vec<u32> = (0..grid_words(RESOLUTION)).map(|_| random.bits() as u32).collect();
    let axes: Vec<Axis> = model.axes().collect();
    let volume = Volume {
        axes: axes[..3].try_into().unwrap(),
        step: 5.0,
        density,
        density_scale,
        view_direction: axes.len() == DIRECTED_INPUTS,
        termination: 0.01,
        background: [0.25, 0.5, 1.0],
        resolution: RESOLUTION,
        occupancy: &occupancy,
    };
    let mut words = vec![0; HEADER_WORDS + occupancy.len()];
    write_volume(&volume, &mut words).unwrap();
    words
}

fn draw_on_host(model: &Model<'_>, volume: &[u32]) -> Vec<Pixel> {
    let volume = Volume::parse(bytemuck::cast_slice(volume), model).unwrap();
    let mut scratch = vec![0; model.scratch_words()];
    let mut pixels = Vec::new();
    for camera in cameras() {
        for (y, x) in (0..camera.height).flat_map(|y| (0..camera.width).map(move |x| (y, x))) {
            let ray = camera.ray(f32::from(x) + 0.5, f32::from(y) + 0.5);
            pixels.push(volume.draw(&ray, model, &mut scratch).unwrap());
        }
    }
    pixels
}

#[test]
fn every_board_draws_the_hosts_picture() {
    // Random logits differ in size: each model's densities are such that some rays end early and some do not.
    let cases = [
        (Precision::W8A16, 3, Density::Softplus, 0.12),
        (Precision::F32, 3, Density::Relu, 0.05),
        (Precision::W16A16, DIRECTED_INPUTS, Density::Softplus, 0.06),
    ];
    for (precision, inputs, density, density_scale) in cases {
        let network = Network { inputs: inputs as u8, outputs: 4, passthrough: 0, ..Network::tiny(precision) };
        let mut axes = network.axes();
        axes.iter_mut().skip(3).for_each(|axis| *axis = DIRECTION_AXIS);
        let artifact = network.artifact_over(3, &axes).unwrap();
        let model = artifact.model().unwrap();
        let volume = volume_file(&model, density, density_scale);
        let pixels = draw_on_host(&model, &volume);
        // A test of nothing but the background would prove little, and so would one in which no ray ends early.
        let most = pixels.iter().map(|pixel| pixel.evaluations).max().unwrap();
        let opaque = pixels.iter().filter(|pixel| pixel.opacity > 0.99).count();
        let empty = pixels.iter().filter(|pixel| pixel.evaluations == 0).count();
        assert!(most >= 10 && opaque >= 3 && empty >= 3, "{precision:?}: {most}, {opaque}, {empty}");
        let values = |pixel: &Pixel| -> [f32; PIXEL_VALUES] {
            let [red, green, blue] = pixel.color;
            [red, green, blue, pixel.depth, pixel.opacity]
        };
        let expected: Vec<u32> = pixels.iter().flat_map(values).map(f32::to_bits).collect();
        let mut region = bytemuck::cast_slice::<u32, u8>(&volume).to_vec();
        region.extend_from_slice(artifact.as_bytes());
        for board in BOARDS {
            let limit = Duration::from_secs(300);
            let run = qemu::draw(&firmware(board.name), &region, &cameras(), limit).unwrap().success().unwrap();
            let drawn: Vec<u32> = run.outputs.iter().map(|value| value.to_bits()).collect();
            assert_eq!(drawn, expected, "{precision:?} on {}", board.name);
        }
    }
}
