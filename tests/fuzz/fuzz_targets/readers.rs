//! Any bytes as a file of every format that the trainer reads: a value or an error, no panic, no endless work, and no
//! more memory than a short file can need.
//!
//! The first byte says which format; the others are the file.
#![no_main]

mod allocator;

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use trainer::artifact::model_file::ModelFile;
use trainer::cryo::atoms::Molecule;
use trainer::cryo::mrc::Mrc;
use trainer::cryo::particles::ParticleStack;
use trainer::data::{LoadOptions, load};
use trainer::inverse::shape::read as mesh;
use trainer::nerf::scene::{self, Part};
use trainer::store::tensors::Tensors;

/// Files are of a few kilobytes; a picture of so few can unpack to much more.
#[global_allocator]
static ALLOCATOR: allocator::Limited = allocator::Limited::new(1 << 30);

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((&format, bytes)) = bytes.split_first() else { return };
    let table = |path: &Path| drop(load(path, &LoadOptions::default()));
    match format {
        b'c' => read("table.csv", bytes, table),
        b'n' => read("array.npy", bytes, table),
        b'z' => read("arrays.npz", bytes, table),
        b'a' => read("grid.asc", bytes, table),
        b't' => read("grid.tif", bytes, table),
        b's' => read("network.safetensors", bytes, |path| drop(Tensors::read(path))),
        b'm' => read("model.ffm", bytes, |path| drop(ModelFile::read(path))),
        b'v' => read("transforms_train.json", bytes, |_| drop(scene::read(FOLDER.path(), Part::Train))),
        b'p' => read("particles.star", bytes, |path| drop(ParticleStack::read(path, None))),
        b'M' => read("volume.mrc", bytes, |path| drop(Mrc::read(path))),
        b'P' => read("atoms.pdb", bytes, |path| drop(Molecule::read(path, None))),
        b'S' => read("mesh.stl", bytes, |path| drop(mesh::read(path))),
        b'O' => read("mesh.obj", bytes, |path| drop(mesh::read(path))),
        b'Y' => read("mesh.ply", bytes, |path| drop(mesh::read(path))),
        _ => {}
    }
});

fn read(name: &str, bytes: &[u8], reader: impl Fn(&Path)) {
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("the folder can be written");
    reader(&path);
}
