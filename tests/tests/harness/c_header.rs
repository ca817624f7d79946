//! `ffm.h` is what cbindgen makes of the module `c` of firmware-core.

use std::{env, fs};

use cbindgen::{Builder, Config, EnumConfig, Language, RenameRule, Style};
use tests::{firmware, golden};

const ABOUT: &str = "/* Evaluates models of Fourier-feature networks, model.ffm: the same bits on every core.
 *
 *     static ffm_model model;                           -- the handle; the caller owns all memory
 *     static uint32_t scratch[MODEL_SCRATCH_WORDS];     -- from model.h, which `trainer export` writes
 *     if (ffm_parse(&model, model_ffm, MODEL_BYTES) != FFM_STATUS_OK) ...
 *     ffm_eval(&model, point, MODEL_INPUTS, scratch, MODEL_SCRATCH_WORDS, values, MODEL_OUTPUTS);
 *
 * Nothing here allocates, keeps state, prints or panics. Every function may be called from several threads at once, with
 * scratches of their own. A null pointer, a length that does not fit or a handle without a model gives a status.
 *
 * Written by cbindgen from firmware-core/src/c. Do not edit: `cargo xtask test --overwrite` renews it. */";

#[test]
fn the_header_is_that_of_the_source() {
    let package = firmware::workspace().join("firmware-core");
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        header: Some(ABOUT.to_owned()),
        include_guard: Some("FFM_H".to_owned()),
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        no_includes: true,
        cpp_compat: true,
        usize_is_size_t: true,
        line_length: 120,
        documentation_style: cbindgen::DocumentationStyle::Doxy,
        enumeration: EnumConfig { rename_variants: RenameRule::QualifiedScreamingSnakeCase, ..EnumConfig::default() },
        ..Config::default()
    };
    for (rust, c) in [("FfmModel", "ffm_model"), ("FfmStatus", "ffm_status")] {
        config.export.rename.insert(rust.to_owned(), c.to_owned());
    }
    config.export.include.push("FfmStatus".to_owned());
    let mut builder = Builder::new().with_config(config);
    for file in ["model", "evaluate", "status"] {
        builder = builder.with_src(package.join(format!("src/c/{file}.rs")));
    }
    let mut written = Vec::new();
    builder.generate().unwrap().write(&mut written);
    // What Rust asks of callers stands in C's comments without Rust's heading.
    let written = String::from_utf8(written).unwrap().replace(" * # Safety\n", "").replace(" *\n *\n", " *\n");

    let path = package.join("c/ffm.h");
    if env::var_os(golden::OVERWRITE).is_some() {
        fs::write(&path, written).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == written, "{} is older than its source: type `cargo xtask test --overwrite`", path.display());
}
