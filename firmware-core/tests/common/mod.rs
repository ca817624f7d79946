//! Random networks, and their evaluation straight from the specification, without any of the crate's kernels.

#![allow(dead_code, unreachable_pub, reason = "shared by test binaries, each of which uses a part")]

use firmware_core::artifact::{GridShape, GridUse, Header, HiddenActivation};
use firmware_core::write::{self, Description, FloatLayer, GridLevel, IntegerLayer, Layers};
use firmware_core::{Axis, Encoding, OutputActivation, OutputMap, Outside, Precision, WriteError};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }

    /// Uniform in -limit ..= limit.
    pub fn within(&mut self, limit: i32) -> i32 {
        (self.word() % (2 * limit as u32 + 1)) as i32 - limit
    }

    /// Uniform in [-1, 1).
    pub fn unit(&mut self) -> f32 {
        self.word() as f32 / 2_147_483_648.0 - 1.0
    }
}

/// The sine of a phase as `fixed::trig` describes it, in 64 bits: the phase folded to a quarter turn, and Horner's
/// rule.
fn sine_by_specification(phase: u32) -> i32 {
    let shifted = i64::from(phase.wrapping_sub(1 << 30) as i32);
    let z = (1 << 30) - if shifted < 0 { -1 - shifted } else { shifted };
    let high = |a: i64, b: i64| (a * b + (1 << 31)) >> 32;
    let square = high(z, z);
    let sum = [2_665_261, -1_354_491, 205_880].into_iter().fold(-2_325_882, |sum, term| term + high(sum, square));
    high(sum, z) as i32
}

/// One layer's numbers: `weights` `[rows, n]`.
pub struct Numbers {
    pub integer_weights: Vec<i16>,
    pub integer_bias: Vec<i32>,
    pub multiplier: Vec<i32>,
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// One grid's numbers: `coefficients` `[n_0, …, n_{d-1}, channels]`.
#[derive(Clone)]
pub struct GridNumbers {
    pub nodes: Vec<u32>,
    pub cells: Vec<u32>,
    pub coefficients: Vec<i8>,
}

impl GridNumbers {
    pub fn random(random: &mut Random, inputs: usize, grid: GridShape, periodic: u16) -> Self {
        let order = u32::from(grid.order);
        let nodes: Vec<u32> = (0..inputs).map(|_| order + 1 + random.word() % if cfg!(miri) { 2 } else { 5 }).collect();
        let cells = nodes.iter().enumerate();
        let cells = cells.map(|(k, &nodes)| {
            if periodic >> k & 1 == 1 {
                nodes << 16
            } else {
                // Whole numbers of cells, and others.
                ((nodes - order) << 16) - random.word() % 2 * (random.word() % (1 << 16))
            }
        });
        let cells = cells.collect();
        let len = nodes.iter().product::<u32>() * u32::from(grid.channels);
        let limit = (1 << (grid.bits - 1)) - 1;
        let coefficients = (0..len).map(|_| random.within(limit) as i8).collect();
        Self { nodes, cells, coefficients }
    }

    pub fn level(&self) -> GridLevel<'_> {
        GridLevel { nodes: &self.nodes, cells: &self.cells, coefficients: &self.coefficients }
    }

    /// The words of an artifact, bit by bit.
    pub fn words(&self, grid: GridShape) -> Vec<u32> {
        let mut words: Vec<u32> = self.nodes.iter().zip(&self.cells).flat_map(|(&n, &cells)| [n, cells]).collect();
        let coefficients = self.coefficients.iter();
        let bits: Vec<u32> = coefficients.flat_map(|&q| (0..grid.bits).map(move |bit| q as u32 >> bit & 1)).collect();
        words.extend(bits.chunks(32).map(|bits| bits.iter().rev().fold(0, |word, bit| word << 1 | bit)));
        words
    }

    /// The sum of each channel by the specification: all coefficients at once, then one axis after another.
    pub fn sums(&self, grid: GridShape, coordinates: &[u32]) -> Vec<i64> {
        let taps = usize::from(grid.order) + 1;
        let mut axes = Vec::new();
        for ((&nodes, &cells), &v) in self.nodes.iter().zip(&self.cells).zip(coordinates) {
            let p = (u128::from(v) * u128::from(cells)) >> 32;
            let (i, f) = ((p >> 16) as u32, ((p & 0xffff) >> 1) as i64);
            let weights = if grid.order == 1 {
                vec![32_768 - f, f]
            } else {
                let (first, last) = (((32_768 - f) * (32_768 - f)) >> 16, (f * f) >> 16);
                vec![first, 32_768 - first - last, last]
            };
            axes.push((nodes as usize, i as usize, weights));
        }
        let channels = usize::from(grid.channels);
        (0..channels)
            .map(|channel| {
                let corners = taps.pow(axes.len() as u32);
                let mut values: Vec<i64> = (0..corners)
                    .map(|corner| {
                        let mut node = 0;
                        for (k, (nodes, first, _)) in axes.iter().enumerate() {
                            let tap = corner / taps.pow((axes.len() - 1 - k) as u32) % taps;
                            node = node * nodes + (first + tap) % nodes;
                        }
                        i64::from(self.coefficients[node * channels + channel]) << (16 - grid.bits)
                    })
                    .collect();
                for (k, (_, _, weights)) in axes.iter().enumerate().rev() {
                    values = values
                        .chunks(taps)
                        .map(|values| values.iter().zip(weights).map(|(value, weight)| value * weight).sum())
                        .map(|sum: i64| if k > 0 { (sum + (1 << 14)) >> 15 } else { sum })
                        .collect();
                }
                values[0]
            })
            .collect()
    }
}

