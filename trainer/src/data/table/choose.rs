//! Which columns of a table are inputs and which are outputs.

use super::TableError;
use super::sheet::Sheet;
use crate::data::LoadOptions;
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Columns by number, from 0.
#[derive(Debug, PartialEq)]
pub(super) struct Choice {
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
}

/// The columns that are asked for; the rules for the others are those of [`LoadOptions`].
pub(super) fn choose(sheet: &Sheet<'_>, options: &LoadOptions) -> Result<Choice, TableError> {
    let usable = sheet.usable();
    let mut taken = vec![false; sheet.names.len()];
    let mut take = |wanted: &String| {
        let column = find(sheet, wanted)?;
        if std::mem::replace(&mut taken[column], true) {
            return Err(TableError::RepeatedColumn(wanted.trim().to_owned()));
        }
        Ok(column)
    };
    let mut inputs: Vec<usize> = options.inputs.iter().map(&mut take).collect::<Result<_, _>>()?;
    let outputs: Result<Vec<usize>, _> = options.outputs.iter().map(&mut take).collect();
    let mut outputs = outputs.map_err(|error| of_target(error, options))?;
    if inputs.is_empty() && outputs.is_empty() {
        let [.., last] = usable[..] else {
            return Err(TableError::NoRows);
        };
        if let ([only], true) = (&usable[..], sheet.names.len() < 3) {
            return Err(TableError::OneColumn(sheet.names[*only].clone()));
        }
        outputs.push(last);
        taken[last] = true;
    }
    let rest = usable.iter().copied().filter(|&column| !taken[column]);
    if inputs.is_empty() {
        inputs = no_duplicates(sheet, rest.collect(), &outputs)?;
    } else if outputs.is_empty() {
        outputs = no_duplicates(sheet, rest.collect(), &inputs)?;
    }
    match (inputs.len(), outputs.len()) {
        (0, _) => Err(TableError::NoneLeft("input")),
        (_, 0) => Err(TableError::NoneLeft("output")),
        (count, _) if count > MAX_INPUTS => Err(TableError::TooManyInputs(count)),
        (_, count) if count > MAX_OUTPUTS => Err(TableError::TooManyOutputs(count)),
        _ => Ok(Choice { inputs, outputs }),
    }
}

/// The column of a name: as it is written, else by its number (`#3` or `3`), else without regard to case and to a unit in brackets.
pub(super) fn find(sheet: &Sheet<'_>, wanted: &str) -> Result<usize, TableError> {
    let (wanted, names) = (wanted.trim(), &sheet.names);
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

/// The options that use the columns of `keep` as they are used, without `leave`; names that cannot be typed easily go by number.
pub(super) fn remedy(sheet: &Sheet<'_>, choice: &Choice, leave: usize) -> String {
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
        ([], _) | (_, []) => "--inputs and --outputs that name other columns".to_owned(),
        _ => format!("--inputs {} --outputs {}", typed(&inputs), typed(&outputs)),
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

fn available(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text += &format!(" and {} more", names.len() - MOST);
    }
    text
}

/// Columns that nobody named one by one must be told apart by their names.
fn no_duplicates(sheet: &Sheet<'_>, columns: Vec<usize>, others: &[usize]) -> Result<Vec<usize>, TableError> {
    let duplicates: Vec<usize> =
        columns.iter().chain(others).copied().filter(|&column| sheet.columns[column].duplicate).collect();
    let base = |column: usize| sheet.names[column].rsplit_once(" #").map_or("", |(name, _)| name);
    for (k, &second) in duplicates.iter().enumerate() {
        if let Some(&first) = duplicates[..k].iter().find(|&&first| base(first) == base(second)) {
            let both = [first.min(second) + 1, first.max(second) + 1];
            return Err(TableError::DuplicateHeader(sheet.header_line, base(second).to_owned(), both));
        }
    }
    Ok(columns)
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
