//! Meshes from files: STL (text or binary), OBJ, PLY (text or binary).

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ply_rs_bw::parser::{self, Parser};
use ply_rs_bw::ply::{DefaultElement, Property};
use thiserror::Error;

use super::mesh::{Mesh, MeshError, Point};
use crate::base::files::ReadError;

/// Why a mesh could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadMeshError {
    /// Not there, or not readable.
    #[error(transparent)]
    Open(#[from] ReadError),
    /// The name does not end in a known way.
    #[error("{}: the name must end in .stl, .obj or .ply", path.display())]
    Format {
        /// Where it was to be read from.
        path: PathBuf,
    },
    /// The file is not what its name says.
    #[error("{}: no sound {format} file ({reason}); export the mesh again", path.display())]
    Damaged {
        /// Where it was to be read from.
        path: PathBuf,
        /// STL, OBJ or PLY.
        format: &'static str,
        /// What its reader says, in one line.
        reason: String,
    },
    /// The mesh has no inside.
    #[error("{}: {reason}", path.display())]
    Mesh {
        /// Where it was to be read from.
        path: PathBuf,
        /// What is wrong with the surface.
        reason: MeshError,
    },
}

/// A mesh with the name that headings give it.
#[derive(Clone, Debug)]
pub struct NamedMesh {
    /// That of its file, or what it shows.
    pub name: String,
    /// The surface of the solid.
    pub mesh: Mesh,
}

impl NamedMesh {
    /// The mesh of a file, by the file's name.
    ///
    /// # Errors
    /// As [`read()`].
    pub fn read(path: &Path) -> Result<Self, ReadMeshError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, mesh: read(path)? })
    }
}

/// Vertices and triangles.
type Raw = (Vec<Point>, Vec<[u32; 3]>);
/// A format's reader; the error is its own words.
type Parse = fn(&mut BufReader<File>) -> Result<Raw, String>;

/// Reads a closed mesh, in the format of the name's ending.
///
/// # Errors
/// If there is no such file, it is damaged, or its surface is not closed.
pub fn read(path: &Path) -> Result<Mesh, ReadMeshError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let (format, parse): (_, Parse) = match ending.as_deref() {
        Some("stl") => ("STL", stl),
        Some("obj") => ("OBJ", obj),
        Some("ply") => ("PLY", ply),
        _ => return Err(ReadMeshError::Format { path: path.to_owned() }),
    };
    let file = File::open(path).map_err(|source| ReadError { path: path.to_owned(), source })?;
    let (vertices, faces) = parse(&mut BufReader::new(file)).map_err(|reason| ReadMeshError::Damaged {
        path: path.to_owned(),
        format,
        reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
    })?;
    Mesh::new(&vertices, &faces).map_err(|reason| ReadMeshError::Mesh { path: path.to_owned(), reason })
}

fn stl(reader: &mut BufReader<File>) -> Result<Raw, String> {
    let mesh = stl_io::read_stl(reader).map_err(|error| error.to_string())?;
    let faces = mesh.faces.iter().map(|face| face.vertices.map(|vertex| vertex as u32)).collect();
    Ok((mesh.vertices.iter().map(|vertex| vertex.0.map(f64::from)).collect(), faces))
}

fn obj(reader: &mut BufReader<File>) -> Result<Raw, String> {
    let options =
        tobj::LoadOptions { triangulate: true, ignore_points: true, ignore_lines: true, ..Default::default() };
    let no_materials = |_: &Path| Ok(Default::default());
    let (models, _) = tobj::load_obj_buf(reader, &options, no_materials).map_err(|error| error.to_string())?;
    let (mut vertices, mut faces): Raw = Default::default();
    for model in models {
        let first = vertices.len() as u32;
        vertices.extend(model.mesh.positions.chunks_exact(3).map(|p| [p[0], p[1], p[2]].map(f64::from)));
        faces.extend(model.mesh.indices.chunks_exact(3).map(|corners| [0, 1, 2].map(|k| first + corners[k])));
    }
    Ok((vertices, faces))
}

