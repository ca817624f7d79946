//! The host's side of an update.

use std::io;
use std::time::{Duration, Instant};

use firmware_core::update::frame::{Frame, Receiver};
use firmware_core::update::message::{MAX_PIECE, Refusal, Request, Response, Status};
use thiserror::Error;

use super::port::Port;
use super::signed::SignedModel;

/// How often a request is sent before the device counts as silent.
const TRIES: usize = 4;
/// How long a device may take to say what it serves, or to store a piece.
const QUICK: Duration = Duration::from_secs(2);
/// How long it may take to check a signature and erase a slot, or to check a model.
const SLOW: Duration = Duration::from_secs(60);
/// How often an update is begun again after the device has lost it.
const ROUNDS: usize = 3;

/// Why a model did not reach a device. It serves what it served before, unless the message says otherwise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing that is an answer arrived.
    #[error(
        "the device does not answer; check that it is on, that its program takes updates, and that --baud is its speed"
    )]
    Silent,
    /// The stream ended or failed.
    #[error("the line to the device was cut; connect it again and repeat the command, which begins anew")]
    Line(#[source] io::Error),
    /// The device refused.
    #[error("the device answers: {refusal}; {}", remedy(*refusal))]
    Refused {
        /// Why the device refused it.
        refusal: Refusal,
    },
    /// The device loses the update again and again.
    #[error("the device lost the update {ROUNDS} times; check its power supply and its line, and repeat the command")]
    Lost,
}

/// What to do about a refusal.
fn remedy(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Older(_) => "sign the model with such a --version",
        Refusal::Signature => "sign the model with the key whose public key is in the device's program",
        Refusal::Parse => {
            "update the device's program, which knows an older format, or write the model anew and sign it again"
        }
        Refusal::NotBuiltIn => {
            "train the model in another precision or without grids or sine layers, or build the program with them"
        }
        Refusal::TooLong(_) => "train a smaller network, or store it in w8a16",
        Refusal::Scratch => "train a narrower network, or give the device's program more scratch memory",
        Refusal::KnownAnswer => {
            "the program on it was built by a faulty compiler or runs on a faulty core: build it again and report this"
        }
        Refusal::Flash => "repeat the command, and if this happens again, the flash is worn out",
        Refusal::Header => "sign the model again with this version of the trainer",
        Refusal::Frame | Refusal::Checksum | Refusal::Expected(_) | Refusal::NoOffer => {
            "check the line to the device, and repeat the command"
        }
    }
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What the device served before.
    pub before: Option<u16>,
    /// What it serves now.
    pub version: u16,
}

/// Sends a signed model to a device and has it made current; `stored` is told how many bytes the device has.
///
/// Requests that get no answer are repeated. An update that the device lost, because it was started again, begins anew.
///
/// # Errors
///
/// [`SendError`] where the device refuses the model, is silent, or is lost.
pub fn send(port: &mut Port, model: &SignedModel, stored: &mut dyn FnMut(usize)) -> Result<Sent, SendError> {
    let mut line = Line { port, receiver: Receiver::new() };
    let before = line.status()?.version;
    let version = model.header.manifest.version;
    for _ in 0..ROUNDS {
        match line.update(model, stored) {
            Ok(version) => return Ok(Sent { before, version }),
            Err(SendError::Refused { refusal: Refusal::NoOffer }) | Err(SendError::Silent) => {
                // The model may be current, and only the answer lost.
                if before != Some(version) && line.status()?.version == Some(version) {
                    return Ok(Sent { before, version });
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(SendError::Lost)
}

/// A port and what has arrived of an answer.
struct Line<'a> {
    port: &'a mut Port,
    receiver: Receiver,
}

impl Line<'_> {
    fn status(&mut self) -> Result<Status, SendError> {
        self.ask(&Request::Status, QUICK, |response| match response {
            Response::Status(status) => Some(status),
            _ => None,
        })
    }

    /// One round: offer, pieces, finish; the version that is current then.
    fn update(&mut self, model: &SignedModel, stored: &mut dyn FnMut(usize)) -> Result<u16, SendError> {
        let (header, artifact) = (model.header.to_bytes(), model.artifact.as_bytes());
        let count = |response| match response {
            Response::Stored(count) => Some(count as usize),
            Response::Refused(Refusal::Expected(count)) => Some(count as usize),
            _ => None,
        };
        let mut place = self.ask(&Request::Offer(&header), SLOW, count)?;
        let mut refused = 0;
        while place < artifact.len() {
            stored(place);
            let piece = &artifact[place..(place + MAX_PIECE).min(artifact.len())];
            let next = self.ask(&Request::Data { offset: place as u32, bytes: piece }, QUICK, count)?;
            // The answer to a request that was sent twice, or of a device that has fewer bytes.
            refused += usize::from(next <= place);
            if refused > TRIES || next > artifact.len() {
                return Err(SendError::Refused { refusal: Refusal::Expected(next as u32) });
            }
            place = next;
        }
        stored(place);
        self.ask(&Request::Finish, SLOW, |response| match response {
            Response::Current(version) => Some(version),
            _ => None,
        })
    }

    /// Sends a request until it is answered.
    fn ask<T>(
        &mut self,
        request: &Request<'_>,
        patience: Duration,
        read: impl Fn(Response) -> Option<T>,
    ) -> Result<T, SendError> {
        let frame = Frame::new(request).ok_or(SendError::Refused { refusal: Refusal::Frame })?;
        let mut refusal = None;
        for _ in 0..TRIES {
            // What has come too late is no answer to this.
            while self.port.read(Duration::ZERO).map_err(SendError::Line)?.is_some() {}
            // The zero ends what the device may have of a frame that was cut.
            self.port.write(&[0]).and_then(|()| self.port.write(frame.as_bytes())).map_err(SendError::Line)?;
            match self.answer(patience, &read)? {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(Refusal::Frame)) => refusal = Some(Refusal::Frame),
                Some(Err(refusal)) => return Err(SendError::Refused { refusal }),
                None => refusal = None,
            }
        }
        Err(refusal.map_or(SendError::Silent, |refusal| SendError::Refused { refusal }))
    }

    /// Waits for an answer that `read` takes, or for a refusal.
    fn answer<T>(
        &mut self,
        patience: Duration,
        read: &impl Fn(Response) -> Option<T>,
    ) -> Result<Option<Result<T, Refusal>>, SendError> {
        let start = Instant::now();
        while let Some(left) = patience.checked_sub(start.elapsed()) {
            let Some(bytes) = self.port.read(left).map_err(SendError::Line)? else { return Ok(None) };
            for byte in bytes {
                if !self.receiver.push(byte) {
                    continue;
                }
                let Some(response) = self.receiver.message::<Response>() else { continue };
                if let Some(answer) = read(response) {
                    return Ok(Some(Ok(answer)));
                }
                if let Response::Refused(refusal) = response {
                    return Ok(Some(Err(refusal)));
                }
            }
        }
        Ok(None)
    }
}
