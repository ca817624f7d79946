//! Which columns of a table are inputs and which are outputs.

use super::TableError;
use super::sheet::Sheet;
use crate::data::LoadOptions;
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Columns by number, from 0.
#[derive(Debug, PartialEq)]
pub(in crate::data) struct Choice {
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
}

impl Choice {
    /// The columns that are asked for, each of which `find` finds by its name. The rules for the others, of which those
    /// that are `usable` count, are those of [`LoadOptions`].
    pub(in crate::data) fn new(
        usable: &[usize],
        options: &LoadOptions,
        find: impl Fn(&str) -> Result<usize, TableError>,
    ) -> Result<Self, TableError> {
        let mut taken = Vec::new();
        let mut take = |wanted: &String| {
            let column = find(wanted)?;
            if taken.contains(&column) {
                return Err(TableError::RepeatedColumn(wanted.trim().to_owned()));
            }
            taken.push(column);
            Ok(column)
        };
        let mut inputs: Vec<usize> = options.inputs.iter().map(&mut take).collect::<Result<_, _>>()?;
        let outputs: Result<Vec<usize>, _> = options.outputs.iter().map(&mut take).collect();
        let mut outputs = outputs.map_err(|error| of_target(error, options))?;
        let mut rest: Vec<usize> = usable.iter().copied().filter(|column| !taken.contains(column)).collect();
        if inputs.is_empty() && outputs.is_empty() {
            outputs.extend(rest.pop());
        }
        if inputs.is_empty() {
            inputs = rest;
        } else if outputs.is_empty() {
            outputs = rest;
        }
        match (inputs.len(), outputs.len()) {
            (0, _) => Err(TableError::NoneLeft("input")),
            (_, 0) => Err(TableError::NoneLeft("output")),
            _ => Ok(Self { inputs, outputs }),
        }
    }

    /// The inputs, then the outputs.
    pub(super) fn all(&self) -> Vec<usize> {
        [&self.inputs[..], &self.outputs].concat()
    }
}

/// The columns of a table that are inputs and outputs.
pub(super) fn choose(sheet: &Sheet<'_>, options: &LoadOptions) -> Result<Choice, TableError> {
    let usable = sheet.usable();
    let nobody_chose = options.inputs.is_empty() && options.outputs.is_empty();
    match usable[..] {
        [] if nobody_chose => return Err(TableError::NoRows),
        [only] if nobody_chose && sheet.names.len() < 3 => {
            return Err(TableError::OneColumn(sheet.names[only].clone()));
        }
        _ => (),
    }
    let choice = Choice::new(&usable, options, |wanted| find(&sheet.names, wanted))?;
    if options.inputs.is_empty() || options.outputs.is_empty() {
        no_duplicates(sheet, &choice.all())?;
    }
    match (choice.inputs.len(), choice.outputs.len()) {
        (count, _) if count > MAX_INPUTS => Err(TableError::TooManyInputs(count)),
        (_, count) if count > MAX_OUTPUTS => Err(TableError::TooManyOutputs(count)),
        _ => Ok(choice),
    }
}

/// The column of a name: as it is written, else by its number (`#3` or `3`), else without regard to case and to a unit
/// in brackets.
pub(in crate::data) fn find(names: &[String], wanted: &str) -> Result<usize, TableError> {
    let wanted = wanted.trim();
    if let Some(column) = names.iter().position(|name| name == wanted) {
        return Ok(column);
    }
    let number = wanted.strip_prefix('#').unwrap_or(wanted).parse::<usize>().ok();
    if let Some(number) = number.filter(|number| (1..=names.len()).contains(number)) {
        return Ok(number - 1);
    }
    let alike = |simple: fn(&str) -> String| {
        let wanted = simple(wanted);
        (0..names.len()).filter(|&column| simple(&names[column]) == wanted).collect::<Vec<_>>()
    };
    let mut candidates = alike(str::to_lowercase);
    if candidates.is_empty() {
        candidates = alike(without_unit);
    }
    match candidates[..] {
        [column] => Ok(column),
        [] => Err(TableError::MissingColumn(wanted.to_owned(), available(names))),
        _ => {
            let numbered: Vec<_> = candidates.iter().map(|&k| format!("'{}' (#{})", names[k], k + 1)).collect();
            Err(TableError::AmbiguousColumn(wanted.to_owned(), numbered.join(", ")))
        }
    }
}

/// The options that use the columns of `keep` as they are used, without `leave`; names that cannot be typed easily go
/// by number. None where no input or no output would be left.
pub(super) fn remedy(sheet: &Sheet<'_>, choice: &Choice, leave: usize) -> Option<String> {
    let good = |columns: &[usize]| -> Vec<usize> {
        columns.iter().copied().filter(|&column| column != leave && sheet.columns[column].numeric).collect()
    };
    let (mut inputs, mut outputs) = (good(&choice.inputs), good(&choice.outputs));
    if outputs.is_empty() && inputs.len() > 1 {
        outputs.extend(inputs.pop());
    }
    let easy = |name: &String| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) && !name.starts_with('-')
    };
    let typed = |columns: &[usize]| {
        let by_name = inputs.iter().chain(&outputs).all(|&column| easy(&sheet.names[column]));
        let text = |&column: &usize| if by_name { sheet.names[column].clone() } else { (column + 1).to_string() };
        columns.iter().map(text).collect::<Vec<_>>().join(",")
    };
    match (&inputs[..], &outputs[..]) {
        ([], _) | (_, []) => None,
        _ => Some(format!("--inputs {} --outputs {}", typed(&inputs), typed(&outputs))),
    }
}

/// A name in lower case, without a unit in brackets at its end and without marks of its number.
fn without_unit(name: &str) -> String {
    let name = name.trim();
    let opening = match name.chars().last() {
        Some(')') => '(',
        Some(']') => '[',
        Some('}') => '{',
        _ => return name.to_lowercase(),
    };
    name.rsplit_once(opening).map_or(name, |(name, _)| name).trim().to_lowercase()
}

/// The first names, for a message; of structured arrays, fields that are no numbers have none.
pub(in crate::data) fn available(names: &[String]) -> String {
    const MOST: usize = 12;
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let mut text = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST {
        text += &format!(" and {} more", names.len() - MOST);
    }
    text
}

/// Columns that nobody named one by one must be told apart by their names.
fn no_duplicates(sheet: &Sheet<'_>, columns: &[usize]) -> Result<(), TableError> {
    let duplicates: Vec<usize> = columns.iter().copied().filter(|&column| sheet.columns[column].duplicate).collect();
    let base = |column: usize| sheet.names[column].rsplit_once(" #").map_or("", |(name, _)| name);
    for (k, &second) in duplicates.iter().enumerate() {
        if let Some(&first) = duplicates[..k].iter().find(|&&first| base(first) == base(second)) {
            let both = [first.min(second) + 1, first.max(second) + 1];
            return Err(TableError::DuplicateHeader(sheet.header_line, base(second).to_owned(), both));
        }
    }
    Ok(())
}

/// A model can be asked for outputs without any to compare with.
fn of_target(error: TableError, options: &LoadOptions) -> TableError {
    match error {
        TableError::MissingColumn(name, available) if options.origins.is_some() => {
            TableError::MissingTarget(name, available)
        }
        error => error,
    }
}
