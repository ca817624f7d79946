//! Lists of Blender's exporters, and what the tests of other kinds share.

mod cube;
mod files;
mod keys;
mod lenses;
mod parts;

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
