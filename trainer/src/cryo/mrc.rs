//! Images and maps in the MRC2014 format: `.mrcs` stacks and `.mrc` volumes.
//!
//! A header of 1024 bytes, an extended header, then the samples, x fastest. Read: modes 0 (i8), 1 (i16), 2 (f32), 6
//! (u16) and 12 (f16), of either byte order. Written: mode 2, little-endian, cell dimensions in ångström, `MAP ` stamp,
//! statistics; volumes with their centre (voxel n/2) at the origin, where ChimeraX then shows them. Source:
//! <https://www.ccpem.ac.uk/mrc_format/mrc2014.php>. What is written passes `mrcfile.validate` of Python's mrcfile. The
//! crate `mrc` (0.8) was left alone: large, and unsafe where two loops of safe code do.

use super::error::{CryoError, read};
use crate::base::files;
use std::io::Write;
use std::path::Path;

const HEADER: usize = 1024;

/// Samples with their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Mrc {
    /// `[nz, ny, nx]`; for a stack nz is the number of images.
    pub shape: [usize; 3],
    /// Edge of a pixel or voxel along x, Å; zero where the file does not say.
    pub voxel_size: f64,
    /// `[nz, ny, nx]`.
    pub values: Vec<f32>,
}

/// Whether sections are images of their own or planes of one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `.mrcs`.
    Stack,
    /// `.mrc`.
    Volume,
}

impl Mrc {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is no MRC file, is of an unknown mode, or is shorter than its header says.
    pub fn read(path: &Path) -> Result<Self, CryoError> {
        Self::parse(&read(path)?).map_err(|problem| CryoError::file(path, problem))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let header = Header::parse(bytes)?;
        let values = header.mode.values(header.data(bytes)?, header.is_big);
        Ok(Self { shape: header.shape, voxel_size: header.voxel_size, values })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If there are not as many values as the shape says.
    pub fn write(&self, path: &Path, content: Content) -> Result<(), CryoError> {
        assert_eq!(self.values.len(), self.shape.iter().product::<usize>(), "as many values as the shape says");
        let header = self.header(content);
        files::write_with(path, |writer| {
            writer.write_all(&header)?;
            self.values.iter().try_for_each(|value| writer.write_all(&value.to_le_bytes()))
        })?;
        Ok(())
    }

    fn header(&self, content: Content) -> [u8; HEADER] {
        let [nz, ny, nx] = self.shape;
        let mut header = [0; HEADER];
        let mut put = |index: usize, word: [u8; 4]| header[4 * index..4 * index + 4].copy_from_slice(&word);
        let sampling_z = if content == Content::Stack { 1 } else { nz };
        for (index, value) in [(0, nx), (1, ny), (2, nz), (3, 2), (7, nx), (8, ny), (9, sampling_z)] {
            put(index, (value as i32).to_le_bytes());
        }
        for (index, value) in
            [(16, 1i32), (17, 2), (18, 3), (22, i32::from(content == Content::Volume)), (27, 20_140), (55, 1)]
        {
            put(index, value.to_le_bytes());
        }
        let count = self.values.len() as f64;
        let mean = self.values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let variance = self.values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        let range =
            self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        let mut floats = vec![(13, 90.0), (14, 90.0), (15, 90.0), (19, range.0), (20, range.1), (21, mean as f32)];
        floats.push((54, variance.sqrt() as f32));
        for (axis, n) in [nx, ny, sampling_z].into_iter().enumerate() {
            floats.push((10 + axis, (n as f64 * self.voxel_size) as f32));
            if content == Content::Volume {
                floats.push((49 + axis, (-((n / 2) as f64) * self.voxel_size) as f32));
            }
        }
        for (index, value) in floats {
            put(index, value.to_le_bytes());
        }
        put(52, *b"MAP ");
        put(53, [0x44, 0x44, 0, 0]);
        let label = b"Fourier features trainer";
        header[224..304].fill(b' ');
        header[224..224 + label.len()].copy_from_slice(label);
        header
    }
}

/// What the header of a file says.
struct Header {
    is_big: bool,
    /// `[nz, ny, nx]`.
    shape: [usize; 3],
    mode: Mode,
    /// Bytes of the extended header.
    extended: usize,
    /// Å; zero where the file does not say.
    voxel_size: f64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() < HEADER {
            return Err(format!("it has {} bytes, less than the header of an MRC file; copy it again", bytes.len()));
        }
        if &bytes[208..211] != b"MAP" {
            return Err("it lacks the MAP stamp of an MRC2014 file; convert it with a current program".into());
        }
        let is_big = match &bytes[212..214] {
            [0x44, _] => false,
            [0x11, _] => true,
            stamp => {
                return Err(format!(
                    "its machine stamp {stamp:02x?} is unknown; write it again with a current program"
                ));
            }
        };
        let word = |index: usize| bytes[4 * index..4 * index + 4].try_into().expect("four bytes");
        let int = |index| if is_big { i32::from_be_bytes(word(index)) } else { i32::from_le_bytes(word(index)) };
        let float = |index| f32::from_bits(int(index) as u32);
        let size = |index: usize, name: &str| match usize::try_from(int(index)) {
            Ok(size @ 1..=100_000_000) => Ok(size),
            _ => Err(format!("its {name} is {}, not a number of samples; the file is damaged", int(index))),
        };
        let shape = [size(2, "nz")?, size(1, "ny")?, size(0, "nx")?];
        let mode = Mode::of(int(3))?;
        let negative = "its extended header has a negative length; the file is damaged";
        let extended = usize::try_from(int(23)).map_err(|_| negative)?;
        let cell = f64::from(float(10)) / f64::from(int(7).max(1));
        let voxel_size = if cell.is_finite() { cell.max(0.0) } else { 0.0 };
        Ok(Self { is_big, shape, mode, extended, voxel_size })
    }

