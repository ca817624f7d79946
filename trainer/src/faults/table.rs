//! The report as text, and all flips as a table of values.

use std::fmt;

use super::flip::{Flip, Outcome};
use super::report::{ByRange, OfOutput, Report, Worst};
use crate::data::metrics::short;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what_was_tried())?;
        for (output, of) in self.outputs.iter().enumerate() {
            self.write_parts(f, output, of)?;
        }
        self.write_worst(f)?;
        self.write_found(f)
    }
}

impl Report {
    fn what_was_tried(&self) -> String {
        let Self { samples, all_samples, seed, bits, flipped, header_bits, .. } = self;
        let numbers = if flipped == bits {
            format!("every one of the {bits} bits of the numbers")
        } else {
            format!("{flipped} of the {bits} bits of the numbers, drawn by seed {seed} from every part alike,")
        };
        let points = if samples == all_samples {
            format!("all {samples} samples")
        } else {
            format!("{samples} of {all_samples} samples, drawn by seed {seed}")
        };
        format!("{numbers} and the {header_bits} bits of the header, each flipped alone; answers at {points}")
    }

    fn write_parts(&self, f: &mut fmt::Formatter<'_>, output: usize, of: &OfOutput) -> fmt::Result {
        let in_unit = if of.unit.is_empty() { String::new() } else { format!(" in {}", of.unit) };
        let OfOutput { name, own_largest_error, own_rmse, .. } = of;
        writeln!(
            f,
            "\nlargest change of {name} at a sample{in_unit}; the model itself is off by {} at most, RMS {}",
            short(*own_largest_error),
            short(*own_rmse)
        )?;
        let width = self.parts.iter().map(|row| row.part.len()).max().unwrap_or(0);
        writeln!(
            f,
            "{:width$} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>10}",
            "part", "bits", "flipped", "refused", "no change", "median", "99 %", "largest"
        )?;
        for row in &self.parts {
            let numbers = match row.changes.get(output) {
                Some(of) => [of.median, of.of_99_percent, of.largest].map(short),
                None => ["-", "-", "-"].map(str::to_owned),
            };
            let [median, most, largest] = numbers;
            writeln!(
                f,
                "{:width$} {:>9} {:>9} {:>9} {:>9} {median:>10} {most:>10} {largest:>10}",
                row.part, row.bits, row.flipped, row.refused, row.unchanged
            )?;
        }
        Ok(())
    }

    fn write_worst(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.worst.is_empty() {
            return writeln!(f, "\nno flip changes an answer");
        }
        writeln!(f, "\nthe worst flips: byte of the file and its bit, the number and its bit, the largest change")?;
        self.write_flips(f, &self.worst)?;
        if !self.worst_of_other_parts.is_empty() {
            writeln!(f, "and the worst one of each other part")?;
        }
        self.write_flips(f, &self.worst_of_other_parts)
    }

    fn write_flips(&self, f: &mut fmt::Formatter<'_>, flips: &[Worst]) -> fmt::Result {
        for worst in flips {
            let what = format!("{}, bit {}", worst.what, worst.number_bit);
            writeln!(f, "{:>8} {:>2}  {what:<42} {}", worst.byte, worst.bit, self.in_units(&worst.changes))?;
        }
        Ok(())
    }

    fn write_found(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        let share = |count: usize, of: usize| format!("{} of {of}", percent(count, of));
        writeln!(f, "\nfound by")?;
        let early = found.at_boot - found.by_checksum;
        writeln!(
            f,
            "  the checks at boot (Model::parse)           {}: {} by the CRC-32, {early} by magic, version and length before it",
            share(found.at_boot, found.flips),
            found.by_checksum
        )?;
        writeln!(f, "  a round of re-checks (Model::recheck_step)  {}", share(found.by_recheck, found.flips))?;
        match &found.by_range {
            None => writeln!(f, "  the proven range                            not known: {}", found.no_range)?,
            Some(by_range) => self.write_by_range(f, by_range)?,
        }
        writeln!(
            f,
            "with the CRC-32 made right, the other checks of Model::parse would still refuse {} flips; a flip in the header is\n\
             not evaluated, since the bytes behind it would be read in another shape",
            found.by_other_checks
        )
    }

