use std::fs;

use super::*;
use serde_json::{Value, json};

/// A folder with a list of two views of 4×3 pixels.
fn folder() -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("train")).unwrap();
    for name in ["a", "b"] {
        let picture = image::RgbaImage::from_fn(4, 3, |x, y| image::Rgba([x as u8, y as u8, 255, 128]));
        picture.save(folder.path().join(format!("train/{name}.png"))).unwrap();
    }
    let matrix = json!([[1.0, 0.0, 0.0, 0.5], [0.0, 0.0, -1.0, -4.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]);
    let list = json!({
        "camera_angle_x": 0.9272952180016122, // 2·atan(1/2)
        "frames": [
            { "file_path": "./train/a", "rotation": 0.1, "transform_matrix": matrix },
            { "file_path": "train/b.png", "transform_matrix": matrix },
        ]
    });
    (folder, list)
}

fn read_value(folder: &Path, list: &Value) -> Result<Views, SceneError> {
    let path = Part::Train.list(folder);
    fs::write(&path, list.to_string()).unwrap();
    read(folder, Part::Train)
}

#[test]
fn reads_what_exporters_write() {
    let (folder, list) = folder();
    let views = read_value(folder.path(), &list).unwrap();
    assert_eq!(views.views.len(), 2);
    let View { name, camera, pixels, .. } = &views.views[0];
    assert_eq!((name.as_str(), camera.width, camera.height), ("a", 4, 3));
    assert!((camera.focal - 4.0).abs() < 1e-6);
    assert_eq!(camera.to_world[1], [0.0, 0.0, -1.0, -4.0]);
    assert_eq!(pixels[5], [1.0 / 255.0, 1.0 / 255.0, 1.0, 128.0 / 255.0]);
    let on_white = views.views[0].over([1.0; 3])[5];
    assert!((on_white[0] - (1.0 + (128.0 / 255.0) * (1.0 / 255.0 - 1.0))).abs() < 1e-6);
}

#[test]
fn pictures_without_alpha_are_opaque_and_those_with_it_show_the_background() {
    let (folder, list) = folder();
    let opaque = image::RgbImage::from_pixel(4, 3, image::Rgb([51, 102, 153]));
    opaque.save(folder.path().join("train/a.png")).unwrap();
    // What other exporters leave beside the pictures is no view.
    fs::write(folder.path().join("train/a_depth_0001.png"), "no picture").unwrap();
    let views = read_value(folder.path(), &list).unwrap().views;
    for background in [[1.0; 3], [0.0; 3]] {
        let color = views[0].over(background)[7];
        assert!(color.iter().zip([0.2, 0.4, 0.6]).all(|(found, exact)| (found - exact).abs() < 1e-6), "{color:?}");
    }
    let [white, black] = [[1.0; 3], [0.0; 3]].map(|background| views[1].over(background)[0]);
    let alpha = 128.0 / 255.0;
    assert!((black[0]).abs() < 1e-6 && (white[0] - (1.0 - alpha)).abs() < 1e-6);
    assert!((black[2] - alpha).abs() < 1e-6 && (white[2] - 1.0).abs() < 1e-6);
}

