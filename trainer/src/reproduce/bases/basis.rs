//! The five bases that are compared, and the largest model of each that so many bytes hold.

use firmware_core::Precision;
use plotters::style::RGBColor;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::design::cost::Core;
use crate::design::size::{Target, predicted};
use crate::fit::{FitParams, ValidFitParams};
use crate::network::encoding::EncodingKind;
use crate::network::grid::Nodes;
use crate::report::style;
use crate::reproduce::error::ReproduceError;

/// Every model is stored with weights of 8 bits.
pub(super) const PRECISION: Precision = Precision::W8A16;
/// Hidden layers behind frequencies, and behind grids.
const DEPTHS: [usize; 2] = [3, 2];
/// Nodes of the levels of a grid along each axis, relative to those of the finest.
const LEVELS: [f64; 4] = [0.1875, 0.375, 0.75, 1.0];
/// Order and bits of a table.
const TABLE: (u8, u8) = (2, 6);
/// Widths and numbers of frequencies are multiples of this, as the kernels of a device work on blocks of four rows.
const STEP: usize = 4;
/// Wider layers and more nodes along an axis are not tried.
const MOST: usize = 256;

/// What a function is put together from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Basis {
    /// ReLU layers on random frequencies that stay.
    Fixed,
    /// ReLU layers on frequencies that are trained with them.
    Learned,
    /// Sine layers on frequencies that are trained with them.
    Sine,
    /// ReLU layers on linear grids.
    Grids,
    /// Quadratic B-splines alone.
    Table,
}

/// The numbers that make a basis small or large; each basis has some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Units of a hidden layer.
    pub(super) width: usize,
    /// Rows of B.
    pub(super) frequencies: usize,
    /// Nodes along each axis of the finest grid, or of the table.
    pub(super) nodes: usize,
}

impl Basis {
    pub(super) const ALL: [Self; 5] = [Self::Fixed, Self::Learned, Self::Sine, Self::Grids, Self::Table];
    pub(super) const NETWORKS: [Self; 4] = [Self::Fixed, Self::Learned, Self::Sine, Self::Grids];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed frequencies, ReLU",
            Self::Learned => "learned frequencies, ReLU",
            Self::Sine => "learned frequencies, sine",
            Self::Grids => "grids, ReLU",
            Self::Table => "table",
        }
    }

    pub(super) fn color(self) -> RGBColor {
        style::SERIES[self as usize]
    }

    /// Hyperparameters of this form; all others are those of `base`.
    pub(super) fn params(self, base: &FitParams, form: Form) -> FitParams {
        let Form { width, frequencies, nodes } = form;
        let mut params = base.clone();
        params.encoding.frequencies = frequencies;
        params.encoding.learned = matches!(self, Self::Learned | Self::Sine);
        params.hidden = vec![width; DEPTHS[0]];
        match self {
            Self::Fixed | Self::Learned => params,
            Self::Sine => params.with_sines(),
            Self::Grids => {
                let least = params.encoding.grid.order + 1;
                let along = |share: &f64| ((nodes as f64 * share).round() as u32).max(u32::from(least));
                params.encoding.kind = EncodingKind::Grid;
                params.encoding.grid.levels = LEVELS.iter().map(|share| Nodes(vec![along(share)])).collect();
                params.hidden = vec![width; DEPTHS[1]];
                params
            }
            Self::Table => {
                params.encoding.grid.levels = vec![Nodes(vec![nodes as u32])];
                (params.encoding.grid.order, params.encoding.grid.bits) = TABLE;
                params.as_table()
            }
        }
    }

    /// The largest model of which the artifact takes at most so many bytes.
    ///
    /// # Errors
    /// If the hyperparameters of `base` are refused.
    pub(super) fn filling(
        self,
        bytes: usize,
        base: &FitParams,
        dataset: &Dataset,
    ) -> Result<ValidFitParams, ReproduceError> {
        let core = Core::find("cortex-m4f").expect("it was measured");
        let fitting = |form: Form| -> Result<Option<ValidFitParams>, ReproduceError> {
            let params = self.params(base, form).check(dataset.inputs(), dataset.outputs())?;
            let target = Target { dataset, precision: PRECISION, core, held_out: None };
            let fits = predicted(&params, target).is_ok_and(|size| size.bytes <= bytes);
            Ok(fits.then_some(params))
        };
        let (mut best, mut least) = (None, STEP);
        match self {
            Self::Fixed | Self::Learned | Self::Sine => {
                let square = |width| Form { width, frequencies: width, nodes: 0 };
                for width in (STEP..=MOST).step_by(STEP) {
                    let Some(found) = fitting(square(width))? else { break };
                    (best, least) = (Some(found), width);
                }
                // What wider layers leave goes to the frequencies.
                for frequencies in (least..=2 * least).step_by(STEP) {
                    best = fitting(Form { frequencies, ..square(least) })?.or(best);
                }
            }
            Self::Grids | Self::Table => {
                // About an eighth of the bytes for the layers.
                let width = ((bytes as f64).sqrt() / 4.0) as usize / STEP * STEP;
                for nodes in 4..=MOST {
                    let Some(found) = fitting(Form { width: width.max(STEP), frequencies: 0, nodes })? else { break };
                    best = Some(found);
                }
            }
        }
        Ok(best.expect("the smallest model of each basis takes less than any size here"))
    }
}
