//! What the files of a package import from one another.
//!
//! Sources are read as text. Comments, strings and what is compiled for tests alone do not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path within `src`, and its text.
pub(crate) type Source = (PathBuf, String);

/// What stands before an item that is compiled for tests alone.
const TEST_MARK: &str = "#[cfg(test)]";

/// The names from the root of the library to a module or an item.
pub(crate) type Names = Vec<String>;

/// Every Rust file below a folder.
pub(crate) fn read(folder: &Path) -> Vec<Source> {
    fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push((path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut sources = Vec::new();
    collect(folder, folder, &mut sources);
    sources.sort();
    sources
}

/// The module that a file holds; none for the roots of a library and of a program.
pub(crate) fn module(path: &Path) -> Names {
    let mut names: Names =
        path.iter().filter_map(|name| Some(name.to_str()?.trim_end_matches(".rs").to_owned())).collect();
    if names.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

/// The files that hold more than tests: they are not called `tests`, and not declared behind `#[cfg(test)]`.
pub(crate) fn without_test_files(sources: &[Source]) -> Vec<&Source> {
    let mut of_tests = BTreeSet::new();
    for (path, text) in sources {
        for item in without_comments(text).split(TEST_MARK).skip(1) {
            let declaration = item.split(';').next().unwrap_or_default();
            let words: Vec<&str> = words(declaration).map(|(_, word)| word).collect();
            if let [.., "mod", name] = words[..]
                && !declaration.contains('{')
            {
                of_tests.insert([module(path), vec![name.to_owned()]].concat());
            }
        }
    }
    let is_test = |module: &[String]| {
        (1..=module.len()).any(|len| module[len - 1] == "tests" || of_tests.contains(&module[..len]))
    };
    sources.iter().filter(|(path, _)| !is_test(&module(path))).collect()
}

/// Every path that begins with `crate`, `super` or the name of the `library`: its line, and its names from the root of
/// the library on. The name of a macro is left out, since it belongs to no module.
pub(crate) fn imports((path, text): &Source, library: &str) -> Vec<(usize, Names)> {
    let code = without_tests(&without_comments(text));
    let module = module(path);
    let mut found = Vec::new();
    for (start, word) in words(&code) {
        if code[..start].ends_with(':') {
            continue;
        }
        let rest = &code[start..];
        let (base, after) = if word == "super" {
            let mut after = rest;
            let mut base = [&module[..], &inline_modules(&code[..start])].concat();
            while let Some(rest) = after.strip_prefix("super::") {
                (_, after) = (base.pop(), rest);
            }
            (base, after)
        } else if let Some(after) = rest.strip_prefix("crate::") {
            (Names::new(), after)
        } else if let Some(after) = rest.strip_prefix(library).and_then(|rest| rest.strip_prefix("::")) {
            (Names::new(), after)
        } else {
            continue;
        };
        if after.len() == rest.len() {
            continue;
        }
        let offset = code.len() - after.len();
        for (at, names) in paths(after).0 {
            let line = code[..offset + at].matches('\n').count() + 1;
            found.push((line, [&base[..], &names].concat()));
        }
    }
    found
}

/// The modules within a file that are open at the end of its beginning.
fn inline_modules(beginning: &str) -> Names {
    let mut open: Vec<Option<String>> = Vec::new();
    for (at, letter) in beginning.char_indices() {
        match letter {
            '{' => {
                let mut before = beginning[..at].split_whitespace().rev();
                let name = before.next().filter(|_| before.next() == Some("mod"));
                open.push(name.map(str::to_owned));
            }
            '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.into_iter().flatten().collect()
}

/// The paths that a text begins with, each with the position of its first name: one, or those of a group in braces.
/// Also the length of the text that they take.
fn paths(text: &str) -> (Vec<(usize, Names)>, usize) {
    if text.starts_with('{') {
        return group(text);
    }
    let Some((_, name)) = words(text).next().filter(|&(at, _)| at == 0) else { return (Vec::new(), 0) };
    let own = if name == "self" { Names::new() } else { vec![name.to_owned()] };
    let Some(rest) = text[name.len()..].strip_prefix("::") else {
        let is_macro = text[name.len()..].starts_with('!');
        return (if is_macro { Vec::new() } else { vec![(0, own)] }, name.len());
    };
    let before = text.len() - rest.len();
    let (further, len) = paths(rest);
    if further.is_empty() {
        // Behind the last name stand a macro, a star or a type's arguments.
        return (vec![(0, own)], before + len);
    }
    let joined = |(_, names): (usize, Names)| (0, [&own[..], &names].concat());
    (further.into_iter().map(joined).collect(), before + len)
}

/// The same of a group in braces.
fn group(text: &str) -> (Vec<(usize, Names)>, usize) {
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        // Past the brace or the comma, and the blanks behind it.
        at += 1;
        at += text[at..].len() - text[at..].trim_start().len();
        let (of_group, len) = paths(&text[at..]);
        found.extend(of_group.into_iter().map(|(within, names)| (at + within, names)));
        at += len;
        // A path may be followed by the name that it is given here.
        let Some(end) = text[at..].find([',', '}']) else { return (found, text.len()) };
        at += end;
        if text[at..].starts_with('}') {
            return (found, at + 1);
        }
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Every word with its position.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut position = 0;
    code.split(|letter| !is_of_word(letter)).filter_map(move |word| {
        let at = position;
        // What separates two words is one character, of one byte or more.
        position += word.len();
        position += code[position..].chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((at, word))
    })
}

/// The source with comments and the content of strings replaced by blanks, line by line as it was.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !code.ends_with(is_of_word)) {
            length
        } else if letter == '"' {
            quoted(rest, '"')
        } else if letter == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

/// The length of a block comment, in which others may lie.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a raw string such as `r#"…"#`, if one begins here.
fn raw_string(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let content = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).map_or(content.len(), |at| at + end.len());
    Some(text.len() - content.len() + length)
}

/// The length of a string or a character with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a quotation mark begins a character, and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut letters = text.chars().skip(1);
    match letters.next() {
        Some('\\') => true,
        Some(_) => letters.next() == Some('\''),
        None => false,
    }
}

/// The code without the items behind `#[cfg(test)]`, line by line as it was.
fn without_tests(code: &str) -> String {
    let Some((before, item)) = code.split_once(TEST_MARK) else { return code.to_owned() };
    let mut depth = 0;
    let end = item.char_indices().find_map(|(at, letter)| {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        (depth == 0 && matches!(letter, '}' | ';')).then_some(at + 1)
    });
    let end = end.unwrap_or(item.len());
    let lines = "\n".repeat(item[..end].matches('\n').count());
    format!("{before}{lines}{}", without_tests(&item[end..]))
}
