//! Updates of a model on a simulated flash: cut at every operation, with hostile frames, and by the real signatures.

mod chip;
mod frames;
mod host;
mod power_cuts;
mod signatures;
mod slots;
