//! `trainer nerf` as a user meets it: from a scene to pictures of it, a run that is continued, and what is refused.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use serde_json::Value;

use crate::desk::program;

const SMALL: [&str; 6] = ["--quick", "--hidden", "12,12", "--batch", "1024", "--view-direction"];

fn trainer(folder: &Path, arguments: &[&str]) -> Output {
    program().current_dir(folder).arg("nerf").args(arguments).output().expect("the program")
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = trainer(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    String::from_utf8(output.stdout).expect("text")
}

fn refuse(folder: &Path, arguments: &[&str]) -> String {
    let output = trainer(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.lines().any(|line| line.starts_with("error: ")) && !text.contains("panicked"), "{text}");
    text
}

fn fit<'a>(out: &'a str, steps: &'a str) -> Vec<&'a str> {
    [&["fit", "scene", "--out", out, "--steps", steps, "--seed", "4", "--json"][..], &SMALL].concat()
}

#[test]
fn a_scene_is_made_learned_continued_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeed(path, &["synthesize", "--out", "scene", "--quick", "--size", "16", "--glossy"]);
    assert!(refuse(path, &["synthesize", "--out", "scene", "--quick"]).contains("--force"));
    let whole: Value = serde_json::from_str(&succeed(path, &fit("a", "40"))).unwrap();
    assert_eq!((&whole["judged_by"], &whole["steps"]), (&"test".into(), &40.into()));
    assert_eq!(whole["held_out"]["views"].as_array().unwrap().len(), 4);
    let report = fs::read_to_string(path.join("a/report.html")).unwrap();
    assert!(report.contains("data:image/png;base64,") && report.contains("<td>mean</td>"));
    // Nothing is left to do, but other views judge it.
    let again = succeed(path, &["fit", "--resume", "a", "--judge-by", "val", "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["held_out"]["views"].as_array().unwrap().len(), 2);
    succeed(path, &fit("b", "40"));
    for name in ["model.ffm", "volume.ffv"] {
        assert_eq!(fs::read(path.join("a").join(name)).unwrap(), fs::read(path.join("b").join(name)).unwrap());
    }
    assert!(refuse(path, &fit("b", "40")).contains("--force"));

    succeed(path, &["render", "b", "--picture", "p.png", "--depth", "d.png", "--turntable", "t.gif", "--frames", "5"]);
    for (options, words) in [
        (&["--picture", "p.jpg"][..], "--picture is p.jpg, and what is written is a .png"),
        (&["--turntable", "t.png"], "is a .gif"),
        (&["--picture", "p.png", "--depth", "p.png"], "p.png would be written over"),
        (&["--turntable", "t.gif", "--elevation", "nan"], "--elevation is NaN"),
        (&["--turntable", "t.gif", "--elevation", "-91"], "--elevation is -91; it takes -90"),
        (&["--picture", "p.png", "--size", "65535"], "1..=4096"),
        (&["--turntable", "t.gif", "--size", "4096", "--frames", "360"], "lower --frames or --size"),
    ] {
        let error = refuse(path, &[&["render", "b"], options].concat());
        assert!(error.contains(words), "{error}");
    }
    for name in ["p.png", "d.png"] {
        let picture = image::open(path.join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (16, 16));
    }
    let bytes = fs::read(path.join("t.gif")).unwrap();
    assert!(bytes.windows(11).any(|window| window == b"NETSCAPE2.0"), "the animation repeats");
    let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames();
    assert_eq!(frames.collect_frames().unwrap().len(), 5);

    // From elsewhere, and a picture that is another one since.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = path.join("a");
    succeed(elsewhere.path(), &["fit", "--resume", run.to_str().unwrap()]);
    let picture = path.join("scene/train/r_3.png");
    let mut pixels = image::open(&picture).unwrap().into_rgba8();
    pixels.get_pixel_mut(2, 5).0[1] ^= 64;
    pixels.save(&picture).unwrap();
    let error = refuse(path, &["fit", "--resume", "a"]);
    assert!(error.contains("the data are not those that a was trained on"), "{error}");

    let model = fs::read(path.join("b/model.ffm")).unwrap();
    fs::write(path.join("b/model.ffm"), &model[..model.len() / 2]).unwrap();
    let error = refuse(path, &["render", "b", "--picture", "p.png"]);
    assert!(error.contains("fit the scene again") && !error.contains("quantize"), "{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_resume_ends_like_a_comparison_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeed(path, &["synthesize", "--out", "scene", "--quick", "--size", "16"]);
    let arguments = |out| ["compare", "scene", "--quick", "--steps", "20", "--out", out];
    let mut command = program();
    let silent = std::process::Stdio::null;
    command.current_dir(path).arg("nerf").args(arguments("stopped")).stdout(silent()).stderr(silent());
    let mut child = command.spawn().unwrap();
    // The second encoding is in training, or about to be.
    while !path.join("stopped/none/metrics.json").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!path.join("stopped/gaussian/model.ffm").exists(), "it was stopped before the end");

    let resumed = succeed(path, &["compare", "--resume", "stopped"]);
    assert_eq!(resumed, succeed(path, &arguments("whole")));
    assert_eq!(resumed.lines().count(), 5, "{resumed}");
    for name in ["comparison.json", "basic/model.ffm", "gaussian/model.ffm"] {
        assert_eq!(
            fs::read(path.join("stopped").join(name)).unwrap(),
            fs::read(path.join("whole").join(name)).unwrap()
        );
    }
    assert!(refuse(path, &arguments("whole")).contains("--force"));
    assert!(refuse(path, &["compare", "--resume", "scene"]).contains("is not the folder of a run"));
    fs::copy(path.join("scene/train/r_0.png"), path.join("scene/train/r_1.png")).unwrap();
    assert!(refuse(path, &["compare", "--resume", "whole"]).contains("the data are not those"));
}

#[test]
fn a_broken_scene_is_refused_before_anything_is_trained_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeed(path, &["synthesize", "--out", "scene", "--quick", "--size", "16"]);
    let unseen = refuse(path, &[&fit("a", "2")[..], &["--half-width", "1e-4"]].concat());
    assert!(unseen.contains("training rays meet the cube of half width 0.0001"), "{unseen}");
    assert!(refuse(path, &["fit", "scene", "--out", "a", "--batch", "1000000000000"]).contains("64 to 16777216"));
    assert!(refuse(path, &["fit", "scene", "--out", "a", "--scale", "-5"]).contains("scale"));
    fs::remove_file(path.join("scene/test/r_1.png")).unwrap();
    let error = refuse(path, &fit("a", "2"));
    assert!(error.contains("transforms_test.json: frame 1 names the picture") && error.contains("r_1.png"), "{error}");
    fs::remove_file(path.join("scene/transforms_test.json")).unwrap();
    assert!(refuse(path, &fit("a", "2")).contains("transforms_test.json"));
    let list = path.join("scene/transforms_train.json");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, &text[..400]).unwrap();
    assert!(refuse(path, &fit("a", "2")).contains("transforms_train.json"));
    assert!(!path.join("a").exists());
}

