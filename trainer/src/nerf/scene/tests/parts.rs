//! Lists of all views.

use std::fs;

use serde_json::{Value, json};

use super::*;

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
