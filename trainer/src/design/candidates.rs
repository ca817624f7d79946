//! The models that are compared: of each family those that fill the budget, along a few shapes.

use firmware_core::Precision;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::cost::Core;
use super::size::{self, Size, Target};
use crate::artifact::precision::NamedPrecision;
use crate::data::Dataset;
use crate::fit::FitParams;
use crate::network::encoding::EncodingKind;
use crate::network::grid::Nodes;

/// Widths and numbers of frequencies are multiples of this: the kernels work on blocks of four rows.
const STEP: usize = 4;
/// Wider layers than this are not tried.
const WIDEST: usize = 512;
/// Numbers of hidden layers that are tried.
const DEPTHS: [usize; 4] = [2, 3, 4, 5];
/// The depth of the smaller models, which show what fewer bytes cost.
const USUAL_DEPTH: usize = 3;

/// How a grid model is laid out.
#[derive(Clone, Copy, Debug)]
struct GridLayout {
    /// Nodes of the levels along each axis, relative to those of the finest.
    levels: &'static [f64],
    /// Values at each node.
    channels: usize,
    /// Hidden layers behind the grids.
    depth: usize,
    /// Width of these layers in units of √bytes / 8: 2 takes about an eighth of the bytes at two layers.
    width: usize,
    /// Bits of the coefficients.
    bits: u8,
}

/// Four levels of two values: few instructions.
const PYRAMID: GridLayout =
    GridLayout { levels: &[0.1875, 0.375, 0.75, 1.0], channels: 2, depth: 2, width: 2, bits: 6 };
/// Seven levels of one value, whose nodes seldom coincide, before a wider network: the smallest error. The photograph
/// `camera` chose it: at 16 KB and 2500 steps it gave 34.77 dB, with another layer 34.84, and the pyramid 33.97.
const DENSE: GridLayout =
    GridLayout { levels: &[0.15, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0], channels: 1, depth: 2, width: 3, bits: 6 };
/// The layouts of the largest models.
const GRID_LAYOUTS: [GridLayout; 6] = [
    DENSE,
    GridLayout { depth: 3, ..DENSE },
    PYRAMID,
    GridLayout { width: 1, ..PYRAMID },
    GridLayout { bits: 8, ..PYRAMID },
    GridLayout { bits: 4, ..PYRAMID },
];
/// Bits of the values of tables that are tried; a table is fitted in a moment.
const TABLE_BITS: [u8; 4] = [4, 5, 6, 8];
/// Grids of more nodes along an axis are not tried.
const MOST_NODES: u32 = 4096;

/// A kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// A table of linear splines, without a network.
    LinearTable,
    /// A table of quadratic splines, without a network.
    QuadraticTable,
    /// Fourier features, then ReLU layers.
    FourierRelu,
    /// Fourier features, then sine layers.
    FourierSine,
    /// Grids of linear splines, then ReLU layers.
    LinearGrids,
    /// Grids of quadratic splines, then ReLU layers.
    QuadraticGrids,
}

impl Family {
    /// Every family, in the order of the figures' colours.
    pub const ALL: [Self; 6] = [
        Self::FourierRelu,
        Self::FourierSine,
        Self::LinearGrids,
        Self::QuadraticGrids,
        Self::LinearTable,
        Self::QuadraticTable,
    ];
    /// Those that begin with Fourier features.
    const FOURIER: [Self; 2] = [Self::FourierRelu, Self::FourierSine];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinearTable => "linear table",
            Self::QuadraticTable => "quadratic table",
            Self::FourierRelu => "Fourier features, ReLU",
            Self::FourierSine => "Fourier features, sine",
            Self::LinearGrids => "linear grids, ReLU",
            Self::QuadraticGrids => "quadratic grids, ReLU",
        }
    }

    /// Whether it begins with Fourier features.
    #[must_use]
    pub const fn is_fourier(self) -> bool {
        matches!(self, Self::FourierRelu | Self::FourierSine)
    }

    /// Whether it has no network: it is fitted by least squares, not trained in steps.
    #[must_use]
    pub const fn is_table(self) -> bool {
        matches!(self, Self::LinearTable | Self::QuadraticTable)
    }

    fn of(self, base: &FitParams) -> FitParams {
        let splines = |order| {
            let mut fit = base.clone();
            (fit.encoding.kind, fit.encoding.learned, fit.encoding.grid.order) = (EncodingKind::Grid, false, order);
            fit
        };
        match self {
            Self::FourierRelu => base.clone(),
            Self::LinearGrids => splines(1),
            Self::QuadraticGrids => splines(2),
            Self::LinearTable => splines(1).as_table(),
            Self::QuadraticTable => splines(2).as_table(),
            Self::FourierSine => base.clone().with_sines(),
        }
    }
}

