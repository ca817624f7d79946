//! The same bits on aarch64 and in WebAssembly.

use tests::commands::parity::PRECISIONS;
use tests::hosted::{CORES, Program};
use tests::synthetic::{Network, Values};
use tests::synthetic_grids;

/// Every example checks the known answers of each model before it answers.
#[test]
fn aarch64_and_webassembly_agree_in_every_precision() {
    for core in CORES {
        let program = Program::build(core).unwrap();
        for precision in PRECISIONS {
            let sines = Network { values: Values::Extreme, ..Network::tiny_sine(precision) };
            for network in [Network::tiny(precision), sines] {
                assert_eq!(program.check(&network, 4000, 1).unwrap(), 0, "{network:?} on {core:?}");
            }
        }
        for (name, network) in synthetic_grids::all_kinds(firmware_core::Precision::W8A16) {
            assert_eq!(program.check(&network, 600, 1).unwrap(), 0, "{name} on {core:?}");
        }
    }
}

#[test]
fn a_damaged_model_is_refused() {
    let artifact = Network::tiny(firmware_core::Precision::W8A16).artifact(1).unwrap();
    let mut bytes = artifact.as_bytes().to_vec();
    bytes[40] ^= 1;
    let damaged = trainer::artifact::export::Artifact::from_bytes(&bytes);
    let program = Program::build(tests::hosted::Core::Aarch64).unwrap();
    assert!(program.evaluate(&damaged, &[0.0; 4]).is_err());
}