/// One list of all views of a synthesized scene, whose pictures were cut on the left and above by these many pixels.
fn cut_scene(path: &Path, name: &str, (left, above): (u32, u32)) -> Value {
    let mut frames = Vec::new();
    for part in ["train", "test", "val"] {
        let list = fs::read_to_string(path.join(format!("scene/transforms_{part}.json"))).unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        for mut frame in list["frames"].as_array().unwrap().clone() {
            let file = frame["file_path"].as_str().unwrap().trim_start_matches("./").to_owned();
            let picture = image::open(path.join("scene").join(&file).with_extension("png")).unwrap();
            let (width, height) = (picture.width() - left, picture.height() - above);
            let target = path.join(name).join(&file).with_extension("png");
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            picture.crop_imm(left, above, width, height).save(target).unwrap();
            frame["file_path"] = format!("{file}.png").into();
            frames.push(frame);
        }
    }
    let names = |part: &str| {
        let is_of = |frame: &&Value| frame["file_path"].as_str().unwrap().starts_with(part);
        frames.iter().filter(is_of).map(|frame| frame["file_path"].clone()).collect::<Vec<_>>()
    };
    // 24 pixels over the tangent of half of 0.6911112 radians.
    serde_json::json!({
        "camera_model": "OPENCV", "fl_x": 66.6667, "fl_y": 66.6667, "cx": 24 - left, "cy": 24 - above,
        "w": 48 - left, "h": 48 - above, "train_filenames": names("train"), "test_filenames": names("test"),
        "half_width": 1.0, "frames": frames,
    })
}

