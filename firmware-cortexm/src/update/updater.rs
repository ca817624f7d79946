//! The device's side of the line.

use embedded_io::{Read, Write};
use firmware_core::update::frame::{Frame, Receiver};
use firmware_core::update::message::{Refusal, Request, Response};

use super::flash::Slot;
use super::store::Store;
use super::verify::Verifier;

/// Takes frames of a host and does what they ask.
#[derive(Debug)]
pub struct Updater<S, V> {
    store: Store<S, V>,
    receiver: Receiver,
}

/// Why [`Updater::serve`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError<E> {
    /// The stream failed.
    Stream(E),
    /// The stream has no more bytes.
    Closed,
}

impl<S: Slot, V: Verifier> Updater<S, V> {
    /// On a store that was opened.
    pub fn new(store: Store<S, V>) -> Self {
        Self { store, receiver: Receiver::new() }
    }

    /// The store, such as for its model.
    pub fn store(&self) -> &Store<S, V> {
        &self.store
    }

    /// The store back.
    pub fn into_store(self) -> Store<S, V> {
        self.store
    }

    /// Takes a byte from the line. Where it ends a frame, does what the frame asks and returns the answer to be sent.
    ///
    /// An offer takes as long as one signature and the erasure of a slot, the finish as long as [`Store::open`].
    /// `scratch` is that of the model's evaluation.
    pub fn push(&mut self, byte: u8, scratch: &mut [u32]) -> Option<Frame> {
        if !self.receiver.push(byte) {
            return None;
        }
        let Self { store, receiver } = self;
        let response = match receiver.message() {
            None => Response::Refused(Refusal::Frame),
            Some(Request::Status) => Response::Status(store.status()),
            Some(Request::Offer(header)) => answer(store.begin(header).map(|()| Response::Stored(0))),
            Some(Request::Data { offset, bytes }) => answer(store.store(offset, bytes).map(Response::Stored)),
            Some(Request::Finish) => answer(store.finish(scratch).map(Response::Current)),
        };
        Frame::new(&response)
    }

    /// Serves a stream until one update has ended; returns the version that is now current.
    ///
    /// # Errors
    ///
    /// Where the stream fails or ends. What is served then is what was served before.
    pub fn serve<I: Read + Write>(
        &mut self,
        stream: &mut I,
        scratch: &mut [u32],
    ) -> Result<u16, StreamError<I::Error>> {
        let before = self.store.status().version;
        loop {
            let mut byte = [0];
            if stream.read(&mut byte).map_err(StreamError::Stream)? == 0 {
                return Err(StreamError::Closed);
            }
            let [byte] = byte;
            if let Some(frame) = self.push(byte, scratch) {
                stream.write_all(frame.as_bytes()).map_err(StreamError::Stream)?;
                stream.flush().map_err(StreamError::Stream)?;
            }
            match self.store.status().version {
                Some(version) if before != Some(version) => return Ok(version),
                _ => {}
            }
        }
    }
}

fn answer(result: Result<Response, Refusal>) -> Response {
    result.unwrap_or_else(Response::Refused)
}
