//! What cargo builds for the trainer alone and for the whole workspace is the same, so that it is built once. The
//! packages can be published, with all that belongs into them.

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

/// The files that cargo packs of a package.
fn packed(package: &str) -> Vec<String> {
    let mut command = process::cargo("package");
    command.args(["--package", package, "--list", "--allow-dirty"]).current_dir(firmware::workspace());
    process::capture(&mut command).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_package_holds_its_readme_its_licences_and_no_pictures() {
    for package in ["firmware-core", "trainer"] {
        let files = packed(package);
        for needed in ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.iter().any(|file| file == needed), "{package} lacks {needed}: {files:?}");
        }
        assert!(files.iter().all(|file| !file.starts_with("figures") && !file.starts_with("target")), "{files:?}");
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let read = |path: &str| std::fs::read(firmware::workspace().join(path)).unwrap();
            assert_eq!(read(&format!("{package}/{licence}")), read(licence), "{package}/{licence}");
        }
    }
}

/// What the registry asks of a package; nothing is compiled or uploaded.
#[test]
fn the_packages_can_be_published() {
    let mut command = process::cargo("publish");
    command.args(["--dry-run", "--no-verify", "--allow-dirty", "--package", "firmware-core", "--package", "trainer"]);
    process::run(command.arg("--quiet").current_dir(firmware::workspace())).unwrap();
}
