//! The library for C on this computer: the same bits as the Rust library, from C, C++, CMake and Python.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;
use tests::c_library::{ALL_FEATURES, Library};
use tests::c_program::{self, Compiler};
use tests::skipped::skipped;
use tests::synthetic::Network;
use tests::synthetic::PRECISIONS;
use tests::{device, model, points, provision};
use trainer::artifact::export::Artifact;

const SAMPLES: usize = 100_000;

/// What the library for this computer needs of its system.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// The library for this computer, exported once.
fn export() -> &'static Path {
    static EXPORT: OnceLock<TempDir> = OnceLock::new();
    let export = || {
        let folder = TempDir::new().unwrap();
        Library { target: &host(), cpu: None, features: ALL_FEATURES }.export(folder.path()).unwrap();
        folder
    };
    EXPORT.get_or_init(export).path()
}

fn host() -> String {
    provision::host_target().unwrap()
}

/// A folder with a model as C and with points, and what the values must be.
fn desk(artifact: &Artifact, samples: usize) -> (TempDir, Vec<f32>) {
    let folder = TempDir::new().unwrap();
    let model = artifact.model().unwrap();
    let points = points::all_kinds(&model, samples, 8);
    c_program::put(folder.path(), artifact, &points).unwrap();
    (folder, model::evaluate(&model, &points).unwrap())
}

/// Compiles the example and runs it with a network of each precision.
fn agrees(compiler: &Compiler) {
    let export = export();
    let [include, example, library] = ["include", "example/example.c", &format!("lib/{}/libffm.a", host())]
        .map(|path| export.join(path).display().to_string());
    for precision in PRECISIONS {
        let artifact = Network::tiny(precision).artifact(7).unwrap();
        let (folder, expected) = desk(&artifact, SAMPLES);
        let mut arguments = vec!["-Wpedantic", "-I", &include, "-I.", &example, "model.c", "-xnone", &library];
        arguments.extend(SYSTEM);
        let program = compiler.compile(folder.path(), &arguments).unwrap();
        let actual = c_program::run(&program, folder.path()).unwrap();
        assert_eq!(actual.len(), 3 * SAMPLES);
        assert_eq!(device::mismatched(&expected, &actual, 3), 0, "{precision:?}");
    }
}

#[test]
fn c_agrees_on_100_000_points() {
    agrees(&Compiler::host("cc", &["-std=c99", "-xc"]));
}

#[test]
fn cpp_agrees_on_100_000_points() {
    agrees(&Compiler::host("c++", &["-std=c++11", "-xc++"]));
}

