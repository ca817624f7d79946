//! What is kept of a proof: the certificate, a search or an enumeration that is to go on, and a line in the model's
//! card.

use std::path::{Path, PathBuf};

use firmware_core::write;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, OfData};
use super::enumerate::Enumeration;
use super::error::{CertifyError, Misfit};
use super::search::Search;
use crate::artifact::card_text::CardText;
use crate::artifact::model_file::ModelFile;
use crate::base::files;
use crate::base::fingerprint::fingerprint_of;
use crate::store::json;

/// The key of the line in a model's text.
const CERTIFIED: &str = "certified";

/// Searches, or an enumeration, that were stopped, and what they belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unfinished {
    /// The checksum of the model file.
    pub model_crc32: String,
    /// The data that it is compared with.
    pub data: Option<OfData>,
    /// Every search, as far as it is.
    pub searches: Vec<Search>,
    /// The enumeration of all codes, as far as it is, where every input consists of codes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enumeration: Option<Enumeration>,
}

/// The file of what is unfinished.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// A checksum of the contents, in hexadecimal.
    #[serde(default)]
    checksum: String,
    contents: Unfinished,
}

impl Unfinished {
    /// Where what is unfinished of a certificate is kept: beside it.
    #[must_use]
    pub fn path(certificate: &Path) -> PathBuf {
        let mut name = certificate.as_os_str().to_owned();
        name.push(".unfinished");
        name.into()
    }

    /// Reads what was stopped of this model and these data.
    ///
    /// # Errors
    ///
    /// If there is nothing, it is damaged, or it belongs to another model or other data.
    pub fn read(certificate: &Path, of: &Certificate) -> Result<Self, CertifyError> {
        let path = Self::path(certificate);
        let Kept { checksum, contents } = read(&path).map_err(|error| match error {
            CertifyError::Format { path, .. } => CertifyError::Damaged { path, reason: Misfit::Format },
            other => other,
        })?;
        if checksum != contents.checksum() {
            return Err(CertifyError::Damaged { path, reason: Misfit::Checksum });
        }
        belongs(&path, (&contents.model_crc32, &contents.data), of)?;
        Ok(contents)
    }

    /// Writes it beside the certificate.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, certificate: &Path) -> Result<(), CertifyError> {
        let kept = Kept { checksum: self.checksum(), contents: self.clone() };
        write_json(&Self::path(certificate), &kept)
    }

    /// A checksum of all that a file has of it; what is read is written with the same digits again.
    fn checksum(&self) -> String {
        format!("{:016x}", fingerprint_of(json::bytes(self)))
    }
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, CertifyError> {
        read(path)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CertifyError> {
        write_json(path, self)
    }

    /// Whether it, read from `path`, is of the model and the data of another one.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn check_belongs(&self, path: &Path, of: &Self) -> Result<(), CertifyError> {
        belongs(path, (&self.model_crc32, &self.data), of)
    }

    /// The bytes of a model with the certificate in its text, in place of one that may stand there; all that a device
    /// computes stays as it is.
    ///
    /// # Errors
    ///
    /// If the text becomes too long.
    pub fn in_card(&self, file: &ModelFile) -> Result<Vec<u8>, CertifyError> {
        let model = file.model()?;
        let prefix = format!("{CERTIFIED}:");
        let kept = model.text().lines().filter(|line| !line.starts_with(&prefix));
        let text: String = kept.map(|line| format!("{line}\n")).collect();
        let text = CardText::from_text(text).json(CERTIFIED, self);
        let text = text.as_str();
        let mut words = vec![0u32; file.bytes().len() / 4 + text.len() / 4 + 2];
        let len = write::with_text(file.bytes(), text, bytemuck::cast_slice_mut(&mut words))?;
        Ok(bytemuck::cast_slice::<u32, u8>(&words)[..len].to_vec())
    }
}

fn belongs(path: &Path, own: (&String, &Option<OfData>), of: &Certificate) -> Result<(), CertifyError> {
    let other = |what, remedy| CertifyError::Other { path: path.to_owned(), what, remedy };
    if *own.0 != of.model_crc32 {
        return Err(other("another model", "name the model file that it was made of"));
    }
    if *own.1 != of.data {
        return Err(other("other data", "name the data that it was made with, or none if there were none"));
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, CertifyError> {
    let bytes = files::read(path)?;
    serde_json::from_slice(&bytes).map_err(|source| CertifyError::Format { path: path.to_owned(), source })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CertifyError> {
    Ok(json::write(path, value)?)
}
