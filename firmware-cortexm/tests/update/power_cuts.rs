//! The power is cut at every operation of an update, with every kind of tear; then the device starts and is updated
//! again.
//!
//! Counts are printed with `--nocapture`. `CUTS=1000000` sets how many pairs of cuts are drawn.

use std::env;

use firmware_core::update::message::{Refusal, Response};

use crate::chip::{Chip, Power, TEARS, Tear, random};
use crate::host::{Signed, expected, served, start, update};

/// Pairs of cuts that are drawn unless `CUTS` says more.
const PAIRS: u64 = 2000;

/// Where an update begins.
struct Scene<const WORD: usize> {
    name: &'static str,
    slots: [Chip<WORD>; 2],
    /// What is served; none where both slots are bad.
    before: Option<u16>,
    stored: u16,
    new: Signed,
    version: u16,
}

/// A device to which these versions came, one after the other.
fn device<const WORD: usize>(versions: &[(u16, u16)]) -> [Chip<WORD>; 2] {
    let power = Default::default();
    let mut slots = [Chip::blank(&power), Chip::blank(&power)];
    for &(version, oldest) in versions {
        let (mut device, _) = start(&slots, None);
        assert_eq!(update(&mut device, &Signed::new(version, oldest)), Response::Current(version));
        slots = device.into_store().into_slots();
    }
    slots
}

fn scenes<const WORD: usize>() -> Vec<Scene<WORD>> {
    let scene = |name, versions: &[(u16, u16)], new: (u16, u16)| Scene {
        name,
        slots: device(versions),
        before: versions.last().map(|&(version, _)| version),
        stored: versions.iter().map(|&(_, oldest)| oldest).max().unwrap_or_default(),
        new: Signed::new(new.0, new.1),
        version: new.0,
    };
    let mut scenes = vec![
        scene("the first model", &[], (1, 1)),
        scene("the second model", &[(1, 1)], (2, 2)),
        scene("over an old model", &[(1, 1), (2, 2)], (3, 3)),
        scene("over an old model that may serve", &[(1, 1), (2, 1)], (5, 2)),
        scene("the fourth model", &[(1, 1), (2, 2), (3, 3)], (7, 0)),
    ];
    // The newer model is damaged by age: the older one serves, and the stored version lies in the slot to be erased.
    let mut aged = scene("over a damaged model", &[(1, 0), (4, 0), (5, 3), (6, 4)], (6, 6));
    aged.slots[0].rot(1500);
    aged.before = Some(5);
    scenes.push(aged);
    scenes
}

impl<const WORD: usize> Scene<WORD> {
    /// Starts, and checks what must hold after any start; whether the new model is current. `is_done` where the device
    /// has said so.
    fn check(&self, slots: &mut [Chip<WORD>; 2], is_done: bool) -> bool {
        let (device, _) = start(slots, None);
        let (found, status) = (served(&device), device.store().status());
        let is_new = found == Some(expected(self.version));
        assert!(is_new || !is_done && found == self.before.map(expected), "{}: {found:?}", self.name);
        assert!(status.stored_version >= self.stored, "{}: {status:?}", self.name);
        assert!(found.is_none_or(|(version, _)| version >= status.stored_version), "{}: {status:?}", self.name);
        *slots = device.into_store().into_slots();
        is_new
    }

    /// Starts and updates with a cut; whether the update ended before it.
    fn cut(&self, slots: &mut [Chip<WORD>; 2], cut: (u64, Tear)) -> bool {
        let (mut device, _) = start(slots, Some(cut));
        let is_done = update(&mut device, &self.new) == Response::Current(self.version);
        *slots = device.into_store().into_slots();
        is_done
    }