#[test]
fn says_what_is_wrong_with_a_list() {
    let (folder, list) = folder();
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str); 16] = [
        (|v| *v = json!([1, 2]), "no list of views"),
        (|v| v["frames"] = json!("none"), "no list of views"),
        (|v| v["frames"] = json!([]), "lists no frames"),
        (|v| v["camera_angle_x"] = Value::Null, "no camera_angle_x"),
        (|v| v["camera_angle_x"] = json!(4.0), "0.001 to 3.1 radians"),
        (|v| v["camera_angle_x"] = json!(1e-9), "0.001 to 3.1 radians"),
        (
            |v| {
                v["frames"][1].as_object_mut().unwrap().remove("file_path");
            },
            "frame 1 is no view as Blender's exporters write it (missing field `file_path`); export it again",
        ),
        (
            |v| v["frames"][1]["transform_matrix"][2] = json!([0.0, 1.0]),
            "frame 1 has a transform_matrix that is not 4 rows",
        ),
        (
            |v| v["frames"][0]["transform_matrix"] = json!([[1.0], [2.0]]),
            "frame 0 has a transform_matrix that is not 4 rows",
        ),
        (|v| v["frames"][1]["transform_matrix"][0][0] = json!(2.0), "remove the camera's scaling"),
        (|v| v["frames"][1]["transform_matrix"][0][0] = json!(-1.0), "mirrored"),
        (
            |v| {
                v["frames"][0]["transform_matrix"].as_array_mut().unwrap().pop();
            },
            "frame 0 has a transform_matrix that is not 4 rows",
        ),
        (|v| v["frames"][0]["transform_matrix"][0][3] = Value::Null, "frame 0 is no view"),
        (|v| v["frames"][1]["transform_matrix"][3][3] = json!(0.0), "last row"),
        (|v| v["frames"][1]["file_path"] = json!("train/c"), "c.png, which does not exist"),
        (|v| v["half_width"] = json!(-1.0), "half_width"),
    ];
    for (edit, words) in edits {
        let mut broken = list.clone();
        edit(&mut broken);
        let error = read_value(folder.path(), &broken).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let text = list.to_string();
    fs::write(Part::Train.list(folder.path()), &text[..text.len() / 2]).unwrap();
    assert!(read(folder.path(), Part::Train).unwrap_err().to_string().contains("EOF"));
    assert!(matches!(read(folder.path(), Part::Test), Err(SceneError::Read(_))));
}

#[test]
fn says_what_is_wrong_with_a_picture() {
    let (folder, list) = folder();
    let bytes = fs::read(folder.path().join("train/a.png")).unwrap();
    fs::write(folder.path().join("train/b.png"), &bytes[..bytes.len() / 2]).unwrap();
    let error = read_value(folder.path(), &list).unwrap_err().to_string();
    assert!(error.contains("b.png is damaged"), "{error}");
}

/// A list of all views with pictures of 48×32 pixels, as nerfstudio writes it; the cameras stand in a circle.
fn all_views(folder: &Path, count: usize) -> Value {
    fs::create_dir_all(folder.join("images")).unwrap();
    let like = Camera { to_world: [[0.0; 4]; 3], focal: 60.0, width: 48, height: 32 };
    let cameras = crate::nerf::poses::turntable(&like, 4.0, 30.0, count);
    let frame = |(index, camera): (usize, Camera)| {
        let picture = image::RgbImage::from_fn(48, 32, |x, y| image::Rgb([x as u8, y as u8, index as u8]));
        picture.save(folder.join(format!("images/{index:03}.png"))).unwrap();
        let mut matrix = camera.to_world.to_vec();
        matrix.push([0.0, 0.0, 0.0, 1.0]);
        json!({ "file_path": format!("images/{index:03}.png"), "transform_matrix": matrix, "colmap_im_id": index })
    };
    json!({
        "camera_model": "OPENCV", "fl_x": 60.0, "fl_y": 60.0, "cx": 24.0, "cy": 16.0, "w": 48, "h": 32,
        "k1": 0, "k2": 0, "p1": 0, "p2": 0, "applied_transform": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
        "ply_file_path": "points.ply",
        "frames": cameras.into_iter().enumerate().map(frame).collect::<Vec<_>>(),
    })
}

fn read_single(folder: &Path, list: &Value, part: Part) -> Result<Views, SceneError> {
    fs::write(folder.join("transforms.json"), list.to_string()).unwrap();
    read(folder, part)
}

fn refused(folder: &Path, list: &Value) -> String {
    read_single(folder, list, Part::Train).map(|_| "read").unwrap_err().to_string()
}

fn names(views: &Views) -> Vec<&str> {
    views.views.iter().map(|view| view.name.as_str()).collect()
}

#[test]
fn one_list_of_all_views_holds_every_eighth_out_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let list = all_views(folder.path(), 18);
    let [train, test] = [Part::Train, Part::Test].map(|part| read_single(folder.path(), &list, part).unwrap());
    assert_eq!(names(&test), ["000", "008", "016"]);
    assert!(train.views.len() == 15 && !names(&train).contains(&"008"));
    for views in [&train, &test] {
        assert_eq!(views.notes.len(), 1, "{:?}", views.notes);
        assert!(views.notes[0].contains("every 8th") && views.notes[0].contains("3 of 18"), "{:?}", views.notes);
    }
    // An ideal lens needs no other rays than a plain camera's.
    let View { camera, lens, .. } = &train.views[0];
    assert_eq!((camera.focal, *lens), (60.0, None));
    // The list alone may be named.
    let named = read(&folder.path().join("transforms.json"), Part::Test).unwrap();
    assert_eq!(names(&named), names(&test));
    // Lists of the parts come first.
    fs::write(Part::Train.list(folder.path()), list.to_string()).unwrap();
    let parts = read(folder.path(), Part::Train).unwrap();
    assert!(parts.views.len() == 18 && parts.notes[0].contains("transforms.json is not read"), "{:?}", parts.notes);
}

