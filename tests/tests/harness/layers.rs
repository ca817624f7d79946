//! The picture of rooms in `tests/CONTRIBUTING.md` is true: every room of `trainer/src` stands on one of its floors,
//! and imports only from lower ones. The table of modules in `trainer/src/lib.rs` has the same floors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::{Source, imports, read, without_test_files};

/// The floor of each room, from 0 at the bottom.
type Floors = BTreeMap<String, usize>;

/// Reads the floors from the fenced block that has a line for the room `base`. An empty line stands between floors, the
/// highest comes first, and each line begins with the name of a room.
fn floors(contributing: &str) -> Floors {
    let blocks: Vec<&str> = contributing.split("```").skip(1).step_by(2).collect();
    let is_picture = |block: &&&str| block.lines().any(|line| line.split_whitespace().next() == Some("base"));
    let picture = blocks.iter().find(is_picture).expect("CONTRIBUTING.md has a fenced block with the room `base`");
    // The rest of the first line is the block's language.
    let rooms = picture.split_once('\n').expect("the block has lines").1;
    let floors = rooms.split("\n\n").filter(|floor| !floor.trim().is_empty()).collect::<Vec<_>>();
    let named = floors.iter().rev().enumerate().flat_map(|(height, floor)| {
        floor.lines().filter_map(move |line| Some((line.split_whitespace().next()?.to_owned(), height)))
    });
    named.collect()
}

/// Reads the floors from the table of modules in the documentation of the library. A row without a number stands on the
/// floor of the row above it.
fn floors_of_table(documentation: &str) -> Floors {
    let mut floors = Floors::new();
    let mut height = None;
    for row in documentation.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let mut cells = row.split('|');
        height = cells.next().and_then(|cell| cell.trim().parse().ok()).or(height);
        let names = cells.next().unwrap_or_default().split("[`").skip(1).filter_map(|cell| cell.split("`]").next());
        floors.extend(names.filter_map(|name| Some((name.to_owned(), height?))));
    }
    floors
}

/// The room of a file: the folder or the file directly in `src`; none for the roots of the library and the program.
fn room(path: &Path) -> Option<String> {
    let first = path.components().next()?.as_os_str().to_str()?;
    (first != "lib.rs" && first != "main.rs").then(|| first.trim_end_matches(".rs").to_owned())
}

/// One sentence for each difference between the picture and the sources.
fn faults(floors: &Floors, sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let there: BTreeSet<String> = sources.iter().filter_map(|(path, _)| room(path)).collect();
    for missing in there.iter().filter(|room| !floors.contains_key(*room)) {
        faults.push(format!("trainer/src has the room `{missing}`, and the picture has not; add it to a floor"));
    }
    for gone in floors.keys().filter(|room| !there.contains(*room)) {
        faults.push(format!("the picture has the room `{gone}`, and trainer/src has not; remove it from the picture"));
    }
    for source in without_test_files(sources) {
        let path = &source.0;
        let Some(from) = room(path) else { continue };
        // A line may take several items from one room.
        let imports = imports(source, "trainer").into_iter();
        let rooms: BTreeSet<_> =
            imports.filter_map(|import| Some((import.line, import.names.into_iter().next()?))).collect();
        for (line, to) in rooms {
            let (Some(own), Some(other)) = (floors.get(&from), floors.get(&to)) else { continue };
            if to != from && other >= own {
                let way = if other > own { "a higher floor" } else { "the same floor" };
                faults.push(format!(
                    "trainer/src/{}:{line}: `{from}` imports from `{to}`, which is on {way}; move what both need to a lower room",
                    path.display()
                ));
            }
        }
    }
    faults
}

#[test]
fn rooms_of_the_trainer_import_only_from_lower_floors() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let floors = floors(&fs::read_to_string(workspace.join("tests/CONTRIBUTING.md")).unwrap());
    let sources = read(&workspace.join("trainer/src"));
    assert!(floors.len() > 10 && sources.len() > 100, "{} rooms, {} files", floors.len(), sources.len());
    let faults = faults(&floors, &sources);
    assert!(faults.is_empty(), "tests/CONTRIBUTING.md shows the floors:\n{}", faults.join("\n"));
    let table = floors_of_table(&fs::read_to_string(workspace.join("trainer/src/lib.rs")).unwrap());
    // The command line is no module of the library.
    let of_library: Floors = floors.into_iter().filter(|(room, _)| room != "cli").collect();
    assert_eq!(table, of_library, "the table of modules in trainer/src/lib.rs differs from tests/CONTRIBUTING.md");
}

const PICTURE: &str = "# Map\n\n```text\ntrainer\n```\n\n```text\ncli    commands\n\nfit    from data\n\ndata   files\nnetwork of layers\n\nbase   of all\n```\n";

/// What is wrong with a file, beside one without imports for each other room of [`PICTURE`].
fn faults_of(path: &str, text: &str) -> Vec<String> {
    let mut sources: Vec<Source> = ["base", "data", "network", "fit", "cli"]
        .map(|room| (PathBuf::from(room).join("mod.rs"), String::new()))
        .into();
    sources.push((path.into(), text.to_owned()));
    faults(&floors(PICTURE), &sources)
}

#[test]
fn the_picture_has_a_floor_for_each_block_of_lines() {
    let expected = [("cli", 3), ("fit", 2), ("data", 1), ("network", 1), ("base", 0)];
    assert_eq!(floors(PICTURE), expected.map(|(room, floor)| (room.to_owned(), floor)).into());
}