fn write(description: &Description<'_>) -> Result<Vec<u32>, WriteError> {
    let mut out = vec![0u32; write::artifact_len(description)? / 4];
    let len = write::artifact(description, &mut [0; 8192], bytemuck::cast_slice_mut(&mut out))?;
    assert_eq!(len, 4 * out.len());
    Ok(out)
}

/// Puts the right checksum over changed contents, so that the checks behind it are reached.
pub fn resealed(mut words: Vec<u32>) -> Vec<u32> {
    let bytes: &[u8] = bytemuck::cast_slice(&words);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&bytes[..12]);
    digest.update(&bytes[16..]);
    words[3] = digest.finalize();
    words
}

/// A network with everything that its artifact needs.
pub struct Network {
    pub header: Header,
    pub axes: Vec<Axis>,
    pub output_maps: Vec<OutputMap>,
    pub frequencies: Vec<i32>,
    pub grids: Vec<GridNumbers>,
    pub layers: Vec<Numbers>,
}

pub struct Shape<'a> {
    pub precision: Precision,
    pub activation: OutputActivation,
    pub inputs: u8,
    pub frequencies: u16,
    pub passthrough: u8,
    pub hidden: &'a [u16],
    pub outputs: u8,
}

impl Network {
    pub fn random(shape: &Shape<'_>, seed: u64) -> Self {
        let mut random = Random(seed);
        let header = Header {
            precision: shape.precision,
            outside: Outside::Clamp,
            periodic: 0,
            hidden_activation: HiddenActivation::Relu,
            grid: None,
            code_bits: Default::default(),
            activation: shape.activation,
            inputs: shape.inputs,
            outputs: shape.outputs,
            frequencies: shape.frequencies,
            passthrough: shape.passthrough,
            hidden: shape.hidden.iter().copied().collect(),
            training_psnr_db: 30.0,
            quantization_loss_db: 0.1,
        };
        let mut n = 2 * usize::from(shape.frequencies) + usize::from(shape.passthrough);
        let widths: Vec<usize> =
            shape.hidden.iter().map(|&width| usize::from(width)).chain([usize::from(shape.outputs)]).collect();
        let mut layers = Vec::new();
        for (l, &rows) in widths.iter().enumerate() {
            // As large as the accumulator allows.
            let limit = match shape.precision {
                Precision::W8A16 => 127,
                _ => (65_000 / n as i32).min(32_767),
            };
            let multiplied = l < shape.hidden.len() || shape.activation == OutputActivation::Sigmoid;
            let gain = (2.0 / n as f32).sqrt();
            layers.push(Numbers {
                integer_weights: (0..rows * n).map(|_| random.within(limit) as i16).collect(),
                integer_bias: (0..rows).map(|_| random.within(8_000_000)).collect(),
                multiplier: (0..if multiplied { rows } else { 0 })
                    .map(|_| (80_000_000.0 * 127.0 / limit as f32 / (n as f32).sqrt()) as i32 + random.within(1000))
                    .collect(),
                weights: (0..rows * n)
                    .map(|_| random.unit() * gain * if l == 0 { 1.0 / 32767.0 } else { 1.0 })
                    .collect(),
                bias: (0..rows).map(|_| random.unit() * 0.1).collect(),
            });
            n = rows;
        }
        Self {
            header,
            axes: (0..shape.inputs).map(|_| Axis::new(-1.0, 2.0, 3.5)).collect(),
            output_maps: (0..shape.outputs).map(|c| OutputMap { scale: 1e-6, offset: f32::from(c) }).collect(),
            frequencies: (0..usize::from(shape.frequencies) * usize::from(shape.inputs))
                .map(|_| random.within(30 << 16))
                .collect(),
            grids: Vec::new(),
            layers,
        }
    }

    /// The same with random grids in place of frequencies, which wrap along the axes in `periodic`.
    pub fn with_grid(shape: &Shape<'_>, grid: GridShape, periodic: u16, seed: u64) -> Self {
        // As many coordinates that are passed through as the grids have features: layers of the same sizes.
        let features = grid.levels * grid.channels;
        let mut network = Self::random(&Shape { frequencies: 0, passthrough: features, ..*shape }, seed);
        network.header = Header { passthrough: 0, grid: Some(grid), periodic, ..network.header };
        if grid.used_as == GridUse::Outputs {
            network.layers.clear();
        }
        let mut random = Random(seed ^ 0x9d);
        network.grids = (0..grid.levels)
            .map(|_| GridNumbers::random(&mut random, usize::from(shape.inputs), grid, periodic))
            .collect();
        network
    }

