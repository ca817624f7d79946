//! Tables in CSV: one header line, then numbers. Commas, semicolons or tabs; quotes as usual; blank lines are skipped.

use csv::{ByteRecord, ReaderBuilder};
use ndarray::Array2;

use super::domain::{self, Axis, OutputMap};
use super::{CsvError, Dataset, Kind};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Reads the named columns; the rules for unnamed ones are those of [`LoadOptions`](super::LoadOptions).
pub(super) fn dataset(bytes: &[u8], inputs: &[String], outputs: &[String]) -> Result<Dataset, CsvError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // the byte order mark that spreadsheets write
    let mut reader = ReaderBuilder::new().delimiter(delimiter(bytes)).flexible(true).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| malformed(&error))?;
    let names: Vec<String> = header.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
    check_header(&names)?;
    let (inputs, outputs) = choose_columns(&names, inputs, outputs)?;

    let columns = read_columns(&mut reader, bytes, &names, &[&inputs[..], &outputs[..]].concat())?;
    let (input_columns, output_columns) = columns.split_at(inputs.len());
    let label = |column: usize| names[column].clone();

    let axes: Vec<Axis> = inputs
        .iter()
        .zip(input_columns)
        .map(|(&column, values)| column_axis(&names[column], values))
        .collect::<Result<_, _>>()?;
    let output_maps: Vec<OutputMap> = outputs
        .iter()
        .zip(output_columns)
        .map(|(&column, values)| column_map(&names[column], values))
        .collect::<Result<_, _>>()?;

    let rows = columns[0].len();
    let points = Array2::from_shape_fn((rows, axes.len()), |(row, input)| input_columns[input][row] as f32);
    let targets = Array2::from_shape_fn((rows, output_maps.len()), |(row, output)| {
        domain::to_unit(output_columns[output][row], &output_maps[output])
    });
    Ok(Dataset {
        coordinates: domain::to_fixed(&points, &axes),
        points,
        targets,
        axes,
        output_maps,
        kind: Kind::Table,
        input_names: inputs.iter().map(|&column| label(column)).collect(),
        output_names: outputs.iter().map(|&column| label(column)).collect(),
        input_origins: vec![0.0; inputs.len()],
        output_origins: vec![0.0; outputs.len()],
        cells: None,
        notes: Vec::new(),
    })
}

/// The separator that is most frequent in the header line.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or(bytes);
    let count = |delimiter: u8| header.iter().filter(|&&byte| byte == delimiter).count();
    // `max_by_key` takes the last of equals: the comma.
    *b"\t;,".iter().max_by_key(|&&delimiter| count(delimiter)).unwrap_or(&b',')
}

fn check_header(names: &[String]) -> Result<(), CsvError> {
    if names.iter().all(String::is_empty) {
        return Err(CsvError::NoHeader);
    }
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(CsvError::NumericHeader(names.join(",")));
    }
    if let [name] = names {
        return Err(CsvError::OneColumn(name.clone()));
    }
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = names[..second].iter().position(|other| other == name) {
            return Err(CsvError::DuplicateHeader { name: name.clone(), first: first + 1, second: second + 1 });
        }
    }
    Ok(())
}

/// The numbers of the input and the output columns.
pub(super) fn choose_columns(
    names: &[String],
    inputs: &[String],
    outputs: &[String],
) -> Result<(Vec<usize>, Vec<usize>), CsvError> {
    let mut taken = vec![false; names.len()];
    let mut find = |wanted: &String| {
        let wanted = wanted.trim();
        let missing = || CsvError::MissingColumn { name: wanted.to_owned(), available: names.join(", ") };
        let column = names.iter().position(|name| name == wanted).ok_or_else(missing)?;
        if std::mem::replace(&mut taken[column], true) {
            return Err(CsvError::RepeatedColumn(wanted.to_owned()));
        }
        Ok(column)
    };
    let mut inputs: Vec<usize> = inputs.iter().map(&mut find).collect::<Result<_, _>>()?;
    let mut outputs: Vec<usize> = outputs.iter().map(&mut find).collect::<Result<_, _>>()?;
    if inputs.is_empty() && outputs.is_empty() {
        outputs.push(names.len() - 1);
        taken[names.len() - 1] = true;
    }
    let rest = (0..names.len()).filter(|&column| !taken[column]);
    if inputs.is_empty() {
        inputs.extend(rest);
    } else if outputs.is_empty() {
        outputs.extend(rest);
    }
    match (inputs.len(), outputs.len()) {
        (0, _) => Err(CsvError::NoneLeft("input")),
        (_, 0) => Err(CsvError::NoneLeft("output")),
        (count, _) if count > MAX_INPUTS => Err(CsvError::TooManyInputs(count)),
        (_, count) if count > MAX_OUTPUTS => Err(CsvError::TooManyOutputs(count)),
        _ => Ok((inputs, outputs)),
    }
}

