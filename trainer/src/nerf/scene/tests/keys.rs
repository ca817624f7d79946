//! Keys that are refused, and those that are not known.

use serde_json::{Value, json};

use super::*;

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
