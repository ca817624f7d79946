//! Hostile bytes for a few seconds; `cargo xtask fuzz` goes on for as long as one likes.

use tests::commands::fuzz::{Target, fuzz};

#[test]
fn hostile_bytes_are_no_model_or_one_that_can_be_evaluated() {
    let executions = fuzz(Target::Model, 4).unwrap();
    assert!(executions.all > 1000 && executions.models.is_some_and(|models| models > 100), "{executions:?}");
}
