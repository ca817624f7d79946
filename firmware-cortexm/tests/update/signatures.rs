//! The signatures of Ed25519, as a device checks them.

use std::cell::RefCell;
use std::rc::Rc;

use ed25519_dalek::{Signer as _, SigningKey};
use firmware_core::Scratch;
use firmware_core::update::SignedHeader;
use firmware_core::update::message::{Refusal, Response};
use firmware_cortexm::update::{Ed25519, Store, Updater, Verifier as _};

use crate::chip::{Chip, Power, Tear};
use crate::host::{SCRATCH, Signed, artifact, expected, manifest, served, update};

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    std::array::from_fn(|k| u8::from_str_radix(&hex[2 * k..2 * k + 2], 16).unwrap())
}

/// Test 3 of RFC 8032, section 7.1.
#[test]
fn signatures_are_those_of_the_standard() {
    let public = bytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    let mut signature = bytes(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
    let key = Ed25519::new(&public).unwrap();
    assert!(key.verify(&[0xaf, 0x82], &signature));
    assert!(!key.verify(&[0xaf, 0x83], &signature));
    signature[40] ^= 1;
    assert!(!key.verify(&[0xaf, 0x82], &signature));
}

/// The SHA-512 of "abc" in FIPS 180-4.
#[test]
fn digests_are_those_of_the_standard() {
    let key = Ed25519::new(&bytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")).unwrap();
    let half = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a";
    assert_eq!(key.digest(b"abc"), bytes(half));
}

/// The neutral element and a point of order 4: under such keys anybody can sign.
#[test]
fn weak_keys_are_refused() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(Ed25519::new(&neutral).is_none() && Ed25519::new(&[0; 32]).is_none());
}

#[test]
fn a_device_with_the_makers_key_takes_the_makers_models_through_cuts() {
    let (maker, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let key = Ed25519::new(maker.verifying_key().as_bytes()).unwrap();
    let sign = |by: &SigningKey, version: u16| {
        let artifact = artifact(version);
        let manifest = manifest(&artifact, version, version, key.digest(&artifact));
        let signature = by.sign(&manifest.signed_bytes()).to_bytes();
        Signed { header: SignedHeader { manifest, signature }.to_bytes().to_vec(), artifact }
    };
    let start = |slots: &[Chip<8>; 2], cut| {
        let power = Rc::new(RefCell::new(Power { cut, ..Power::default() }));
        let slots = slots.each_ref().map(|slot| slot.restart(&power));
        Updater::new(Store::open(slots, key, 0, &mut Scratch::<SCRATCH>::new()).unwrap())
    };
    let power = Default::default();
    let mut device = start(&[Chip::blank(&power), Chip::blank(&power)], None);
    assert_eq!(update(&mut device, &sign(&maker, 1)), Response::Current(1));
    assert_eq!(update(&mut device, &sign(&other, 2)), Response::Refused(Refusal::Signature));
    let (mut slots, new) = (device.into_store().into_slots(), sign(&maker, 2));
    for operation in (0..140).step_by(13) {
        let mut device = start(&slots, Some((operation, Tear::Unstable(operation))));
        update(&mut device, &new);
        slots = device.into_store().into_slots();
        assert_eq!(served(&start(&slots, None)), Some(expected(1)), "operation {operation}");
    }
    let mut device = start(&slots, None);
    assert_eq!(update(&mut device, &new), Response::Current(2));
    assert_eq!(served(&start(&device.into_store().into_slots(), None)), Some(expected(2)));
}
