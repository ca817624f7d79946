//! What an evaluation costs on a core, before the model exists: instructions as a sum of parts, each with a price.
//!
//! `instructions = Σ count · price` over the [`PARTS`] of a model, which [`parts`] counts from its header. The prices
//! of each core and precision ([`CORES`]) were fitted by least squares of relative errors to exact counts of random
//! models on emulated cores, by `cargo xtask bench --costs`. On models that were not fitted, the sum is within 5 % of
//! the exact count, as a test shows; but for `f32` on cores without an FPU, where they depend on the numbers and the
//! sum may be two fifths beside it. It counts [`eval_into`](firmware_core::Model::eval_into): from one point to its
//! outputs, both in the user's units.

#[allow(clippy::approx_constant, reason = "a price can come near a constant by chance")]
mod table;

use firmware_core::artifact::{GridShape, GridUse, Header, HiddenActivation};
use firmware_core::{OutputActivation, Precision};

pub use self::table::CORES;

/// Rows of a block of weights, and inputs of a group: see [`firmware_core::layout`].
const BLOCK: usize = 4;
const GROUP: usize = 8;

/// The parts of an evaluation that have a price, in the order of [`parts`].
pub const PARTS: [&str; 46] = [
    "evaluation",
    "input",
    "output",
    "sigmoid",
    "sigmoid output",
    "passthrough",
    "passthrough input",
    "frequency",
    "frequency of one input",
    "frequency of two inputs",
    "frequency of two inputs, of a multiple of four",
    "frequency × input",
    "frequency, one by one",
    "frequency × input, one by one",
    "layer",
    "block of four rows",
    "block × group of eight inputs",
    "block × 32 inputs",
    "block × odd group",
    "hidden block, ReLU",
    "hidden block, sine",
    "grids",
    "level, linear",
    "level, quadratic",
    "channel of bytes, linear",
    "channel of bytes, quadratic",
    "channel of bits, linear",
    "channel of bits, quadratic",
    "channel over one axis, linear",
    "channel over one axis, quadratic",
    "surface of three axes or more",
    "sum over an outer axis",
    "level × axis",
    "sum, linear",
    "sum, quadratic",
    "node",
    "level of bytes over two axes, linear",
    "level of bytes over two axes, quadratic",
    "feature of bytes over two axes, linear",
    "feature of bytes over two axes, quadratic",
    "single channel of bits, linear",
    "single channel of bits, quadratic",
    "single channel over one axis, linear",
    "single channel over one axis, quadratic",
    "half block",
    "half block × group of eight inputs",
];

/// The prices of the parts, in instructions.
pub type Prices = [f64; PARTS.len()];

/// A core whose instructions were counted.
#[derive(Debug)]
pub struct Core {
    /// The board that QEMU emulates, such as `mps2-an386`.
    pub board: &'static str,
    /// The name of the core, such as `Cortex-M4F`.
    pub name: &'static str,
    /// Prices in `f32`, `w8a16` and `w16a16`.
    pub prices: [Prices; 3],
}

/// No core is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no board is called {name:?}; choose one of {}", names())]
pub struct UnknownBoard {
    /// The name that was given.
    pub name: String,
}

fn names() -> String {
    CORES.iter().map(|core| format!("{} ({})", core.board, core.name)).collect::<Vec<_>>().join(", ")
}

impl Core {
    /// The core of a board, by the name of either.
    ///
    /// ```
    /// use trainer::design::cost::Core;
    /// assert_eq!(Core::find("mps2-an386")?.name, "Cortex-M4F");
    /// assert_eq!(Core::find("cortex-m0")?.board, "microbit");
    /// # Ok::<(), trainer::design::cost::UnknownBoard>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownBoard`], which names all.
    pub fn find(name: &str) -> Result<&'static Self, UnknownBoard> {
        let is_named = |core: &&Self| core.board == name || core.name.eq_ignore_ascii_case(name);
        CORES.iter().find(is_named).ok_or_else(|| UnknownBoard { name: name.to_owned() })
    }

    /// Instructions of one evaluation, estimated.
    #[must_use]
    pub fn instructions(&self, header: &Header) -> f64 {
        let prices = &self.prices[place(header.precision)];
        parts(header).iter().zip(prices).map(|(count, price)| count * price).sum()
    }
}

/// The place of a precision in [`Core::prices`].
#[must_use]
pub const fn place(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 0,
        Precision::W8A16 => 1,
        Precision::W16A16 => 2,
    }
}

/// How often an evaluation does each of the [`PARTS`].
#[must_use]
pub fn parts(header: &Header) -> Prices {
    let mut counts = Counts([0.0; PARTS.len()]);
    counts.ends(header);
    counts.frequencies(header);
    let features = match header.grid {
        None => 2 * usize::from(header.frequencies) + usize::from(header.passthrough),
        Some(grid) => {
            counts.grids(header, &grid);
            if header.hidden.is_empty() && grid.used_as == GridUse::Outputs {
                return counts.0;
            }
            grid.features()
        }
    };
    counts.layers(header, features);
    counts.0
}

/// Counts of the [`PARTS`] that grow.
struct Counts(Prices);

impl Counts {
    fn put(&mut self, part: &str, count: usize) {
        let place = PARTS.iter().position(|name| *name == part).expect("a part of the list");
        self.0[place] += count as f64;
    }

