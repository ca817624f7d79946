//! `trainer certify` on a plane, of which every bound is known.

use std::fs;
use std::path::Path;
use std::process::Output;

use firmware_core::Outside;
use serde_json::Value;

use crate::desk::{Desk, program, said};
use crate::plane::Plane;

/// y = 11.4 + x/2 - 0.4·y for x from 0 to 3 and y from 0 to 1: between 11 at (0, 1) and 12.9 at (3, 0).
const PLANE: Plane<'_> =
    Plane { slopes: [0.25, -0.1], height: 0.5, outside: Outside::Clamp, training_psnr_db: 31.5, card: "seed: 7\n" };
/// More than the steps of the coordinates that are passed through.
const STEP: f64 = 1e-3;

impl Desk {
    /// The model of the plane, and data that differ from it.
    fn with_plane() -> Self {
        let desk = Self::new();
        desk.put("plane.ffm", &PLANE.artifact());
        // 12 everywhere but at (1, 1), which is 13. A plane and a bilinear function differ most at a corner of a cell:
        // by 1.5 at (1, 1).
        let mut values = [12.0f32; 8];
        values[5] = 13.0;
        desk.put_array("grid.npy", &[2, 4], &values);
        desk
    }

    /// Runs the command; names of files stand for those on the desk.
    fn certify(&self, arguments: &str) -> Output {
        let mut command = program();
        command.current_dir(self.folder()).arg("certify").args(arguments.split_whitespace());
        command.output().expect("the trainer starts")
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// That a bound is proven from above and reached, with room for the steps, within the ratio that is asked for.
fn assert_bound(bound: &Value, exact: f64, ratio: f64) {
    let number = |key: &str| bound[key].as_f64().unwrap();
    let (proven, found) = (number("proven"), number("found"));
    assert!(proven >= exact - STEP && proven <= exact * ratio + STEP, "{bound}, and {exact} is true");
    assert!(found <= exact + STEP && found >= exact / ratio - STEP, "{bound}, and {exact} is true");
}

#[test]
fn bounds_of_a_plane_are_those_of_geometry() {
    let desk = Desk::with_plane();
    let arguments = "plane.ffm grid.npy --max-error 1.6 --within 10.9,13 --monotone 2 --ratio 1.01 --out plane.json";
    let output = desk.certify(arguments);
    assert!(output.status.success(), "{}", said(&output));
    let certificate = json(&desk.path("plane.json"));
    assert_eq!(certificate["settings"]["monotone"], "y");
    let proof = &certificate["outputs"][0];
    assert_bound(&proof["largest"], 12.9, 1.01);
    assert_bound(&proof["distance"], 1.5, 1.01);
    assert_bound(&proof["slopes"][0], 0.5, 1.01);
    assert_bound(&proof["slopes"][1], 0.4, 1.01);
    let smallest = proof["smallest"]["proven"].as_f64().unwrap();
    assert!((11.0 - 0.02..=11.0 + STEP).contains(&smallest), "{smallest}");
    let answers = certificate["questions"].as_array().unwrap();
    assert!(answers.len() == 3 && answers.iter().all(|answer| answer["answer"] == "yes"), "{certificate}");
    assert_eq!(certificate["check"], "trainer certify plane.ffm grid.npy --check plane.json");

    // What it says is proven again, and what it does not prove is refused.
    let again = desk.certify("plane.ffm grid.npy --check plane.json");
    assert!(again.status.success(), "{}", said(&again));
    let question = serde_json::json!([{ "question": "is value between -1 and 1?", "answer": "yes" }]);
    for (place, claim, words) in [
        ("/outputs/0/distance/proven", 1.2.into(), "the distance to the data of value"),
        ("/outputs/0/slopes", serde_json::json!([]), "the slope of value"),
        ("/outputs/0/output", "pressure".into(), "the name of pressure"),
        ("/outputs/0/unit", "kPa".into(), "the unit of value"),
        ("/questions", question, "the number of questions"),
    ] {
        let mut forged = certificate.clone();
        *forged.pointer_mut(place).unwrap() = claim;
        fs::write(desk.path("forged.json"), forged.to_string()).unwrap();
        let refused = desk.certify("plane.ffm grid.npy --check forged.json --time 1");
        assert!(!refused.status.success() && said(&refused).contains(words), "{place}: {}", said(&refused));
    }
    // A distance that is claimed without data.
    let alone = desk.certify("plane.ffm --ratio 1.01 --out alone.json");
    assert!(alone.status.success(), "{}", said(&alone));
    let mut forged = json(&desk.path("alone.json"));
    forged["outputs"][0]["distance"] = certificate["outputs"][0]["distance"].clone();
    fs::write(desk.path("forged.json"), forged.to_string()).unwrap();
    let refused = desk.certify("plane.ffm --check forged.json --time 1");
    assert!(said(&refused).contains("the distance to the data of value"), "{}", said(&refused));
    let other = desk.certify("plane.ffm --check plane.json");
    assert!(said(&other).contains("belongs to other data"), "{}", said(&other));
}

#[test]
fn questions_with_the_answer_no_fail_and_show_where() {
    let desk = Desk::with_plane();
    for (arguments, words) in [
        ("plane.ffm grid.npy --max-error 1.4", "within 1.4 of the data? no: 1.5"),
        ("plane.ffm --within 11.5,13", "between 11.5 and 13? no: 11"),
        ("plane.ffm --within 13,11", "is empty"),
        ("plane.ffm --monotone z", "the inputs are x, y"),
        ("plane.ffm --monotone 3", "the inputs are x, y"),
        ("plane.ffm --max-error 1", "<INPUT>"),
        ("plane.ffm grid.npy --out new.json --resume", "leave out --resume"),
        ("plane.ffm --check grid.npy", "is not a file of `trainer certify`"),
    ] {
        let output = desk.certify(arguments);
        assert!(!output.status.success() && said(&output).contains(words), "{arguments}: {}", said(&output));
    }
}

#[test]
fn a_search_that_was_stopped_is_resumed_and_its_result_stands_in_the_card() {
    let desk = Desk::with_plane();
    let arguments = "plane.ffm grid.npy --ratio 1.001 --out plane.json";
    let stopped = desk.certify(&format!("{arguments} --time 0.000001"));
    assert!(stopped.status.success() && said(&stopped).contains("--resume"), "{}", said(&stopped));
    let kept = fs::read(desk.path("plane.json.unfinished")).unwrap();
    let refused = desk.certify(arguments);
    assert!(!refused.status.success() && said(&refused).contains("continue it with --resume"), "{}", said(&refused));
    assert_eq!(fs::read(desk.path("plane.json.unfinished")).unwrap(), kept);
    let output = desk.certify(&format!("{arguments} --resume --card carded.ffm"));
    assert!(output.status.success() && !desk.path("plane.json.unfinished").exists(), "{}", said(&output));
    assert_bound(&json(&desk.path("plane.json"))["outputs"][0]["distance"], 1.5, 1.001);

    // The copy answers as the model does, and says what is proven.
    let mut command = program();
    let card = command.arg("inspect").arg(desk.path("carded.ffm")).arg("--json").output().unwrap();
    let card: Value = serde_json::from_slice(&card.stdout).unwrap();
    assert_eq!(card["settings"]["certified"]["outputs"], json(&desk.path("plane.json"))["outputs"]);
    assert_eq!(card["settings"]["seed"], 7);
}

#[cfg(unix)]
#[test]
fn an_enumeration_that_is_interrupted_is_resumed_with_the_same_certificate() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let desk = Desk::new();
    let rows: String = (0..40).map(|k| format!("{},{},{}\n", 51 * k, 2040 - 51 * k, k * k)).collect();
    desk.put("codes.csv", format!("a,b,y\n{rows}").as_bytes());
    let fit = "fit codes.csv --inputs a,b --codes a=11,b=11 --hidden 16,16 --frequencies 8 --scale 1 --steps 5 \
               --holdout none --out run";
    let fitted = crate::desk::trainer(desk.folder(), fit);
    assert!(fitted.status.success(), "{}", said(&fitted));
    let arguments = "run/model.ffm --out proof.json";
    let mut command = program();
    command.current_dir(desk.folder()).arg("certify").args(arguments.split(' ')).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It says that it begins; from there on signals are caught.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.find_map(|line| line.ok().filter(|line| line.contains(" of 4194304 answers")));
    assert_eq!(first.as_deref(), Some("0 of 4194304 answers"));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let last = lines.map_while(Result::ok).last().unwrap();
    assert!(last.contains("continue with --resume"), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!desk.path("proof.json").exists() && desk.path("proof.json.unfinished").exists());

    let kept = fs::read_to_string(desk.path("proof.json.unfinished")).unwrap();
    for contents in
        [kept.replacen("\"points\": ", "\"points\": 1", 1), kept[..kept.len() / 2].to_owned(), String::new()]
    {
        desk.put("proof.json.unfinished", contents.as_bytes());
        let damaged = desk.certify(&format!("{arguments} --resume"));
        assert!(!damaged.status.success() && !desk.path("proof.json").exists());
        let said = said(&damaged);
        assert!(
            said.contains("proof.json.unfinished is damaged") && said.contains("delete it and leave out --resume"),
            "{said}"
        );
    }

    desk.put("proof.json.unfinished", kept.as_bytes());
    let resumed = desk.certify(&format!("{arguments} --resume"));
    assert!(resumed.status.success() && !desk.path("proof.json.unfinished").exists(), "{}", said(&resumed));
    let certificate = fs::read(desk.path("proof.json")).unwrap();
    let whole = desk.certify(arguments);
    assert!(whole.status.success(), "{}", said(&whole));
    assert_eq!(fs::read(desk.path("proof.json")).unwrap(), certificate);
    assert_eq!(json(&desk.path("proof.json"))["method"]["enumeration"]["points"], 1u64 << 22);
}