#[test]
fn a_list_that_says_what_is_held_out_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 6);
    list["train_filenames"] = json!(["images/000.png", "./images/003.png", "images\\005.png"]);
    list["test_filenames"] = json!(["images/001.png", "images/003.png"]);
    let part = |list: &Value, part| read_single(folder.path(), list, part);
    assert_eq!(names(&part(&list, Part::Train).unwrap()), ["000", "003", "005"]);
    let test = part(&list, Part::Test).unwrap();
    assert_eq!(names(&test), ["001", "003"]);
    assert!(test.notes[0].contains("1 of the 2 views to judge by"), "{:?}", test.notes);
    let validation = part(&list, Part::Validation).unwrap();
    assert!(names(&validation) == ["001", "003"] && validation.notes[0].contains("no val_filenames"));
    let mut rest = list.clone();
    rest.as_object_mut().unwrap().remove("train_filenames");
    assert_eq!(names(&part(&rest, Part::Train).unwrap()), ["000", "002", "004", "005"]);
    list.as_object_mut().unwrap().remove("test_filenames");
    assert_eq!(names(&part(&list, Part::Test).unwrap()), ["001", "002", "004"]);
    list["test_filenames"] = json!(["images/009.png"]);
    assert!(refused(folder.path(), &list).contains("names images/009.png in test_filenames, and no frame"));
    list["test_filenames"] = json!([3]);
    assert!(refused(folder.path(), &list).contains("test_filenames [3]; it takes a list of texts"));
    let one = all_views(folder.path(), 1);
    assert!(refused(folder.path(), &one).contains("leaves no view to train on"));
}

/// The direction through the centre of pixel (x, y), by the formula of nerfstudio and instant-ngp.
fn exact_direction(camera: &Camera, [fx, fy, cx, cy]: [f64; 4], [x, y]: [f64; 2]) -> [f64; 3] {
    let local = [(x + 0.5 - cx) / fx, -(y + 0.5 - cy) / fy, -1.0];
    let norm = local.iter().map(|v| v * v).sum::<f64>().sqrt();
    camera.to_world.map(|row| (0..3).map(|j| f64::from(row[j]) * local[j]).sum::<f64>() / norm)
}

fn assert_direction(view: &View, intrinsics: [f64; 4], pixel: [u16; 2]) {
    let found = view.viewpoint().ray(f32::from(pixel[0]) + 0.5, f32::from(pixel[1]) + 0.5).direction;
    let exact = exact_direction(&view.camera, intrinsics, pixel.map(f64::from));
    assert!(found.iter().zip(exact).all(|(a, b)| (f64::from(*a) - b).abs() < 3e-6), "{found:?} {exact:?}");
}

#[test]
fn lists_and_frames_say_what_the_lens_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 4);
    for (key, value) in [("fl_y", 55.0), ("cx", 20.5), ("cy", 18.0)] {
        list[key] = json!(value);
    }
    list["frames"][2]["fl_x"] = json!(70.0);
    list["frames"][2]["cx"] = json!(31.0);
    let views = read_single(folder.path(), &list, Part::Train).unwrap().views;
    for pixel in [[0, 0], [47, 0], [13, 31]] {
        assert_direction(&views[0], [60.0, 55.0, 20.5, 18.0], pixel);
        assert_direction(&views[1], [70.0, 55.0, 31.0, 18.0], pixel);
    }
    // All of it on the frames alone.
    let mut own = list.clone();
    let keys = ["fl_x", "fl_y", "cx", "cy", "w", "h"];
    for frame in own["frames"].as_array_mut().unwrap() {
        for key in keys {
            let value = frame.get(key).cloned().unwrap_or(list[key].clone());
            frame[key] = value;
        }
    }
    keys.iter().for_each(|key| drop(own.as_object_mut().unwrap().remove(*key)));
    let found = read_single(folder.path(), &own, Part::Train).unwrap().views;
    assert_eq!(found, views);
    own["frames"][3].as_object_mut().unwrap().retain(|key, _| !key.starts_with("fl_"));
    assert!(refused(folder.path(), &own).contains("frame 3 has no camera_angle_x and no fl_x"));
    // An angle that says the same is no contradiction: 2·atan(24/60) = 0.76101 radians, 43.60 degrees.
    list["camera_angle_x"] = json!(0.76101);
    list["x_fov"] = json!(43.6028);
    assert_eq!(read_single(folder.path(), &list, Part::Train).unwrap().views, views);
    list["camera_angle_x"] = json!(0.9);
    assert!(refused(folder.path(), &list).contains("fl_x 60, and camera_angle_x 0.9 would be 49.68"));
}

