//! No file of `src` imports one that imports it again, directly or over others: what a file stands on can be read
//! first.
//!
//! Imports between a module and the modules within it do not count. An item counts as part of the innermost module that
//! its path names, even where that module only re-exports it, so that a circle through a re-export is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::imports::{Names, Source, imports, module, read, without_test_files};

/// Each package with the name of its library.
const PACKAGES: [(&str, &str); 4] = [
    ("trainer", "trainer"),
    ("firmware-core", "firmware_core"),
    ("firmware-cortexm", "firmware_cortexm"),
    ("tests", "tests"),
];

/// The modules that each module imports from, but for those around it and within it.
type Graph = BTreeMap<Names, BTreeSet<Names>>;

/// Who imports whom among these files. What is imported belongs to the innermost module of its path that has a file.
fn graph(sources: &[&Source], library: &str) -> Graph {
    let modules: BTreeSet<Names> = sources.iter().map(|(path, _)| module(path)).collect();
    let of_file = |source: &&Source| {
        let from = module(&source.0);
        let module_of = |names: Names| (0..=names.len()).rev().find_map(|len| modules.get(&names[..len]).cloned());
        let imported = imports(source, library).into_iter().filter_map(|(_, names)| module_of(names));
        let others = imported.filter(|to| !to.starts_with(&from) && !from.starts_with(to)).collect();
        (from, others)
    };
    sources.iter().map(of_file).collect()
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
        // Names of the own module and of other packages, comments and strings.
        &[("a.rs", "use crate::b;"), ("b.rs", "mod a {}\nuse self::a::A;\nfn f() { other::a::f(); }")],
        &[("a.rs", "use crate::b;"), ("b.rs", "mod inner {\n    use super::a;\n}\nmod a {}")],
        &[("a.rs", "use crate::b;"), ("b.rs", "// crate::a::f()\nconst A: &str = \"crate::a::f()\";")],
        &[("a.rs", "use crate::b;"), ("b.rs", "use crate::{c as a};\ncrate::a!();"), ("c.rs", "")],
    ] {
        assert_eq!(faults_of(files), Vec::<String>::new(), "{files:?}");
    }
}
