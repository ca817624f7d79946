//! The known answers: whether this build on this machine computes what the trainer computed.

use crate::artifact::crc32;
use crate::error::EvalError;
use crate::limits::MAX_INPUTS;
use crate::model::Model;

/// Points whose answers the artifact's digest covers.
const KNOWN_ANSWERS: usize = 16;

impl Model<'_> {
    /// Recomputes the known answers and compares their digest with the artifact's.
    ///
    /// A device calls this once at start and serves only if it passes.
    ///
    /// # Errors
    ///
    /// [`EvalError::KnownAnswer`] where this build computes something else than the trainer did, and
    /// [`EvalError::ScratchLength`].
    pub fn self_test(&self, scratch: &mut [u32]) -> Result<(), EvalError> {
        if self.known_answer_digest(scratch)? == self.known_answers() { Ok(()) } else { Err(EvalError::KnownAnswer) }
    }

    pub(crate) fn known_answer_digest(&self, scratch: &mut [u32]) -> Result<u32, EvalError> {
        let mut digest = crc32();
        let mut state = 1u32;
        for _ in 0..KNOWN_ANSWERS {
            let coordinates = [0; MAX_INPUTS].map(|_: u32| {
                let coordinate = state;
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                coordinate
            });
            for raw in self.raw_outputs(&coordinates, scratch)?.iter().take(self.outputs()) {
                digest.update(&raw.to_le_bytes());
            }
        }
        Ok(digest.finalize())
    }
}