#[test]
fn distortion_is_that_of_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 3);
    for (key, value) in [("k1", 0.11), ("k2", -0.23), ("k3", 0.31), ("p1", 0.004), ("p2", -0.003), ("cx", 22.0)] {
        list[key] = json!(value);
    }
    let view = &read_single(folder.path(), &list, Part::Train).unwrap().views[0];
    // (u, v) = (-0.3, 0.2): r² = 0.13, L = 1 + 0.0143 - 0.003887 + 0.00068107 = 1.01109407,
    // u' = -0.303328221 - 0.00048 - 0.00093, v' = 0.202218814 + 0.00084 + 0.00036.
    let (x, y) = (22.0 - 60.0 * 0.304_738_22, 16.0 + 60.0 * 0.203_418_81);
    let found = view.viewpoint().ray(x, y).direction.map(f64::from);
    let exact = exact_direction(&view.camera, [1.0, 1.0, 0.0, 0.0], [-0.8, -0.3]);
    assert!(found.iter().zip(exact).all(|(a, b)| (a - b).abs() < 3e-6), "{found:?} {exact:?}");
    // u' = u - 8u³ turns back at u = 0.204, before the border at 0.4.
    list["k1"] = json!(-8.0);
    assert!(refused(folder.path(), &list).contains("that folds the picture at pixel (0, 0)"));
}

#[test]
fn pictures_that_are_whole_numbers_of_times_smaller_take_the_lens_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 2);
    let twice = [("fl_x", 120.0), ("fl_y", 120.0), ("cx", 40.0), ("cy", 36.0), ("w", 96.0), ("h", 65.0)];
    twice.iter().for_each(|(key, value)| list[*key] = json!(value));
    let views = read_single(folder.path(), &list, Part::Train).unwrap();
    // 65 rows were cut to 32: the picture is 32/65 as high.
    assert_direction(&views.views[0], [60.0, 120.0 * 32.0 / 65.0, 20.0, 36.0 * 32.0 / 65.0], [3, 30]);
    let note = &views.notes[1];
    assert!(note.contains("1 picture is a scaled version") && note.contains("48×32 pixels instead of 96×65"), "{note}");
    for (w, h) in [(94, 65), (96, 32), (49, 32), (32, 48)] {
        (list["w"], list["h"]) = (json!(w), json!(h));
        let error = refused(folder.path(), &list);
        assert!(error.contains("001.png has 48×32 pixels") && error.contains(&format!("w {w} and h {h}")), "{error}");
    }
    (list["w"], list["h"]) = (json!(24), json!(16));
    (list["cx"], list["cy"], list["fl_x"]) = (json!(12), json!(8), json!(30));
    list.as_object_mut().unwrap().remove("fl_y");
    assert_eq!(read_single(folder.path(), &list, Part::Train).unwrap().views[0].lens, None);
    // Without w and h a middle outside of the picture is that of another.
    list.as_object_mut().unwrap().retain(|key, _| key != "w" && key != "h");
    list["cx"] = json!(960);
    assert!(
        refused(folder.path(), &list).contains("frame 1 has cx 960; it takes a place within the picture, or w and h")
    );
}

