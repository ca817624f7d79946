//! Atoms: positions in ångström, of one structure or of the two ends of a motion.
//!
//! Read from a CSV table (`open_x, open_y, open_z, closed_x, …`, or `x, y, z`) or from the ATOM and HETATM records of a
//! PDB file, without waters and hydrogens. Conformations between the ends are linear interpolations, t = 0 open, t = 1
//! closed.

use super::error::{CryoError, read, read_text};
use super::table::Csv;
use std::collections::HashSet;
use std::path::Path;

/// A position in ångström.
pub type Position = [f32; 3];

/// Atoms that move along straight lines between two conformations.
#[derive(Clone, Debug, PartialEq)]
pub struct Molecule {
    open: Vec<Position>,
    closed: Vec<Position>,
}

/// The Cα atoms of *E. coli* adenylate kinase, open and closed (wwPDB entries 4AKE and 1AKE, CC0).
pub const ADENYLATE_KINASE: &str = include_str!("../../data/adenylate_kinase_calpha.csv");

impl Molecule {
    /// The bundled molecule: adenylate kinase, 214 Cα atoms, 7.7 Å between its ends.
    ///
    /// # Panics
    /// Never: the table is part of the program.
    pub fn adenylate_kinase() -> Self {
        Self::parse_csv(ADENYLATE_KINASE, Path::new("adenylate_kinase_calpha.csv")).expect("a table without errors")
    }

    /// A molecule of two conformations with as many atoms, both moved so that the middle of the motion is centred.
    ///
    /// # Errors
    /// If there are no atoms, their numbers differ, or a position is no number.
    pub fn new(open: Vec<Position>, closed: Vec<Position>, path: &Path) -> Result<Self, CryoError> {
        if open.is_empty() {
            return Err(CryoError::file(path, "it has no atoms; give a table with columns x, y, z or a PDB file"));
        }
        if open.len() != closed.len() {
            let problem = format!(
                "{} atoms do not match the {} of the other end; give the same atoms twice",
                closed.len(),
                open.len()
            );
            return Err(CryoError::file(path, problem));
        }
        if !open.iter().chain(&closed).flatten().all(|x| x.is_finite() && x.abs() < 1e5) {
            return Err(CryoError::file(
                path,
                "a coordinate is not a number below 100000 ångström; correct it or leave the atom out",
            ));
        }
        let mut molecule = Self { open, closed };
        let count = molecule.open.len() as f32;
        let mut centre = [0.0; 3];
        for position in molecule.at(0.5) {
            (0..3).for_each(|d| centre[d] += position[d] / count);
        }
        for position in molecule.open.iter_mut().chain(&mut molecule.closed) {
            (0..3).for_each(|d| position[d] -= centre[d]);
        }
        Ok(molecule)
    }

    /// Reads a `.csv` table or a PDB file; `closed` is the other end of the motion, in the same frame.
    ///
    /// # Errors
    /// If a file cannot be read or understood, or the ends differ in their number of atoms.
    pub fn read(path: &Path, closed: Option<&Path>) -> Result<Self, CryoError> {
        let ends = |path: &Path| -> Result<(Vec<Position>, Vec<Position>), CryoError> {
            if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
                csv_positions(&read_text(path)?, path)
            } else {
                // Old remarks are in other encodings than UTF-8; atoms are not.
                let bytes = read(path)?;
                pdb_positions(&String::from_utf8_lossy(&bytes), path).map(|positions| (positions.clone(), positions))
            }
        };
        let first = ends(path)?;
        match closed {
            None => Self::new(first.0, first.1, path),
            Some(closed) => Self::new(first.0, ends(closed)?.0, closed),
        }
    }

    /// A table that [`Self::read`] takes.
    pub fn to_csv(&self) -> String {
        let mut text = "open_x,open_y,open_z,closed_x,closed_y,closed_z\n".to_owned();
        for ([a, b, c], [d, e, f]) in self.open.iter().zip(&self.closed) {
            text += &format!("{a},{b},{c},{d},{e},{f}\n");
        }
        text
    }

    /// Parses a CSV table.
    ///
    /// # Errors
    /// Naming the column that is missing or the line that is no numbers.
    pub fn parse_csv(text: &str, path: &Path) -> Result<Self, CryoError> {
        let (open, closed) = csv_positions(text, path)?;
        Self::new(open, closed, path)
    }

    /// Parses the ATOM and HETATM records of the first model of a PDB file; waters, hydrogens and alternate locations
    /// but the first are left out.
    ///
    /// # Errors
    /// Naming the line whose coordinates are no numbers, or saying that it is an mmCIF file.
    pub fn parse_pdb(text: &str, path: &Path) -> Result<Self, CryoError> {
        let positions = pdb_positions(text, path)?;
        Self::new(positions.clone(), positions, path)
    }

    /// Number of atoms.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are none (never).
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Positions at motion t.
    pub fn at(&self, t: f32) -> Vec<Position> {
        let ends = self.open.iter().zip(&self.closed);
        ends.map(|(a, b)| std::array::from_fn(|d| a[d] + t * (b[d] - a[d]))).collect()
    }

    /// Largest distance of an atom from the centre over the motion, Å.
    pub fn radius(&self) -> f32 {
        let squared = |p: &Position| p.iter().map(|x| x * x).sum::<f32>();
        self.open.iter().chain(&self.closed).map(squared).fold(0.0, f32::max).sqrt()
    }
}

