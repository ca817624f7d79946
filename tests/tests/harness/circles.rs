//! No file of `src` imports one that imports it again, directly or over others: what a file stands on can be read
//! first.
//!
//! Imports between a module and the modules within it do not count. An item belongs to the file that defines it, also
//! where another module passes its name on by `use`. The other module counts as imported too, unless it lies around the
//! file. Names that a `use` with a star passes on are not followed: they belong to the module with the star.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::imports::{Import, Names, Source, imports, module, read, without_test_files};

/// Each package with the name of its library.
const PACKAGES: [(&str, &str); 4] = [
    ("trainer", "trainer"),
    ("firmware-core", "firmware_core"),
    ("firmware-cortexm", "firmware_cortexm"),
    ("tests", "tests"),
];

/// The modules that each module imports from, but for those around it and within it.
type Graph = BTreeMap<Names, BTreeSet<Names>>;

/// What each `use` makes known, under its names there: its names where it is taken from. These are several where the
/// compiler's target decides, and where a function has the name of a type.
type Taken = BTreeMap<Names, Vec<Names>>;

/// Who imports whom among these files.
fn graph(sources: &[&Source], library: &str) -> Graph {
    let modules: BTreeSet<Names> = sources.iter().map(|(path, _)| module(path)).collect();
    let imports_of_file = |source: &&Source| (module(&source.0), imports(source, library));
    let files: Vec<(Names, Vec<Import>)> = sources.iter().map(imports_of_file).collect();
    let mut taken = Taken::new();
    for Import { names, known_as, .. } in files.iter().flat_map(|(_, imports)| imports) {
        if let Some(known_as) = known_as {
            taken.entry(known_as.clone()).or_default().push(names.clone());
        }
    }
    let mut graph = Graph::new();
    for (from, imports) in files {
        let imported = imports.into_iter().flat_map(|import| modules_of(import.names, &modules, &taken));
        let others = imported.filter(|to| !to.starts_with(&from) && !from.starts_with(to));
        graph.entry(from.clone()).or_default().extend(others);
    }
    graph
}

/// The modules that an item belongs to. The innermost module of its path that is a file is one of them, unless it only
/// takes the item by `use` from within itself. Where it takes the item by `use`, the modules of the origin are too.
fn modules_of(names: Names, modules: &BTreeSet<Names>, taken: &Taken) -> BTreeSet<Names> {
    let (mut found, mut followed, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![names]);
    while let Some(names) = open.pop() {
        let Some(len) = (0..=names.len()).rev().find(|&len| modules.contains(&names[..len])) else { continue };
        let origins = (len + 1..=names.len()).find_map(|end| {
            let origins = taken.get(&names[..end]).filter(|_| followed.insert(names[..end].to_vec()))?;
            Some(origins.iter().map(|origin| [&origin[..], &names[end..]].concat()).collect::<Vec<_>>())
        });
        let origins = origins.unwrap_or_default();
        if origins.is_empty() || !origins.iter().all(|origin| origin.starts_with(&names[..len])) {
            found.insert(names[..len].to_vec());
        }
        open.extend(origins);
    }
    found
}