/// A model that may become the winner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What kind of model it is.
    pub family: Family,
    /// Its hyperparameters; the steps are those of the longest training so far.
    pub fit: FitParams,
    /// How its numbers are stored.
    pub precision: NamedPrecision,
    /// What it takes.
    pub size: Size,
}

impl Candidate {
    /// Its shape in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let FitParams { encoding, hidden, .. } = &self.fit;
        let levels: Vec<String> = encoding.grid.levels.iter().map(Nodes::to_string).collect();
        let first = if self.family.is_table() {
            return format!("{}: {} nodes of {} bits", self.family.name(), levels.join(" "), encoding.grid.bits);
        } else if encoding.kind == EncodingKind::Grid {
            format!("{} nodes of {} × {} bits", levels.join(" "), encoding.grid.channels, encoding.grid.bits)
        } else {
            format!("{} frequencies of scale {}", encoding.frequencies, encoding.scale)
        };
        let widths: Vec<String> = hidden.iter().map(usize::to_string).collect();
        format!("{}: {first}, {}, {}", self.family.name(), widths.join(" "), self.precision.name())
    }
}

/// What candidates are made for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The samples that models are trained on.
    pub dataset: &'a Dataset,
    /// What the model may take: bytes, instructions and RAM.
    pub budget: &'a Budget,
    /// The core that instructions are counted on.
    pub core: &'a Core,
    /// How samples were held out, if any are.
    pub held_out: Option<&'a str>,
}

/// A kind of network over Fourier features.
#[derive(Clone, Copy)]
struct Shape {
    family: Family,
    /// Hidden layers.
    depth: usize,
    precision: Precision,
}

/// The settings of a network of these widths and this number of frequencies.
fn with_widths(base: &FitParams, hidden: Vec<usize>, frequencies: usize) -> FitParams {
    let mut fit = FitParams { hidden, ..base.clone() };
    fit.encoding.frequencies = frequencies;
    fit
}

