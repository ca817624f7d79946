//! Named tensors in one `.safetensors` file, with settings as JSON in its metadata.
//!
//! A network is stored as PyTorch and JAX users expect it: `layers.0.weight` `[out, in]`, `layers.0.bias` `[out]`, …

use crate::base::files;
use crate::base::fingerprint::fingerprint_of;
use crate::network::{Activations, Mlp, Shape};
use crate::store::tensor_fault::{OF_CHECKSUM, fault};
use half::{bf16, f16};
use ndarray::{Array2, ArrayView2};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The metadata key that holds the settings: safetensors' header is a map in random order, so one key keeps files of
/// the same content equal.
const SETTINGS: &str = "settings";
/// The metadata key of a checksum of everything else. Files without one are read all the same.
const CHECKSUM: &str = "checksum";

/// Why a tensor file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] files::ReadError),
    /// Damaged or no safetensors.
    #[error("{} {fault}", path.display())]
    Format {
        /// Where it was read from.
        path: PathBuf,
        /// What it is in place of a safetensors file, or where it is damaged, and what to do.
        fault: String,
    },
    /// Tensors without the settings of a run: weights from elsewhere.
    #[error(
        "{0} holds tensors and no settings of a run: it was not written by this program; `trainer import {0} --data FILE \
         --out RUN` makes a run of weights from PyTorch or JAX",
        path.display()
    )]
    Foreign {
        /// The file of the tensors.
        path: PathBuf,
    },
    /// A tensor of numbers that are not floating point.
    #[error("the tensor {name} of {} holds numbers of the type {dtype}, and F16, BF16, F32 and F64 are read", path.display())]
    Type {
        /// The file of the tensors.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// The type of its numbers, as the format of safetensors calls it.
        dtype: String,
    },
    /// A tensor is missing, or of another type or shape.
    #[error(
        "{} has no usable tensor {name}; it was not written by this program, or by another version of it",
        path.display()
    )]
    Tensor {
        /// Where the tensor should be.
        path: PathBuf,
        /// Its name, as in PyTorch: `layers.0.weight`.
        name: String,
    },
    /// The settings are missing or not understood.
    #[error("{} has no usable settings: {reason}", path.display())]
    Settings {
        /// Where they should be.
        path: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
}

/// A type of number that tensors hold.
pub trait Element: bytemuck::Pod {
    /// Its name in the file.
    const DTYPE: Dtype;
}

impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
}
impl Element for u32 {
    const DTYPE: Dtype = Dtype::U32;
}
impl Element for u64 {
    const DTYPE: Dtype = Dtype::U64;
}

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Little-endian.
    bytes: Vec<u8>,
}

/// Tensors and settings, in memory.
#[derive(Default)]
pub struct Tensors {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    settings: String,
}