    /// Starts and checks, then updates again to the end and checks; `is_followed` by another version.
    fn mend(&self, mut slots: [Chip<WORD>; 2], is_done: bool, is_followed: bool) {
        let was_new = self.check(&mut slots, is_done);
        let (mut device, _) = start(&slots, None);
        // A mark that was cut may be read now and not before; but not before and not now.
        let is_new = served(&device) == Some(expected(self.version));
        assert!(is_new || !was_new, "{}", self.name);
        let answer = update(&mut device, &self.new);
        let is_refused = matches!(answer, Response::Refused(Refusal::Older(_)));
        assert!(is_refused && is_new || answer == Response::Current(self.version), "{}: {answer:?}", self.name);
        slots = device.into_store().into_slots();
        assert!(self.check(&mut slots, true));
        if !is_followed {
            return;
        }
        // The next one goes into the other slot, and an old one into none.
        let (mut device, _) = start(&slots, None);
        let old = update(&mut device, &Signed::new(self.version, self.version));
        assert!(matches!(old, Response::Refused(Refusal::Older(_))), "{}: {old:?}", self.name);
        assert_eq!(update(&mut device, &Signed::new(9, 9)), Response::Current(9), "{}", self.name);
        let (device, _) = start(&device.into_store().into_slots(), None);
        assert_eq!(served(&device), Some(expected(9)));
    }

    /// The operations of the update where nothing is cut.
    fn operations(&self, slots: &[Chip<WORD>; 2]) -> u64 {
        let (mut device, power) = start(slots, None);
        update(&mut device, &self.new);
        let Power { operations, .. } = *power.borrow();
        operations
    }
}

fn every_cut<const WORD: usize>() {
    let mut cuts = 0;
    for scene in scenes::<WORD>() {
        let operations = scene.operations(&scene.slots);
        assert!(operations > 1000 / WORD as u64, "{}: {operations}", scene.name);
        for operation in 0..operations {
            for tear in TEARS {
                let mut slots = scene.slots.clone();
                let is_done = scene.cut(&mut slots, (operation, tear));
                assert!(!is_done, "a device without power answers");
                scene.mend(slots, is_done, operation % 16 == 0 || operation + 4 > operations);
                cuts += 1;
            }
        }
    }
    println!("words of {WORD} bytes: {cuts} cuts");
}

/// Two or more cuts, drawn from all: each update after a cut is cut as well.
fn drawn_cuts<const WORD: usize>(pairs: u64, mut state: u64) {
    let scenes = scenes::<WORD>();
    let mut cuts = 0;
    for _ in 0..pairs {
        let scene = &scenes[random(&mut state) as usize % scenes.len()];
        let operations = scene.operations(&scene.slots);
        let (mut slots, mut is_done) = (scene.slots.clone(), false);
        for _ in 0..2 + random(&mut state) % 3 {
            // Half of them in the first and the last operations, where marks are written.
            let operation = match random(&mut state) % 4 {
                0 => random(&mut state) % 8,
                1 => operations - 1 - random(&mut state) % 4,
                _ => random(&mut state) % operations,
            };
            let seed = random(&mut state);
            let tear = match random(&mut state) % 6 {
                0 => Tear::Some(seed),
                1 => Tear::Any(seed),
                2 | 3 => Tear::Unstable(seed),
                _ => TEARS[seed as usize % TEARS.len()],
            };
            is_done |= scene.cut(&mut slots, (operation, tear));
            if random(&mut state).is_multiple_of(2) {
                is_done |= scene.check(&mut slots, is_done);
            }
            cuts += 1;
        }
        scene.mend(slots, is_done, random(&mut state).is_multiple_of(4));
    }
    println!("words of {WORD} bytes: {cuts} cuts, several in a row");
}

#[test]
fn every_cut_leaves_one_valid_model() {
    every_cut::<4>();
    every_cut::<32>();
}

#[test]
fn cuts_in_a_row_leave_one_valid_model() {
    let pairs = env::var("CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(PAIRS);
    drawn_cuts::<4>(pairs / 2, 1);
    drawn_cuts::<16>(pairs / 2, 2);
}
