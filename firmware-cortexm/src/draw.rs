//! Draws views of a radiance field: marches the rays of a camera through the model, pixel by pixel.

use firmware_core::march::{Camera, Volume, volume_bytes};
use firmware_cortexm::protocol::{OUTPUTS_FILE, PIXEL_VALUES, POINTS_FILE};
use semihosting::fs::File;
use semihosting::io::{Read as _, Write as _};

use crate::clock;
use crate::evaluator::{Evaluator, take_scratch};
use crate::failure::Failure;
use crate::stack;

/// Draws `views` cameras. `bytes` are the volume, and the artifact behind it: both stay where they lie.
pub(crate) fn run(bytes: &'static [u8], views: usize) -> Result<(), Failure> {
    let (volume, artifact) =
        volume_bytes(bytes).and_then(|len| bytes.split_at_checked(len)).ok_or(Failure::ModelRegion)?;
    let mut evaluator = Evaluator::new(artifact, take_scratch()?)?;
    let volume = Volume::parse(volume, evaluator.model()).map_err(Failure::Volume)?;

    let mut cameras = File::open(POINTS_FILE)?;
    let mut outputs = File::create(OUTPUTS_FILE)?;
    let (mut evaluations, mut pixels, mut ticks, mut stack_bytes) = (0u32, 0u32, 0u64, 0);
    for _ in 0..views {
        let mut values = [0.0; Camera::VALUES];
        cameras.read_exact(bytemuck::cast_slice_mut(&mut values))?;
        let camera = Camera::from_values(&values);
        for y in 0..camera.height {
            for x in 0..camera.width {
                let ray = camera.ray(f32::from(x) + 0.5, f32::from(y) + 0.5);
                let painted = stack::paint();
                let (pixel, time) = clock::time(|| evaluator.draw(&volume, &ray));
                stack_bytes = painted.used_bytes().max(stack_bytes);
                let pixel = pixel.map_err(Failure::Evaluation)?;
                evaluations += pixel.evaluations;
                pixels += 1;
                ticks += time;
                let [red, green, blue] = pixel.color;
                let values: [f32; PIXEL_VALUES] = [red, green, blue, pixel.depth, pixel.opacity];
                outputs.write_all(bytemuck::cast_slice(&values))?;
            }
        }
    }
    defmt::info!("drawn pixels={=u32} evaluations={=u32} ticks={=u64}", pixels, evaluations, ticks);
    defmt::info!("stack bytes={=usize}", stack_bytes);
    Ok(())
}
