//! The page of a run in a browser: it runs the model itself. The module of WebAssembly is compared with the library
//! under node, and the whole page is opened in Chromium; `cargo xtask test` installs both. Where one of them is
//! missing, its test says that it is skipped, past the capture of passing tests, and passes.

use std::fs;
use std::path::Path;
use std::process::Command;

use firmware_core::Model;
use trainer::artifact::model_file::{ModelFile, predict};

use crate::desk::program;

/// What a page may weigh with the model in it beyond the same page without.
const MOST_BYTES: usize = 400_000;

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        // This macro, unlike `eprintln!`, is not captured.
        trainer::note!("SKIPPED {test}: {program} is not there; `cargo xtask test` installs it");
    }
    found
}

/// Evaluates points by the module that the trainer embeds: the bits of the outputs.
const EVALUATE: &str = r#"
const fs = require("fs");
const [wasm, model, points, out, d, c] = process.argv.slice(1);
const e = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(wasm))).exports;
const [bytes, at] = [fs.readFileSync(model), fs.readFileSync(points)];
const n = at.length / 4 / d, words = (length) => (length + 3) & ~3;
const start = e.memory.grow(Math.ceil((words(bytes.length) + at.length + 4 * n * c + 65536) / 65536)) * 65536;
const memory = () => new Uint8Array(e.memory.buffer);
memory().set(bytes, start);
const scratch = e.ffm_open(start, bytes.length);
if (scratch < 0 || scratch > 16384) throw new Error("no model");
const [first, values] = [start + words(bytes.length), start + words(bytes.length) + at.length];
memory().set(at, first);
const room = values + 4 * n * c;
if (e.ffm_self_test(room, scratch) !== 0) throw new Error("the known answers differ");
if (e.ffm_eval(first, n, room, scratch, values) !== 0) throw new Error("refused");
fs.writeFileSync(out, memory().subarray(values, room));
"#;

#[test]
fn the_module_of_the_page_computes_the_bits_of_the_library() {
    if !is_there("node") {
        return;
    }
    let desk = tempfile::tempdir().unwrap();
    let [points, out] = ["points", "out"].map(|name| desk.path().join(name));
    let model = Path::new("../firmware-core/models/thermocouple.ffm");
    let at: Vec<f32> = (0..20_000).map(|k| -2.0 + k as f32 * 0.003).collect();
    fs::write(&points, bytemuck::cast_slice::<f32, u8>(&at)).unwrap();
    let mut node = Command::new("node");
    node.args(["-e", EVALUATE, "src/report/evaluator.wasm"]).args([model, &points, &out]).args(["1", "1"]);
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = ModelFile::read(model).unwrap();
    let at = ndarray::Array2::from_shape_vec((at.len(), 1), at).unwrap();
    let expected = predict(&file.model().unwrap(), &at).unwrap();
    let found = fs::read(&out).unwrap();
    let found = found.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).to_bits());
    let differing = found.zip(&expected).filter(|(found, expected)| *found != expected.to_bits()).count();
    assert_eq!((fs::metadata(&out).unwrap().len(), differing), (4 * 20_000, 0));
}

/// The page after its scripts.
fn opened(page: &Path) -> String {
    let profile = tempfile::tempdir().unwrap();
    let chromium = || {
        let mut command = Command::new("chromium");
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command
    };
    let address = format!("file://{}", page.display());
    let output = chromium().args(["--dump-dom", &address]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text of an element of the page.
fn text<'p>(page: &'p str, id: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("id=\"live-{id}\"")).unwrap_or_else(|| panic!("{id} in {page}"));
    rest.split_once('>').and_then(|(_, rest)| rest.split_once("</")).map(|(text, _)| text).unwrap()
}

/// Opens the page of a run with one more script, which does what a user does.
fn used(run: &Path, script: &str) -> String {
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    let without = page.find("<h2>Try the model").unwrap() + page.len() - page.find("<h2>Pictures").unwrap();
    assert!(page.len() - without < MOST_BYTES, "{} bytes", page.len() - without);
    assert!(!page.contains("http"), "nothing is loaded from elsewhere");
    let used = run.join("used.html");
    let script = format!("<script>setTimeout(() => {{ {script} }}, 5000);</script>\n</body>");
    fs::write(&used, page.replace("</body>", &script)).unwrap();
    opened(&used)
}

fn fit(folder: &Path, data: &str, options: &str) -> std::path::PathBuf {
    let run = folder.join("run");
    let mut command = program();
    let output = command.args(["fit", data, "--out"]).arg(&run).args(options.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    run
}

/// What the device computes at a point, in the page's six digits.
fn value(run: &Path, point: &[f32]) -> f64 {
    let file = ModelFile::read(&run.join("model.ffm")).unwrap();
    let model: Model<'_> = file.model().unwrap();
    let mut out = vec![0.0; model.outputs()];
    model.eval_into(point, &mut vec![0; model.scratch_words()], &mut out).unwrap();
    f64::from(out[0])
}

/// The number behind a word of a text of the page.
fn number(text: &str, behind: &str) -> f64 {
    let (_, rest) = text.split_once(behind).unwrap_or_else(|| panic!("{behind} in {text}"));
    let end = rest.find([' ', ',', ';']).unwrap_or(rest.len());
    rest[..end].replace('\u{2212}', "-").parse().unwrap_or_else(|_| panic!("a number behind {behind} in {text}"))
}

fn are_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1e-2), "{found} for {expected}");
}

/// That the error is the model less the target, all three in six digits.
fn is_error(text: &str) {
    let [model, target, error] = ["model ", "target ", "error "].map(|word| number(text, word));
    assert!((error - (model - target)).abs() <= 2e-6 * (1.0 + model.abs() + target.abs()), "{text}");
}

#[test]
fn a_table_and_a_picture_are_tried_in_the_browser() {
    if !is_there("chromium") {
        return;
    }
    let desk = tempfile::tempdir().unwrap();
    let options = "--hidden 8 --frequencies 8 --scale 1 --steps 50 --holdout none";
    let run = fit(desk.path(), "data/thermocouple_k.csv", options);
    let type_it = "const field = document.getElementById('live-in-0'); field.value = '12.5'; \
                   field.dispatchEvent(new Event('input'));";
    let page = used(&run, type_it);
    assert!(text(&page, "state").starts_with("The known answers of the model matched"), "{}", text(&page, "state"));
    are_close(number(text(&page, "out"), "temperature = "), value(&run, &[12.5]));
    // Of the nearest row, what the model gives there.
    let near = text(&page, "near");
    are_close(number(near, "model "), value(&run, &[number(near, "voltage = ") as f32]));
    is_error(near);

    let run = fit(&desk.path().join("picture"), "data/camera_256.png", options);
    let move_it = "const canvas = document.getElementById('live-canvas'), box = canvas.getBoundingClientRect(); \
                   canvas.dispatchEvent(new PointerEvent('pointermove', {clientX: box.left + box.width * 100.5 / 256, \
                   clientY: box.top + box.height * 30.5 / 256}));";
    let page = used(&run, move_it);
    let read = text(&page, "read");
    assert!(read.starts_with("x = 100, y = 30 "), "{read}");
    are_close(number(read, "model "), value(&run, &[100.0, 30.0]));
    let picture = image::open("data/camera_256.png").unwrap().to_luma8();
    are_close(number(read, "target "), f64::from(picture.get_pixel(100, 30).0[0]) / 255.0);
    is_error(read);
}
