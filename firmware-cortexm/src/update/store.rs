//! Two slots, and which of them is current.

use core::fmt;

use firmware_core::Model;
use firmware_core::update::message::{MAX_PIECE, PIECE_UNIT, Refusal, Status};
use firmware_core::update::{Manifest, SignedHeader};

use super::flash::{self, LayoutError, Slot};
use super::layout::MODEL_AT;
use super::mark;
use super::slot::{self, SlotFault};
use super::verify::Verifier;

/// Both slots are bad: there is nothing to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "device", derive(defmt::Format))]
pub struct NoModel {
    /// Why, of each slot.
    pub faults: [SlotFault; 2],
}

impl fmt::Display for NoModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.faults;
        write!(f, "both slots are bad, and nothing is served: in the first, {first}; in the second, {second}")
    }
}

impl core::error::Error for NoModel {}

/// An update that was begun and not ended.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    manifest: Manifest,
    stored: u32,
}

/// Two slots of flash, of which one is current.
///
/// A program opens it once at boot; [`Store::model`] is what it serves.
#[derive(Debug)]
pub struct Store<S, V> {
    slots: [S; 2],
    verifier: V,
    /// The oldest version that may be taken or served.
    stored_version: u16,
    current: Result<Current, NoModel>,
    /// The slot that the next update leaves alone; it has a mark, or neither has.
    kept: usize,
    transfer: Option<Transfer>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    slot: usize,
    manifest: Manifest,
}

impl<S: Slot, V: Verifier> Store<S, V> {
    /// Reads the slots and decides which one is current.
    ///
    /// Writes nothing, except where the word that made a slot current may have been cut: then another mark.
    ///
    /// `oldest` is a version that the program itself sets as the oldest that it takes, 0 for any. The time is that of
    /// one signature and one SHA-512 for each slot with a mark, and of `Model::parse` and the known answers.
    ///
    /// # Errors
    ///
    /// [`LayoutError`] where the slots do not suit. Two bad slots are no error here, since an update can mend them: see
    /// [`Store::model`].
    pub fn open(slots: [S; 2], verifier: V, oldest: u16, scratch: &mut [u32]) -> Result<Self, LayoutError> {
        slots.iter().try_for_each(flash::check)?;
        let nothing = NoModel { faults: [SlotFault::NotCurrent; 2] };
        let mut store =
            Self { slots, verifier, stored_version: oldest, current: Err(nothing), kept: 0, transfer: None };
        store.decide(scratch);
        if let Ok(Current { slot, manifest }) = store.current
            && let Some(slot) = store.slots.get_mut(slot)
        {
            // Where this fails, the mark is read again at the next start, and before the next update.
            let _ = mark::ensure(slot, manifest.oldest);
        }
        Ok(store)
    }

    /// Reads both slots.
    fn decide(&mut self, scratch: &mut [u32]) {
        let Self { slots, verifier, .. } = self;
        // The stored version is that of every slot that was current and whose header is the maker's, whatever the state
        // of its artifact.
        let headers = slots.each_ref().map(|slot| {
            let marked = mark::stored_version(slot).ok_or(SlotFault::NotCurrent)?;
            slot::signed_header(slot, verifier).map(|manifest| (manifest, marked.max(manifest.oldest)))
        });
        let stored = headers.iter().flatten().map(|&(_, stored)| stored).max();
        self.stored_version = stored.unwrap_or_default().max(self.stored_version);
        let [first, second] = [0, 1].map(|number: usize| {
            let (Some(slot), Some(&header)) = (slots.get(number), headers.get(number)) else {
                return Err(SlotFault::NotCurrent);
            };
            let (manifest, _) = header?;
            if manifest.version < self.stored_version {
                return Err(SlotFault::Older);
            }
            slot::check_model(slot, &manifest, verifier, scratch)?;
            Ok(Current { slot: number, manifest })
        });
        self.current = match (first, second) {
            (Ok(a), Ok(b)) => Ok(if b.manifest.version > a.manifest.version { b } else { a }),
            (Ok(current), Err(_)) | (Err(_), Ok(current)) => Ok(current),
            (Err(a), Err(b)) => Err(NoModel { faults: [a, b] }),
        };
        // Without a model, the slot that knows the larger stored version stays.
        let [first, second] = headers.map(|header| header.ok().map(|(_, stored)| stored));
        self.kept = self.current.as_ref().map_or(usize::from(second > first), |current| current.slot);
        self.transfer = None;
    }