#[test]
fn a_row_of_the_table_may_hold_several_modules_and_leave_out_its_floor() {
    let table = "//! | floor | module |\n//! | --- | --- |\n//! | 1 | [`data`] | of [`base`] |\n//! | | [`a`], [`b`] | |\n\
                 //! | 0 | [`base`] | |\n";
    let expected = [("data", 1), ("a", 1), ("b", 1), ("base", 0)];
    assert_eq!(floors_of_table(table), expected.map(|(room, floor)| (room.to_owned(), floor)).into());
}

#[test]
fn imports_that_run_upwards_or_sideways_are_named_by_file_and_line() {
    for (path, text, line, to, way) in [
        ("base/files.rs", "//! Files.\n\nuse crate::fit::Fit;\n", 3, "fit", "a higher floor"),
        ("data/mod.rs", "use crate::network::Mlp;\n", 1, "network", "the same floor"),
        ("data/load.rs", "fn f() {\n    let x = crate::fit::run();\n}\n", 2, "fit", "a higher floor"),
        ("data/a.rs", "use crate::{base, fit};\n", 1, "fit", "a higher floor"),
        ("data/a.rs", "use crate::fit::{\n    A,\n    B,\n};\n", 1, "fit", "a higher floor"),
        (
            "data/a.rs",
            "use crate::{\n    base::{files, random},\n    network::{Mlp, fit},\n};\n",
            3,
            "network",
            "the same floor",
        ),
        ("data/mod.rs", "use super::fit::Fit;\n", 1, "fit", "a higher floor"),
        ("data/grid/tiff.rs", "use super::super::super::fit::Fit;\n", 1, "fit", "a higher floor"),
        ("fit/mod.rs", "use trainer::data;\npub(crate) use crate::cli::Cli;\n", 2, "cli", "a higher floor"),
        ("data/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n\nuse crate::fit;\n", 6, "fit", "a higher floor"),
        (
            "data/a.rs",
            "const A: &str = r#\"\"a\"#;\nconst B: char = '\"';\nuse crate::fit; // \"\n",
            3,
            "fit",
            "a higher floor",
        ),
        ("data/a.rs", "fn f<'a>(x: &'a str) -> &'a str { crate::fit::g(x) }\n", 1, "fit", "a higher floor"),
    ] {
        let faults = faults_of(path, text);
        let start = format!("trainer/src/{path}:{line}: ");
        assert_eq!(faults.len(), 1, "{path}: {text}\n{faults:?}");
        assert!(faults[0].starts_with(&start), "{start}\n{}", faults[0]);
        assert!(faults[0].contains(&format!("imports from `{to}`, which is on {way};")), "{}", faults[0]);
    }
    // The command line calls the library `trainer`.
    let picture =
        floors(&PICTURE.replace("cli    commands\n\nfit    from data\n", "fit    from data\n\ncli    commands\n"));
    let file = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
    let others = ["base", "data", "network", "fit"].map(|room| file(&format!("{room}/mod.rs"), ""));
    let sources = [others.as_slice(), &[file("cli/mod.rs", "use trainer::{data, fit::Fit};")]].concat();
    assert_eq!(faults(&picture, &sources).len(), 1);
}

#[test]
fn imports_that_run_down_and_what_is_no_import_are_let_pass() {
    for (path, text) in [
        ("fit/mod.rs", "use crate::{base::files, data::{self, fit, load}};\nuse crate::network::Mlp;\n"),
        ("data/load.rs", "use super::fit::Fit;\nuse crate::data::fit;\n"),
        ("data/grid/tiff.rs", "use super::super::fit;\n"),
        ("data/a.rs", "//! See [`crate::fit`].\n/* crate::fit /* crate::fit */ crate::fit */\n// crate::fit\n"),
        ("data/a.rs", "const A: &str = \"\\\" crate::fit\";\nconst B: &str = r#\"crate::fit \" crate::fit\"#;\n"),
        (
            "data/a.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::fit;\n    fn f() { \"}\"; }\n    use crate::cli;\n}\n",
        ),
        ("data/a.rs", "#[cfg(test)]\nuse crate::fit::Fit;\n\n#[cfg(test)]\nmod tests;\n"),
        ("data/tests.rs", "use crate::fit::Fit;\n"),
        ("data/tests/tables.rs", "use crate::fit::Fit;\n"),
        ("data/a.rs", "fn f() { crate::fit!(\"a\"); other::crate_fit(); my_crate::fit(); x::trainer::fit(); }\n"),
        ("cli/fit.rs", "use trainer::fit::Fit;\nuse trainer::{base, data::fit};\nuse crate::cli::print;\n"),
    ] {
        assert_eq!(faults_of(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn rooms_without_a_floor_and_floors_without_a_room_are_named() {
    let faults_of_new = faults_of("attic/mod.rs", "use crate::fit::Fit;");
    assert_eq!(faults_of_new, ["trainer/src has the room `attic`, and the picture has not; add it to a floor"]);
    assert!(faults_of("attic.rs", "")[0].contains("`attic`"));
    let sources = ["base", "data", "network", "fit"].map(|room| (PathBuf::from(format!("{room}.rs")), String::new()));
    let faults = faults(&floors(PICTURE), &sources);
    assert_eq!(faults, ["the picture has the room `cli`, and trainer/src has not; remove it from the picture"]);
}