/// The shortest way from a module by imports back to it: every module of the circle once, from this one on.
fn circle(graph: &Graph, start: &Names) -> Option<Vec<Names>> {
    let mut reached = BTreeSet::from([start]);
    let mut ways = vec![vec![start]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in graph.get(way[way.len() - 1]).into_iter().flatten() {
                if next == start {
                    return Some(way.into_iter().cloned().collect());
                }
                if reached.insert(next) {
                    longer.push([&way[..], &[next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// One sentence for each circle, with its files and the remedy. A file that is named begins no other sentence.
fn faults((package, library): (&str, &str), sources: &[Source]) -> Vec<String> {
    let sources = without_test_files(sources);
    let graph = graph(&sources, library);
    let file = |wanted: &Names| {
        let (path, _) = sources.iter().find(|(path, _)| module(path) == *wanted).expect("a module of these files");
        format!("{package}/src/{}", path.display())
    };
    let (mut faults, mut named) = (Vec::new(), BTreeSet::new());
    for start in graph.keys() {
        let Some(circle) = circle(&graph, start).filter(|_| !named.contains(start)) else { continue };
        let others: Vec<String> = circle[1..].iter().chain([start]).map(file).collect();
        faults.push(format!(
            "{} imports {}: move what they share to the file where it belongs, or to one of its own",
            file(start),
            others.join(", which imports ")
        ));
        named.extend(circle);
    }
    faults
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for package in PACKAGES {
        let sources = read(&workspace.join(package.0).join("src"));
        let graph = graph(&without_test_files(&sources), package.1);
        let edges = graph.values().map(BTreeSet::len).sum::<usize>();
        assert!(edges > graph.len() / 2, "{}: {} files with {edges} imports", package.0, graph.len());
        found.extend(faults(package, &sources));
    }
    assert!(found.is_empty(), "files import each other in circles:\n{}", found.join("\n"));
}

/// The faults of a library `made` of these files.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|&(path, text)| (path.into(), text.to_owned())).collect();
    faults(("made", "made"), &sources)
}

#[test]
fn a_circle_is_named_by_its_files_whatever_the_spelling_of_the_imports() {
    let remedy = "move what they share to the file where it belongs, or to one of its own";
    let expected = format!("made/src/room/a.rs imports made/src/room/b.rs, which imports made/src/room/a.rs: {remedy}");
    for (of_a, of_b) in [
        ("use super::b::B;\n", "use crate::room::a::A;\n"),
        ("use crate::{x, room::{b::{B, C as D}, c}};\n", "fn f() { made::room::a::f(); }\n"),
        ("use super::{c as d, b::*};\n", "mod inner {\n    use super::super::a;\n}\n"),
        ("fn f() { crate::room::b::f!(); }\n", "#[cfg(test)]\nuse super::c;\n\nuse super::{self, a};\n"),
    ] {
        let files =
            [("lib.rs", "mod room;"), ("room/mod.rs", ""), ("room/c.rs", ""), ("room/a.rs", of_a), ("room/b.rs", of_b)];
        assert_eq!(faults_of(&files), std::slice::from_ref(&expected), "{of_a}{of_b}");
    }
    let over_others = [
        ("a.rs", "use crate::b::c::C;"),
        ("b/mod.rs", "mod c;"),
        ("b/c.rs", "use crate::d;\nuse crate::e;"),
        ("d.rs", "use crate::a::A;"),
        ("e.rs", "use crate::b::c::C;"),
    ];
    let [long, short] = [
        "made/src/a.rs imports made/src/b/c.rs, which imports made/src/d.rs, which imports made/src/a.rs",
        "made/src/e.rs imports made/src/b/c.rs, which imports made/src/e.rs",
    ]
    .map(|files| format!("{files}: {remedy}"));
    assert_eq!(faults_of(&over_others), [long, short]);
}

#[test]
fn a_circle_is_found_over_modules_that_only_pass_a_name_on() {
    let circle = "made/src/room/a.rs imports made/src/room/b.rs, which imports made/src/room/a.rs: ";
    for (lib, room, of_a, of_b) in [
        ("", "pub use b::B;\n", "use super::B;", "use super::a::A;"),
        ("", "pub(crate) use self::b::{self, B as C};\n", "use crate::room::{C, X};", "use super::a::A;"),
        ("", "use b::Kind;\npub use Kind::{One, Two};\n", "use super::Two;", "use super::a::A;"),
        ("pub use room::{A, B};", "pub use a::A;\npub use b::B;\n", "fn f() { crate::B::new(); }", "use crate::A;"),
        ("", "", "use super::b::C;", "pub use super::c::C;\nuse super::a::A;"),
        ("use room::b as c;", "", "use crate::c;\nfn f() { c::f(); }", "use super::a::A;"),
        ("use room as d;", "use b::B;\n", "use crate::d;\nfn f() { d::B::f(); }", "use super::a::A;"),
    ] {
        let files = [("lib.rs", lib), ("room/mod.rs", room), ("room/a.rs", of_a), ("room/b.rs", of_b)];
        let faults = faults_of(&files);
        assert!(faults.len() == 1 && faults[0].starts_with(circle), "{files:?}: {faults:?}");
        assert_eq!(faults_of(&[files[0], files[1], files[2], ("room/b.rs", "")]), Vec::<String>::new(), "{files:?}");
    }
}

#[test]
fn a_straight_line_and_what_is_no_import_are_let_pass() {
    for files in [
        &[("a.rs", "use crate::b::B;\nuse crate::c::C;"), ("b.rs", "use crate::c::C;"), ("c.rs", "")][..],
        // A folder and its files.
        &[("a/mod.rs", "mod b;\nuse self::b::B;"), ("a/b.rs", "use super::A;\nuse crate::a::A;")],
        &[("lib.rs", "use crate::a::A;"), ("a.rs", "use crate::Of;")],
        // What is compiled for tests alone.
        &[("a.rs", "use crate::b;"), ("b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a;\n}")],
        &[("a.rs", "use crate::b;"), ("b.rs", "#[cfg(test)]\nmod oracle;"), ("b/oracle.rs", "use crate::a;")],
        &[("a.rs", "#[cfg(test)]\nmod tests;"), ("a/tests.rs", "use crate::b;"), ("b.rs", "use crate::a;")],
        // What the module around them defines itself, or passes on from a third.
        &[("a/mod.rs", "use b::B;\npub struct D;"), ("a/b.rs", "use super::c;"), ("a/c.rs", "use super::D;")],
        &[
            ("a/mod.rs", "pub use b::B;\npub use d::D;"),
            ("a/b.rs", "use super::c;"),
            ("a/c.rs", "use super::D;"),
            ("a/d.rs", ""),
        ],
        &[("a.rs", "use crate::c::B;"), ("c/mod.rs", "pub use b::B;\nuse crate::a;"), ("c/b.rs", "")],
        // Names of the own module and of other packages, comments and strings.
        &[("a.rs", "use crate::b;"), ("b.rs", "mod a {}\nuse self::a::A;\nfn f() { other::a::f(); }")],
        &[("a.rs", "use crate::b;"), ("b.rs", "mod inner {\n    use super::a;\n}\nmod a {}")],
        &[("a.rs", "use crate::b;"), ("b.rs", "// crate::a::f()\nconst A: &str = \"crate::a::f()\";")],
        &[("a.rs", "use crate::b;"), ("b.rs", "use crate::{c as a};\ncrate::a!();"), ("c.rs", "")],
    ] {
        assert_eq!(faults_of(files), Vec::<String>::new(), "{files:?}");
    }
}
