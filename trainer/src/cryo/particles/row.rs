//! One row of RELION's table, with what data_optics says of its optics group.

use std::path::Path;

use super::super::ctf::NO_EXTRAS;
use super::super::error::CryoError;
use super::super::star::Table;
use super::known::{EXTRAS, STAR_COLUMNS};
use super::{Particle, known, particle, take_extras};

/// The tables of a file that particles are read from.
pub(super) struct Source<'a> {
    path: &'a Path,
    /// The one that names images.
    pub(super) table: &'a Table,
    /// The optics groups, since RELION 3.1.
    pub(super) optics: Option<&'a Table>,
}

impl<'a> Source<'a> {
    /// Finds them, and refuses what they hold that is not modelled.
    pub(super) fn of(tables: &'a [Table], path: &'a Path) -> Result<Self, CryoError> {
        let is_particles = |table: &&Table| table.column("rlnImageName").is_some();
        let table = tables.iter().find(is_particles).ok_or_else(|| missing(path, "rlnImageName"))?;
        let optics = tables.iter().find(|table| table.name == "optics");
        known::check(table)?;
        optics.map_or(Ok(()), known::check)?;
        Ok(Self { path, table, optics })
    }

    /// One row.
    pub(super) fn row(&self, index: usize) -> Result<Row<'_>, CryoError> {
        Ok(Row { source: self, index, group: self.group(index)? })
    }

    /// The row of its optics group.
    fn group(&self, row: usize) -> Result<Option<usize>, CryoError> {
        const GROUP: &str = "rlnOpticsGroup";
        let Some(optics) = self.optics else { return Ok(None) };
        let (Some(of_row), Some(of_optics)) = (self.table.column(GROUP), optics.column(GROUP)) else { return Ok(None) };
        let wanted = &self.table.rows[row][of_row];
        let found = optics.rows.iter().position(|optics| &optics[of_optics] == wanted);
        let problem = || format!("optics group {wanted} is not in data_optics; add it there");
        found.map(Some).ok_or_else(|| self.table.complaint(row, problem()))
    }
}

fn missing(path: &Path, column: &str) -> CryoError {
    CryoError::Column {
        path: path.to_owned(),
        column: column.into(),
        remedy: "fit needs images with known orientations and CTF: export the result of a refinement",
    }
}

/// What a row says of its pixels.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Pixels {
    /// Å.
    pub(super) size: Option<f64>,
    /// Pixels along an edge of the image.
    pub(super) side: Option<f64>,
}

/// A value's place: the table, its row, its column.
type Place<'a> = (&'a Table, usize, usize);

/// A row of the table of particles.
pub(super) struct Row<'a> {
    source: &'a Source<'a>,
    index: usize,
    /// The row of its optics group.
    group: Option<usize>,
}

impl<'a> Row<'a> {
    /// What is wrong with the row.
    pub(super) fn complaint(&self, problem: String) -> CryoError {
        self.source.table.complaint(self.index, problem)
    }

    /// Where a value of the row or of its optics group stands.
    fn place(&self, name: &str) -> Option<Place<'a>> {
        let Source { table, optics, .. } = *self.source;
        let own = table.column(name).map(|column| (table, self.index, column));
        own.or_else(|| optics.zip(self.group).and_then(|(optics, row)| Some((optics, row, optics.column(name)?))))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, CryoError> {
        self.place(name).map(|(table, row, column)| table.number(row, column)).transpose()
    }

    /// Its orientation, place and microscope; and its pixels, which must be those of the row before it.
    pub(super) fn particle(&self, before: Option<Pixels>) -> Result<(Particle, Pixels), CryoError> {
        let mut values = [0.0; 12];
        for (slot, (name, default)) in values.iter_mut().zip(STAR_COLUMNS) {
            *slot = self.number(name)?.or(default).ok_or_else(|| missing(self.source.path, name))?;
        }
        let size = self.angstrom_per_pixel()?;
        self.turn_origin(&mut values[3..5], size)?;
        if before.is_some_and(|before| before.size != size) {
            return Err(self.complaint("another pixel size than the first image's; rescale all to one".to_owned()));
        }
        let side = self.number("rlnImageSize")?;
        if before.is_some_and(|before| before.side != side) {
            return Err(self.complaint("another rlnImageSize than the first image's; rescale all to one".to_owned()));
        }
        let mut particle = particle(values, None).map_err(|problem| self.complaint(problem))?;
        let mut extras = NO_EXTRAS;
        for (slot, name) in extras.iter_mut().zip(EXTRAS) {
            *slot = self.number(name)?.unwrap_or(*slot);
        }
        take_extras(&mut particle, extras, EXTRAS).map_err(|problem| self.complaint(problem))?;
        particle.half = self.half()?;
        Ok((particle, Pixels { size, side }))
    }

    /// From where RELION has the particle to how far the image is moved, Å. Before RELION 3.1 origins were in pixels.
    fn turn_origin(&self, origin: &mut [f64], pixel_size: Option<f64>) -> Result<(), CryoError> {
        let table = self.source.table;
        for (slot, name) in origin.iter_mut().zip(["rlnOriginX", "rlnOriginY"]) {
            if let (Some(column), None) = (table.column(name), table.column(&format!("{name}Angst"))) {
                let pixel_size = pixel_size.ok_or_else(|| missing(self.source.path, "rlnImagePixelSize"));
                *slot = table.number(self.index, column)? * pixel_size?;
            }
            *slot = -*slot;
        }
        Ok(())
    }

    /// The half set of the particle, 1 or 2.
    fn half(&self) -> Result<Option<u8>, CryoError> {
        let table = self.source.table;
        let half = table.column("rlnRandomSubset").map(|column| table.number(self.index, column)).transpose()?;
        Ok(half.filter(|half| [1.0, 2.0].contains(half)).map(|half| half as u8))
    }

    /// The stack of its image, and the image in it, from 0.
    pub(super) fn image(&self) -> Result<(&'a str, usize), CryoError> {
        let table = self.source.table;
        let name = &table.rows[self.index][table.column("rlnImageName").expect("found by it")];
        let image = name.split_once('@').and_then(|(number, stack)| Some((stack, number.parse::<usize>().ok()?)));
        let image = image.and_then(|(stack, number)| Some((stack, number.checked_sub(1)?)));
        image.ok_or_else(|| self.complaint(format!("'{name}' is not number@stack.mrcs")))
    }

    /// The size of a pixel by RELION's columns: its own, or that of the detector (µm) over the magnification, as before
    /// 3.1.
    fn angstrom_per_pixel(&self) -> Result<Option<f64>, CryoError> {
        let checked = |(table, row, _): Place<'_>, what: String, size: f64| {
            if (0.1..=100.0).contains(&size) {
                return Ok(Some(size));
            }
            Err(table.complaint(row, format!("{what}; pixels have 0.1 to 100 ångström")))
        };
        for name in ["rlnImagePixelSize", "rlnPixelSize"] {
            if let Some(found @ (table, row, column)) = self.place(name) {
                let size = table.number(row, column)?;
                return checked(found, format!("{name} is {size}"), size);
            }
        }
        let detector = self.place("rlnDetectorPixelSize");
        let (Some(detector), Some(magnification)) = (detector, self.place("rlnMagnification")) else { return Ok(None) };
        let [over, under] = [detector, magnification].map(|(table, row, column)| table.number(row, column));
        let size = 1e4 * over? / under?;
        checked(detector, format!("rlnDetectorPixelSize over rlnMagnification gives pixels of {size} Å"), size)
    }
}
