//! Frames on a line of bytes: a message in postcard and its CRC-32, in COBS (Cheshire and Baker 1999), ended by a zero.
//!
//! A zero ends a frame and nothing else is zero, so that a receiver that has lost its place finds it at the next frame.

use serde::{Deserialize, Serialize};

use super::crc32;
use super::message::MAX_PIECE;

/// Bytes of the largest message.
const MESSAGE_BYTES: usize = MAX_PIECE + 16;
const CRC_BYTES: usize = 4;
/// Bytes of the largest frame, with the zero at its end.
pub const FRAME_BYTES: usize = cobs::max_encoding_length(MESSAGE_BYTES + CRC_BYTES) + 1;

/// A frame to be sent.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: [u8; FRAME_BYTES],
    len: usize,
}

impl Frame {
    /// The frame of a message; `None` where the message is longer than any that a receiver takes.
    ///
    /// ```
    /// use firmware_core::update::frame::{Frame, Receiver};
    /// use firmware_core::update::message::Request;
    ///
    /// let frame = Frame::new(&Request::Status).unwrap();
    /// let mut receiver = Receiver::new();
    /// let (last, others) = frame.as_bytes().split_last().unwrap();
    /// assert!(others.iter().all(|&byte| !receiver.push(byte)));
    /// assert!(receiver.push(*last));
    /// assert_eq!(receiver.message::<Request<'_>>(), Some(Request::Status));
    /// ```
    #[must_use]
    pub fn new(message: &impl Serialize) -> Option<Self> {
        let mut plain = [0; MESSAGE_BYTES + CRC_BYTES];
        let len = postcard::to_slice(message, plain.get_mut(..MESSAGE_BYTES)?).ok()?.len();
        let crc = crc32(plain.get(..len)?);
        plain.get_mut(len..len + CRC_BYTES)?.copy_from_slice(&crc.to_le_bytes());
        let mut bytes = [0; FRAME_BYTES];
        let coded = cobs::try_encode(plain.get(..len + CRC_BYTES)?, &mut bytes).ok()?;
        // The encoder may have written there.
        *bytes.get_mut(coded)? = 0;
        Some(Self { bytes, len: coded + 1 })
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Collects bytes until a frame ends.
#[derive(Clone, Debug)]
pub struct Receiver {
    bytes: [u8; FRAME_BYTES],
    /// Bytes so far; beyond [`FRAME_BYTES`] the frame is too long and is dropped.
    len: usize,
    is_complete: bool,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// With nothing received.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; FRAME_BYTES], len: 0, is_complete: false }
    }

    /// Takes a byte; true where it ended a frame, whose message is then to be asked for. Zeros between frames are
    /// skipped.
    pub fn push(&mut self, byte: u8) -> bool {
        if self.is_complete {
            self.len = 0;
        }
        self.is_complete = byte == 0 && self.len > 0;
        if byte != 0 {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = byte;
            }
            self.len = (self.len + 1).min(FRAME_BYTES + 1);
        }
        self.is_complete
    }

