//! The range that no answer of the model leaves, as [`certify`](crate::certify) proves it.

use std::sync::atomic::AtomicBool;

use firmware_core::Model;

use crate::certify::{Certification, CertifyError, CertifySettings};

/// The smallest and the largest answer that an output can have, user units.
pub type Range = [f64; 2];

/// The range of each output, as far as it is proven in so many seconds, or in words why there is none.
pub(super) fn prove(model: &Model<'_>, seconds: f64, stop: &AtomicBool) -> Result<Vec<Range>, String> {
    let settings = CertifySettings { seconds, ratio: 1.1, max_error: None, within: None, monotone: None };
    let proven = Certification::new(model, None, &settings).and_then(|certification| {
        let mut certification = certification.without_slopes().timed();
        certification.run(stop, &|_| ())?;
        Ok(certification.certificate(None, String::new()))
    });
    match proven {
        Ok(certificate) => {
            Ok(certificate.outputs.iter().map(|proof| [proof.smallest.proven, proof.largest.proven]).collect())
        }
        Err(CertifyError::Stopped) => Err(format!("not every code was evaluated within {seconds} s; give more --time")),
        Err(error) => Err(error.to_string()),
    }
}