fn ply(reader: &mut BufReader<File>) -> Result<Raw, String> {
    let (parser, mut reader) = (Parser::<DefaultElement>::new(), parser::Reader::new(reader));
    let header = parser.read_header(&mut reader).map_err(|error| error.to_string())?;
    // Such elements take no bytes in a binary file, so that a short one could claim more of them than memory holds.
    if let Some(element) = header.elements.values().find(|element| element.properties.is_empty()) {
        return Err(format!("its element {} has no properties", element.name));
    }
    let payload = parser.read_payload(&mut reader, &header).map_err(|error| error.to_string())?;
    let elements = |name: &str| payload.get(name).map(Vec::as_slice).unwrap_or_default();
    let coordinate = |vertex: &DefaultElement, name: &str| match vertex.get(name) {
        Some(&Property::Double(value)) => Ok(value),
        Some(property) => {
            property.to_f32_lossy().map(f64::from).ok_or(format!("the property {name} of a vertex is no number"))
        }
        None => Err(format!("a vertex without {name}")),
    };
    let vertex = |vertex| Ok([coordinate(vertex, "x")?, coordinate(vertex, "y")?, coordinate(vertex, "z")?]);
    let vertices = elements("vertex").iter().map(vertex).collect::<Result<Vec<Point>, String>>()?;
    let mut faces = Vec::new();
    for face in elements("face") {
        let corners = face.get("vertex_indices").or_else(|| face.get("vertex_index")).and_then(Property::to_u32_list);
        let corners = corners.ok_or("a face without a list vertex_indices")?;
        // A polygon is a fan of triangles.
        faces.extend(corners.windows(2).skip(1).map(|pair| [corners[0], pair[0], pair[1]]));
    }
    Ok((vertices, faces))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pyramid on a square as trimesh writes it.
    fn sample(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/meshes").join(name)
    }

    #[test]
    fn files_of_another_program_all_hold_the_same_mesh() {
        for name in ["text.stl", "binary.stl", "pyramid.obj", "text.ply", "binary.ply"] {
            let mesh = read(&sample(name)).unwrap();
            assert_eq!((mesh.vertices().len(), mesh.faces().len()), (5, 6), "{name}");
            assert_eq!(mesh.bounds(), [[-1.0, -1.0, 0.0], [1.0, 1.0, 1.5]], "{name}");
        }
    }

    #[test]
    fn damaged_files_are_named_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let text = read(&path).unwrap_err().to_string();
            assert!(text.starts_with(&path.display().to_string()) && text.lines().count() == 1, "{text}");
            text
        };
        for name in ["binary.stl", "text.stl", "text.ply", "binary.ply"] {
            let bytes = std::fs::read(sample(name)).unwrap();
            said(name, &bytes[..bytes.len() * 2 / 3]);
            said(name, b"");
        }
        assert!(said("open.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").contains("its surface is not closed"));
        assert!(said("sheet.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf 3 2 1\n").contains("no thickness along z"));
        assert!(said("points.obj", b"v 0 0 0\nv 1 0 0\n").contains("it has no faces"));
        assert!(said("far.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n").contains("no sound OBJ file"));
        assert!(said("words.obj", b"v 0 0 zero\n").contains("no sound OBJ file"));
        assert!(said("nan.obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").contains("vertex 0 is not finite"));
        let flat = b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nend_header\n0 0\n";
        assert!(said("flat.ply", flat).contains("a vertex without z"));
        let endless = b"ply\nformat binary_little_endian 1.0\nelement vertex 18446744073709551615\nend_header\n";
        assert!(said("endless.ply", endless).contains("element vertex has no properties"));
        assert!(said("shape.step", b"").contains("must end in .stl, .obj or .ply"));
        assert!(
            read(Path::new("none.stl")).unwrap_err().to_string().starts_with("cannot read none.stl (check its name")
        );
    }
}
