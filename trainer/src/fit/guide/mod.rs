//! The guide: kernel regression that says what a function is between the samples, so that a network can learn it there
//! too.
//!
//! A network that sees only a few rows of a table is free between them, and Adam uses that freedom. Kernel regression
//! is not: it returns the smoothest function through the rows, and its own error at rows left out is known in closed
//! form. So for small and scattered data the network learns from many samples of a kernel regression through the rows
//! instead of the rows alone.
//!
//! - **Kernel.** Fourier features with B ~ N(0, σ²) have the kernel `E cos 2πb·δ = exp(-2π²σ²|δ|²)` (Rahimi and Recht
//!   2007): the guide is what the encoding would give with infinitely many frequencies. Three rougher kernels are tried
//!   too: Matérn 7/2 for smooth functions that change faster in one part of the domain than in another, and Matérn 3/2
//!   and the exponential for functions with kinks (`guide/kernel.rs`).
//! - **Choice.** σ of each axis, the kernel and the nugget (the share of noise) of each output are those with the least
//!   squared error at rows left out one at a time (`guide/search.rs`).
//! - **Samples.** The rows themselves, as the regression smooths them, and points between them: all over the domain of
//!   up to three inputs, and along the lines between neighbouring rows (`guide/sampling.rs`).
//!
//! The guide never sees a value that is held out. Its targets keep a margin from both ends of the unit range, so that a
//! sigmoid need not saturate to reach the largest and the smallest value.

mod kernel;
mod sampling;
mod search;

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use self::kernel::Kernel;
use self::search::Regression;
use crate::data::{DataKind, Dataset, OutputMap};
use crate::store::tensors::{TensorError, Tensors};
use crate::theory::TheoryError;

/// More rows than this guide themselves: they lie densely, and the regression would take minutes.
pub const MOST_ROWS: usize = 5000;
/// Grids up to this many cells are taken for tables of a few measured points; larger ones are to be stored.
const MOST_CELLS: usize = 1024;
/// One row alone says nothing of what is beside it.
const LEAST_ROWS: usize = 2;
/// Samples that the network learns from.
const SAMPLES: usize = 16_384;
/// Part of the unit range that is left free at each end.
const MARGIN: f32 = 1.0 / 16.0;

/// Whether values between the samples are what is wanted of such data, rather than the samples themselves: tables of
/// any length, and grids of few cells.
#[must_use]
pub fn is_wanted_between(dataset: &Dataset) -> bool {
    match dataset.kind {
        DataKind::Table => true,
        DataKind::Grid { .. } => dataset.len() <= MOST_CELLS,
        DataKind::Image { .. } => false,
    }
}

/// Whether a guide can be made of so many samples.
#[must_use]
pub fn is_possible(samples: usize) -> bool {
    (LEAST_ROWS..=MOST_ROWS).contains(&samples)
}

/// A kernel regression for each output.
#[derive(Debug)]
pub struct Guide {
    points: Array2<f64>,
    periodic: Vec<bool>,
    outputs: Vec<Regression>,
}

impl Guide {
    /// Fits a guide to some samples of a data set. `periodic` says which axes repeat.
    ///
    /// # Errors
    /// [`TheoryError`] if the memory does not suffice or no regression can be solved.
    pub fn fit(dataset: &Dataset, samples: &[usize], periodic: &[bool], seed: u64) -> Result<Self, TheoryError> {
        let (coordinates, targets) = merged(dataset, samples);
        let points = unit_points(coordinates.view());
        let outputs = targets
            .columns()
            .into_iter()
            .map(|targets| search::fit(points.view(), targets, periodic, seed))
            .collect::<Result<_, _>>()?;
        Ok(Self { points, periodic: periodic.to_vec(), outputs })
    }

    /// Unit outputs `[n, c]` at unit coordinates `[n, d]`, on all threads.
    #[must_use]
    pub fn predict(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        const ROWS: usize = 256;
        let mut outputs = Array2::zeros((points.nrows(), self.outputs.len()));
        outputs
            .axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(points.axis_chunks_iter(Axis(0), ROWS))
            .for_each(|(mut outputs, points)| {
                for (regression, mut column) in self.outputs.iter().zip(outputs.columns_mut()) {
                    column.assign(&regression.predict(points, self.points.view()));
                }
            });
        outputs
    }

    /// The error of each output at rows left out, as PSNR in dB; in closed form, of the rows that chose the kernel.
    /// Minus infinity where there are too few rows to leave one out.
    #[must_use]
    pub fn left_out_psnr_db(&self) -> Vec<f64> {
        self.outputs.iter().map(|regression| -10.0 * regression.left_out.log10()).collect()
    }

    /// The largest σ of any axis and output, in cycles over the domain.
    #[must_use]
    pub fn widest(&self) -> f64 {
        let scales = self.outputs.iter().flat_map(|regression| &regression.kernel.scales);
        scales.copied().fold(0.0, f64::max)
    }

