//! Models that differ from an input in one to three places: most of the executions, since each costs much less than an
//! input of libFuzzer.
//!
//! They are made from the input alone, so that an input that libFuzzer reports fails again.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::{cast_slice, cast_slice_mut};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};
use firmware_core::{EvalError, Model};

use crate::seal;

/// Bytes of all neighbours of an input together: short inputs have more neighbours.
const BYTES: usize = 1 << 18;
/// Neighbours of more multiplications are parsed only.
const MOST_MACS: usize = 1000;
/// The first byte behind the checksum.
const CONTENTS: usize = 16;
/// Where the header ends, or a little behind: a quarter of all changes are before.
const HEADER: usize = 64;
/// Executions from one report to the next; before, each power of two is reported, so that short runs tell too.
const REPORT: u64 = 1 << 16;

/// Counts an execution of `parse`, and whether it has found a model. Every so often, standard error is told how many
/// there have been: `cargo xtask fuzz` reads it.
pub fn count(is_model: bool) {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
    static MODELS: AtomicU64 = AtomicU64::new(0);
    let models = MODELS.fetch_add(u64::from(is_model), Ordering::Relaxed) + u64::from(is_model);
    let executions = EXECUTIONS.fetch_add(1, Ordering::Relaxed) + 1;
    if executions.is_multiple_of(REPORT) || executions.is_power_of_two() {
        eprintln!("executions: {executions} models: {models}");
    }
}

/// Parses and evaluates the neighbours of a sealed artifact.
pub fn try_all(words: &mut [u32]) {
    let len = 4 * words.len();
    if len <= CONTENTS {
        return;
    }
    let mut random = Random(u64::from(words[3]));
    for _ in 0..(BYTES / len).clamp(16, 1024) {
        let mut changed = [(0, 0); 3];
        let changes = 1 + random.below(changed.len()) * random.below(2);
        for change in &mut changed[..changes] {
            *change = change_a_byte(cast_slice_mut(words), &mut random);
        }
        seal(words);
        let parsed = Model::parse(cast_slice(words));
        count(parsed.is_ok());
        if let Ok(model) = parsed {
            evaluate(&model, &mut random);
        }
        for &(place, old) in changed[..changes].iter().rev() {
            cast_slice_mut::<u32, u8>(words)[place] = old;
        }
    }
}

/// The place and what was there.
fn change_a_byte(bytes: &mut [u8], random: &mut Random) -> (usize, u8) {
    let end = if random.below(4) == 0 { bytes.len().min(HEADER) } else { bytes.len() };
    let place = CONTENTS + random.below(end - CONTENTS);
    let old = bytes[place];
    bytes[place] = match random.below(4) {
        0 => old ^ 1 << random.below(8),
        1 => old.wrapping_add(1),
        2 => old.wrapping_sub(1),
        _ => [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
    };
    (place, old)
}

/// One point in fixed point by the fast kernels and the portable ones, and one in the user's units.
fn evaluate(model: &Model<'_>, random: &mut Random) {
    thread_local! {
        static SCRATCH: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }
    if model.macs() > MOST_MACS {
        return;
    }
    let (d, c) = (model.inputs(), model.outputs());
    let coordinates: [u32; MAX_INPUTS] = std::array::from_fn(|_| random.bits() as u32);
    let point = coordinates.map(f32::from_bits);
    let (mut fast, mut portable, mut out) = ([0; MAX_OUTPUTS], [0; MAX_OUTPUTS], [0.0; MAX_OUTPUTS]);
    SCRATCH.with_borrow_mut(|scratch| {
        // Nothing of other models is left in it, so that a fault that reads it comes from the input alone.
        scratch.clear();
        scratch.resize(model.scratch_words(), 0xa5a5_a5a5);
        model.eval_fixed_into(&coordinates[..d], scratch, &mut fast[..c]).expect("sound lengths");
        model.eval_fixed_portable_into(&coordinates[..d], scratch, &mut portable[..c]).expect("sound lengths");
        assert_eq!(fast, portable, "at {:?}", &coordinates[..d]);
        match model.eval_into(&point[..d], scratch, &mut out[..c]) {
            Ok(()) => assert!(out.iter().all(|value| value.is_finite()), "{out:?}"),
            Err(error) => assert!(matches!(error, EvalError::OutsideDomain), "{error:?}"),
        }
    });
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one.
    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }
}
