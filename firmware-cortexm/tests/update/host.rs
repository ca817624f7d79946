//! The host's side of an update without a line between: each request is a frame that the device takes, each answer a
//! frame that the host takes.

use std::cell::RefCell;
use std::rc::Rc;

use firmware_core::update::frame::{Frame, Receiver};
use firmware_core::update::message::{MAX_PIECE, Request, Response};
use firmware_core::update::{Manifest, SignedHeader, crc32};
use firmware_core::{Aligned, Scratch};
use firmware_cortexm::update::{Slot, Store, Updater, Verifier};

use crate::chip::{Chip, Power, Tear};

/// Scratch memory that the small model needs.
pub(crate) const SCRATCH: usize = 16;

/// A model of 980 bytes.
static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../firmware-core/models/thermocouple.ffm"));

/// The small model with another digit in its text, so that versions differ in their bytes.
pub(crate) fn artifact(version: u16) -> Vec<u8> {
    let mut bytes = MODEL.0.to_vec();
    let text_len = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    assert!(text_len > 0);
    let first = bytes.len() - text_len.next_multiple_of(4);
    bytes[first] = b'a' + (version % 26) as u8;
    let crc = crc32(&[&bytes[..12], &bytes[16..]].concat());
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// A signature that is quick to check, for millions of starts. It finds all that is not of its maker's making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quick(pub(crate) u32);

impl Quick {
    fn mix(self, bytes: &[u8], place: u32) -> u32 {
        let state = bytes.chunks(4).fold(self.0 ^ place.wrapping_mul(0x9e37_79b9), |state, bytes| {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            (state ^ u32::from_le_bytes(word)).wrapping_mul(0x0100_0193).rotate_left(13)
        });
        state ^ state >> 15
    }

    fn sign(self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        for (place, word) in (1..).zip(signature.chunks_exact_mut(4)) {
            word.copy_from_slice(&self.mix(message, place).to_le_bytes());
        }
        signature
    }
}

impl Verifier for Quick {
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.sign(message) == *signature
    }

    fn digest(&self, artifact: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        for (place, word) in (1..).zip(digest.chunks_exact_mut(4)).take(2) {
            word.copy_from_slice(&Self(0).mix(artifact, place).to_le_bytes());
        }
        digest
    }
}

/// A signed model.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) header: Vec<u8>,
    pub(crate) artifact: Vec<u8>,
}

impl Signed {
    /// The model of a version, by the quick signature.
    pub(crate) fn new(version: u16, oldest: u16) -> Self {
        Self::of(artifact(version), version, oldest)
    }

    /// Any bytes, by the quick signature.
    pub(crate) fn of(artifact: Vec<u8>, version: u16, oldest: u16) -> Self {
        Self::by(KEY, artifact, version, oldest)
    }

    /// Any bytes, by another key.
    pub(crate) fn by(key: Quick, artifact: Vec<u8>, version: u16, oldest: u16) -> Self {
        let manifest = manifest(&artifact, version, oldest, key.digest(&artifact));
        let signature = key.sign(&manifest.signed_bytes());
        Self { header: SignedHeader { manifest, signature }.to_bytes().to_vec(), artifact }
    }

    /// The requests of an update.
    pub(crate) fn requests(&self) -> Vec<Request<'_>> {
        let pieces = (0..).step_by(MAX_PIECE).zip(self.artifact.chunks(MAX_PIECE));
        let data = pieces.map(|(offset, bytes)| Request::Data { offset, bytes });
        [Request::Offer(&self.header)].into_iter().chain(data).chain([Request::Finish]).collect()
    }
}

pub(crate) fn manifest(artifact: &[u8], version: u16, oldest: u16, digest: [u8; 32]) -> Manifest {
    Manifest { length: artifact.len() as u32, crc: crc32(artifact), version, oldest, digest }
}

/// The maker's key.
pub(crate) const KEY: Quick = Quick(0x5eed);

/// A device with the quick signature.
pub(crate) type Device<const WORD: usize> = Updater<Chip<WORD>, Quick>;

/// Starts a device on these slots, with a supply that is cut or not.
pub(crate) fn start<const WORD: usize>(
    slots: &[Chip<WORD>; 2],
    cut: Option<(u64, Tear)>,
) -> (Device<WORD>, Rc<RefCell<Power>>) {
    let power = Rc::new(RefCell::new(Power { cut, ..Power::default() }));
    let slots = slots.each_ref().map(|slot| slot.restart(&power));
    (Updater::new(Store::open(slots, KEY, 0, &mut Scratch::<SCRATCH>::new()).unwrap()), power)
}

/// Sends one request; the device's answer.
pub(crate) fn ask<S: Slot, V: Verifier>(device: &mut Updater<S, V>, request: &Request<'_>) -> Response {
    let frame = Frame::new(request).unwrap();
    let answers: Vec<Frame> =
        frame.as_bytes().iter().filter_map(|&byte| device.push(byte, &mut Scratch::<SCRATCH>::new())).collect();
    let [answer] = &answers[..] else { panic!("{} answers", answers.len()) };
    let mut receiver = Receiver::new();
    for &byte in answer.as_bytes() {
        receiver.push(byte);
    }
    receiver.message().unwrap()
}

/// Sends a whole update; the first refusal ends it.
pub(crate) fn update<S: Slot, V: Verifier>(device: &mut Updater<S, V>, signed: &Signed) -> Response {
    let mut last = None;
    for request in signed.requests() {
        let response = ask(device, &request);
        if let Response::Refused(_) = response {
            return response;
        }
        last = Some(response);
    }
    last.unwrap()
}

/// The bytes of the model that is served, and its version.
pub(crate) fn served<S: Slot, V: Verifier>(device: &Updater<S, V>) -> Option<(u16, u32)> {
    let model = device.store().model().ok()?;
    Some((device.store().status().version.unwrap(), model.checksum()))
}

/// What [`served`] gives of a version.
pub(crate) fn expected(version: u16) -> (u16, u32) {
    (version, u32::from_le_bytes(artifact(version)[12..16].try_into().unwrap()))
}