    /// The message of the frame that has just ended; `None` where it was damaged or is none of this kind. It is decoded
    /// in place, so that it can be asked for once.
    pub fn message<'a, T: Deserialize<'a>>(&'a mut self) -> Option<T> {
        if !self.is_complete {
            return None;
        }
        self.is_complete = false;
        let coded = self.bytes.get_mut(..core::mem::take(&mut self.len))?;
        let len = cobs::decode_in_place(coded).ok()?;
        let (message, crc) = coded.get(..len)?.split_last_chunk::<CRC_BYTES>()?;
        if u32::from_le_bytes(*crc) != crc32(message) {
            return None;
        }
        match postcard::take_from_bytes(message) {
            Ok((message, [])) => Some(message),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::message::{Refusal, Request, Response};

    fn receive<'a, T: Deserialize<'a>>(receiver: &'a mut Receiver, bytes: &[u8]) -> Option<T> {
        let ends = bytes.iter().filter(|&&byte| receiver.push(byte)).count();
        assert!(ends <= 1);
        receiver.message()
    }

    /// By hand from the wire formats of postcard and COBS: variant 1 with two bytes is `01 02 00 07`, whose CRC-32 is
    /// 0x0418f9b4 by Python's `zlib.crc32`.
    #[test]
    fn a_frame_is_as_the_formats_say() {
        let frame = Frame::new(&Request::Offer(&[0, 7])).unwrap();
        assert_eq!(frame.as_bytes(), [3, 1, 2, 6, 7, 0xb4, 0xf9, 0x18, 0x04, 0]);
        let last = Frame::new(&Response::Refused(Refusal::Older(300))).unwrap();
        assert_eq!(receive(&mut Receiver::new(), last.as_bytes()), Some(Response::Refused(Refusal::Older(300))));
    }

    #[test]
    fn pieces_of_every_length_arrive() {
        // An interpreter gets those around the longest block of COBS, and the ends.
        let is_tried = |len: &usize| !cfg!(miri) || [0, 1, 246, 247, 248, 249, MAX_PIECE].contains(len);
        for (len, byte) in (0..=MAX_PIECE).filter(is_tried).flat_map(|len| [(len, 0xff), (len, 0)]) {
            let bytes = [byte; MAX_PIECE];
            let request = Request::Data { offset: u32::MAX, bytes: &bytes[..len] };
            let frame = Frame::new(&request).unwrap();
            assert_eq!(receive(&mut Receiver::new(), frame.as_bytes()), Some(request), "{len} bytes of {byte}");
        }
    }

    #[test]
    fn a_receiver_finds_its_place_again() {
        let frame = Frame::new(&Request::Finish).unwrap();
        let mut receiver = Receiver::new();
        for noise in [&[][..], &[0, 0, 0], &[7; 3000], &[1, 2, 3], frame.as_bytes(), &frame.as_bytes()[1..4]] {
            for &byte in noise {
                receiver.push(byte);
            }
            receiver.push(0);
            let _: Option<Request<'_>> = receiver.message();
            assert_eq!(receive(&mut receiver, frame.as_bytes()), Some(Request::Finish));
        }
    }

    #[test]
    fn the_longest_message_arrives_and_a_longer_one_is_none() {
        let bytes = [0xff; MESSAGE_BYTES];
        // One byte for the kind of request and two for the length.
        assert!(Frame::new(&Request::Offer(&bytes[..MESSAGE_BYTES - 2])).is_none());
        let longest = Request::Offer(&bytes[..MESSAGE_BYTES - 3]);
        let frame = Frame::new(&longest).unwrap();
        assert_eq!(frame.as_bytes().len(), FRAME_BYTES);
        let mut receiver = Receiver::default();
        assert_eq!(receive(&mut receiver, frame.as_bytes()), Some(longest));
        // A message can be asked for once, and not before its frame has ended.
        assert_eq!(receiver.message::<Request<'_>>(), None);
        let (_, coded) = frame.as_bytes().split_last().unwrap();
        assert_eq!(receive::<Request<'_>>(&mut receiver, coded), None);
        assert_eq!(receive(&mut receiver, &[0]), Some(longest));
        // The same bytes with more behind them are another frame, which is too long.
        for more in 1..4 {
            assert_eq!(receive::<Request<'_>>(&mut receiver, coded), None);
            assert_eq!(receive::<Request<'_>>(&mut receiver, &[1, 1, 1, 0][3 - more..]), None, "{more} more");
        }
    }

    /// A message is the whole frame: bytes behind it, under the right checksum, are none of it.
    #[test]
    fn bytes_behind_a_message_are_refused() {
        #[derive(Serialize)]
        struct Longer(Request<'static>, u8);
        for offer in [&[][..], &[1, 2, 3]] {
            let frame = Frame::new(&Longer(Request::Offer(offer), 7)).unwrap();
            assert_eq!(receive::<Request<'_>>(&mut Receiver::new(), frame.as_bytes()), None);
        }
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let frame = Frame::new(&Request::Data { offset: 64, bytes: &[9, 0, 8, 0, 0, 7] }).unwrap();
        for bit in 0..8 * frame.as_bytes().len() {
            let mut bytes = frame.clone();
            bytes.bytes[bit / 8] ^= 1 << (bit % 8);
            let mut receiver = Receiver::new();
            for &byte in bytes.as_bytes() {
                if receiver.push(byte) {
                    assert_eq!(receiver.message::<Request<'_>>(), None, "bit {bit}");
                }
            }
        }
    }
}
