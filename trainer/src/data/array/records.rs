//! Structured arrays of NumPy: one record after the other, each with named fields, which are the columns of a table.

use super::NpyError;
use super::columns::{self, Column};
use super::npy::{Element, Header};
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
    let (numbers, others): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(|field| field.element.is_some());
    let names: Vec<String> = numbers.iter().map(|field| field.name.clone()).collect();
    if names.len() < 2 {
        return Err(NpyError::Records(header.descr.to_owned()));
    }
    let (inputs, outputs) = choose(&names, options)?;
    let column = |&index: &usize| {
        let field = &numbers[index];
        let element = field.element.expect("only numbers are left");
        let value = |record: &[u8]| element.read(&record[field.offset..field.offset + element.bytes]);
        Column { name: field.name.clone(), values: data.chunks_exact(size).map(value).collect() }
    };
    let mut dataset =
        columns::dataset(inputs.iter().map(column).collect(), outputs.iter().map(column).collect(), options)?;
    if options.inputs.is_empty() && options.outputs.is_empty() {
        dataset.notes.push(format!(
            "note: the output is the last field, {}, and the inputs are {}; --inputs and --outputs choose others",
            dataset.output_names.join(", "),
            dataset.input_names.join(", ")
        ));
    }
    let skipped = others.iter().map(|Field { name, descr, .. }| {
        format!("note: field '{name}' of type {descr} holds no single real number and is left out")
    });
    dataset.notes.extend(skipped);
    Ok(dataset)
}

/// The numbers of the fields that are inputs and outputs: those that are named, and else the last one as the output.
fn choose(names: &[String], options: &LoadOptions) -> Result<(Vec<usize>, Vec<usize>), TableError> {
    let mut taken = vec![false; names.len()];
    let mut take = |wanted: &String| {
        let missing = || TableError::MissingColumn(wanted.clone(), names.join(", "));
        let field = names.iter().position(|name| name == wanted.trim()).ok_or_else(missing)?;
        if std::mem::replace(&mut taken[field], true) {
            return Err(TableError::RepeatedColumn(wanted.clone()));
        }
        Ok(field)
    };
    let mut inputs: Vec<usize> = options.inputs.iter().map(&mut take).collect::<Result<_, _>>()?;
    let mut outputs: Vec<usize> = options.outputs.iter().map(&mut take).collect::<Result<_, _>>()?;
    let mut rest: Vec<usize> = (0..names.len()).filter(|&field| !taken[field]).collect();
    if inputs.is_empty() && outputs.is_empty() {
        outputs.extend(rest.pop());
    }
    if inputs.is_empty() {
        inputs = rest;
    } else if outputs.is_empty() {
        outputs = rest;
    }
    match (inputs.is_empty(), outputs.is_empty()) {
        (true, _) => Err(TableError::NoneLeft("input")),
        (_, true) => Err(TableError::NoneLeft("output")),
        _ => Ok((inputs, outputs)),
    }
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