impl Tensors {
    /// Adds a tensor.
    ///
    /// # Panics
    /// If the shape does not have as many elements.
    pub fn put<T: Element>(&mut self, name: impl Into<String>, shape: &[usize], values: &[T]) {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "a tensor of another length than its shape");
        let mut bytes = Vec::with_capacity(size_of_val(values));
        for value in values {
            let start = bytes.len();
            bytes.extend_from_slice(bytemuck::bytes_of(value));
            if cfg!(target_endian = "big") {
                bytes[start..].reverse();
            }
        }
        self.tensors.insert(name.into(), Tensor { dtype: T::DTYPE, shape: shape.to_vec(), bytes });
    }

    /// Adds a matrix.
    pub fn put_matrix<T: Element>(&mut self, name: impl Into<String>, matrix: ArrayView2<'_, T>) {
        let values: Vec<T> = matrix.iter().copied().collect();
        self.put(name, matrix.shape(), &values);
    }

    /// Adds a network's layers, each name after `prefix`.
    pub fn put_network(&mut self, prefix: &str, network: &Mlp<f32>) {
        for layer in 0..network.shape().layers() {
            self.put_matrix(format!("{prefix}layers.{layer}.weight"), network.weights(layer));
            let biases = network.biases(layer).to_vec();
            self.put(format!("{prefix}layers.{layer}.bias"), &[biases.len()], &biases);
        }
    }

    /// Sets the settings.
    ///
    /// # Panics
    /// If they cannot be JSON (maps whose keys are no strings).
    pub fn put_settings(&mut self, settings: &impl Serialize) {
        self.settings = serde_json::to_string(settings).expect("settings are plain values");
    }

    /// The settings, from the file's metadata.
    ///
    /// # Errors
    /// [`TensorError::Foreign`] if there are none, [`TensorError::Settings`] if they are not understood.
    pub fn settings<S: DeserializeOwned>(&self) -> Result<S, TensorError> {
        if self.settings.is_empty() {
            return Err(TensorError::Foreign { path: self.path.clone() });
        }
        serde_json::from_str(&self.settings)
            .map_err(|error| TensorError::Settings { path: self.path.clone(), reason: error.to_string() })
    }

    /// For `map_err`: a tensor is missing, or is not what it should be.
    pub(crate) fn unusable(&self, name: &str) -> TensorError {
        TensorError::Tensor { path: self.path.clone(), name: name.to_owned() }
    }

    /// A tensor's shape and values.
    ///
    /// # Errors
    /// [`TensorError::Tensor`] if it is not there or holds another type.
    pub fn get<T: Element>(&self, name: &str) -> Result<(&[usize], Vec<T>), TensorError> {
        let tensor = self.tensors.get(name).filter(|tensor| tensor.dtype == T::DTYPE);
        let tensor = tensor.ok_or_else(|| self.unusable(name))?;
        let values = tensor.bytes.chunks_exact(size_of::<T>()).map(|bytes| {
            let mut value = T::zeroed();
            let target = bytemuck::bytes_of_mut(&mut value);
            target.copy_from_slice(bytes);
            if cfg!(target_endian = "big") {
                target.reverse();
            }
            value
        });
        Ok((&tensor.shape, values.collect()))
    }

    /// The names and the shapes of all tensors, in the order of the names.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), &*tensor.shape))
    }

    /// Whether the file has the settings of a run of this program.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        !self.settings.is_empty()
    }

    /// A tensor's shape and values, of whatever type of floating point they are.
    ///
    /// # Errors
    /// [`TensorError::Tensor`] if it is not there, [`TensorError::Type`] if its numbers are not floating point.
    pub fn numbers(&self, name: &str) -> Result<(&[usize], Vec<f64>), TensorError> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.unusable(name))?;
        let halves = || tensor.bytes.chunks_exact(2).map(|bytes| [bytes[0], bytes[1]]);
        let values = match tensor.dtype {
            Dtype::F64 => self.get(name)?.1,
            Dtype::F32 => self.get::<f32>(name)?.1.into_iter().map(f64::from).collect(),
            Dtype::F16 => halves().map(|bytes| f16::from_le_bytes(bytes).to_f64()).collect(),
            Dtype::BF16 => halves().map(|bytes| bf16::from_le_bytes(bytes).to_f64()).collect(),
            dtype => {
                let (path, name) = (self.path.clone(), name.to_owned());
                return Err(TensorError::Type { path, name, dtype: format!("{dtype:?}") });
            }
        };
        Ok((&tensor.shape, values))
    }

    /// A matrix.
    ///
    /// # Errors
    /// As [`Self::get`], and if it has not two dimensions.
    pub fn get_matrix<T: Element>(&self, name: &str) -> Result<Array2<T>, TensorError> {
        match self.get(name)? {
            (&[rows, columns], values) => {
                Array2::from_shape_vec((rows, columns), values).map_err(|_| self.unusable(name))
            }
            _ => Err(self.unusable(name)),
        }
    }

    /// The network that [`Self::put_network`] stored under this prefix.
    ///
    /// # Errors
    /// [`TensorError::Tensor`] where layers are missing or do not chain.
    pub fn get_network(&self, prefix: &str, activations: Activations) -> Result<Mlp<f32>, TensorError> {
        let (mut widths, mut parameters) = (Vec::new(), Vec::new());
        for layer in 0.. {
            let name = format!("{prefix}layers.{layer}.weight");
            if layer > 0 && !self.tensors.contains_key(&name) {
                break;
            }
            let weights: Array2<f32> = self.get_matrix(&name)?;
            let (_, biases) = self.get::<f32>(&format!("{prefix}layers.{layer}.bias"))?;
            let (rows, columns) = weights.dim();
            let chains = widths.last().is_none_or(|&width| width == columns);
            if !chains || biases.len() != rows || rows == 0 || columns == 0 {
                return Err(self.unusable(&name));
            }
            if widths.is_empty() {
                widths.push(columns);
            }
            widths.push(rows);
            parameters.extend(weights.iter().chain(&biases).copied());
        }
        let (&inputs, rest) = widths.split_first().ok_or_else(|| self.unusable(prefix))?;
        let (&outputs, hidden) = rest.split_last().ok_or_else(|| self.unusable(prefix))?;
        let shape = Shape::new(inputs, hidden, outputs, activations.output).with_hidden(activations.hidden);
        Mlp::from_parameters(shape, parameters).ok_or_else(|| self.unusable(prefix))
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`TensorError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), TensorError> {
        let format =
            |error| TensorError::Format { path: path.to_owned(), fault: format!("cannot be written: {error}") };
        let views = self.tensors.iter().map(|(name, tensor)| {
            TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).map(|view| (name.as_str(), view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(format)?;
        let metadata = HashMap::from([(SETTINGS.to_owned(), self.settings.clone())]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(format)?;
        Ok(files::write(path, &with_checksum(bytes, self.checksum()))?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn read(path: &Path) -> Result<Self, TensorError> {
        let bytes = files::read(path)?;
        let format = |error| TensorError::Format { path: path.to_owned(), fault: fault(path, &bytes, &error) };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(format)?;
        let settings = metadata.metadata().as_ref().and_then(|map| map.get(SETTINGS)).cloned().unwrap_or_default();
        let tensors = SafeTensors::deserialize(&bytes).map_err(format)?;
        let tensors = tensors.iter().map(|(name, view)| {
            (name.to_owned(), Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() })
        });
        let read = Self { path: path.to_owned(), tensors: tensors.collect(), settings };
        match metadata.metadata().as_ref().and_then(|map| map.get(CHECKSUM)) {
            Some(checksum) if *checksum != checksum_text(read.checksum()) => {
                Err(TensorError::Format { path: read.path, fault: OF_CHECKSUM.to_owned() })
            }
            _ => Ok(read),
        }
    }

    /// A checksum of all names, types, shapes and numbers, and of the settings.
    fn checksum(&self) -> u64 {
        let names = self.tensors.iter().map(|(name, tensor)| format!("{name} {:?} {:?}\n", tensor.dtype, tensor.shape));
        let text = names.collect::<String>() + &self.settings;
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, &byte| word << 8 | u32::from(byte));
        let numbers = self.tensors.values().flat_map(|tensor| tensor.bytes.chunks(4).map(word));
        fingerprint_of(text.bytes().map(u32::from).chain(numbers))
    }
}

fn checksum_text(checksum: u64) -> String {
    format!("{checksum:016x}")
}

/// The bytes of a file with its checksum in front of the settings.
fn with_checksum(bytes: Vec<u8>, checksum: u64) -> Vec<u8> {
    const METADATA: &[u8] = br#"{"__metadata__":{"#;
    let Some((length, header)) = bytes.split_first_chunk::<8>() else { return bytes };
    let Some(settings) = header.strip_prefix(METADATA) else { return bytes };
    let mut entry = format!("\"{CHECKSUM}\":\"{}\",", checksum_text(checksum));
    // The numbers stay aligned to 8 bytes.
    entry += &" ".repeat(entry.len().next_multiple_of(8) - entry.len());
    let length = u64::from_le_bytes(*length) + entry.len() as u64;
    [&length.to_le_bytes(), METADATA, entry.as_bytes(), settings].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Initialization, OutputActivation};
    use rand::SeedableRng;

    #[test]
    fn everything_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.safetensors");
        let shape = Shape::new(3, &[4, 2], 1, OutputActivation::Sigmoid);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let network = Mlp::new(shape, Initialization::Glorot, &mut rng);
        let mut tensors = Tensors::default();
        tensors.put_network("decoder.", &network);
        tensors.put("b", &[2, 1], &[1.5f64, f64::MIN_POSITIVE]);
        tensors.put_settings(&vec!["p", "q"]);
        tensors.write(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        let read = Tensors::read(&path).unwrap();
        assert_eq!(read.get_network("decoder.", OutputActivation::Sigmoid.into()).unwrap(), network);
        assert_eq!(read.get::<f64>("b").unwrap(), (&[2, 1][..], vec![1.5, f64::MIN_POSITIVE]));
        assert_eq!(read.settings::<Vec<String>>().unwrap(), ["p", "q"]);
        read.write(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);

        // No damage is taken for numbers; without a checksum, nothing is known of it.
        let start = 8 + u64::from_le_bytes(first[..8].try_into().unwrap()) as usize;
        assert_eq!(start % 8, 0);
        let text = first.windows(8).position(|word| word == b"[\\\"p\\\",\\").unwrap();
        for place in [start, start + 5, first.len() - 1, text + 3] {
            let mut damaged = first.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let error = Tensors::read(&path).err().unwrap().to_string();
            assert!(
                error.contains("t.safetensors is damaged: its content does not fit its checksum"),
                "{place}: {error}"
            );
        }
        let key = first.windows(10).position(|word| word == b"\"checksum\"").unwrap();
        let mut other = first.clone();
        (other[key + 1], other[start]) = (b'C', first[start] ^ 1);
        std::fs::write(&path, &other).unwrap();
        assert!(Tensors::read(&path).is_ok());

        assert!(read.get::<f32>("b").unwrap_err().to_string().contains("no usable tensor b"));
        assert!(read.get_network("", OutputActivation::Linear.into()).is_err());
        assert!(read.settings::<f64>().is_err());
        for len in [0, 7, 40, first.len() - 1] {
            std::fs::write(&path, &first[..len]).unwrap();
            assert!(matches!(Tensors::read(&path), Err(TensorError::Format { .. })), "{len}");
        }
        assert!(matches!(Tensors::read(&directory.path().join("none")), Err(TensorError::Read(_))));
    }
}