impl Wanted<'_> {
    /// Every candidate: `base` has the settings that all share, `scales` are the values of σ to try. None where no
    /// network keeps the budget.
    #[must_use]
    pub fn candidates(&self, base: &FitParams, scales: &[f64], precisions: &[Precision]) -> Vec<Candidate> {
        let mut all = Vec::new();
        let middle = &scales[scales.len() / 2..=scales.len() / 2];
        for (place, &precision) in precisions.iter().enumerate() {
            for family in Family::FOURIER {
                for depth in DEPTHS {
                    // Frequencies are trained: where they begin is compared at one depth and in one precision.
                    let scales = if place == 0 && depth == USUAL_DEPTH { scales } else { middle };
                    all.extend(self.scaled(base, Shape { family, depth, precision }, scales));
                }
            }
        }
        all.extend(self.grids(base, &GRID_LAYOUTS));
        all.extend(self.tables(base));
        for part in [2, 4] {
            let smaller = self.budget.with_flash(self.budget.flash / part);
            let wanted = Wanted { budget: &smaller, ..*self };
            all.extend(wanted.grids(base, &GRID_LAYOUTS[..1]));
            all.extend(wanted.tables(base));
            for family in Family::FOURIER {
                let shape = Shape { family, depth: USUAL_DEPTH, precision: precisions[0] };
                all.extend(wanted.scaled(base, shape, middle));
            }
        }
        let mut different: Vec<Candidate> = Vec::new();
        for candidate in all {
            if !different.contains(&candidate) {
                different.push(candidate);
            }
        }
        different
    }

    /// What the smallest model takes, for a person who gave too little for it.
    pub(super) fn least(&self, base: &FitParams) -> String {
        let endless = Budget { flash: usize::MAX, instructions: None, ram: None };
        let wanted = Wanted { budget: &endless, ..*self };
        let network = wanted.measured(with_widths(base, vec![STEP; DEPTHS[0]], STEP), Precision::W8A16);
        let mut table = Family::LinearTable.of(base);
        (table.encoding.grid.levels, table.encoding.grid.bits) = (vec![Nodes(vec![2])], TABLE_BITS[0]);
        let table = wanted.measured(table, Precision::W8A16);
        let Some((_, size)) = network.into_iter().chain(table).min_by_key(|(_, size)| size.bytes) else {
            return "the data have more inputs or outputs than a device takes".to_owned();
        };
        let Size { bytes, ram_bytes, instructions } = size;
        format!("the smallest takes {bytes} bytes of flash, {ram_bytes} of RAM and {instructions} instructions")
    }

    /// What a model takes, if it keeps the budget.
    fn measured(&self, fit: FitParams, precision: Precision) -> Option<(FitParams, Size)> {
        let params = fit.check(self.dataset.inputs(), self.dataset.outputs()).ok()?;
        let size = size::predicted(&params, self.target(precision)).ok()?;
        self.budget.holds(&size).then_some((fit, size))
    }

    fn target(&self, precision: Precision) -> Target<'_> {
        let Self { dataset, core, held_out, .. } = *self;
        Target { dataset, precision, core, held_out }
    }

    /// The largest network of a shape with each value of σ.
    fn scaled(&self, base: &FitParams, shape: Shape, scales: &[f64]) -> Vec<Candidate> {
        let Shape { family, depth, precision } = shape;
        let candidate = |&scale: &f64| {
            let mut base = family.of(base);
            base.encoding.scale = scale;
            let (fit, size) = self.largest(&base, depth, precision)?;
            Some(Candidate { family, fit, precision: NamedPrecision(precision), size })
        };
        scales.iter().filter_map(candidate).collect()
    }

    /// Grids of every order in these layouts. Where the limits do not allow the width of a layout, a smaller one.
    fn grids(&self, base: &FitParams, layouts: &[GridLayout]) -> Vec<Candidate> {
        let unit = (self.budget.flash as f64).sqrt() / 8.0;
        let candidate = |(family, layout): (Family, &GridLayout)| {
            let mut base = family.of(base);
            (base.encoding.grid.channels, base.encoding.grid.bits) = (layout.channels, layout.bits);
            let widest = ((unit * layout.width as f64) as usize).next_multiple_of(STEP).min(WIDEST);
            let mut widths = (STEP..=widest).rev().filter(|width| width.is_multiple_of(STEP));
            let (fit, size) = widths.find_map(|width| {
                self.finest(&FitParams { hidden: vec![width; layout.depth], ..base.clone() }, layout.levels)
            })?;
            Some(Candidate { family, fit, precision: NamedPrecision(Precision::W8A16), size })
        };
        let families = [Family::LinearGrids, Family::QuadraticGrids];
        families
            .into_iter()
            .flat_map(|family| layouts.iter().map(move |layout| (family, layout)))
            .filter_map(candidate)
            .collect()
    }

    /// Tables of every order in every number of bits.
    fn tables(&self, base: &FitParams) -> Vec<Candidate> {
        let precision = NamedPrecision(Precision::W8A16);
        let candidate = |(family, bits): (Family, u8)| {
            let mut base = family.of(base);
            base.encoding.grid.bits = bits;
            let (fit, size) = self.finest(&base, &[1.0])?;
            Some(Candidate { family, fit, precision, size })
        };
        let families = [Family::LinearTable, Family::QuadraticTable];
        families.into_iter().flat_map(|family| TABLE_BITS.map(|bits| (family, bits))).filter_map(candidate).collect()
    }

    /// The finest grids, before a network or alone, that keep the budget; `levels` are their nodes relative to the
    /// finest.
    fn finest(&self, base: &FitParams, levels: &[f64]) -> Option<(FitParams, Size)> {
        let (inputs, order) = (self.dataset.inputs(), u32::from(base.encoding.grid.order));
        // More nodes along an axis than samples are of no use.
        let most: Vec<u32> = match self.dataset.grid_shape() {
            Some(shape) => shape.iter().rev().map(|&len| len as u32).collect(),
            None => vec![u32::try_from(self.dataset.len()).unwrap_or(u32::MAX); inputs],
        };
        let longest = most.iter().copied().max().unwrap_or(1).min(MOST_NODES);
        let with = |top: u32| {
            let mut fit = base.clone();
            let level = |&share: &f64| {
                let along = most.iter().map(|&len| {
                    let part = f64::from(len) / f64::from(longest);
                    ((f64::from(top) * share * part).round() as u32).max(order + 1)
                });
                Nodes(along.collect())
            };
            fit.encoding.grid.levels = levels.iter().map(level).collect();
            self.measured(fit, Precision::W8A16)
        };
        let (mut low, mut high) = (order + 1, longest.max(order + 1));
        let mut best = with(low)?;
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match with(middle) {
                Some(found) => (best, low) = (found, middle),
                None => high = middle - 1,
            }
        }
        Some(best)
    }

    /// The widest network of so many hidden layers that keeps the budget.
    fn largest(&self, base: &FitParams, depth: usize, precision: Precision) -> Option<(FitParams, Size)> {
        // Deep networks make their own frequencies.
        let frequencies = |width: usize| if depth <= USUAL_DEPTH { width } else { width * 3 / 4 };
        let fill = |width: usize| {
            let few = frequencies(width).next_multiple_of(STEP);
            // What blocks and layers leave goes to the frequencies.
            let sized = |m| self.measured(with_widths(base, vec![width; depth], m), precision);
            let more = (few..=few + few / 4).step_by(STEP).map_while(sized);
            more.last()
        };
        (STEP..=WIDEST).rev().filter(|width| width.is_multiple_of(STEP)).find_map(fill)
    }
}
