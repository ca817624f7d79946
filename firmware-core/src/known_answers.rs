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
    /// A device calls this once at start and serves only if it passes. It takes as long as sixteen evaluations.
    ///
    /// ```
    /// use firmware_core::{Aligned, EvalError, Model, Scratch};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// model.self_test(&mut Scratch::<16>::new())?;
    /// assert_eq!(model.self_test(&mut []), Err(EvalError::ScratchLength));
    /// # Ok::<(), EvalError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EvalError::KnownAnswer`] where this build computes something else than the trainer did, and
    /// [`EvalError::ScratchLength`] for fewer than [`Model::scratch_words`].
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