fn csv_positions(text: &str, path: &Path) -> Result<(Vec<Position>, Vec<Position>), CryoError> {
    let table = Csv::parse(text, path)?;
    let columns = |prefix: &str| -> Result<[usize; 3], CryoError> {
        let mut found = [0; 3];
        for (slot, axis) in found.iter_mut().zip(["x", "y", "z"]) {
            let remedy = "the table needs x, y, z, or open_x, open_y, open_z, closed_x, closed_y, closed_z";
            *slot = table.column(&format!("{prefix}{axis}"), remedy)?;
        }
        Ok(found)
    };
    let moves = table.find("open_x").is_some();
    let ends = if moves { [columns("open_")?, columns("closed_")?] } else { [columns("")?; 2] };
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for row in table.rows() {
        let position = |columns: [usize; 3]| -> Result<Position, CryoError> {
            let mut position = [0.0; 3];
            for (value, column) in position.iter_mut().zip(columns) {
                *value = row.number(column)? as f32;
            }
            Ok(position)
        };
        open.push(position(ends[0])?);
        closed.push(position(ends[1])?);
    }
    Ok((open, closed))
}

/// Whether an atom's record is of water or hydrogen, which are no part of the density that is made.
fn is_left_out(line: &str) -> bool {
    let is_water = matches!(line.get(17..20).map(str::trim), Some("HOH" | "WAT" | "DOD"));
    let element = line.get(76..78).map_or("", str::trim);
    let is_hydrogen = if element.is_empty() {
        // Without an element: the name's first letter, after the digit that older files put before it. A heavy element
        // of two letters, as mercury, begins in the column before.
        let name = line.get(12..16).unwrap_or("");
        let of_one_letter = name.starts_with(|first: char| first == ' ' || first.is_ascii_digit());
        (of_one_letter || name.trim().len() == 4)
            && name.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with(['H', 'D'])
    } else {
        matches!(element, "H" | "D")
    };
    is_water || is_hydrogen
}

/// Whether no other location of this atom (its name, chain and residue) came before; `located` holds those with
/// alternates.
fn is_first_location<'a>(line: &'a str, located: &mut HashSet<[&'a str; 2]>) -> bool {
    let alternate = line.get(16..17).is_some_and(|letter| letter != " ");
    !alternate || located.insert([line.get(12..16).unwrap_or(""), line.get(21..27).unwrap_or("")])
}

