//! What the files of a package import from one another.
//!
//! Sources are read as text. Comments, strings and what is compiled for tests alone do not count.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
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

/// A path to an item, as the code of a file has it.
pub(crate) struct Import {
    pub(crate) line: usize,
    /// The names from the root of the library on.
    pub(crate) names: Names,
    /// Of a `use`, the names under which it makes the item known, from the root of the library on.
    pub(crate) known_as: Option<Names>,
}

/// Every path of a `use`, and every other that begins with `crate`, `super` or a name in lower case, as modules have.
/// One that begins with neither `crate` nor the name of the `library` is read as if its first name were of the module
/// where it stands, even if another package has that name. The name of a macro is left out, since it belongs to no
/// module.
pub(crate) fn imports((path, text): &Source, library: &str) -> Vec<Import> {
    let code = without_tests(&without_comments(text));
    let file = module(path);
    let (mut found, mut blocks, mut last, mut end) = (Vec::new(), Vec::new(), 0, 0);
    for (start, word) in words(&code) {
        open_and_close(&code, last..start, &mut blocks);
        last = start;
        let rest = &code[start..];
        let is_use = code[..start].trim_end().strip_suffix("use").is_some_and(|before| !before.ends_with(is_of_word));
        let is_of_module = word.starts_with(char::is_lowercase) && rest[word.len()..].starts_with("::");
        if start < end || code[..start].ends_with(':') || !(is_use || is_of_module) {
            continue;
        }
        let here = [&file[..], &blocks.iter().flatten().cloned().collect::<Names>()].concat();
        let of_library = rest.strip_prefix("crate").or_else(|| rest.strip_prefix(library));
        let (base, after) = if let Some(after) = of_library.and_then(|rest| rest.strip_prefix("::")) {
            (Names::new(), after)
        } else {
            let (mut base, mut after) = (here.clone(), rest.strip_prefix("self::").unwrap_or(rest));
            while let Some(rest) = after.strip_prefix("super::") {
                (_, after) = (base.pop(), rest);
            }
            (base, after)
        };
        let offset = code.len() - after.len();
        let (paths, len) = paths(after);
        end = offset + len;
        for Leaf { at, names, given } in paths {
            let line = code[..offset + at].matches('\n').count() + 1;
            let names = [&base[..], &names].concat();
            let name = given.or_else(|| names.last().cloned());
            let known_as = name.filter(|_| is_use).map(|name| [&here[..], &[name]].concat());
            found.push(Import { line, names, known_as });
        }
    }
    found
}

/// Opens and closes the blocks that a part of the code opens and closes. One that is a module has its name.
fn open_and_close(code: &str, part: Range<usize>, blocks: &mut Vec<Option<String>>) {
    for (at, letter) in code[part.clone()].char_indices() {
        match letter {
            '{' => {
                let mut before = code[..part.start + at].split_whitespace().rev();
                let name = before.next().filter(|_| before.next() == Some("mod"));
                blocks.push(name.map(str::to_owned));
            }
            '}' => drop(blocks.pop()),
            _ => {}
        }
    }
}

/// A path without the `crate`, `self` or `super` before it.
struct Leaf {
    /// The position of its first name.
    at: usize,
    names: Names,
    /// The name behind `as`, or a star where every item is meant.
    given: Option<String>,
}

/// The paths that a text begins with: one, or those of a group in braces. Also the length of the text that they take.
fn paths(text: &str) -> (Vec<Leaf>, usize) {
    if text.starts_with('{') {
        return group(text);
    }
    let Some((_, name)) = words(text).next().filter(|&(at, _)| at == 0) else { return (Vec::new(), 0) };
    let own = if name == "self" { Names::new() } else { vec![name.to_owned()] };
    let behind = &text[name.len()..];
    let Some(rest) = behind.strip_prefix("::") else {
        if behind.starts_with('!') {
            return (Vec::new(), name.len());
        }
        let given = behind.trim_start().strip_prefix("as ").and_then(|rest| Some(words(rest).next()?.1.to_owned()));
        return (vec![Leaf { at: 0, names: own, given }], name.len());
    };
    let before = text.len() - rest.len();
    let (further, len) = paths(rest);
    if further.is_empty() {
        // Behind the last name stand a macro, a star or a type's arguments.
        let given = rest.starts_with('*').then(|| "*".to_owned());
        return (vec![Leaf { at: 0, names: own, given }], before + len);
    }
    let joined = |path: Leaf| Leaf { at: 0, names: [&own[..], &path.names].concat(), ..path };
    (further.into_iter().map(joined).collect(), before + len)
}

/// The paths of a group in braces, and the length of its text.
fn group(text: &str) -> (Vec<Leaf>, usize) {
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        // Past the brace or the comma, and the blanks behind it.
        at += 1;
        at += text[at..].len() - text[at..].trim_start().len();
        let (of_group, len) = paths(&text[at..]);
        found.extend(of_group.into_iter().map(|path| Leaf { at: at + path.at, ..path }));
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
