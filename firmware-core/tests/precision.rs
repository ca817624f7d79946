//! Models of a precision that was left out of the build. `cargo xtask test` runs this with each choice of precisions.

use firmware_core::{Aligned, Model, ParseError, Precision};

static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));

/// The first byte of the header, which is the number of the precision.
const PRECISION_BYTE: usize = 24;

/// The model with another precision in its header, under the right checksum; what follows the header does not fit it.
fn parse_as(number: u8) -> Result<(), ParseError> {
    let mut artifact = Aligned([0; 2048]);
    let bytes = &mut artifact.0[..MODEL.0.len()];
    bytes.copy_from_slice(&MODEL.0);
    bytes[PRECISION_BYTE] = number;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&bytes[..12]);
    digest.update(&bytes[16..]);
    bytes[12..16].copy_from_slice(&digest.finalize().to_le_bytes());
    Model::parse(bytes).map(|_| ())
}

#[test]
fn a_precision_that_is_not_built_in_is_refused() {
    for (number, precision, is_built_in) in [
        (0, Precision::F32, cfg!(feature = "f32")),
        (1, Precision::W8A16, cfg!(feature = "w8a16")),
        (2, Precision::W16A16, cfg!(feature = "w16a16")),
    ] {
        assert_eq!(precision.is_built_in(), is_built_in);
        let error = parse_as(number).err();
        assert_eq!(error == Some(ParseError::Precision), !is_built_in, "{precision:?}: {error:?}");
    }
}

/// What becomes of the model with a header of version 2, of a precision that is built in, that ends with `extension`.
fn parse_extended(extension: &[u8]) -> Option<ParseError> {
    let header_len = usize::from(u16::from_le_bytes([MODEL.0[6], MODEL.0[7]]));
    let mut header = MODEL.0[24..24 + header_len].to_vec();
    header[0] = if cfg!(feature = "w8a16") {
        1
    } else if cfg!(feature = "w16a16") {
        2
    } else {
        0
    };
    header.extend(extension);
    let len = header.len();
    header.resize(len.next_multiple_of(4), 0);
    let rest = &MODEL.0[24 + header_len.next_multiple_of(4)..];
    let mut bytes = [&MODEL.0[..24], &header, rest].concat();
    bytes[4] = 2;
    bytes[6..8].copy_from_slice(&(len as u16).to_le_bytes());
    let file_len = bytes.len() as u32;
    bytes[8..12].copy_from_slice(&file_len.to_le_bytes());
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&bytes[..12]);
    digest.update(&bytes[16..]);
    bytes[12..16].copy_from_slice(&digest.finalize().to_le_bytes());
    let mut artifact = Aligned([0; 4096]);
    artifact.0[..bytes.len()].copy_from_slice(&bytes);
    Model::parse(&artifact.0[..bytes.len()]).err()
}

const IS_ANY_PRECISION: bool = cfg!(any(feature = "f32", feature = "w8a16", feature = "w16a16"));

/// What follows the header does not fit the grid that it tells of.
#[test]
fn a_grid_that_is_not_built_in_is_refused() {
    // No periodic axis; the activation, then a grid of one level, one channel, order 1 and 8 bits, as features; no
    // codes.
    let error = parse_extended(&[0, 0, 0, 1, 1, 1, 1, 8, 0, 0]);
    let expected = if !IS_ANY_PRECISION {
        ParseError::Precision
    } else if cfg!(feature = "grid") {
        ParseError::Shape // there are frequencies too
    } else {
        ParseError::Grids
    };
    assert_eq!(error, Some(expected));
}

#[test]
fn sine_layers_that_are_not_built_in_are_refused() {
    // No periodic axis; sine, no grid, no codes.
    let error = parse_extended(&[0, 0, 1, 0, 0]);
    if !IS_ANY_PRECISION {
        assert_eq!(error, Some(ParseError::Precision));
    } else if !cfg!(feature = "sine") {
        assert_eq!(error, Some(ParseError::Activation));
    } else if cfg!(feature = "w8a16") {
        assert_eq!(error, None);
    } else {
        // The weights are those of another precision.
        assert!(error.is_some_and(|error| error != ParseError::Activation), "{error:?}");
    }
}

/// The model as it is.
#[test]
fn a_precision_that_is_built_in_is_evaluated() {
    assert_eq!(parse_as(1).is_ok(), cfg!(feature = "w8a16"));
    let Ok(model) = Model::parse(&MODEL.0) else { return };
    let (mut scratch, mut degrees) = ([0; 64], [0.0]);
    model.self_test(&mut scratch).unwrap();
    model.eval_into(&[12.5], &mut scratch, &mut degrees).unwrap();
    // `trainer predict` says 305.1585.
    assert_eq!(degrees[0].to_bits(), 305.1585f32.to_bits());
}
