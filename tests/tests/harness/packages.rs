//! What cargo builds for the trainer alone and for the whole workspace is the same, so that it is built once.

use std::collections::HashMap;

use tests::{firmware, process};

/// The features of every package that `cargo tree` lists for the selected packages.
fn features(selection: &[&str]) -> HashMap<String, String> {
    let mut command = process::cargo("tree");
    command.args(selection).args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}|{f}"]);
    let text = process::capture(command.current_dir(firmware::workspace())).unwrap();
    // Packages seen before have a mark.
    let lines = text.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    lines.map(|(package, features)| (package.to_owned(), features.to_owned())).collect()
}

#[test]
fn the_trainer_needs_no_features_that_the_workspace_does_not_give_and_the_other_way_round() {
    let (alone, together) = (features(&["--package", "trainer"]), features(&["--workspace"]));
    assert!(alone.len() > 50, "{alone:?}");
    for (package, features) in alone {
        let remedy = "name the same features in trainer/Cargo.toml";
        assert_eq!(Some(&features), together.get(&package), "features of {package}: {remedy}");
    }
}