    /// The bytes of the samples, all of them.
    fn data<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let Self { shape, mode, .. } = *self;
        let start = HEADER + self.extended;
        let samples = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
        let needed = samples.and_then(|n| n.checked_mul(mode.width())).and_then(|n| n.checked_add(start));
        let needed = needed.ok_or("its header asks for more samples than memory holds; the file is damaged")?;
        bytes.get(start..needed).ok_or_else(|| {
            let ([images, ny, nx], mode, len) = (shape, mode as i32, bytes.len());
            format!(
                "it is cut: {images} sections of {nx} × {ny} in mode {mode} take {needed} bytes and it has {len}; \
                 copy it again"
            )
        })
    }
}

/// How samples are stored, by its number in the header.
#[derive(Clone, Copy)]
enum Mode {
    I8 = 0,
    I16 = 1,
    F32 = 2,
    U16 = 6,
    F16 = 12,
}

impl Mode {
    fn of(number: i32) -> Result<Self, String> {
        let modes = [Self::I8, Self::I16, Self::F32, Self::U16, Self::F16];
        let unknown = || format!("its mode {number} is not supported; convert it to mode 2 (32-bit floats)");
        modes.into_iter().find(|&mode| mode as i32 == number).ok_or_else(unknown)
    }

    /// Bytes of a sample.
    const fn width(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::F32 => 4,
        }
    }

    /// The samples of these bytes.
    fn values(self, data: &[u8], is_big: bool) -> Vec<f32> {
        match self {
            Self::I8 => samples(data, is_big, |[byte]| f32::from(byte as i8)),
            Self::I16 => samples(data, is_big, |bytes| f32::from(i16::from_le_bytes(bytes))),
            Self::F32 => samples(data, is_big, f32::from_le_bytes),
            Self::U16 => samples(data, is_big, |bytes| f32::from(u16::from_le_bytes(bytes))),
            Self::F16 => samples(data, is_big, |bytes| from_half(u16::from_le_bytes(bytes))),
        }
    }
}

/// Samples of `N` bytes each, whose bytes `of` takes in little-endian order.
fn samples<const N: usize>(data: &[u8], is_big: bool, of: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let sample = |bytes: &[u8]| {
        let mut bytes: [u8; N] = bytes.try_into().expect("a chunk has N bytes");
        if is_big {
            bytes.reverse();
        }
        of(bytes)
    };
    data.chunks_exact(N).map(sample).collect()
}