#[test]
fn pictures_of_several_sizes_have_the_field_of_view_each() {
    let (folder, list) = folder();
    image::RgbaImage::new(10, 3).save(folder.path().join("train/b.png")).unwrap();
    let views = read_value(folder.path(), &list).unwrap().views;
    // The tangent of half the angle is one half.
    let found = [&views[0], &views[1]].map(|view| (view.camera.width, view.camera.height, view.camera.focal));
    assert!(found[0] == (4, 3, 4.0) && found[1].0 == 10 && (found[1].2 - 10.0).abs() < 1e-6, "{found:?}");
}

#[test]
fn what_editors_and_other_systems_do_to_a_list_is_read() {
    let (folder, mut list) = folder();
    let expected = read_value(folder.path(), &list).unwrap().views;
    let marked = [b"\xef\xbb\xbf".as_slice(), list.to_string().as_bytes()].concat();
    fs::write(Part::Train.list(folder.path()), marked).unwrap();
    assert_eq!(read(folder.path(), Part::Train).unwrap().views, expected);
    list["frames"][0]["file_path"] = json!(".\\train\\a");
    let views = read_value(folder.path(), &list).unwrap();
    assert!(views.views == expected && views.notes.is_empty(), "{:?}", views.notes);
    // Another machine's paths.
    list["frames"][0]["file_path"] = json!("C:\\Users\\me\\scene\\train\\a.png");
    list["frames"][1]["file_path"] = json!("/nowhere/me/scene/train/b.png");
    let views = read_value(folder.path(), &list).unwrap();
    assert_eq!(views.views, expected);
    let note = &views.notes[0];
    assert!(
        note.starts_with("2 files are not where") && note.contains("C:\\Users\\me") && note.contains("train/a.png"),
        "{note}"
    );
    // Only the name is left, in a folder that is not named; the file of another folder is not meant by a relative path.
    fs::create_dir(folder.path().join("images")).unwrap();
    for name in ["a.png", "b.png"] {
        fs::copy(folder.path().join("train").join(name), folder.path().join("images").join(name)).unwrap();
    }
    list["frames"][1]["file_path"] = json!("/nowhere/me/full_size/b.png");
    assert_eq!(read_value(folder.path(), &list).unwrap().views, expected);
    list["frames"][1]["file_path"] = json!("other/me/scene/train/b");
    assert_eq!(read_value(folder.path(), &list).unwrap().views, expected);
    list["frames"][1]["file_path"] = json!("test/b.png");
    let error = read_value(folder.path(), &list).unwrap_err().to_string();
    assert!(error.contains("test/b.png, which does not exist"), "{error}");
    // One file for two frames is not what anyone means.
    list["frames"][1]["file_path"] = json!("/nowhere/me/train/a.png");
    let error = read_value(folder.path(), &list).unwrap_err().to_string();
    assert!(error.contains("the pictures of frames 0 and 1 are not where") && error.contains("train/a.png"), "{error}");
}

#[test]
fn jpegs_are_found_without_an_ending_in_the_list_or_the_folder() {
    let (folder, list) = folder();
    let picture = image::RgbImage::from_pixel(4, 3, image::Rgb([200, 100, 50]));
    for name in ["train/a.jpg", "train/b.JPEG"] {
        fs::remove_file(folder.path().join(name).with_extension("png")).unwrap();
        picture.save_with_format(folder.path().join(name), image::ImageFormat::Jpeg).unwrap();
    }
    let mut list = list;
    list["frames"][1]["file_path"] = json!("train/b");
    for _ in 0..2 {
        let views = read_value(folder.path(), &list).unwrap().views;
        let close = |pixel: [f32; 4]| {
            pixel.iter().zip([200.0, 100.0, 50.0, 255.0]).all(|(found, exact)| (found * 255.0 - exact).abs() < 3.0)
        };
        assert!(views.iter().all(|view| close(view.pixels[5])), "{:?}", views[0].pixels[5]);
        // A second time with files whose names have no ending at all.
        for name in ["a.jpg", "b.JPEG"] {
            let path = folder.path().join("train").join(name);
            let _ = fs::rename(&path, path.with_extension(""));
        }
    }
}

