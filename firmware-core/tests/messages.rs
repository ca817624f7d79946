//! Every error has a sentence of its own, which holds the number that the error does.

use std::collections::BTreeSet;
use std::fmt::Display;

use firmware_core::march::VolumeError;
use firmware_core::{EvalError, ParseError, WriteError};

/// Sentences of more than one word, none like another.
fn are_distinct<E: Display>(errors: &[E]) {
    let sentences: BTreeSet<String> = errors.iter().map(E::to_string).collect();
    assert_eq!(sentences.len(), errors.len(), "{sentences:?}");
    assert!(sentences.iter().all(|sentence| sentence.contains(' ')), "{sentences:?}");
}

const PARSE_ERRORS: [ParseError; 15] = {
    use ParseError as E;
    [
        E::Misaligned,
        E::Truncated,
        E::TrailingBytes,
        E::Magic,
        E::Version(47),
        E::Checksum,
        E::Header,
        E::Precision,
        E::Grids,
        E::Activation,
        E::Shape,
        E::Scale,
        E::Weight,
        E::Overflow,
        E::Text,
    ]
};

#[test]
fn errors_of_models_are_told_apart() {
    are_distinct(&PARSE_ERRORS);
    assert!(ParseError::Version(47).to_string().contains("version 47"));
    let eval = {
        use EvalError as E;
        [E::PointLength, E::OutputLength, E::ScratchLength, E::OutsideDomain, E::NotCodes, E::KnownAnswer]
    };
    are_distinct(&eval);
    let invalid = PARSE_ERRORS.map(WriteError::Invalid);
    are_distinct(&[&[WriteError::Parts, WriteError::Buffer], &invalid[..]].concat());
    for error in PARSE_ERRORS {
        assert!(WriteError::Invalid(error).to_string().ends_with(&error.to_string()));
    }
    let volume = {
        use VolumeError as E;
        [E::Alignment, E::Magic, E::Checksum, E::Settings, E::Length, E::Model]
    };
    are_distinct(&volume);
}

#[cfg(feature = "update")]
#[test]
fn refusals_are_told_apart_and_say_what_is_built_in() {
    use firmware_core::update::HeaderError;
    use firmware_core::update::message::Refusal as R;

    are_distinct(&[HeaderError::Length, HeaderError::Magic, HeaderError::Damaged, HeaderError::Contents]);
    let refusals = [
        R::Frame,
        R::Header,
        R::Signature,
        R::Older(300),
        R::TooLong(70_000),
        R::NoOffer,
        R::Expected(512),
        R::Checksum,
        R::NotBuiltIn,
        R::Parse,
        R::Scratch,
        R::KnownAnswer,
        R::Flash,
    ];
    are_distinct(&refusals);
    for (refusal, number) in [(R::Older(300), "300"), (R::TooLong(70_000), "70000"), (R::Expected(512), "512")] {
        assert!(refusal.to_string().contains(number), "{refusal}");
    }
    // What another program for the device could read, and what none can.
    for error in PARSE_ERRORS {
        let of_this_build = matches!(
            error,
            ParseError::Precision | ParseError::Grids | ParseError::Activation | ParseError::Version(_)
        );
        assert_eq!(R::from(error), if of_this_build { R::NotBuiltIn } else { R::Parse });
    }
    assert_eq!([EvalError::ScratchLength, EvalError::KnownAnswer].map(R::from), [R::Scratch, R::KnownAnswer]);
}