fn cmake(folder: &Path, arguments: &[&str]) -> Output {
    provision::cmake().unwrap();
    Command::new("cmake").args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn text(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn cmake_finds_the_package() {
    let (folder, expected) = desk(&Network::tiny(PRECISIONS[1]).artifact(7).unwrap(), 100);
    let project = "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nfind_package(ffm CONFIG REQUIRED)\n\
                   add_executable(app ${ffm_DIR}/../example/example.c model.c)\n\
                   target_include_directories(app PRIVATE .)\ntarget_link_libraries(app PRIVATE ffm::ffm)\n";
    fs::write(folder.path().join("CMakeLists.txt"), project).unwrap();
    let found = format!("-Dffm_DIR={}", export().join("cmake").display());
    text(&cmake(folder.path(), &["-B", "build", &found]));
    text(&cmake(folder.path(), &["--build", "build"]));
    let actual = c_program::run(&folder.path().join("build/app"), folder.path()).unwrap();
    assert_eq!(device::mismatched(&expected, &actual, 3), 0);

    let refused = cmake(folder.path(), &["-B", "other", &found, "-DFFM_TARGET=thumbv7m-none-eabi"]);
    let message = String::from_utf8(refused.stderr).unwrap();
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!refused.status.success());
    assert!(message.contains("Type: cargo xtask export-c --target thumbv7m-none-eabi --out"), "{message}");
}

/// Zephyr's own functions are stood in for; what is tested is which library belongs to which core.
#[test]
fn zephyr_takes_the_library_of_the_core() {
    let folder = TempDir::new().unwrap();
    let export = export();
    let copy = |path: &str| {
        fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
        fs::copy(export.join(path), folder.path().join(path)).unwrap();
    };
    copy("zephyr/CMakeLists.txt");
    for target in ["thumbv6m-none-eabi", "thumbv7em-none-eabihf", "thumbv8m.main-none-eabihf-cortex-m33"] {
        fs::create_dir_all(folder.path().join("lib").join(target)).unwrap();
        fs::write(folder.path().join("lib").join(target).join("libffm.a"), "").unwrap();
    }
    let script = "function(zephyr_include_directories path)\nendfunction()\n\
                  function(zephyr_library_import name path)\nmessage(\"${name} ${path}\")\nendfunction()\n\
                  include(zephyr/CMakeLists.txt)\n";
    fs::write(folder.path().join("zephyr.cmake"), script).unwrap();
    let configured = |options: &[&str]| {
        let options: Vec<String> = options.iter().map(|option| format!("-DCONFIG_{option}=y")).collect();
        let arguments = options.iter().map(String::as_str).chain(["-P", "zephyr.cmake"]);
        cmake(folder.path(), &arguments.collect::<Vec<_>>())
    };
    for (options, target) in [
        (&["FFM", "CPU_CORTEX_M0PLUS"][..], "thumbv6m-none-eabi"),
        (&["FFM", "CPU_CORTEX_M4", "FPU", "FP_HARDABI"], "thumbv7em-none-eabihf"),
        (&["FFM", "CPU_CORTEX_M33", "FP_HARDABI"], "thumbv8m.main-none-eabihf-cortex-m33"),
    ] {
        let text = text(&configured(options));
        assert!(text.contains("ffm ") && text.trim().ends_with(&format!("/lib/{target}/libffm.a")), "{text}");
    }
    assert_eq!(text(&configured(&["CPU_CORTEX_M0"])), "");
    let message = String::from_utf8(configured(&["FFM", "CPU_CORTEX_M33"]).stderr).unwrap();
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(message.contains("--target thumbv8m.main-none-eabi --cpu cortex-m33 --out"), "{message}");
}

/// The programs of this test print the bits of every value, or the sentence of a refusal.
const PYTHON: &str = "
import struct, sys
sys.path.insert(0, sys.argv[1])
from ffm import Model
try:
    model = Model(sys.argv[2], sys.argv[3])
    numbers = [x for (x,) in struct.iter_unpack('<f', open('points.bin', 'rb').read())]
    points = [numbers[k : k + model.inputs] for k in range(0, len(numbers), model.inputs)]
    values = [x for row in model(points) for x in row]
    print(struct.pack(f'<{len(values)}f', *values).hex())
    model([[1.0]])
except ValueError as error:
    print(error)
";

#[test]
fn python_evaluates_an_artifact_by_the_shared_library() {
    let export = export();
    let library = fs::read_dir(export.join("lib").join(host())).unwrap().map(|entry| entry.unwrap().path());
    let library = library.into_iter().find(|path| path.extension().unwrap() != "a").unwrap();
    let python = |folder: &Path| {
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON]).arg(export.join("python")).args(["model.ffm".as_ref(), library.as_os_str()]);
        match command.current_dir(folder).output() {
            Ok(output) => Some(text(&output)),
            Err(error) => {
                skipped(&format!("python3 does not start ({error}), so that ffm.py is not tested; install Python 3"));
                None
            }
        }
    };
    for precision in PRECISIONS {
        let (folder, expected) = desk(&Network::tiny(precision).artifact(7).unwrap(), 1000);
        let Some(printed) = python(folder.path()) else { return };
        let mut lines = printed.lines();
        let bits: String = expected.iter().flat_map(|x| x.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(lines.next(), Some(bits.as_str()), "{precision:?}");
        assert!(lines.next().is_some_and(|line| line.contains("give ffm_inputs numbers for each point")));
        fs::write(folder.path().join("model.ffm"), "no model, but some bytes of text").unwrap();
        assert_eq!(python(folder.path()).unwrap().trim(), "these bytes are no model: give those of model.ffm");
    }
}

#[test]
fn an_export_that_cannot_be_made_is_one_sentence() {
    let folder = TempDir::new().unwrap();
    for (arguments, part) in [
        // Nobody who works on this has it, as it is no target of a microcontroller.
        (&["--target", "sparcv9-sun-solaris"][..], "type: rustup target add sparcv9-sun-solaris"),
        (&["--target", "thumbv9-none-eabi"], "Rust has no target \"thumbv9-none-eabi\""),
        (&["--features", "w8a17"], "choose from f32,w8a16,w16a16,grid,sine"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["export-c", "--out", "ffm"]).args(arguments).current_dir(folder.path());
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(part), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(!folder.path().join("ffm").exists());
    }
}