#[test]
fn masks_are_read_scaled_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 2);
    let mask = image::GrayImage::from_fn(48, 32, |x, y| image::Luma([u8::from(x >= 24) * (y as u8 + 1)]));
    mask.save(folder.path().join("m.png")).unwrap();
    list["frames"][1]["mask_path"] = json!("m.png");
    let views = read_single(folder.path(), &list, Part::Train).unwrap();
    let kept = |views: &Views| (0..48 * 32).filter(|&pixel| views.views[0].is_kept(pixel)).collect::<Vec<_>>();
    let right_half: Vec<usize> = (0..48 * 32).filter(|pixel| pixel % 48 >= 24).collect();
    assert_eq!(kept(&views), right_half);
    let small = image::GrayImage::from_fn(12, 8, |x, _| image::Luma([u8::from(x >= 6) * 255]));
    small.save(folder.path().join("m.png")).unwrap();
    let views = read_single(folder.path(), &list, Part::Train).unwrap();
    assert_eq!(kept(&views), right_half);
    assert!(views.notes[1].contains("1 mask has another size"), "{:?}", views.notes);
    image::GrayImage::new(13, 8).save(folder.path().join("m.png")).unwrap();
    assert!(refused(folder.path(), &list).contains("m.png has 13×8 pixels and its picture 48×32"));
    image::GrayImage::new(48, 32).save(folder.path().join("m.png")).unwrap();
    assert!(refused(folder.path(), &list).contains("m.png is 0 everywhere"));
    list["frames"][1]["mask_path"] = json!("masks/none");
    let error = refused(folder.path(), &list);
    assert!(error.contains("frame 1 names the mask") && error.contains("none.png, which does not exist"), "{error}");
    list["frames"][1]["mask_path"] = json!(5);
    assert!(refused(folder.path(), &list).contains("mask_path 5; it takes the name of a picture"));
}

#[test]
fn what_is_known_and_not_modelled_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let plain = all_views(folder.path(), 2);
    for (key, value) in [
        ("camera_model", json!("OPENCV_FISHEYE")),
        ("camera_model", json!("EQUIRECTANGULAR")),
        ("camera_model", json!(4)),
        ("is_fisheye", json!(true)),
        ("k4", json!(0.01)),
        ("ftheta_p0", json!(1.5)),
        ("rolling_shutter", json!([0.0, 0.0, 0.1])),
        ("white_transparent", json!(true)),
        ("mask_color", json!([0, 255, 0])),
        ("fix_premult", json!(true)),
    ] {
        let mut list = plain.clone();
        list[key] = value.clone();
        let error = refused(folder.path(), &list);
        let expected =
            format!("transforms.json has {key} {}, which is not modelled: ", value.to_string().trim_matches('"'));
        assert!(error.contains(&expected), "{error}");
        // Of a frame that is not read too: here it is held out.
        let mut list = plain.clone();
        list["frames"][0][key] = value;
        let error = refused(folder.path(), &list);
        assert!(error.contains(&format!("transforms.json: frame 0 has {key} ")), "{error}");
    }
    let mut moving = plain.clone();
    (moving["frames"][0]["time"], moving["frames"][1]["time"]) = (json!(0.0), json!(0.5));
    assert!(refused(folder.path(), &moving).contains("frame 1 has time 0.5, which is not modelled"));
    // A plain no is none of these.
    let mut list = plain.clone();
    for (key, value) in [
        ("camera_model", json!("pinhole")),
        ("is_fisheye", json!(false)),
        ("k4", json!(0.0)),
        ("rolling_shutter", json!([0, 0, 0])),
        ("k3", Value::Null),
    ] {
        list[key] = value;
    }
    assert_eq!(read_single(folder.path(), &list, Part::Train).unwrap().notes.len(), 1);
    for (key, value, words) in [
        ("fl_x", json!("sixty"), "has fl_x sixty; it takes a number"),
        ("fl_x", json!(-60.0), "has fl_x -60.0; it takes a number above 0"),
        ("fl_x", json!(0.001), "frame 1 has fl_x 0.001; it takes a focal length"),
        ("w", json!(48.5), "has w 48.5; it takes a whole number of pixels"),
        ("k2", json!([1.0]), "has k2 [1.0]; it takes a number"),
        ("aabb_scale", json!(0), "has aabb_scale 0; it takes a number above 0"),
        ("offset", json!([0.5]), "has offset [0.5]; it takes three numbers"),
        ("aabb", json!([[1, 1, 1], [0, 0, 0]]), "aabb"),
    ] {
        let mut list = plain.clone();
        list[key] = value;
        let error = refused(folder.path(), &list);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn keys_that_are_not_known_are_counted_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 3);
    list["exposure"] = json!(3);
    for index in 0..3 {
        list["frames"][index]["lux"] = json!(index);
        // Means something of a list only.
        list["frames"][index]["aabb_scale"] = json!(4);
    }
    let notes = read_single(folder.path(), &list, Part::Train).unwrap().notes;
    let unknown: Vec<&String> = notes.iter().filter(|note| note.contains("not known")).collect();
    assert_eq!(unknown.len(), 1);
    assert!(
        unknown[0].ends_with("has 3 keys that are not known and not used: aabb_scale, exposure, lux."),
        "{unknown:?}"
    );
}