fn pdb_positions(text: &str, path: &Path) -> Result<Vec<Position>, CryoError> {
    if text.lines().any(|line| line.starts_with("_atom_site.")) {
        return Err(CryoError::file(path, "it is an mmCIF file, which is not read; save the structure in PDB format"));
    }
    let mut positions = Vec::new();
    let mut located = HashSet::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("ENDMDL") {
            break;
        }
        let is_atom = line.starts_with("ATOM  ") || line.starts_with("HETATM");
        if !is_atom || is_left_out(line) || !is_first_location(line, &mut located) {
            continue;
        }
        let mut position = [0.0; 3];
        for (value, start) in position.iter_mut().zip([30, 38, 46]) {
            let field = line.get(start..start + 8).unwrap_or("").trim();
            *value = field.parse().ok().filter(|value: &f32| value.is_finite()).ok_or_else(|| {
                let problem = format!("columns {} to {} hold '{field}', not a coordinate", start + 1, start + 8);
                CryoError::line(path, index + 1, problem)
            })?;
        }
        positions.push(position);
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adenylate_kinase_moves_as_published() {
        let molecule = Molecule::adenylate_kinase();
        assert_eq!(molecule.len(), 214);
        let (open, closed) = (molecule.at(0.0), molecule.at(1.0));
        let squares: f32 =
            open.iter().zip(&closed).map(|(a, b)| (0..3).map(|d| (a[d] - b[d]).powi(2)).sum::<f32>()).sum();
        assert!(((squares / 214.0).sqrt() - 7.7).abs() < 0.1);
        let centre: f32 = molecule.at(0.5).iter().map(|p| p[2]).sum();
        assert!(centre.abs() < 0.01);
    }

    #[test]
    fn pdb_records_are_read_by_column() {
        let text = "HEADER\nATOM      1  CA  ALA A   1      11.104   6.134  -6.504  1.00  0.00           C\n\
                    ATOM      2  CB AALA A   1      12.104   7.134  -5.504\n\
                    ATOM      3  CB BALA A   1      99.000  99.000  99.000\n\
                    ATOM      4  CG BALA A   1      12.104   7.134  -5.504\n\
                    HETATM    3 ZN    ZN A   3      13.104   8.134  -4.504\nENDMDL\nATOM   broken\n";
        let molecule = Molecule::parse_pdb(text, Path::new("m.pdb")).unwrap();
        assert_eq!(molecule.len(), 4, "an atom whose only location is B is kept");
        assert!((molecule.at(0.0)[0][0] + 1.0).abs() < 1e-5);
        for broken in ["11.1x4", "   nan", "   inf"] {
            let text = format!("HEADER\nATOM      1  CA  ALA A   1      {broken}   6.134  -6.504\n");
            let error = Molecule::parse_pdb(&text, Path::new("m.pdb")).unwrap_err().to_string();
            assert!(error.contains("m.pdb, line 2: columns 31 to 38"), "{error}");
        }
        assert!(Molecule::parse_pdb("", Path::new("m.pdb")).unwrap_err().to_string().contains("no atoms"));
    }

    #[test]
    fn waters_hydrogens_and_other_models_are_left_out() {
        let at = "      11.104   6.134  -6.504  1.00  0.00";
        let text = format!(
            "MODEL        1\nATOM      1  CA  ALA A   1{at}           C\nATOM      2  HA  ALA A   1{at}           H\n\
             ATOM      3 1HB  ALA A   1{at}\nATOM      4 HG11 VAL A   2{at}\nHETATM    5  O   HOH A   3{at}           O\n\
             HETATM    6 HG    HG A   4{at}\nENDMDL\nMODEL        2\nATOM      1  CA  ALA A   1{at}           C\nENDMDL\n"
        );
        assert_eq!(Molecule::parse_pdb(&text, Path::new("m.pdb")).unwrap().len(), 2, "carbon and mercury");
    }

    #[test]
    fn remarks_of_other_encodings_and_marked_tables_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Molecule::read(&path, None).unwrap().len()
        };
        let atom = b"REMARK   1 M\xfcller\nATOM      1  CA  ALA A   1      11.104   6.134  -6.504\n";
        assert_eq!(write("m.pdb", atom), 1);
        assert_eq!(write("m.csv", "\u{feff}\"x\",\"y\",\"z\"\n1,2,3\n4,5,6\n".as_bytes()), 2);
    }

    #[test]
    fn an_mmcif_file_is_refused() {
        let text = "data_4AKE\nloop_\n_atom_site.group_PDB\n_atom_site.Cartn_x\nATOM 11.104\n";
        let error = Molecule::parse_pdb(text, Path::new("m.cif")).unwrap_err().to_string();
        assert!(error.contains("m.cif: it is an mmCIF file") && error.contains("PDB format"), "{error}");
    }

    #[test]
    fn broken_tables_name_line_and_column() {
        let path = Path::new("t.csv");
        let missing = Molecule::parse_csv("x,y\n1,2\n", path).unwrap_err().to_string();
        assert!(missing.contains("no column z"), "{missing}");
        let word = Molecule::parse_csv("x,y,z\n1,2,3\n1,two,3\n", path).unwrap_err().to_string();
        assert!(word.contains("line 3") && word.contains("'two'"), "{word}");
        let nan = Molecule::parse_csv("x,y,z\n1,2,nan\n", path).unwrap_err().to_string();
        assert!(nan.contains("t.csv, line 2: z is 'nan'"), "{nan}");
    }
}
