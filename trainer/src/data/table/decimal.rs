//! Whether a table has decimal points or decimal commas, by all of its cells.

use csv::StringRecord;

use super::TableError;
use super::number::{Decimal, Evidence, bare, evidence};
use super::sheet::Sheet;

/// The first rows that decide are enough; if none of them does, as many again are asked.
const ROWS_AT_A_TIME: usize = 1000;

/// The decimal mark, and a sentence if it is not sure.
pub(super) fn choose(sheet: &Sheet<'_>) -> Result<(Decimal, Option<String>), TableError> {
    let marks = |text: &str| text.contains('.') || text.contains(',');
    if !marks(sheet.body) && !sheet.names.iter().any(|name| marks(name)) {
        return Ok((Decimal::Point, None));
    }
    let mut seen = Seen::default();
    // Names that are numbers: the axis of a wide table.
    sheet.names.iter().for_each(|name| seen.add(name));
    let mut reader = sheet.rows();
    let mut record = StringRecord::new();
    let mut row = 0;
    while reader.read_record(&mut record).map_err(|error| sheet.malformed(&error))? {
        record.iter().for_each(|field| seen.add(field));
        row += 1;
        if row % ROWS_AT_A_TIME == 0 && seen.decided() {
            break;
        }
    }
    Ok(seen.conclude(sheet.separator))
}

#[derive(Default)]
struct Seen {
    points: usize,
    commas: usize,
    ambiguous: Option<(Decimal, String)>,
}

impl Seen {
    fn add(&mut self, field: &str) {
        match evidence(field) {
            Some(Evidence::Decides(Decimal::Point)) => self.points += 1,
            Some(Evidence::Decides(Decimal::Comma)) => self.commas += 1,
            Some(Evidence::Ambiguous(mark)) if self.ambiguous.is_none() => {
                self.ambiguous = Some((mark, bare(field).to_owned()));
            }
            _ => (),
        }
    }

    fn decided(&self) -> bool {
        self.points + self.commas > 0
    }

    fn conclude(self, separator: u8) -> (Decimal, Option<String>) {
        if self.decided() {
            return (if self.commas > self.points { Decimal::Comma } else { Decimal::Point }, None);
        }
        let Some((mark, example)) = self.ambiguous else {
            return (Decimal::Point, None);
        };
        // Where commas would separate fields, a comma within quotes groups thousands; semicolons are there because
        // commas are decimal.
        let decimal = if mark == Decimal::Comma && separator == b',' { Decimal::Point } else { mark };
        let (name, other) = match mark {
            Decimal::Point => ("point", ","),
            Decimal::Comma => ("comma", "."),
        };
        let read = if decimal == mark {
            format!("it is read as decimal; if it groups thousands, say --decimal {other}")
        } else {
            format!("it is read as grouping thousands; if it is decimal, say --decimal {}", mark.mark())
        };
        let note =
            format!("warning: the {name} in numbers such as '{example}' may be decimal or group thousands; {read}");
        (decimal, Some(note))
    }
}
