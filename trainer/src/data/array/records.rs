//! Structured arrays of NumPy: one record after the other, each with named fields, which are the columns of a table.

use super::NpyError;
use super::columns;
use super::npy::{Element, Header};
use crate::data::table::{Choice, Column, available, find};
use crate::data::{Dataset, LoadOptions, TableError};

/// A field of a record.
struct Field {
    name: String,
    /// NumPy's notation of its type.
    descr: String,
    /// Where it begins in the record.
    offset: usize,
    /// Only of real numbers, one in each record.
    element: Option<Element>,
}

/// Whether the elements of an array are records.
pub(in crate::data) fn are_records(header: &Header<'_>) -> bool {
    header.descr.starts_with('[')
}

/// The samples of a one-dimensional structured array; unnamed inputs and outputs follow the rules of a table.
pub(in crate::data) fn dataset(header: &Header<'_>, options: &LoadOptions) -> Result<Dataset, NpyError> {
    let (fields, size) = fields(header.descr).ok_or_else(|| NpyError::Records(header.descr.to_owned()))?;
    if header.shape.len() != 1 {
        return Err(NpyError::RecordGrid(header.shape.clone()));
    }
    let data = header.data(size)?;
    // Fields count from 1 as in the array; those that are no numbers have no name by which they could be chosen.
    let usable: Vec<usize> = (0..fields.len()).filter(|&k| fields[k].element.is_some()).collect();
    if usable.len() < 2 {
        return Err(NpyError::Records(header.descr.to_owned()));
    }
    let names: Vec<String> =
        fields.iter().map(|field| field.element.map_or(String::new(), |_| field.name.clone())).collect();
    let choice = Choice::new(&usable, options, |wanted| {
        let missing = || TableError::MissingColumn(wanted.to_owned(), available(&names));
        find(&names, wanted).and_then(|field| usable.contains(&field).then_some(field).ok_or_else(missing))
    })?;
    let column = |&field: &usize| {
        let Field { name, offset, element, .. } = &fields[field];
        let element = element.expect("only numbers are chosen");
        let value = |record: &[u8]| element.read(&record[*offset..offset + element.bytes]);
        Column { name: name.clone(), values: data.chunks_exact(size).map(value).collect() }
    };
    let columns = |chosen: &[usize]| chosen.iter().map(column).collect();
    let mut dataset = columns::dataset(columns(&choice.inputs), columns(&choice.outputs), options)?;
    if options.inputs.is_empty() && options.outputs.is_empty() {
        dataset.notes.push(format!(
            "note: the output is the last field, {}, and the inputs are {}; --inputs and --outputs choose others",
            dataset.output_names.join(", "),
            dataset.input_names.join(", ")
        ));
    }
    let others = fields.iter().filter(|field| field.element.is_none());
    let skipped = others.map(|Field { name, descr, .. }| {
        format!("note: field '{name}' of type {descr} holds no single real number and is left out")
    });
    dataset.notes.extend(skipped);
    Ok(dataset)
}

/// The fields of a record and its size in bytes; none if its description cannot be read or holds Python objects.
fn fields(descr: &str) -> Option<(Vec<Field>, usize)> {
    let mut text = Cursor(descr.strip_prefix('[')?);
    let (mut fields, mut offset) = (Vec::new(), 0);
    while text.eat('(') {
        // A title may stand before the name: (title, name).
        let name = if text.eat('(') {
            text.string()?;
            text.eat(',').then_some(())?;
            let name = text.string()?;
            text.eat(')').then_some(name)?
        } else {
            text.string()?
        };
        text.eat(',').then_some(())?;
        let descr = text.string()?;
        let count = if text.eat(',') { text.product()? } else { 1 };
        text.eat(')').then_some(())?;
        let size = element_size(descr)?.checked_mul(count)?;
        // NumPy writes padding as fields without a name.
        if !name.is_empty() {
            let element = Element::parse(descr).filter(|_| count == 1);
            let descr = if count == 1 { format!("'{descr}'") } else { format!("'{descr}' with {count} values") };
            fields.push(Field { name: name.to_owned(), descr, offset, element });
        }
        offset = offset.checked_add(size)?;
        text.eat(',');
    }
    (text.eat(']') && offset > 0).then_some((fields, offset))
}

/// Bytes of one element: of numbers, texts, dates and padding.
fn element_size(descr: &str) -> Option<usize> {
    let kind = descr.chars().nth(1)?;
    let number = descr.get(2..)?.split('[').next()?;
    let count: usize = number.parse().ok()?;
    match kind {
        'U' => count.checked_mul(4),
        'O' => None,
        _ => Some(count),
    }
}

/// A text that is read from its beginning.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    /// Takes a character, if it is next but for white space.
    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes a quoted string.
    fn string(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (contents, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        Some(contents)
    }

    /// Takes a tuple of lengths and multiplies them.
    fn product(&mut self) -> Option<usize> {
        let (lengths, rest) = self.0.trim_start().strip_prefix('(')?.split_once(')')?;
        self.0 = rest;
        let lengths = lengths.split(',').map(str::trim).filter(|length| !length.is_empty());
        lengths
            .map(|length| length.parse::<usize>().ok())
            .try_fold(1, |product: usize, length| product.checked_mul(length?))
    }
}
