//! Files of a user that no command writes over: keys, data, weights and sources.

use std::fs;

use firmware_core::Outside;

use crate::desk::{Desk, said, trainer};
use crate::plane::Plane;

/// A folder with a model and a key, a table and the run of a tiny network.
fn desk() -> Desk {
    let desk = Desk::new();
    let model = Plane {
        slopes: [0.5, 0.25],
        height: 0.0,
        outside: Outside::Clamp,
        training_psnr_db: f32::NAN,
        card: "seed: 7\n",
    };
    desk.put("model.ffm", &model.artifact());
    desk.put("plane.csv", b"x,y,z\n0,0,1\n3,0,2\n0,1,3\n3,1,4\n");
    desk.put("main.c", b"int main(void) { return 0; }\n");
    desk.put("view.jpg", b"a picture");
    for arguments in ["key maker.key", "fit plane.csv --hidden 8 --frequencies 4 --steps 2 --scale 1 --out run"] {
        let output = trainer(desk.folder(), arguments);
        assert!(output.status.success(), "{}", said(&output));
    }
    desk
}

/// What is told of files that are not there, and of a value that is no number.
#[test]
fn messages_name_the_file_and_what_works() {
    let desk = desk();
    fs::rename(desk.path("plane.csv"), desk.path("moved.csv")).expect("a file");
    desk.put("half.csv", b"x,z\n3,0\n3995.6,1\n");
    for (arguments, words) in [
        ("fit --resume run --steps 4", "plane.csv, which the run was trained on, is not there"),
        ("fit --resume run --steps 4", "trainer fit --resume run FILE"),
        ("fit --resume nope", "nope is not the folder of a run: there is no such folder"),
        ("fit moved.csv --out new --no-data foo", "give a number, such as -9999"),
        ("fit half.csv --out new --codes x=12", "half.csv: x is 3995.6 in sample 2"),
        ("certify model.ffm --resume --out nope.json", "leave out --resume"),
        ("export model.ffm --c moved.csv", "give --c a folder that you may write to"),
    ] {
        let output = trainer(desk.folder(), arguments);
        let said = said(&output);
        assert!(said.contains(words), "{arguments}: {said}");
    }
    let output = trainer(desk.folder(), "fit --resume run moved.csv --steps 4");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn no_command_writes_over_a_file_that_it_did_not_write() {
    let desk = desk();
    for (arguments, kept, words) in [
        (
            "sign model.ffm --key maker.key --version 2 --out maker.key",
            "maker.key",
            "give every file a name of its own",
        ),
        (
            "sign model.ffm --key maker.key --version 2 --out model.ffm",
            "model.ffm",
            "give every file a name of its own",
        ),
        ("evaluate model.ffm plane.csv --out ./plane.csv", "plane.csv", "what is written is a .npy"),
        ("evaluate model.ffm plane.csv --picture model.ffm", "model.ffm", "what is written is a .png"),
        ("evaluate model.ffm plane.csv --picture view.jpg", "view.jpg", "what is written is a .png"),
        ("quantize run --precision f32 --out run/report.html", "run/report.html", "is no model file, and is kept"),
        (
            "quantize run --precision f32 --out run/network.safetensors",
            "run/network.safetensors",
            "choose another --out",
        ),
        ("quantize run --precision f32 --out run/model.ffm", "run/model.ffm", "is the model that the report"),
        ("quantize run --precision f32 --out run/../run/model.ffm", "run/model.ffm", "choose another --out"),
        ("quantize run --precision f32 --out plane.csv", "plane.csv", "is no model file, and is kept"),
        ("export model.ffm --c . --name main", "main.c", "was not written by `trainer export`, and is kept"),
    ] {
        let before = fs::read(desk.path(kept)).expect("a file");
        let output = trainer(desk.folder(), arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
        assert!(said.contains(words) && said.matches("error: ").count() == 1, "{arguments}: {said}");
        assert_eq!(fs::read(desk.path(kept)).expect("a file"), before, "{arguments}");
    }
    assert!(!desk.path("main.h").exists());
    // What these commands wrote themselves is written again.
    for arguments in ["quantize run --precision f32 --out a.ffm", "export model.ffm --c src"] {
        for _ in 0..2 {
            let output = trainer(desk.folder(), arguments);
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}