    /// What every evaluation begins and ends with.
    fn ends(&mut self, header: &Header) {
        let outputs = usize::from(header.outputs);
        self.put("evaluation", 1);
        self.put("input", usize::from(header.inputs));
        self.put("output", outputs);
        if header.activation == OutputActivation::Sigmoid {
            self.put("sigmoid", 1);
            self.put("sigmoid output", outputs);
        }
    }

    /// Fourier features, and inputs that are passed through.
    fn frequencies(&mut self, header: &Header) {
        let inputs = usize::from(header.inputs);
        let (frequencies, passthrough) = (usize::from(header.frequencies), usize::from(header.passthrough));
        self.put("passthrough", passthrough.min(1));
        self.put("passthrough input", passthrough);
        if frequencies.is_multiple_of(2) {
            self.put("frequency", frequencies);
            self.put("frequency × input", frequencies * inputs);
            match inputs {
                1 => self.put("frequency of one input", frequencies),
                2 => self.put("frequency of two inputs", frequencies),
                _ => {}
            }
            if inputs == 2 && frequencies.is_multiple_of(4) {
                self.put("frequency of two inputs, of a multiple of four", frequencies);
            }
        } else {
            // Kernels encode pairs; what cannot be paired goes through the portable code.
            self.put("frequency, one by one", frequencies);
            self.put("frequency × input, one by one", frequencies * inputs);
        }
    }

    /// Grids before a network, or a table.
    fn grids(&mut self, header: &Header, grid: &GridShape) {
        let inputs = usize::from(header.inputs);
        let (levels, channels, side) =
            (usize::from(grid.levels), usize::from(grid.channels), usize::from(grid.order) + 1);
        self.put("grids", 1);
        self.put("level × axis", levels * inputs);
        let by_order = |linear: &'static str, quadratic: &'static str| if grid.order == 1 { linear } else { quadratic };
        // Assembly takes surfaces of two axes: all levels and channels at once, or one for each node of the axes
        // before.
        let values = levels * channels;
        let surfaces = values * side.pow(inputs.saturating_sub(2) as u32);
        let level = by_order("level, linear", "level, quadratic");
        self.put(level, if inputs > 2 { surfaces } else { levels });
        if inputs == 1 {
            self.put(by_order("channel over one axis, linear", "channel over one axis, quadratic"), values);
        } else if grid.bits == 8 {
            self.put(by_order("channel of bytes, linear", "channel of bytes, quadratic"), surfaces);
        } else {
            self.put(by_order("channel of bits, linear", "channel of bits, quadratic"), surfaces);
        }
        // Of one channel the coefficients of a row lie side by side, and come by one load.
        if channels == 1 && inputs == 1 {
            let part = by_order("single channel over one axis, linear", "single channel over one axis, quadratic");
            self.put(part, levels);
        } else if channels == 1 && grid.bits != 8 {
            self.put(by_order("single channel of bits, linear", "single channel of bits, quadratic"), surfaces);
        }
        if inputs > 2 {
            let sums = (0..inputs as u32 - 2).map(|axis| side.pow(axis)).sum::<usize>();
            self.put("surface of three axes or more", surfaces);
            self.put("sum over an outer axis", values * sums);
        }
        // ARMv6-M has assembly for these alone.
        if inputs == 2 && grid.bits == 8 && grid.used_as == GridUse::Features {
            let level = by_order("level of bytes over two axes, linear", "level of bytes over two axes, quadratic");
            self.put(level, levels);
            let feature =
                by_order("feature of bytes over two axes, linear", "feature of bytes over two axes, quadratic");
            self.put(feature, values);
        }
        // Portable code takes a sum along each axis for every node of the axes before it.
        let sums: usize = (0..inputs as u32).map(|axis| side.pow(axis)).sum();
        self.put(by_order("sum, linear", "sum, quadratic"), values * sums);
        self.put("node", values * side.pow(inputs as u32));
    }

    /// The network on so many features.
    fn layers(&mut self, header: &Header, mut features: usize) {
        let rows = header.hidden.iter().map(|&width| usize::from(width)).chain([usize::from(header.outputs)]);
        for (layer, rows) in rows.enumerate() {
            let (blocks, is_hidden) = (rows.div_ceil(BLOCK), layer < header.hidden.len());
            // In single precision inputs are not in groups.
            let group = if header.precision == Precision::F32 { 1 } else { GROUP };
            let groups = features.div_ceil(group);
            self.put("layer", 1);
            self.put("block of four rows", blocks);
            self.put("block × group of eight inputs", blocks * groups);
            self.put("block × 32 inputs", blocks * features.div_ceil(4 * group));
            self.put("block × odd group", blocks * (groups % 2));
            // A last block of one or two rows, whose other rows ARMv6-M leaves out.
            if matches!(rows % BLOCK, 1 | 2) {
                self.put("half block", 1);
                self.put("half block × group of eight inputs", groups);
            }
            if is_hidden {
                let is_sine = header.hidden_activation == HiddenActivation::Sine;
                self.put(if is_sine { "hidden block, sine" } else { "hidden block, ReLU" }, blocks);
            }
            features = rows;
        }
    }
}
