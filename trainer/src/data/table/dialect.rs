//! How the lines of a table are cut into fields: by tabs, semicolons, commas, bars or white space.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::number::{Cell, Decimal, bare, has_unit, looks_numeric};

/// Lines that are looked at before a separator is chosen.
pub(super) const SAMPLE: usize = 1000;

/// What stands between the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// This byte, once.
    Byte(u8),
    /// Any number of spaces and tabs.
    Spaces,
}

/// A line of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    /// The number of the line, counted from 1.
    pub number: u64,
    /// Where it begins in the text.
    pub start: usize,
    /// Without its end and without white space around it, but for tabs that may separate empty fields.
    pub text: &'t str,
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn is_comment(&self) -> bool {
        is_comment(self.text)
    }
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive('\n').zip(1..).scan(0, |start, (line, number)| {
        let at = *start;
        *start += line.len();
        Some(Line { number, start: at, text: line.trim_matches(['\n', '\r', ' ']) })
    })
}

/// Whether a line is a remark: it begins with `#`, `%` or `//`, and not with an error of a spreadsheet such as `#N/A`.
pub(super) fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    let word = line.split([',', ';', '\t', ' ']).next().unwrap_or_default();
    let spreadsheet_error = matches!(word, "#N/A" | "#NV") || (word.starts_with('#') && word.ends_with(['!', '?']));
    line.starts_with(['#', '%']) && !spreadsheet_error || line.starts_with("//")
}

/// The separator that a first line of the form `sep=;` names, as spreadsheets write and obey it.
pub(super) fn named_separator(line: &str) -> Option<Separator> {
    let (key, value) = bare(line).split_at_checked(4)?;
    match value {
        _ if !key.eq_ignore_ascii_case("sep=") => None,
        "" | "\\t" | "\t" => Some(Separator::Byte(b'\t')),
        " " => Some(Separator::Spaces),
        one => {
            one.as_bytes().first().filter(|byte| one.len() == 1 && byte.is_ascii()).map(|&byte| Separator::Byte(byte))
        }
    }
}

/// The separator under which most lines have the same number of fields and most fields are numbers. A decimal comma
/// that is sure separates nothing unless nothing else does.
pub(super) fn separator(text: &str, decimal: Option<Decimal>) -> Separator {
    if let Some(named) = text.lines().next().and_then(named_separator) {
        return named;
    }
    let sample: Vec<&str> =
        lines(text).filter(|line| !line.is_blank() && !line.is_comment()).take(SAMPLE).map(|line| line.text).collect();
    let candidates = [b'\t', b';', b',', b'|'].map(Separator::Byte);
    let mut best = (Separator::Byte(b','), 0.0);
    for separator in candidates.into_iter().chain([Separator::Spaces]) {
        let unlikely = decimal == Some(Decimal::Comma) && separator == Separator::Byte(b',');
        let score = score(&sample, separator) * if unlikely { 1e-3 } else { 1.0 };
        // Of equals the first: tabs are white space too.
        if score > best.1 {
            best = (separator, score);
        }
    }
    best.0
}

/// The share of lines that have the same number of fields, two or more, times the share of numbers among these fields.
fn score(sample: &[&str], separator: Separator) -> f64 {
    #[derive(Default)]
    struct Group {
        lines: usize,
        fields: usize,
        numbers: usize,
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for line in sample {
        let fields = split(line, separator);
        let group = groups.entry(fields.len()).or_default();
        group.lines += 1;
        let present = fields.iter().filter(|field| Cell::read(field, Decimal::Point) != Cell::Missing);
        for field in present {
            group.fields += 1;
            group.numbers += usize::from(looks_numeric(field) || has_unit(field));
        }
    }
    let score = |group: &Group| {
        // Text alone separates too, but numbers weigh more.
        let numbers = group.numbers as f64 / group.fields.max(1) as f64;
        group.lines as f64 / sample.len() as f64 * (numbers + 1e-6)
    };
    groups.iter().filter(|(fields, _)| **fields > 1).map(|(_, group)| score(group)).fold(0.0, f64::max)
}

/// The fields of one line, without quotes and white space around them.
pub(super) fn split(line: &str, separator: Separator) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut after_separator = false;
    let is_separator = |letter: char| match separator {
        Separator::Byte(byte) => letter == char::from(byte),
        Separator::Spaces => matches!(letter, ' ' | '\t'),
    };
    for letter in line.trim_end_matches(['\n', '\r']).chars() {
        let field = fields.last_mut().expect("one to begin with");
        if letter == '"' && (quoted || field.trim().is_empty()) {
            quoted = !quoted;
        }
        if !quoted && is_separator(letter) {
            let run =
                separator == Separator::Spaces && (after_separator || (fields.len() == 1 && fields[0].is_empty()));
            if !run {
                fields.push(String::new());
            }
            after_separator = true;
        } else {
            field.push(letter);
            after_separator = false;
        }
    }
    if separator == Separator::Spaces && fields.len() > 1 && fields.last().is_some_and(String::is_empty) {
        fields.pop();
    }
    fields.into_iter().map(|field| bare(&field).replace("\"\"", "\"")).collect()
}