    /// The model that is served, checked anew for damage. It may be held until the next frame is handled.
    ///
    /// # Errors
    ///
    /// [`NoModel`] where both slots are bad, which the program is to report; it must serve nothing then.
    pub fn model(&self) -> Result<Model<'_>, NoModel> {
        let current = self.current.as_ref().map_err(|none| *none)?;
        let fault = |fault| {
            let mut faults = [SlotFault::NotCurrent; 2];
            faults.iter_mut().skip(current.slot).take(1).for_each(|place| *place = fault);
            NoModel { faults }
        };
        let slot = self.slots.get(current.slot).ok_or(fault(SlotFault::NotCurrent))?;
        let artifact = slot::artifact(slot, &current.manifest).map_err(fault)?;
        Model::parse(artifact).map_err(|error| fault(SlotFault::Parse(error)))
    }

    /// The version that is served, and what the device takes.
    pub fn status(&self) -> Status {
        let capacity = self.slots.iter().map(|slot| slot::capacity(slot.capacity())).min().unwrap_or_default();
        let version = self.current.as_ref().ok().map(|current| current.manifest.version);
        Status { version, stored_version: self.stored_version, capacity: capacity as u32 }
    }

    /// The slots back, such as to read them after a test.
    pub fn into_slots(self) -> [S; 2] {
        self.slots
    }

    /// Checks an offer and prepares the slot that is not current.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]. Where the offer is refused, nothing was written.
    pub fn begin(&mut self, header: &[u8]) -> Result<(), Refusal> {
        self.transfer = None;
        let header = SignedHeader::from_bytes(header).map_err(|_| Refusal::Header)?;
        let manifest = header.manifest;
        if !self.verifier.verify(&manifest.signed_bytes(), &header.signature) {
            return Err(Refusal::Signature);
        }
        let Status { version, stored_version, capacity } = self.status();
        if manifest.version < stored_version || version.is_some_and(|served| manifest.version <= served) {
            let next = version.map_or(0, |served| served.saturating_add(1));
            return Err(Refusal::Older(next.max(stored_version)));
        }
        if manifest.length > capacity {
            return Err(Refusal::TooLong(capacity));
        }
        let [first, second] = &mut self.slots;
        let (kept, spare) = if self.kept == 0 { (first, second) } else { (second, first) };
        // What the erased slot knows must not be lost. A slot that never was current must not become it by this.
        let is_marked = mark::stored_version(kept).is_some() && slot::signed_header(kept, &self.verifier).is_ok();
        if is_marked && !mark::ensure(kept, stored_version) {
            return Err(Refusal::Flash);
        }
        let erased = flash::erase(spare, MODEL_AT + manifest.length as usize);
        if erased.is_err() || !flash::write(spare, 0, &header.to_bytes()) {
            return Err(Refusal::Flash);
        }
        self.transfer = Some(Transfer { manifest, stored: 0 });
        Ok(())
    }

    /// Stores a piece of the artifact; returns how many bytes are stored.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]. After [`Refusal::Expected`] the update can go on.
    pub fn store(&mut self, offset: u32, bytes: &[u8]) -> Result<u32, Refusal> {
        let transfer = self.transfer.as_mut().ok_or(Refusal::NoOffer)?;
        let spare = self.slots.get_mut(1 - self.kept).ok_or(Refusal::NoOffer)?;
        let Transfer { manifest, stored } = *transfer;
        let end =
            u32::try_from(bytes.len()).ok().and_then(|len| offset.checked_add(len)).ok_or(Refusal::Expected(stored))?;
        // A piece whose answer was lost comes again.
        if end <= stored && !bytes.is_empty() {
            let place = MODEL_AT + offset as usize;
            let is_there = spare.bytes().get(place..place + bytes.len()) == Some(bytes);
            return if is_there { Ok(stored) } else { Err(Refusal::Expected(stored)) };
        }
        let is_whole = end == manifest.length || bytes.len().is_multiple_of(PIECE_UNIT);
        if offset != stored || bytes.is_empty() || bytes.len() > MAX_PIECE || end > manifest.length || !is_whole {
            return Err(Refusal::Expected(stored));
        }
        if !flash::write(spare, MODEL_AT + stored as usize, bytes) {
            self.transfer = None;
            return Err(Refusal::Flash);
        }
        transfer.stored = end;
        Ok(end)
    }

    /// Checks the whole new model and makes it current; returns its version.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]. What was served before is served still.
    pub fn finish(&mut self, scratch: &mut [u32]) -> Result<u16, Refusal> {
        let Transfer { manifest, stored } = self.transfer.ok_or(Refusal::NoOffer)?;
        if stored != manifest.length {
            return Err(Refusal::Expected(stored));
        }
        self.transfer = None;
        let number = 1 - self.kept;
        let spare = self.slots.get_mut(number).ok_or(Refusal::NoOffer)?;
        if slot::signed_header(spare, &self.verifier)? != manifest {
            return Err(Refusal::Flash);
        }
        slot::check_model(spare, &manifest, &self.verifier, scratch)?;
        let stored_version = self.stored_version.max(manifest.oldest);
        if !mark::ensure(spare, stored_version) {
            // The word is neither there nor surely not there.
            self.decide(scratch);
            return Err(Refusal::Flash);
        }
        self.stored_version = stored_version;
        self.current = Ok(Current { slot: number, manifest });
        self.kept = number;
        Ok(manifest.version)
    }
}
