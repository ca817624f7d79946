//! Advice after a training: what the user should know of the network, once, with the remedy.

use crate::fit::folds::LEAST_SAMPLES;

/// Training and held-out quality that differ by more than this say that the network is not what it seems, dB.
const GAP_DB: f64 = 3.0;
/// A precision that costs more than this is worth a warning, dB.
pub(crate) const QUANTIZATION_DB: f64 = 1.0;
/// Parameters of a network with 32 frequencies of two layers of 32, a size that is proposed to those with a larger one.
const SMALL_PARAMETERS: usize = 4000;
/// Beyond this PSNR on the training samples more steps gain what no integer precision holds, dB.
const PLENTY_DB: f64 = 60.0;
/// A loss that falls faster than this when the steps double is not at its end, dB.
const DOUBLING_DB: f64 = 2.0;

/// Whether the quality between the samples is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// It was measured at samples that were held out.
    Measured,
    /// Samples could have been held out and were not.
    NotMeasured,
    /// There are fewer than [`LEAST_SAMPLES`] samples, and none can be held out.
    TooFew,
}

impl Between {
    /// Of a data set of so many samples, some of which may have been held out.
    #[must_use]
    pub const fn of(samples: usize, measured: bool) -> Self {
        match (measured, samples < LEAST_SAMPLES) {
            (true, _) => Self::Measured,
            (false, true) => Self::TooFew,
            (false, false) => Self::NotMeasured,
        }
    }
}

/// Something that the user should know after a training; [`Display`](std::fmt::Display) says it with the remedy.
#[derive(Clone, Debug, PartialEq)]
pub enum Advice {
    /// Held-out samples are met far worse than those trained on.
    Gap {
        /// PSNR on the samples trained on, dB.
        trained_db: f64,
        /// PSNR on held-out samples, dB.
        held_out_db: f64,
    },
    /// The samples that were held out also chose the network among others.
    AlsoChose,
    /// The network could store every sample.
    FewSamples {
        /// Values of the training samples.
        values: usize,
        /// Parameters of the network.
        parameters: usize,
        /// Whether a guide says what lies between the samples.
        guided: bool,
        /// Whether the quality between them is known.
        between: Between,
    },
    /// The network loses much in the precision that it is stored in.
    Quantization {
        /// PSNR in f32 less that of the artifact over all training samples, dB.
        loss_db: f64,
        /// The name of the precision.
        precision: &'static str,
    },
    /// The network is stored in a wider precision than the default one, which loses much.
    WiderPrecision {
        /// PSNR in f32 less that of the artifact in the default precision over all training samples, dB.
        loss_db: f64,
    },
    /// The loss was still falling fast when the training ended.
    StillFalling {
        /// Gain of PSNR while the steps doubled, dB.
        gain_db: f64,
        /// Steps of the run.
        steps: u64,
    },
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gap { trained_db, held_out_db } => write!(
                f,
                "The network meets the samples it was trained on with {trained_db:.1} dB and held-out samples with {held_out_db:.1} dB. \
                 Trust the second number. A smaller --scale, a smaller --hidden, or more samples bring the two together."
            ),
            Self::AlsoChose => f.write_str(
                "The held-out samples also chose this model among others, so that their figures are somewhat too good; `trainer \
                 evaluate` measures the model on other samples.",
            ),
            Self::FewSamples { values, parameters, guided, between } => write!(
                f,
                "The network has {parameters} parameters and the data have {values} values: it could store them all and be wrong between \
                 them. {}{}{}",
                if *guided { "Kernel regression told it what lies between them. " } else { "" },
                match between {
                    Between::Measured => "The held-out figures say how good it is there.",
                    Between::NotMeasured => "Leave --holdout out to measure how good it is there.",
                    Between::TooFew => "There are too few samples to measure how good it is there.",
                },
                if *parameters > SMALL_PARAMETERS {
                    " A smaller network, such as --hidden 32,32 --frequencies 32, takes less flash."
                } else {
                    ""
                }
            ),
            Self::Quantization { loss_db, precision } => {
                let remedy = if *precision == "w8a16" {
                    "--precision w16a16 costs less and takes nearly twice the bytes."
                } else {
                    "--precision f32 costs nothing, takes twice the bytes, and is slow on cores without floating point."
                };
                write!(f, "Storing the network as {precision} costs {loss_db:.1} dB against f32. {remedy}")
            }
            Self::WiderPrecision { loss_db } => write!(
                f,
                "The model is stored as w16a16, because w8a16 would cost {loss_db:.1} dB against f32. --precision w8a16 takes about half \
                 the bytes."
            ),
            Self::StillFalling { gain_db, steps } => write!(
                f,
                "The training error was still falling fast: PSNR rose by {gain_db:.1} dB while the steps doubled to half of the run. \
                 --steps {} would make it better.",
                4 * steps
            ),
        }
    }
}