/// The values of the chosen columns, one vector for each.
fn read_columns(
    reader: &mut csv::Reader<&[u8]>,
    bytes: &[u8],
    names: &[String],
    chosen: &[usize],
) -> Result<Vec<Vec<f64>>, CsvError> {
    let mut columns = vec![Vec::new(); chosen.len()];
    let mut record = ByteRecord::new();
    let mut line = 0;
    while reader.read_byte_record(&mut record).map_err(|error| malformed(&error))? {
        line = record.position().map_or(0, |position| line_of(position, bytes));
        if record.len() != names.len() {
            return Err(CsvError::FieldCount { line, found: record.len(), expected: names.len() });
        }
        for (values, &column) in columns.iter_mut().zip(chosen) {
            values.push(number(&record[column]).map_err(|fault| fault.at(line, &names[column], &record[column]))?);
        }
    }
    match columns[0].len() {
        0 => Err(CsvError::NoRows),
        1 => Err(CsvError::OneRow(line)),
        _ => Ok(columns),
    }
}

/// The line of a record: the reader's position is before the blank lines that it skipped.
fn line_of(position: &csv::Position, bytes: &[u8]) -> u64 {
    let rest = bytes.get(position.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n'));
    position.line() + blank.filter(|&&byte| byte == b'\n').count() as u64
}

enum Fault {
    Empty,
    Text,
    NotFinite,
}

impl Fault {
    fn at(self, line: u64, column: &str, field: &[u8]) -> CsvError {
        let column = column.to_owned();
        let mut text: String = String::from_utf8_lossy(field).trim().chars().take(41).collect();
        if text.chars().count() > 40 {
            text = text.chars().take(37).chain("...".chars()).collect();
        }
        match self {
            Self::Empty => CsvError::EmptyField { line, column },
            Self::Text => CsvError::NotANumber { line, column, text },
            Self::NotFinite => CsvError::NotFinite { line, column, text },
        }
    }
}

fn number(field: &[u8]) -> Result<f64, Fault> {
    let field = field.trim_ascii();
    if field.is_empty() {
        return Err(Fault::Empty);
    }
    let value: f64 = str::from_utf8(field).ok().and_then(|text| text.parse().ok()).ok_or(Fault::Text)?;
    if (value as f32).is_finite() { Ok(value) } else { Err(Fault::NotFinite) }
}

/// Minimum, maximum and period of an input column.
pub(super) fn column_axis(name: &str, values: &[f64]) -> Result<Axis, CsvError> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (minimum, maximum) = (sorted[0], sorted[sorted.len() - 1]);
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let distinct_f32 = 1 + sorted.windows(2).filter(|pair| pair[0] as f32 != pair[1] as f32).count();
    // Random values collide now and then; when half of them do, the digits are gone.
    if distinct > 2 * distinct_f32 || (distinct > 1 && distinct_f32 == 1) {
        return Err(CsvError::Resolution { column: name.to_owned(), distinct, distinct_f32, minimum });
    }
    let span = maximum - minimum;
    let period = if distinct == 1 { 1.0 } else { span + span / (distinct - 1) as f64 };
    if !(period as f32).is_finite() {
        return Err(CsvError::Range { column: name.to_owned(), minimum, maximum });
    }
    Ok(Axis::new(minimum as f32, maximum as f32, period as f32))
}

/// The map of an output column to its unit range.
pub(super) fn column_map(name: &str, values: &[f64]) -> Result<OutputMap, CsvError> {
    let minimum = values.iter().copied().fold(f64::INFINITY, f64::min);
    let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    domain::range_map(minimum, maximum).ok_or_else(|| CsvError::Range { column: name.to_owned(), minimum, maximum })
}

fn malformed(error: &csv::Error) -> CsvError {
    let line = error.position().map_or(1, csv::Position::line);
    CsvError::Malformed { line, reason: error.to_string() }
}
