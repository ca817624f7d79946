//! Focal lengths, principal points, sizes and distortion.

use serde_json::json;

use super::*;

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
    let (x, y) = (22.0 - 60.0 * 0.304_738_22, 16.0 + 60.0 * 0.203_418_8);
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