#[test]
fn the_cube_is_what_the_list_says_or_what_the_cameras_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let list = all_views(folder.path(), 12);
    let cube = |list: &Value| {
        let views = read_single(folder.path(), list, Part::Train).unwrap();
        (views.half_width.unwrap(), views.center, views.size_note)
    };
    // 4 away, where 24 of 60 is 1.6.
    let (half_width, center, note) = cube(&list);
    assert_eq!((half_width, center), (1.6, [0.0; 3]));
    assert!(note.unwrap().contains("a cube of half width 1.6 around the origin; --half-width sets another"));
    let mut moved = list.clone();
    for frame in moved["frames"].as_array_mut().unwrap() {
        for (axis, by) in [30.0, -7.0, 2.0].into_iter().enumerate() {
            frame["transform_matrix"][axis][3] = json!(frame["transform_matrix"][axis][3].as_f64().unwrap() + by);
        }
    }
    let (half_width, center, _) = cube(&moved);
    assert!((half_width - 1.6).abs() < 0.11, "{half_width}");
    assert!(center.iter().zip([30.0, -7.0, 2.0]).all(|(a, b)| (a - b).abs() < 0.06), "{center:?}");
    // instant-ngp: 0.33·p + 0.5 within a cube of width 4 around 0.5.
    for (key, value, expected) in [
        ("aabb_scale", json!(4), (2.0 / 0.33, [0.0; 3])),
        ("half_width", json!(2.5), (2.5, [0.0; 3])),
        ("aabb", json!([[-1, 0, 2], [3, 1, 4]]), (2.0, [1.0, 0.5, 3.0])),
    ] {
        let mut list = list.clone();
        list[key] = value;
        let (half_width, center, note) = cube(&list);
        assert!(
            (half_width - expected.0).abs() < 1e-5 && center == expected.1 && note.is_none(),
            "{half_width} {center:?}"
        );
    }
    let mut offset = list.clone();
    (offset["scale"], offset["offset"]) = (json!(0.25), json!([0.5, 0.75, 0.0]));
    assert_eq!(cube(&offset).0, 2.0);
    assert_eq!(cube(&offset).1, [0.0, -1.0, 2.0]);
    // Cameras side by side that look ahead.
    let mut ahead = list.clone();
    for (index, frame) in ahead["frames"].as_array_mut().unwrap().iter_mut().enumerate() {
        frame["transform_matrix"] = json!([[1, 0, 0, index], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]);
    }
    let views = read_single(folder.path(), &ahead, Part::Train).unwrap();
    assert_eq!(views.half_width, None);
    assert!(views.size_note.unwrap().contains("look at no common place"));
}

/// Lists of parts keep the cube that they always had; only that another would hold more is said.
#[test]
fn lists_of_parts_keep_the_default_cube() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = all_views(folder.path(), 12);
    let mut read_parts = |by: f64| {
        for frame in list["frames"].as_array_mut().unwrap() {
            for row in 0..3 {
                frame["transform_matrix"][row][3] = json!(by * frame["transform_matrix"][row][3].as_f64().unwrap());
            }
        }
        fs::write(Part::Train.list(folder.path()), list.to_string()).unwrap();
        read(folder.path(), Part::Train).unwrap()
    };
    let views = read_parts(1.0);
    assert_eq!((views.half_width, views.center, views.size_note), (None, [0.0; 3], None));
    let views = read_parts(10.0);
    assert_eq!((views.half_width, views.center), (None, [0.0; 3]));
    assert!(views.size_note.unwrap().contains("set --half-width if that holds more"));
}
