//! Hostile frames: random bytes, wrong lengths, repeated, left out and reordered frames. Nothing panics, and what is
//! served is always a model that its maker has signed.

use firmware_core::Scratch;
use firmware_core::update::frame::Frame;
use firmware_core::update::message::{Refusal, Request, Response};

use crate::chip::{Chip, random};
use crate::host::{Device, SCRATCH, Signed, ask, expected, served, start, update};

/// Bytes and frames of each kind.
const BYTES: usize = 300_000;
const FRAMES: usize = 10_000;

fn device() -> Device<4> {
    let power = Default::default();
    let mut device = start(&[Chip::blank(&power), Chip::blank(&power)], None).0;
    assert_eq!(update(&mut device, &Signed::new(1, 1)), Response::Current(1));
    device
}

#[test]
fn random_bytes_change_nothing() {
    let (mut device, mut state, mut answers) = (device(), 1, 0);
    let (scratch, status) = (&mut Scratch::<SCRATCH>::new(), Frame::new(&Request::Status).unwrap());
    for k in 0..BYTES {
        // More zeros and small numbers than chance gives, so that frames of all lengths end.
        let byte = match random(&mut state) {
            draw if draw % 16 == 0 => 0,
            draw if draw % 16 < 6 => (draw >> 8) as u8 % 8,
            draw => (draw >> 8) as u8,
        };
        answers += usize::from(device.push(byte, scratch).is_some());
        if k % 1000 == 0 {
            // Frames that begin well and end badly.
            for &byte in &status.as_bytes()[..status.as_bytes().len() / 2] {
                device.push(byte, scratch);
            }
        }
    }
    assert!(answers > BYTES / 100, "{answers}");
    assert_eq!(served(&device), Some(expected(1)));
    device.push(0, scratch);
    assert_eq!(update(&mut device, &Signed::new(2, 2)), Response::Current(2));
}

/// Well-formed requests in any order, with any offsets and lengths, of models of the maker and of others.
#[test]
fn requests_in_any_order_serve_signed_models_only() {
    let mut state = 2;
    let models: Vec<Signed> = (1..40).map(|version| Signed::new(version, version / 2)).collect();
    let mut damaged = models.clone();
    damaged.iter_mut().for_each(|model| model.artifact[500] ^= 4);
    let (mut device, mut version, mut updates) = (device(), 1, 0);
    for _ in 0..FRAMES {
        let draw = random(&mut state);
        let near = (usize::from(version) + draw as usize % 3).saturating_sub(1).min(models.len() - 1);
        let model = if draw >> 8 & 7 == 0 { &damaged[near] } else { &models[near] };
        let requests = model.requests();
        let place = (draw >> 16) as usize;
        let any = [place as u8; 300];
        match draw >> 12 & 15 {
            // In order, some frames twice, some left out.
            0..6 => {
                for request in &requests {
                    for _ in 0..[1, 1, 1, 1, 1, 1, 1, 2, 3, 0][random(&mut state) as usize % 10] {
                        ask(&mut device, request);
                    }
                }
            }
            6..9 => drop(ask(&mut device, &requests[place % requests.len()])),
            9 => {
                let bytes = &any[..place % 257];
                ask(&mut device, &Request::Data { offset: (draw >> 32) as u32 % 1200, bytes });
            }
            10 => drop(ask(&mut device, &Request::Data { offset: u32::MAX - place as u32 % 300, bytes: &any[..256] })),
            11 => drop(ask(&mut device, &Request::Offer(&model.header[..place % 129]))),
            12 => drop(ask(&mut device, &Request::Finish)),
            13 => {
                // One bit of the header flipped.
                let mut header = model.header.clone();
                header[place % 128] ^= 1 << (draw >> 40 & 7);
                assert_eq!(ask(&mut device, &Request::Offer(&header)), Response::Refused(Refusal::Header));
            }
            14 => device = start(&device.into_store().into_slots(), None).0,
            _ => drop(ask(&mut device, &Request::Status)),
        }
        let (now, checksum) = served(&device).unwrap();
        assert_eq!((now, checksum), expected(now));
        assert!(now >= version, "from {version} to {now}");
        updates += usize::from(now > version);
        version = now;
        if now > 36 {
            (device, version) = (self::device(), 1);
        }
    }
    assert!(updates > 100, "{updates}");
}

#[test]
fn a_piece_that_comes_again_is_acknowledged_and_a_wrong_one_is_not() {
    let mut device = device();
    let signed = Signed::new(2, 2);
    let piece = |offset: u32, len: usize| Request::Data { offset, bytes: &signed.artifact[offset as usize..][..len] };
    assert_eq!(ask(&mut device, &piece(0, 256)), Response::Refused(Refusal::NoOffer));
    assert_eq!(ask(&mut device, &Request::Offer(&signed.header)), Response::Stored(0));
    assert_eq!(ask(&mut device, &piece(256, 256)), Response::Refused(Refusal::Expected(0)));
    assert_eq!(ask(&mut device, &piece(0, 100)), Response::Refused(Refusal::Expected(0)));
    assert_eq!(ask(&mut device, &piece(0, 256)), Response::Stored(256));
    assert_eq!(ask(&mut device, &piece(0, 256)), Response::Stored(256));
    assert_eq!(
        ask(&mut device, &Request::Data { offset: 0, bytes: &[0; 256] }),
        Response::Refused(Refusal::Expected(256))
    );
    assert_eq!(ask(&mut device, &Request::Finish), Response::Refused(Refusal::Expected(256)));
    assert_eq!(ask(&mut device, &piece(256, 64)), Response::Stored(320));
    for (offset, len) in [(320, 256), (576, 256), (832, 148)] {
        assert_eq!(ask(&mut device, &piece(offset, len)), Response::Stored(offset + len as u32));
    }
    assert_eq!(ask(&mut device, &Request::Finish), Response::Current(2));
    assert_eq!(ask(&mut device, &Request::Finish), Response::Refused(Refusal::NoOffer));
}