    /// What the guide is, in words: the kernels and the errors at rows left out.
    #[must_use]
    pub fn summary(&self, names: &[String]) -> String {
        let outputs = self.outputs.iter().zip(names).zip(self.left_out_psnr_db());
        let parts = outputs.map(|((regression, name), db)| {
            let Kernel { smoothness, scales, .. } = &regression.kernel;
            let scales: Vec<String> = scales.iter().map(|scale| format!("{scale:.2}")).collect();
            let measured =
                if db.is_finite() { format!(", {db:.1} dB at rows left out one by one") } else { String::new() };
            format!("{name}: {} kernel, scale {}{measured}", smoothness.name(), scales.join(" and "))
        });
        parts.collect::<Vec<_>>().join("; ")
    }

    /// What a network is to learn: the guide at the given samples and between them, in the domain of `dataset`. The
    /// targets keep a margin, which the output maps undo.
    #[must_use]
    pub fn dataset(&self, dataset: &Dataset, samples: &[usize], seed: u64) -> Dataset {
        let rows = dataset.coordinates.select(Axis(0), samples);
        let ends = sampling::ends(dataset.coordinates.view(), &self.periodic);
        let between = sampling::between(rows.view(), &ends, SAMPLES.saturating_sub(samples.len()), seed);
        let mut coordinates = Array2::zeros((rows.nrows() + between.nrows(), rows.ncols()));
        coordinates.slice_mut(s![..rows.nrows(), ..]).assign(&rows);
        coordinates.slice_mut(s![rows.nrows().., ..]).assign(&between);
        let units = self.predict(unit_points(coordinates.view()).view());
        let (free, used) = (f64::from(MARGIN), 1.0 - 2.0 * f64::from(MARGIN));
        let targets = units.mapv(|unit| (free + used * unit).clamp(0.0, 1.0) as f32);
        let widened = |map: &OutputMap| {
            let scale = map.scale / used as f32;
            OutputMap { scale, offset: map.offset - MARGIN * scale }
        };
        learned(dataset, coordinates, targets, dataset.output_maps.iter().map(widened).collect())
    }
}

/// Writes what a network learned from a guide, so that a run goes on with it on any machine.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, learned: &Dataset) -> Result<(), TensorError> {
    let mut tensors = Tensors::default();
    tensors.put_matrix("coordinates", learned.coordinates.view());
    tensors.put_matrix("targets", learned.targets.view());
    let maps: Vec<f32> = learned.output_maps.iter().flat_map(|map| [map.scale, map.offset]).collect();
    tensors.put("output_maps", &[learned.output_maps.len(), 2], &maps);
    tensors.put_settings(&());
    tensors.write(path)
}

/// Reads what [`write()`] wrote, in the domain of `dataset`.
///
/// # Errors
/// If it is missing or damaged, or belongs to data of another shape.
pub fn read(path: &Path, dataset: &Dataset) -> Result<Dataset, TensorError> {
    let tensors = Tensors::read(path)?;
    let (coordinates, targets) = (tensors.get_matrix("coordinates")?, tensors.get_matrix("targets")?);
    let maps = tensors.get_matrix::<f32>("output_maps")?;
    let fits = coordinates.dim() == (targets.nrows(), dataset.inputs())
        && targets.ncols() == dataset.outputs()
        && maps.dim() == (dataset.outputs(), 2);
    if !fits {
        return Err(TensorError::Tensor { path: path.to_owned(), name: "targets".to_owned() });
    }
    let output_maps = maps.rows().into_iter().map(|map| OutputMap { scale: map[0], offset: map[1] }).collect();
    Ok(learned(dataset, coordinates, targets, output_maps))
}

/// A data set in the domain of another.
fn learned(dataset: &Dataset, coordinates: Array2<u32>, targets: Array2<f32>, output_maps: Vec<OutputMap>) -> Dataset {
    let points = Array2::from_shape_fn(coordinates.dim(), |(row, axis)| {
        let (unit, axis) = (f64::from(coordinates[[row, axis]]) / TURNS, &dataset.axes[axis]);
        (f64::from(axis.minimum) + unit / f64::from(axis.scale)) as f32
    });
    Dataset {
        coordinates,
        points,
        targets,
        output_maps,
        kind: DataKind::Table,
        cells: None,
        notes: Vec::new(),
        ..dataset.clone()
    }
}

/// The points of some samples, each once, and the mean of what the samples there say: a value that is measured twice is
/// no value that can be left out and told by others.
fn merged(dataset: &Dataset, samples: &[usize]) -> (Array2<u32>, Array2<f64>) {
    let mut places: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for &sample in samples {
        places.entry(dataset.coordinates.row(sample).to_vec()).or_default().push(sample);
    }
    // In the order of the samples.
    let mut groups: Vec<Vec<usize>> = places.into_values().collect();
    groups.sort_unstable();
    let first: Vec<usize> = groups.iter().map(|group| group[0]).collect();
    let mean = |(group, output): (usize, usize)| {
        let values = groups[group].iter().map(|&sample| f64::from(dataset.targets[[sample, output]]));
        values.sum::<f64>() / groups[group].len() as f64
    };
    (dataset.coordinates.select(Axis(0), &first), Array2::from_shape_fn((first.len(), dataset.outputs()), mean))
}

/// Q0.32 counts of one turn.
const TURNS: f64 = 4_294_967_296.0;

/// Coordinates as numbers in [0, 1).
fn unit_points(coordinates: ArrayView2<'_, u32>) -> Array2<f64> {
    coordinates.mapv(|fixed| f64::from(fixed) / TURNS)
}