#[test]
fn a_list_of_all_views_with_an_off_centre_lens_is_learned_as_well_as_a_plain_scene() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeed(path, &["synthesize", "--out", "scene", "--quick"]);
    let fit = |scene: &str, out: &str| -> Value {
        let options =
            ["--hidden", "16,16", "--samples", "32", "--batch", "1024", "--steps", "200", "--quick", "--json"];
        let options = [&options[..], &["--optimizer", "adam"]].concat();
        serde_json::from_str(&succeed(path, &[&["fit", scene, "--out", out][..], &options].concat())).unwrap()
    };
    let psnr = |metrics: &Value| metrics["held_out"]["psnr_db"].as_f64().unwrap();
    let plain = psnr(&fit("scene", "plain"));
    let list = cut_scene(path, "cut", (12, 6));
    let write = |list: &Value| fs::write(path.join("cut/transforms.json"), list.to_string()).unwrap();
    write(&list);
    let cut = fit("cut", "own");
    assert_eq!(cut["held_out"]["views"].as_array().unwrap().len(), 4);
    // What is cut off is mostly background: what is left is a little harder.
    assert!(psnr(&cut) > plain - 1.5, "{} of {plain}", psnr(&cut));
    // The same with the lens in the middle, as if its place had not been read.
    let mut middle = list.clone();
    (middle["cx"], middle["cy"]) = (18.into(), 21.into());
    write(&middle);
    let middle = psnr(&fit("cut", "middle"));
    assert!(psnr(&cut) > middle + 1.5, "{} and {middle}", psnr(&cut));

    // What is drawn has the lens of the view; a turn has none.
    succeed(path, &["render", "own", "--picture", "view.png", "--turntable", "turn.gif", "--frames", "2"]);
    let drawn = image::open(path.join("view.png")).unwrap();
    let exact = image::open(path.join("cut/test/r_0.png")).unwrap().into_rgba8();
    assert_eq!((drawn.width(), drawn.height()), (36, 42));
    let background = |pixel: &image::Rgba<u8>| pixel.0[3] == 0;
    let white = drawn
        .to_rgb8()
        .pixels()
        .zip(exact.pixels())
        .filter(|(_, exact)| background(exact))
        .fold((0, 0), |(n, sum), (pixel, _)| {
            (n + 1, sum + pixel.0.iter().map(|&value| u32::from(value)).sum::<u32>() / 3)
        });
    assert!(white.0 > 100 && white.1 / white.0 > 215, "{white:?}");

    let mut fisheye = list.clone();
    fisheye["camera_model"] = "OPENCV_FISHEYE".into();
    write(&fisheye);
    let error = refuse(path, &["fit", "cut", "--out", "none"]);
    assert!(error.contains("camera_model OPENCV_FISHEYE, which is not modelled"), "{error}");
    assert!(!path.join("none").exists());
}

#[test]
fn what_is_worth_saying_of_a_scene_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeed(path, &["synthesize", "--out", "scene", "--quick"]);
    let mut list = cut_scene(path, "all", (0, 0));
    let keys = list.as_object_mut().unwrap();
    keys.retain(|key, _| !key.ends_with("_filenames") && key != "half_width");
    keys.insert("made_by".to_owned(), "hand".into());
    fs::write(path.join("all/transforms.json"), list.to_string()).unwrap();
    let fit = |options: &[&str]| {
        let output = trainer(
            path,
            &[&["fit", "all", "--force", "--out", "run", "--samples", "8", "--steps", "2"][..], &SMALL, options]
                .concat(),
        );
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fit(&[]);
    for words in [
        "every 8th in the order of the file names is held out, 4 of 30",
        "1 key that is not known",
        "a cube of half width 1.3 around",
    ] {
        assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
    }
    assert!(!fit(&["--half-width", "1"]).contains("cube of half width"));
}