    /// The artifact, in words so that it is aligned.
    pub fn artifact(&self, text: &str) -> Vec<u32> {
        self.try_artifact(text).unwrap()
    }

    /// The same, or why it cannot be written.
    pub fn try_artifact(&self, text: &str) -> Result<Vec<u32>, WriteError> {
        let grids: Vec<_> = self.grids.iter().map(GridNumbers::level).collect();
        let description = |layers| Description {
            header: &self.header,
            axes: &self.axes,
            output_maps: &self.output_maps,
            frequencies: &self.frequencies,
            grids: &grids,
            text,
            layers,
        };
        if self.header.precision == Precision::F32 {
            let layers: Vec<_> =
                self.layers.iter().map(|layer| FloatLayer { weights: &layer.weights, bias: &layer.bias }).collect();
            write(&description(Layers::Float(&layers)))
        } else {
            let layers: Vec<_> = self
                .layers
                .iter()
                .map(|layer| IntegerLayer {
                    weights: &layer.integer_weights,
                    bias: &layer.integer_bias,
                    multiplier: &layer.multiplier,
                })
                .collect();
            write(&description(Layers::Integer(&layers)))
        }
    }

    /// Raw outputs by the specification: plain loops over row-major weights.
    pub fn raw(&self, coordinates: &[u32]) -> Vec<i32> {
        if let Some(grid) = self.header.grid {
            let sums: Vec<i64> = self.grids.iter().flat_map(|level| level.sums(grid, coordinates)).collect();
            if grid.used_as == GridUse::Outputs {
                return sums.iter().map(|&sum| sum as i32).collect();
            }
            let features = sums.iter().map(|sum| (sum + (1 << 14)) >> 15);
            return self.raw_of_features(&features.map(|feature| feature as i16).collect::<Vec<_>>());
        }
        let encoding = Encoding::new(self.axes.len(), &self.frequencies, usize::from(self.header.passthrough)).unwrap();
        let mut features = vec![0i16; encoding.features_len()];
        encoding.encode_into(coordinates, &mut features);
        self.raw_of_features(&features)
    }

    fn raw_of_features(&self, features: &[i16]) -> Vec<i32> {
        if self.header.precision == Precision::F32 {
            let x = features.iter().map(|&feature| f32::from(feature)).collect();
            return self.raw_f32(x);
        }
        let mut x: Vec<i64> = features.iter().map(|&feature| i64::from(feature)).collect();
        for (l, layer) in self.layers.iter().enumerate() {
            let rows = layer.integer_bias.len();
            x = (0..rows)
                .map(|r| {
                    let weights = &layer.integer_weights[r * x.len()..(r + 1) * x.len()];
                    let sum: i64 = weights.iter().zip(&x).map(|(&w, x)| i64::from(w) * x).sum();
                    let accumulator = i64::from(layer.integer_bias[r]) + sum;
                    assert!(i32::try_from(accumulator).is_ok());
                    let scaled = layer.multiplier.get(r).map(|&m| (accumulator * i64::from(m) + (1 << 31)) >> 32);
                    match (scaled, l + 1 < self.layers.len()) {
                        (Some(_), true) if self.has_sines() => {
                            let phase = accumulator.wrapping_mul(i64::from(layer.multiplier[r])) as u32;
                            i64::from(sine_by_specification(phase))
                        }
                        (Some(scaled), true) => scaled.clamp(0, 32_767),
                        (Some(logit), false) => i64::from(firmware_core::fixed::sigmoid(logit as i32)),
                        (None, _) => accumulator,
                    }
                })
                .collect();
        }
        x.into_iter().map(|raw| raw as i32).collect()
    }

    fn has_sines(&self) -> bool {
        self.header.hidden_activation == HiddenActivation::Sine
    }

    fn raw_f32(&self, mut x: Vec<f32>) -> Vec<i32> {
        for (l, layer) in self.layers.iter().enumerate() {
            x = (0..layer.bias.len())
                .map(|r| {
                    let mut sum = layer.bias[r];
                    for (weight, x) in layer.weights[r * x.len()..].iter().zip(&x) {
                        let product = weight * x;
                        sum += product;
                    }
                    match (l + 1 < self.layers.len(), self.header.activation) {
                        (true, _) if self.has_sines() => {
                            let turns = f64::from(sum).fract() * 2_147_483_648.0;
                            sine_by_specification(((turns as i64) << 1) as u32) as f32
                        }
                        (true, _) => {
                            if sum.is_sign_negative() {
                                0.0
                            } else {
                                sum
                            }
                        }
                        (false, OutputActivation::Linear) => sum,
                        (false, OutputActivation::Sigmoid) => {
                            firmware_core::fixed::sigmoid((sum * 16_384.0) as i32) as f32
                        }
                    }
                })
                .collect();
        }
        x.into_iter().map(|raw| raw.to_bits() as i32).collect()
    }
}
