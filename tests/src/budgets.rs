//! What the library may cost on a device. `tests/tests/budgets.rs` holds it to these; a change that goes beyond makes
//! the library smaller, not the budget larger.

use firmware_core::Precision;

/// Flash of the evaluation of a parsed model in one precision on the Cortex-M4F:
/// [`Scope::Evaluation`](crate::minimal::Scope::Evaluation).
pub const EVALUATION_FLASH_BYTES: u64 = 3 << 10;

/// The same with sine layers built in.
pub const SINE_EVALUATION_FLASH_BYTES: u64 = 3328;

/// The same as the first with grids built in.
pub const GRID_EVALUATION_FLASH_BYTES: u64 = 4 << 10;

/// RAM of the small reference network beside the model, one point at a time: scratch, outputs and variables of the
/// library.
///
/// 128 features and 64 activations alone are 384 bytes as halfwords, and 768 in single precision.
pub const fn small_network_ram_bytes(precision: Precision) -> u64 {
    match precision {
        Precision::W8A16 | Precision::W16A16 => 600,
        Precision::F32 => 800,
    }
}

/// Flash of updates in `w8a16` on a board, without and with signatures by `ed25519-dalek`:
/// [`Scope::Update`](crate::minimal::Scope::Update). firmware-cortexm's README tells what the programs have. With
/// signatures that depends on how much of `curve25519-dalek` the compiler's version inlines: up to 12,000 bytes on a
/// Cortex-M0.
pub const UPDATE_FLASH_BYTES: [(&str, [u64; 2]); 2] =
    [("microbit", [22_000, 84_000]), ("mps2-an386", [22_000, 84_000])];

/// The deepest stack of an update with signatures by `ed25519-dalek`, from the decision at boot to the answer that the
/// new model is current, with the `Updater` itself; and the bytes of the `Updater` alone.
pub const UPDATE_STACK_BYTES: [u64; 2] = [12 << 10, 1 << 10];

/// What a program has where something allocates.
pub const HEAP_SYMBOLS: [&str; 8] =
    ["__rust_alloc", "__rust_realloc", "__rust_dealloc", "__rg_alloc", "__rdl_alloc", "malloc", "calloc", "free"];