/// The value of a number in half precision: a sign, five bits of exponent, ten of mantissa.
fn from_half(bits: u16) -> f32 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cryo").join(name)).unwrap()
    }

    /// The fixtures are by mrcfile 1.5: values index/2 - 7, and index - 30.
    #[test]
    fn files_of_mrcfile_are_read() {
        let expected: Vec<f32> = (0..72).map(|i| i as f32 * 0.5 - 7.0).collect();
        for name in ["stack_f32.mrcs", "stack_big_endian.mrcs"] {
            let stack = Mrc::parse(&fixture(name)).unwrap();
            assert_eq!((stack.shape, stack.voxel_size), ([3, 4, 6], 2.5), "{name}");
            assert_eq!(stack.values, expected, "{name}");
        }
        let volume = Mrc::parse(&fixture("volume_i16.mrc")).unwrap();
        assert_eq!((volume.shape, volume.voxel_size), ([4, 4, 4], 1.5));
        assert_eq!(volume.values, (0..64).map(|i| i as f32 - 30.0).collect::<Vec<_>>());
    }

    /// The fixture is by mrcfile 1.5 and numpy's float16: as the others but for its first four values.
    #[test]
    fn half_precision_is_read() {
        let mut expected: Vec<f32> = (0..72).map(|i| i as f32 * 0.5 - 7.0).collect();
        expected[..4].copy_from_slice(&[65504.0, 5.960_464_5e-8, -6.103_515_6e-5, 0.333_251_95]);
        let bytes = fixture("stack_f16.mrcs");
        let stack = Mrc::parse(&bytes).unwrap();
        assert_eq!((stack.shape, stack.voxel_size), ([3, 4, 6], 2.5));
        assert_eq!(stack.values, expected);
        // The other byte order: every word of the header, then every sample.
        let mut turned = bytes.clone();
        turned[..224]
            .chunks_exact_mut(4)
            .enumerate()
            .filter(|(word, _)| ![52, 53].contains(word))
            .for_each(|(_, word)| word.reverse());
        turned[212..214].fill(0x11);
        turned[1024..].chunks_exact_mut(2).for_each(<[u8]>::reverse);
        assert_eq!(Mrc::parse(&turned).unwrap(), stack);
        assert!(from_half(0x7c00).is_infinite() && from_half(0xfc01).is_nan());
        assert_eq!(from_half(0x8000).to_bits(), (-0.0f32).to_bits());
    }

    #[test]
    fn written_headers_equal_those_of_mrcfile() {
        let stack = Mrc::parse(&fixture("stack_f32.mrcs")).unwrap();
        let theirs = fixture("stack_f32.mrcs");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.mrcs");
        stack.write(&path, Content::Stack).unwrap();
        let ours = std::fs::read(&path).unwrap();
        assert_eq!(ours.len(), theirs.len());
        // Sizes, mode, cell, angles, axes, statistics, space group; version; stamps; rms. Labels are each program's
        // own.
        for range in [0..28, 28..92, 208..220, 1024..theirs.len()] {
            assert_eq!(ours[range.clone()], theirs[range.clone()], "bytes {range:?}");
        }
        assert_eq!(Mrc::read(&path).unwrap(), stack);
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        let whole = fixture("stack_f32.mrcs");
        for len in [0, 1023, 1024, whole.len() - 1] {
            let error = Mrc::parse(&whole[..len]).unwrap_err();
            assert!(error.contains("copy it again"), "{error}");
        }
        let changed = |at: usize, word: [u8; 4]| {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&word);
            Mrc::parse(&bytes).unwrap_err()
        };
        assert!(changed(12, 7i32.to_le_bytes()).contains("mode 7"));
        assert!(changed(0, (-4i32).to_le_bytes()).contains("nx is -4"));
        assert!(changed(8, 99_999_999i32.to_le_bytes()).contains("copy it again"));
        assert!(changed(208, *b"    ").contains("MAP stamp"));
        assert!(changed(212, [9; 4]).contains("machine stamp"));
        assert!(changed(92, (-1i32).to_le_bytes()).contains("extended"));
    }
}
