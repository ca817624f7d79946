//! What is served where slots are bad, and which versions are taken.

use firmware_core::Scratch;
use firmware_core::update::crc32;
use firmware_core::update::message::{Refusal, Request, Response, Status};
use firmware_cortexm::update::{NoModel, SlotFault, Store};

use crate::chip::{Chip, SLOT};
use crate::host::{Device, KEY, Quick, SCRATCH, Signed, artifact, ask, expected, served, start, update};

/// Where the artifact of a slot begins, from the table in the documentation.
const ARTIFACT_AT: usize = 1152;

fn blank() -> [Chip<4>; 2] {
    let power = Default::default();
    [Chip::blank(&power), Chip::blank(&power)]
}

fn with(versions: &[(u16, u16)]) -> [Chip<4>; 2] {
    versions.iter().fold(blank(), |slots, &(version, oldest)| {
        let mut device = start(&slots, None).0;
        assert_eq!(update(&mut device, &Signed::new(version, oldest)), Response::Current(version));
        device.into_store().into_slots()
    })
}

fn device(slots: &[Chip<4>; 2]) -> Device<4> {
    start(slots, None).0
}

#[test]
fn a_device_without_a_model_says_so_and_serves_nothing() {
    let device = device(&blank());
    let none = device.store().model().unwrap_err();
    assert_eq!(none, NoModel { faults: [SlotFault::NotCurrent; 2] });
    assert!(none.to_string().starts_with("both slots are bad, and nothing is served"), "{none}");
    assert_eq!(device.store().status().version, None);
}

#[test]
fn two_damaged_slots_are_told_and_can_be_mended() {
    let mut slots = with(&[(1, 0), (2, 1)]);
    slots.iter_mut().for_each(|slot| slot.rot(ARTIFACT_AT + 500));
    let mut device = device(&slots);
    assert_eq!(device.store().model().unwrap_err(), NoModel { faults: [SlotFault::Checksum; 2] });
    let status = Status { version: None, stored_version: 1, capacity: (SLOT - ARTIFACT_AT) as u32 };
    assert_eq!(ask(&mut device, &Request::Status), Response::Status(status));
    assert_eq!(update(&mut device, &Signed::new(0, 0)), Response::Refused(Refusal::Older(1)));
    assert_eq!(update(&mut device, &Signed::new(2, 2)), Response::Current(2));
    assert_eq!(served(&device), Some(expected(2)));
}

#[test]
fn a_damaged_model_gives_way_to_the_older_one_only_where_the_maker_allows_it() {
    for (oldest, found) in [(1, Some(expected(1))), (2, None)] {
        let mut slots = with(&[(1, 1), (2, oldest)]);
        // The second version lies in the first slot.
        slots[0].rot(ARTIFACT_AT + 500);
        assert_eq!(served(&device(&slots)), found, "oldest {oldest}");
    }
}

#[test]
fn the_stored_version_never_falls() {
    let slots = with(&[(1, 1), (5, 5), (6, 2), (7, 2), (9, 0)]);
    let mut device = device(&slots);
    assert_eq!(device.store().status().stored_version, 5);
    for version in [0, 4, 8, 9] {
        let answer = update(&mut device, &Signed::new(version, 0));
        assert_eq!(answer, Response::Refused(Refusal::Older(10)), "version {version}");
    }
    assert_eq!(update(&mut device, &Signed::new(10, 0)), Response::Current(10));
}

#[test]
fn a_program_may_set_the_oldest_version() {
    let slots = with(&[(3, 3)]);
    let store = Store::open(slots, KEY, 4, &mut Scratch::<SCRATCH>::new()).unwrap();
    assert_eq!(store.model().unwrap_err().faults, [SlotFault::NotCurrent, SlotFault::Older]);
}

#[test]
fn what_is_not_the_makers_changes_nothing() {
    let slots = with(&[(1, 1)]);
    let refused = |signed: &Signed| {
        let mut device = device(&slots);
        let answer = update(&mut device, signed);
        assert_eq!(served(&device), Some(expected(1)), "{answer:?}");
        let Response::Refused(refusal) = answer else { panic!("{answer:?}") };
        // And at the next start.
        let device = start(&device.into_store().into_slots(), None).0;
        assert_eq!(served(&device), Some(expected(1)));
        refusal
    };
    let signed = Signed::new(2, 2);
    let other_key = Signed::by(Quick(7), artifact(2), 2, 2);
    assert_eq!(refused(&other_key), Refusal::Signature);
    let mut other_artifact = signed.clone();
    other_artifact.artifact[700] ^= 1;
    assert_eq!(refused(&other_artifact), Refusal::Checksum);
    let header = signed.header[..100].to_vec();
    assert_eq!(refused(&Signed { header, ..signed.clone() }), Refusal::Header);
    // Signed by the maker, but no model that this device can evaluate.
    assert_eq!(refused(&Signed::of(vec![0x5a; 64], 2, 2)), Refusal::Parse);
    let capacity = SLOT - ARTIFACT_AT;
    assert_eq!(refused(&Signed::of(vec![0; capacity + 4], 2, 2)), Refusal::TooLong(capacity as u32));
    let mut answers = artifact(2);
    answers[16] ^= 1;
    let crc = crc32(&[&answers[..12], &answers[16..]].concat());
    answers[12..16].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(refused(&Signed::of(answers, 2, 2)), Refusal::KnownAnswer);
}

#[test]
fn a_model_beyond_the_scratch_is_refused() {
    let mut store = Store::open(blank(), KEY, 0, &mut []).unwrap();
    let signed = Signed::new(1, 1);
    store.begin(&signed.header).unwrap();
    for (offset, piece) in (0..).step_by(256).zip(signed.artifact.chunks(256)) {
        store.store(offset, piece).unwrap();
    }
    assert_eq!(store.finish(&mut [0; 2]), Err(Refusal::Scratch));
    assert_eq!(store.status().version, None);
}
