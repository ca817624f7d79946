//! An artifact as C source: an array of words that the compiler puts into flash, aligned, and a header with its sizes.
//!
//! The words are read in place by `ffm_parse` of firmware-core's C interface. Targets are little-endian, as the
//! artifact is.

use std::fmt::Write as _;
use std::path::Path;

use thiserror::Error;

use super::model_card::ModelCard;
use super::model_file::{ModelError, ModelFile};

/// Words in a line of the array.
const WORDS_IN_A_LINE: usize = 8;
/// The longest name: compilers need not tell longer identifiers apart, and the longest suffix is `_SCRATCH_WORDS`.
const LONGEST_NAME: usize = 40;

/// Why a name cannot be that of a model in C.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} cannot be a name in C; give one of at most {LONGEST_NAME} letters, digits and underscores that begins with a letter, \
     as in --name thermocouple"
)]
pub struct NameError(String);

/// The name of a model in C, from which those of its array and its macros are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Checks a name that was given.
    ///
    /// # Errors
    ///
    /// For anything else than letters of ASCII, digits and underscores, a letter first.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= LONGEST_NAME
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if is_name { Ok(Self(name.to_owned())) } else { Err(NameError(name.to_owned())) }
    }

    /// The name of a model file without its extension.
    ///
    /// # Errors
    ///
    /// Where that is no name in C.
    pub fn of_file(path: &Path) -> Result<Self, NameError> {
        Self::new(&path.file_stem().unwrap_or_default().to_string_lossy())
    }

    /// The name that was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How every header begins.
const HEADER: &str = "/* A model, written by `trainer export`.";

impl Name {
    /// Whether a header or a source begins as those of this program do for a model of this name.
    #[must_use]
    pub fn has_written(&self, file: &[u8]) -> bool {
        let name = &self.0;
        // Line ends and spaces are what editors and version control change.
        let text: String = String::from_utf8_lossy(file).split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        text.starts_with(HEADER) || text.starts_with(&format!("#include \"{name}.h\" const uint32_t {name}_ffm["))
    }
}

/// A model as two files of C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSource {
    /// What firmware includes, `NAME.h`: the declaration of the array `NAME_ffm`, and macros with its sizes.
    pub header: String,
    /// What is compiled, `NAME.c`: the array.
    pub source: String,
}

impl CSource {
    /// Writes a model as C.
    ///
    /// # Errors
    ///
    /// If the bytes are not a model; never after [`ModelFile::read`].
    pub fn new(name: &Name, file: &ModelFile) -> Result<Self, ModelError> {
        let (model, bytes) = (file.model()?, file.bytes());
        let (name, upper) = (&name.0, name.0.to_ascii_uppercase());
        let card = comment(&ModelCard::new(&model, bytes.len()).to_string());
        let (inputs, outputs, scratch) = (model.inputs(), model.outputs(), model.scratch_words());
        let len = bytes.len();
        let header = format!(
            "{HEADER} Do not edit.\n *\n{card} */\n\
             #ifndef {upper}_FFM_H\n#define {upper}_FFM_H\n\n#include <stdint.h>\n\n\
             /* How many numbers a point has, and how many values belong to it. */\n\
             #define {upper}_INPUTS {inputs}\n#define {upper}_OUTPUTS {outputs}\n\
             /* Words of scratch that one point needs, as ffm_scratch_words tells. */\n\
             #define {upper}_SCRATCH_WORDS {scratch}\n\
             /* What ffm_parse takes as the length of the model. */\n\
             #define {upper}_BYTES {len}\n\n\
             #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\
             extern const uint32_t {name}_ffm[{upper}_BYTES / 4];\n\
             #ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
        );
        let mut source = format!("#include \"{name}.h\"\n\nconst uint32_t {name}_ffm[{upper}_BYTES / 4] = {{\n");
        for line in bytes.chunks(4 * WORDS_IN_A_LINE) {
            source.push_str("   ");
            for word in line.chunks_exact(4) {
                // An artifact is a whole number of words.
                let word = word.try_into().map_or(0, u32::from_le_bytes);
                let _ = write!(source, " {word:#010x},");
            }
            source.push('\n');
        }
        source.push_str("};\n");
        Ok(Self { header, source })
    }
}

/// A text as the lines of a comment in C, which it can neither end nor nest.
fn comment(text: &str) -> String {
    let line = |line: &str| {
        let printable: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = printable.replace("*/", "* /").replace("/*", "/ *");
        format!(" * {}\n", text.trim_end())
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_c_takes() {
        for good in ["model", "k2", "type_K", "int"] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "2k", "_k", "type-k", "mödel", "a b", &"k".repeat(41)] {
            let message = Name::new(bad).unwrap_err().to_string();
            assert!(message.contains(&format!("{bad:?}")) && message.contains("--name"), "{message}");
        }
        assert_eq!(Name::of_file("runs/k/model.ffm".as_ref()).unwrap().as_str(), "model");
        assert!(Name::of_file("my model.ffm".as_ref()).is_err());
    }

    #[test]
    fn no_text_of_a_model_ends_the_comment() {
        let text = comment("a */ int x; /* b\n*/*/\n\u{85}\u{7}c\r\n/*/");
        assert_eq!(text, " * a * / int x; / * b\n * * / * /\n *   c\n * / * /\n");
    }
}
