//! The checks of weights: what makes an evaluation unable to overflow.

use crate::artifact::{GridUse, Header, HiddenActivation, LayerShape};
use crate::coordinate::Outside;
use crate::error::ParseError;
use crate::fixed::{ACTIVATION_MAX, ONE};
use crate::grid::Grids;
use crate::layout::{BLOCK_ROWS, block_words, layer_words, unpack_rows};
use crate::limits::MAX_CODE_BITS;
use crate::output::OutputActivation;
use crate::precision::Precision;

/// Checks all layers, of which `words` are the blocks; the largest magnitude that a raw output can have.
pub(super) fn layers(header: &Header, precision: Precision, mut words: &[u32]) -> Result<f32, ParseError> {
    // The largest magnitude that a layer's input can have; only f32 needs to follow it.
    let mut magnitude = 32_767.0;
    for (l, shape) in header.layers().enumerate() {
        let len = layer_words(precision, shape.inputs, shape.rows);
        let (layer, rest) = words.split_at_checked(len).ok_or(ParseError::Truncated)?;
        words = rest;
        let mut largest = 0.0f32;
        for (b, block) in layer.chunks_exact(block_words(precision, shape.inputs).max(1)).enumerate() {
            let rows = shape.rows.saturating_sub(b * BLOCK_ROWS);
            if precision == Precision::F32 {
                largest = largest.max(f32_block(block, rows, magnitude)?);
            } else {
                integer_block(block, precision, shape, rows)?;
            }
        }
        magnitude = largest;
        if header.hidden_activation == HiddenActivation::Sine && l < header.hidden.len() {
            // Turns, of which fixed::phase_of_turns takes the whole part as i32.
            if largest >= 2_147_483_648.0 {
                return Err(ParseError::Overflow);
            }
            magnitude = ONE as f32;
        }
    }
    if !words.is_empty() {
        return Err(ParseError::TrailingBytes);
    }
    Ok(match (header.activation, precision) {
        (OutputActivation::Sigmoid, _) => 65_536.0,
        (OutputActivation::Linear, Precision::F32) => magnitude,
        (OutputActivation::Linear, _) => 2_147_483_648.0,
    })
}

/// Whether the header has codes for no axis, or a width for each of them and not only zeros.
pub(super) fn codes_fit(header: &Header) -> bool {
    let bits = &header.code_bits;
    bits.is_empty()
        || (bits.len() == usize::from(header.inputs)
            && bits.iter().all(|&bits| bits <= MAX_CODE_BITS)
            && bits.iter().any(|&bits| bits > 0))
}

/// Checks the grids at the front of `words`; the words behind them.
pub(super) fn grids<'a>(header: &Header, words: &'a [u32]) -> Result<(Grids<'a>, &'a [u32]), ParseError> {
    let Some(shape) = header.grid.filter(|_| cfg!(feature = "grid")) else { return Err(ParseError::Grids) };
    let fits = match shape.used_as {
        GridUse::Features => true,
        GridUse::Outputs => {
            shape.levels == 1
                && shape.channels == header.outputs
                && header.hidden.is_empty()
                && header.activation == OutputActivation::Linear
                && header.hidden_activation == HiddenActivation::Relu
                && header.precision != Precision::F32
        }
    };
    if !fits || header.frequencies != 0 || header.passthrough != 0 {
        return Err(ParseError::Shape);
    }
    let inputs = usize::from(header.inputs);
    let periodic = (0..inputs)
        .fold(0, |axes, k| axes | u16::from(header.outside_along(k) == Outside::Periodic).wrapping_shl(k as u32));
    Grids::split(shape, inputs, periodic, words)
}

/// Checks a block of an integer layer, of which the first `rows` rows are real.
fn integer_block(block: &[u32], precision: Precision, shape: LayerShape, rows: usize) -> Result<(), ParseError> {
    let LayerShape { inputs, takes_multiplier, .. } = shape;
    let parts = block.split_first_chunk::<BLOCK_ROWS>().and_then(|(bias, rest)| {
        let (weights, multiplier) = rest.split_last_chunk::<BLOCK_ROWS>()?;
        Some((bias, weights, multiplier))
    });
    let (bias, weights, multiplier) = parts.ok_or(ParseError::Truncated)?;
    let mut sums = [0u64; BLOCK_ROWS];
    let mut take = |row: usize, k: usize, weight: i32| {
        let padding = row >= rows || k >= inputs;
        if padding && weight != 0 {
            return Err(ParseError::Weight);
        }
        if let Some(sum) = sums.get_mut(row) {
            *sum += u64::from(weight.unsigned_abs());
        }
        Ok(())
    };
    let halfwords: &[i16] = bytemuck::cast_slice(weights);
    for (i, &halfword) in halfwords.iter().enumerate() {
        if precision == Precision::W8A16 {
            let (row, k) = (2 * (i / 4 % 2), i / 8 * 4 + i % 4);
            let (even, odd) = unpack_rows(halfword);
            if even == -128 || odd.abs() > 127 {
                return Err(ParseError::Weight);
            }
            take(row, k, even)?;
            take(row + 1, k, odd)?;
        } else {
            take(i / 2 % BLOCK_ROWS, i / (2 * BLOCK_ROWS) * 2 + i % 2, i32::from(halfword))?;
        }
    }
    for (row, ((&sum, &bias), &multiplier)) in sums.iter().zip(bias).zip(multiplier).enumerate() {
        let (bias, multiplier) = (bias as i32, multiplier as i32);
        if multiplier < 0 || (multiplier != 0 && !takes_multiplier) || (row >= rows && (bias != 0 || multiplier != 0)) {
            return Err(ParseError::Weight);
        }
        if sum * ACTIVATION_MAX as u64 + u64::from(bias.unsigned_abs()) > i32::MAX as u64 {
            return Err(ParseError::Overflow);
        }
    }
    Ok(())
}

/// Checks a block of an `f32` layer, of which the first `rows` rows are real; the largest magnitude that one of its
/// outputs can have.
fn f32_block(block: &[u32], rows: usize, magnitude: f32) -> Result<f32, ParseError> {
    let mut sums = [0.0f32; BLOCK_ROWS];
    for (i, &word) in block.iter().enumerate() {
        let value = f32::from_bits(word);
        if !value.is_finite() || (i % BLOCK_ROWS >= rows && word != 0) {
            return Err(ParseError::Weight);
        }
        if let Some(sum) = sums.get_mut(i % BLOCK_ROWS) {
            *sum += if i < BLOCK_ROWS { value.abs() } else { value.abs() * magnitude };
        }
    }
    // One part in a thousand for the roundings; the limit leaves room for a step's product.
    let largest = sums.iter().fold(0.0f32, |largest, &sum| if sum > largest { sum } else { largest }) * 1.001;
    if sums.iter().all(|sum| sum.is_finite()) && largest < 1e37 { Ok(largest) } else { Err(ParseError::Overflow) }
}