/// The text with one tab for each run of white space within a line, as the reader of fields needs it.
pub(super) fn with_tabs(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut with_tabs = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut quoted = false;
        let mut pending = false;
        for letter in line.trim().chars() {
            if letter == '"' {
                quoted = !quoted;
            }
            if !quoted && matches!(letter, ' ' | '\t') {
                pending = true;
                continue;
            }
            if std::mem::take(&mut pending) {
                with_tabs.push('\t');
            }
            with_tabs.push(letter);
        }
        if line.ends_with('\n') {
            with_tabs.push('\n');
        }
    }
    with_tabs.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_by_content() {
        let byte = |byte| Separator::Byte(byte);
        let cases = [
            ("a,b\n1,2\n3,4\n", byte(b',')),
            ("a;b;c\n0,5;1,5;2,5\n0,5;1,5;2,5\n", byte(b';')),
            ("a\tb\n1,5\t2,5\n", byte(b'\t')),
            ("a|b\n1|2\n", byte(b'|')),
            (" 1.0   2.0\n 3.0   4.0\n", Separator::Spaces),
            ("1,5 2,5\n3,5 4,5\n", Separator::Spaces),
            ("a, b, c\n1, 2, 3\n", byte(b',')),
            ("Export of a b c d\nmore words here now\na;b\n1;2\n", byte(b';')),
            ("time,v\n2024-05-01 12:00:00,1\n2024-05-01 12:00:01,2\n", byte(b',')),
            ("time;v;w\n2024-05-01 12:00:00;1,5;3,25\n2024-05-01 12:00:01;2,5;3,5\n", byte(b';')),
            ("sep=|\na,b|c\n", byte(b'|')),
            ("\"sep=;\"\na;b\n", byte(b';')),
            ("a,b\nx,y\n", byte(b',')),
            ("mV,degC\n3995.6 mV,-40 °C\n4096.2 mV,100 °C\n", byte(b',')),
            ("x y\n1 5\n2 6\n", Separator::Spaces),
        ];
        for (text, expected) in cases {
            assert_eq!(separator(text, None), expected, "{text}");
        }
    }

    #[test]
    fn fields_of_a_line() {
        assert_eq!(split(r#""a, b", "c ""d""",e"#, Separator::Byte(b',')), ["a, b", "c \"d\"", "e"]);
        assert_eq!(split("1,,2,", Separator::Byte(b',')), ["1", "", "2", ""]);
        assert_eq!(split("  1.0   2.0\t3.0 ", Separator::Spaces), ["1.0", "2.0", "3.0"]);
        assert_eq!(with_tabs(" 1  2 \r\n\n\"a b\"\t c".into()), "1\t2\n\n\"a b\"\tc");
    }

    #[test]
    fn remarks_are_told_from_errors_of_a_spreadsheet() {
        for remark in ["# a", "#a,b", "% 1", "// x", "  # a"] {
            assert!(is_comment(remark), "{remark}");
        }
        for row in ["#N/A,1", "#DIV/0!;2", "1,2", "a#b", "/x"] {
            assert!(!is_comment(row), "{row}");
        }
    }
}