/// Whether the two differ too much.
#[must_use]
pub fn gap(trained_db: f64, held_out_db: f64) -> Option<Advice> {
    (trained_db - held_out_db > GAP_DB).then_some(Advice::Gap { trained_db, held_out_db })
}

/// Whether a run of `steps` steps with this history of (step, loss) and this PSNR at its end ended too early: from a
/// quarter to a half of its steps, where the learning rate is still high, the loss fell fast.
#[must_use]
pub fn still_falling(history: &[(u64, f64)], steps: u64, trained_db: f64) -> Option<Advice> {
    // The median of a tenth of the run about a step: single losses of batches jump.
    let about = |middle: f64| -> Option<f64> {
        let reach = 0.05 * steps as f64;
        let mut losses: Vec<f64> =
            history.iter().filter(|(step, _)| (*step as f64 - middle).abs() <= reach).map(|&(_, loss)| loss).collect();
        losses.sort_by(f64::total_cmp);
        losses.get(losses.len() / 2).copied().filter(|&loss| loss > 0.0)
    };
    let (early, late) = (about(0.25 * steps as f64)?, about(0.5 * steps as f64)?);
    let gain_db = 10.0 * (early / late).log10();
    (gain_db > DOUBLING_DB && trained_db < PLENTY_DB).then_some(Advice::StillFalling { gain_db, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_falls_fast_is_told_from_one_that_is_flat() {
        // Falling as 1/t: 3.01 dB for each doubling. Falling as t^-0.5: 1.5 dB.
        let history = |power: f64| -> Vec<(u64, f64)> {
            (0..400).map(|k| (5 * k, (1.0 + 5.0 * k as f64).powf(-power))).collect()
        };
        let Some(Advice::StillFalling { gain_db, steps: 2000 }) = still_falling(&history(1.0), 2000, 40.0) else {
            panic!("a fast fall is worth saying");
        };
        assert!((gain_db - 3.0).abs() < 0.1, "{gain_db}");
        assert_eq!(still_falling(&history(1.0), 2000, 75.0), None);
        assert_eq!(still_falling(&history(0.5), 2000, 40.0), None);
        assert_eq!(still_falling(&[], 2000, 40.0), None);
    }

    #[test]
    fn holding_out_is_advised_where_it_is_possible_and_was_not_done() {
        let (least, fewer) = (LEAST_SAMPLES, LEAST_SAMPLES - 1);
        for (samples, measured, is_advised) in [(least, false, true), (fewer, false, false), (least, true, false)] {
            let between = Between::of(samples, measured);
            let advice = Advice::FewSamples { values: samples, parameters: 100, guided: false, between };
            assert_eq!(advice.to_string().contains("--holdout"), is_advised, "{samples} samples: {advice}");
        }
    }

    #[test]
    fn only_a_gap_beyond_noise_is_said() {
        assert_eq!(gap(40.0, 38.0), None);
        assert_eq!(gap(f64::INFINITY, f64::INFINITY), None);
        let said = gap(74.5, 23.0).unwrap().to_string();
        assert!(said.contains("74.5 dB") && said.contains("23.0 dB") && said.contains("--scale"), "{said}");
    }
}
