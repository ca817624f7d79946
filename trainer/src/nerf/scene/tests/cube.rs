//! The bounding cube.

use std::fs;

use serde_json::{Value, json};

use super::*;

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
        assert!((half_width - expected.0).abs() < 1e-5 && center == expected.1, "{half_width} {center:?}");
        assert_eq!(note.is_some_and(|note| note.contains(&format!("By {key} of"))), key != "half_width");
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