    fn write_by_range(&self, f: &mut fmt::Formatter<'_>, by_range: &ByRange) -> fmt::Result {
        let ranges = self.outputs.iter().filter_map(|of| {
            let [low, high] = of.range?;
            Some(format!("{} from {} to {}{}", of.name, short(low), short(high), unit(of)))
        });
        let ByRange { answered, found, share, invisible, unchanged, largest_invisible } = by_range;
        let is_whole = self.flipped == self.bits;
        let of_bits = if is_whole { String::new() } else { format!(" (about {} % of the bits)", short(100.0 * share)) };
        writeln!(
            f,
            "  the proven range                            {} of the {answered} with which the model answers{of_bits}: {}",
            percent(*found, *answered),
            ranges.collect::<Vec<_>>().join(", ")
        )?;
        writeln!(
            f,
            "{invisible} flips stay invisible to the range: {unchanged} of them change no answer, and none changes one by more than {}",
            self.in_units(largest_invisible)
        )
    }

    /// A number for each output, with its unit, and its name where there are several.
    fn in_units(&self, values: &[f64]) -> String {
        let texts = values.iter().zip(&self.outputs).map(|(&value, of)| {
            let name = if self.outputs.len() > 1 { format!(" ({})", of.name) } else { String::new() };
            format!("{}{}{name}", short(value), unit(of))
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    /// All flips as CSV, with a column for the change of each output.
    ///
    /// # Panics
    ///
    /// Never: it is written to memory.
    #[must_use]
    pub fn csv(&self, flips: &[Flip]) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |cells: Vec<String>| writer.write_record(cells).expect("every row has a cell for each column");
        let columns =
            ["byte", "bit", "part", "number", "number_bit", "at_boot", "by_recheck", "outcome", "outside_range"];
        let changes = self.outputs.iter().map(|of| format!("change of {}", of.name));
        write(columns.iter().map(|&column| column.to_owned()).chain(changes).collect());
        for flip in flips {
            let (outcome, is_outside) = match &flip.outcome {
                Outcome::NotEvaluated => ("not evaluated".to_owned(), None),
                Outcome::Refused(error) => (format!("refused: {error}"), None),
                Outcome::Rejected => ("a sample is outside the domain".to_owned(), None),
                Outcome::Answered { is_outside, .. } => ("answered".to_owned(), *is_outside),
            };
            let mut cells = vec![
                flip.byte().to_string(),
                flip.bit().to_string(),
                flip.place.part.to_string(),
                flip.place.what.clone(),
                flip.place.number_bit.to_string(),
                flip.at_boot.map_or("not found".to_owned(), |error| error.to_string()),
                flip.is_rechecked.to_string(),
                outcome,
                is_outside.map_or(String::new(), |is_outside| is_outside.to_string()),
            ];
            let change = |output: usize| flip.changes().map_or(String::new(), |changes| changes[output].to_string());
            cells.extend((0..self.outputs.len()).map(change));
            write(cells);
        }
        String::from_utf8(writer.into_inner().expect("writes to memory")).expect("made of text")
    }
}

fn unit(of: &OfOutput) -> String {
    if of.unit.is_empty() { String::new() } else { format!(" {}", of.unit) }
}

/// A count and its share, of which 100 % and 0 % are exact.
fn percent(count: usize, of: usize) -> String {
    let share = 100.0 * count as f64 / of.max(1) as f64;
    let shown =
        if count == of || count == 0 { format!("{share:.0}") } else { format!("{:.2}", share.clamp(0.01, 99.99)) };
    format!("{shown} %, {count}")
}
