//! The occupancy grid in a run's checkpoint.

use crate::nerf::occupancy::{Occupancy, OccupancyState};
use crate::network::OutputActivation;
use crate::store::tensors::{TensorError, Tensors};

/// Adds the grid to a checkpoint.
pub(super) fn put_grid(tensors: &mut Tensors, occupancy: &Occupancy) {
    let grid = occupancy.state();
    tensors.put("grid.opacity", &[grid.opacity.len()], &grid.opacity);
    tensors.put("grid.sight", &[grid.sight.len()], &grid.sight);
    tensors.put("grid.seen", &[grid.seen.len()], &grid.seen);
    tensors.put("grid.bits", &[grid.bits.len()], &grid.bits);
    tensors.put("grid.counts", &[grid.counts.len()], &grid.counts);
}

/// The grid of a checkpoint.
///
/// # Errors
/// If a tensor is missing, or is not of this resolution.
pub(super) fn take_grid(tensors: &Tensors, resolution: u32) -> Result<Occupancy, TensorError> {
    let (_, counts) = tensors.get("grid.counts")?;
    let grid = OccupancyState {
        opacity: tensors.get("grid.opacity")?.1,
        sight: tensors.get("grid.sight")?.1,
        seen: tensors.get("grid.seen")?.1,
        bits: tensors.get("grid.bits")?.1,
        counts: counts.try_into().map_err(|_| tensors.unusable("grid.counts"))?,
    };
    Occupancy::from_state(resolution, grid).ok_or_else(|| tensors.unusable("grid.bits"))
}

/// Gives a checkpoint of version 0.1 the names of today: it had the network layer by layer, the grid's counts beside
/// the steps, and the fingerprint among the settings.
///
/// # Errors
/// If a tensor is missing.
pub(super) fn renamed(mut tensors: Tensors) -> Result<Tensors, TensorError> {
    #[derive(serde::Deserialize)]
    struct Settings {
        fingerprint: u64,
    }
    let Ok((_, first)) = tensors.get::<f32>("first_moment") else { return Ok(tensors) };
    let (_, second) = tensors.get::<f32>("second_moment")?;
    let network = tensors.get_network("", OutputActivation::Linear.into())?;
    let [step, counts @ ..]: [u64; 4] = tensors.get("state")?.1.try_into().map_err(|_| tensors.unusable("state"))?;
    let Settings { fingerprint } = tensors.settings()?;
    tensors.put("0.parameters", &[network.parameters().len()], network.parameters());
    tensors.put("0.first_moment", &[first.len()], &first);
    tensors.put("0.second_moment", &[second.len()], &second);
    tensors.put("state", &[2], &[step, fingerprint]);
    tensors.put("grid.counts", &[3], &counts);
    Ok(tensors)
}
