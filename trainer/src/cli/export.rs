//! `trainer export`: a model in the form that a firmware's compiler takes.

use std::path::PathBuf;

use serde_json::json;
use trainer::artifact::c_source::{CSource, Name};
use trainer::artifact::model_file::ModelFile;
use trainer::base::files::{self, FolderError};

use super::outputs::check_replaced;
use super::print;

/// Write a model as C source, for firmware in C or C++.
///
/// The folder gets NAME.c and NAME.h. The first has the bytes of the model in an array NAME_ffm that is const and
/// aligned, so that it lies in flash. The second declares the array, and has macros with its sizes: NAME_INPUTS,
/// NAME_OUTPUTS, NAME_SCRATCH_WORDS and NAME_BYTES. `cargo xtask export-c` makes the library that evaluates it.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer export runs/sensor/model.ffm --c firmware/src --name sensor")]
pub(crate) struct Export {
    /// The model file (.ffm)
    model: PathBuf,
    /// The folder for the two files; it is made if it is missing
    #[arg(long, value_name = "DIR")]
    c: PathBuf,
    /// What the model is called in C [default: the name of the model file]
    #[arg(long)]
    name: Option<String>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let name = match &self.name {
            Some(name) => Name::new(name)?,
            None => Name::of_file(&self.model)?,
        };
        let file = ModelFile::read(&self.model)?;
        let CSource { header, source } = CSource::new(&name, &file)?;
        let [header_path, source_path] = ["h", "c"].map(|kind| self.c.join(format!("{}.{kind}", name.as_str())));
        for path in [&header_path, &source_path] {
            let kept = "exists, was not written by `trainer export`, and is kept; choose another --name or another --c";
            check_replaced(path, kept, |first| name.has_written(first))?;
        }
        files::make_folder(&self.c).map_err(|error| match error {
            FolderError::Create { path, source } => {
                let what = format!("cannot create {}; give --c a folder that you may write to", path.display());
                anyhow::Error::new(source).context(what)
            }
            error => error.into(),
        })?;
        files::write(&header_path, header.as_bytes())?;
        files::write(&source_path, source.as_bytes())?;
        if self.json {
            let (bytes, model) = (file.bytes().len(), &self.model);
            let object = json!({ "model": model, "model_bytes": bytes, "source": source_path, "header": header_path });
            return print(&serde_json::to_string_pretty(&object)?);
        }
        print(&format!("{}\n{}", source_path.display(), header_path.display()))
    }
}
