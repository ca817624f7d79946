//! Places against the model's own view of its numbers, and shares that follow from the format.

use std::sync::atomic::AtomicBool;

use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::{Model, OutputActivation, Precision};

use super::places::{Part, Places};
use super::range::prove;
use super::report::quantile;
use crate::certify::tests::codes::of_codes;
use crate::certify::tests::common::{Network, Shape, resealed};

const PRECISIONS: [Precision; 3] = [Precision::W8A16, Precision::W16A16, Precision::F32];

/// Artifacts of every layout: rows and inputs that fill no block, grids, tables.
fn artifacts() -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for precision in PRECISIONS {
        let shape = Shape {
            precision,
            activation: OutputActivation::Linear,
            inputs: 2,
            frequencies: 5,
            passthrough: 1,
            hidden: &[7, 6],
            outputs: 2,
        };
        all.push(Network::random(&shape, 1).artifact("seed: 1\n"));
        all.push(Network::random(&Shape { activation: OutputActivation::Sigmoid, ..shape }, 2).artifact(""));
        let grid = GridShape { levels: 2, channels: 3, order: 2, bits: 5, used_as: GridUse::Features };
        all.push(Network::with_grid(&shape, grid, 0, 3).artifact("seed: 3\n"));
        if precision != Precision::F32 {
            let table = GridShape { levels: 1, channels: 2, used_as: GridUse::Outputs, ..grid };
            all.push(Network::with_grid(&Shape { hidden: &[], ..shape }, table, 1, 4).artifact(""));
        }
    }
    all
}

fn parsed(words: &[u32]) -> Option<Model<'_>> {
    Model::parse(bytemuck::cast_slice(words)).ok()
}

/// Every number of a model under its name, as the accessors of [`Model`] have it, by its bits.
fn numbers(model: &Model<'_>) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for (k, axis) in model.axes().enumerate() {
        for (which, value) in [("minimum", axis.minimum), ("maximum", axis.maximum), ("scale", axis.scale)] {
            all.push((format!("domain, {which} of input {k}"), value.to_bits().into()));
        }
    }
    for (k, map) in model.output_maps().enumerate() {
        all.push((format!("output map, scale of output {k}"), map.scale.to_bits().into()));
        all.push((format!("output map, offset of output {k}"), map.offset.to_bits().into()));
    }
    for (row, frequencies) in model.encoding().frequencies().chunks(model.inputs()).enumerate() {
        let named = frequencies.iter().enumerate();
        all.extend(named.map(|(axis, &b)| (format!("B [{row}, {axis}]"), b as u32 as u64)));
    }
    for (l, level) in model.grids().iter().flat_map(|grids| grids.levels()).enumerate() {
        let channels = model.grids().unwrap().shape().channels;
        let nodes: Vec<u32> = level.nodes().collect();
        for (k, cells) in level.cells().enumerate() {
            all.push((format!("grid {}, nodes of input {k}", l + 1), nodes[k].into()));
            all.push((format!("grid {}, cells of input {k}", l + 1), cells.into()));
        }
        let mut coefficients = level.coefficients();
        for x in 0..nodes[0] {
            for y in 0..nodes[1] {
                for channel in 0..channels {
                    let value = coefficients.next().unwrap();
                    all.push((format!("grid {}, coefficient [{x}, {y}, {channel}]", l + 1), value as u8 as u64));
                }
            }
        }
    }
    for (l, layer) in model.dense_layers().enumerate() {
        for row in 0..layer.rows() {
            all.push((format!("layer {}, bias [{row}]", l + 1), layer.bias(row).to_bits()));
            all.push((format!("layer {}, multiplier [{row}]", l + 1), layer.multiplier(row) as u32 as u64));
            for input in 0..layer.inputs() {
                let weight = layer.weight(row, input).to_bits();
                all.push((format!("layer {}, weight [{row}, {input}]", l + 1), weight.into()));
            }
        }
    }
    all
}

#[test]
fn a_flip_changes_the_number_that_it_is_named_after() {
    for words in artifacts() {
        let model = parsed(&words).unwrap();
        let places = Places::of(&model, bytemuck::cast_slice(&words));
        let before = numbers(&model);
        let bits = places.number_bits();
        // All but the text, which begins where the numbers end.
        assert_eq!(bits.end / 8 + model.text().len().next_multiple_of(4), 4 * words.len());
        assert!(places.place(bits.end).is_none());
        let (mut accepted, mut named) = (0, std::collections::BTreeSet::new());
        for bit in bits {
            let mut flipped = words.clone();
            flipped[bit / 32] ^= 1 << (bit % 32);
            let flipped = resealed(flipped);
            let place = places.place(bit).unwrap();
            named.insert(place.what.clone());
            let Some(after) = parsed(&flipped) else { continue };
            accepted += 1;
            assert_ne!(place.part, Part::Padding, "{place:?} is accepted");
            let after = numbers(&after);
            // A number of nodes changes how many coefficients there are.
            let changed: Vec<&str> = before
                .iter()
                .zip(&after)
                .filter(|(before, after)| before != after)
                .map(|((name, _), _)| name.as_str())
                .collect();
            let is_carried = model.header().precision == Precision::W8A16 && place.number_bit == 7;
            assert!(changed.contains(&place.what.as_str()), "{place:?} changes {changed:?}");
            assert!(changed.len() == 1 || (is_carried && changed.len() == 2), "{place:?} changes {changed:?}");
        }
        assert!(accepted > before.len(), "{accepted}");
        // No number is without a place; those that are always zero are padding.
        let mut missing = before.iter().filter(|(name, value)| !named.contains(name) && *value != 0);
        assert_eq!(missing.next(), None);
    }
}

#[test]
fn quantiles_are_numbers_that_so_many_do_not_exceed() {
    let numbers: Vec<f64> = (1..=200).map(f64::from).collect();
    assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&numbers, share)), [1.0, 100.0, 198.0, 200.0].map(Some));
    assert_eq!((quantile(&[3.0], 0.5), quantile(&[], 0.5)), (Some(3.0), None));
}

#[test]
fn an_enumeration_of_codes_ends_with_the_time_and_when_it_is_stopped() {
    let (never, at_once) = (AtomicBool::new(false), AtomicBool::new(true));
    let (few, many) = (of_codes(&[5, 3]), of_codes(&[12, 12]));
    let (few, many) = (parsed(&few).unwrap(), parsed(&many).unwrap());
    assert_eq!(prove(&few, 60.0, &never).unwrap().len(), few.outputs());
    let late = prove(&many, 0.01, &never).unwrap_err();
    assert_eq!(late, "not every code was evaluated within 0.01 s; give more --time");
    for model in [few, many] {
        assert!(prove(&model, 60.0, &at_once).is_err());
    }
}
