//! What can go wrong with particles, poses, maps and runs.

use crate::artifact::export::ExportError;
use crate::artifact::model_file::ModelError;
use crate::base::files::{self, FolderError, ReadError, RemoveError, WriteError};
use crate::data::DatasetError;
use crate::network::encoding::EncodingError;
use crate::report::figure::FigureError;
use crate::store::run::RunError;
use crate::store::tensors::TensorError;
use crate::training::TrainError;
use std::path::{Path, PathBuf};

/// Every failure of [`crate::cryo`]; the message names the file, the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CryoError {
    /// A file is missing, a directory, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A folder cannot be made, or is taken.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file that is out of date cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// A line of a text file is not understood.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// Where it was read from.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: usize,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A file as a whole is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// Where it was read from.
        path: PathBuf,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A table lacks a column.
    #[error("{} has no column {column}; {remedy}", path.display())]
    Column {
        /// Where it was read from.
        path: PathBuf,
        /// Its name in the file.
        column: String,
        /// Where it comes from.
        remedy: &'static str,
    },
    /// Something known that is not modelled and would change the answer.
    #[error("{}, line {line}: {column} is {value}, which is not modelled: {remedy}", path.display())]
    NotModelled {
        /// The table of particles.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: usize,
        /// Its name in the file.
        column: &'static str,
        /// The value that the file has.
        value: String,
        /// Why it changes the answer, and what to do about it.
        remedy: &'static str,
    },
    /// Images of another size than the table says.
    #[error(
        "{}: its images have {found} pixels a side, and {} says rlnImageSize {expected}; name the right images with --stack, or set \
         rlnImageSize and rlnImagePixelSize to those of these images",
        path.display(), table.display()
    )]
    BoxSize {
        /// The .mrcs with the images.
        path: PathBuf,
        /// Pixels along an edge.
        found: usize,
        /// The table of particles.
        table: PathBuf,
        /// Pixels along an edge, by the table.
        expected: usize,
    },
    /// Pixels of another size than the table says.
    #[error(
        "{}: its header says pixels of {found:.4} Å, and {} says {expected:.4} Å; correct whichever is wrong, rlnImagePixelSize in the \
         table or the cell of the header",
        path.display(), table.display()
    )]
    PixelSize {
        /// The .mrcs with the images.
        path: PathBuf,
        /// Å, by the header.
        found: f64,
        /// The table of particles.
        table: PathBuf,
        /// Å, by the table.
        expected: f64,
    },
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(String),
    /// There is no such encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A checkpoint or network file is of no use.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// The folder holds no run, or its checkpoint is of no use.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A run was trained on other images than those that it would go on with.
    #[error("{}: it was trained on other images, poses or CTFs; resume with the same files", run.display())]
    OtherImages {
        /// The folder of the run.
        run: PathBuf,
    },
    /// A folder that was named as the truth does not hold it.
    #[error("{} has no truth.json; name a folder of `trainer cryo synthesize`", folder.display())]
    NoTruth {
        /// The folder that was named.
        folder: PathBuf,
    },
    /// The truth is known, but not which conformation each image shows.
    #[error(
        "{} does not say which conformation each image shows, so that nothing can be compared with {}; name the poses.csv \
         of `trainer cryo synthesize`, or leave out --truth",
        table.display(), folder.display()
    )]
    NoMotions {
        /// The table of particles.
        table: PathBuf,
        /// The folder of the truth.
        folder: PathBuf,
    },
    /// The decoder does not fit an artifact.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The artifact does not run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// An array could not be written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl CryoError {
    pub(crate) fn line(path: &Path, line: usize, problem: impl Into<String>) -> Self {
        Self::Line { path: path.to_owned(), line, problem: problem.into() }
    }

    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), problem: problem.into() }
    }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CryoError> {
    Ok(files::read(path)?)
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, CryoError> {
    String::from_utf8(read(path)?)
        .map_err(|_| CryoError::file(path, "it is no text file; name the .star, .csv or .pdb, not the images"))
}
