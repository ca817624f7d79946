//! Pictures and masks, and what happens to lists on their way.

use std::fs;

use serde_json::json;

use super::*;

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
