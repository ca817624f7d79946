//! `trainer certify`: what a model answers anywhere in its domain, proven.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{anyhow, bail, ensure};
use firmware_core::Model;
use trainer::artifact::model_file::ModelFile;
use trainer::base::files;
use trainer::certify::{Certificate, Certification, CertifyError, CertifySettings, Unfinished, Verdict};
use trainer::data::Dataset;

use super::reading::{DATA, ReadingArgs, load_for, tell};
use super::{interrupt, number, outputs, print};

/// Prove what a model answers anywhere in its domain, to the bits of the device.
///
/// For each output of a model of 1 to 3 inputs: the smallest and the largest answer, the largest slope, and, with data
/// on a grid or a table of one input, the largest distance to the interpolant of the data. Each has a proven bound,
/// which no point exceeds, and the worst point that was found. Where every input consists of integer codes
/// (`trainer fit --codes`), all answers that the device can give are evaluated, and the bounds are exact.
///
/// The command fails where a question that was asked is not answered with yes. Ctrl-C stops a search and keeps what is
/// proven; of codes nothing is proven before all are evaluated. With --out, both can be continued by --resume; without
/// it, the command does not begin again where FILE.json.unfinished holds what was stopped.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    trainer certify runs/thermocouple/model.ffm trainer/data/thermocouple_k.csv --max-error 0.3\n  \
    trainer certify runs/sensor/model.ffm --within 0,250 --monotone adc --out sensor.json\n  \
    trainer certify runs/sensor/model.ffm --check sensor.json")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Certify {
    /// The model file (.ffm)
    model: PathBuf,
    /// The data that the model stands for: a table of one input, or values on a grid
    input: Option<PathBuf>,
    /// Is no answer farther from the interpolant of the data than this? In the units of the output
    #[arg(long, value_name = "E", requires = "input", value_parser = number::positive)]
    max_error: Option<f64>,
    /// Is every answer between these two numbers? In the units of the output
    #[arg(long, value_name = "LOW,HIGH", value_parser = pair, allow_hyphen_values = true)]
    within: Option<[f64; 2]>,
    /// Does every output rise, or fall, throughout along this input, by name or number?
    #[arg(long, value_name = "INPUT")]
    monotone: Option<String>,
    /// The most seconds that the search takes
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = number::positive)]
    time: f64,
    /// The search ends where every proven bound is within this ratio of the worst point found
    #[arg(long, default_value = "1.1", value_parser = ratio)]
    ratio: f64,
    /// Write the certificate to this file: bounds, model and data that they hold for, and the command that proves it
    /// again
    #[arg(short, long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Continue what was stopped before --out was finished
    #[arg(long, requires = "out")]
    resume: bool,
    /// Prove again what this certificate claims, with its own settings but for --time
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["max_error", "within", "monotone", "out", "card"])]
    check: Option<PathBuf>,
    /// Write a copy of the model with the result in its card, as `trainer inspect` shows it
    #[arg(long, value_name = "MODEL.ffm")]
    card: Option<PathBuf>,
    /// The columns of a table that are inputs, by name or number [default: those that the model was trained on]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The columns of a table to compare with, by name or number [default: those that the model was trained on]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    targets: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print the certificate as JSON
    #[arg(long)]
    json: bool,
}

/// Two numbers with a comma between.
fn pair(text: &str) -> Result<[f64; 2], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.ok().and_then(|numbers| <[f64; 2]>::try_from(numbers).ok()) {
        Some(pair) if pair.iter().all(|number: &f64| number.is_finite()) => Ok(pair),
        _ => Err("give two numbers with a comma between, as in 0,250".to_owned()),
    }
}

/// A number from 1.
fn ratio(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&ratio: &f64| ratio >= 1.0 && ratio.is_finite())
        .ok_or("give a number from 1, as in 1.1".to_owned())
}

impl Certify {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        outputs::check_outputs(
            &[Some(&self.model), self.input.as_deref()],
            &[self.out.as_deref(), self.card.as_deref()],
        )?;
        if let Some(kept) = self.out.as_deref().filter(|_| !self.resume).map(Unfinished::path) {
            let kept_name = kept.display();
            ensure!(
                !kept.exists(),
                "{kept_name} is of a search that was stopped; continue it with --resume, or delete the file to begin again"
            );
        }
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        let given = self.reading.options(&self.inputs, &self.targets);
        let data = self.input.as_deref().map(|path| load_for(&model, path, given)).transpose()?;
        data.iter().for_each(tell);
        let mut certification = self.begin(&model, data.as_ref())?;
        let stop = interrupt::catch()?;
        let ended = certification.run(stop, &|line| trainer::note!("{line}"));
        if let Err(stopped @ CertifyError::Stopped) = &ended {
            let Some(out) = &self.out else { bail!("{stopped}; with --out, what is stopped can be continued") };
            certification.unfinished(data.as_ref()).write(out)?;
            trainer::note!("{stopped}; continue with --resume");
            interrupt::exit();
        }
        ended?;
        if self.check.is_some() {
            return judge_claims(&certification);
        }
        let certificate = certification.certificate(data.as_ref(), self.command());
        self.write(&file, (&certification, data.as_ref()), &certificate)?;
        self.print(&certification, &certificate)?;
        if stop.load(Relaxed) {
            interrupt::exit();
        }
        judge_answers(&certificate)
    }

    /// A search from its start, or from where it was stopped, with what is to be proven again.
    fn begin<'a>(&self, model: &'a Model<'a>, data: Option<&Dataset>) -> anyhow::Result<Certification<'a>> {
        let claimed = self.check.as_deref().map(Certificate::read).transpose()?;
        let settings = self.settings(claimed.as_ref());
        let mut certification = Certification::new(model, data, &settings).map_err(|error| self.of_data(error))?;
        let nothing = certification.certificate(data, String::new());
        if let (Some(claimed), Some(path)) = (&claimed, &self.check) {
            claimed.check_belongs(path, &nothing)?;
            certification.claim(claimed.clone());
        }
        if let Some(out) = self.out.as_deref().filter(|_| self.resume) {
            let kept = Unfinished::path(out);
            ensure!(kept.is_file(), "{} is not there, so that nothing was stopped; leave out --resume", kept.display());
            let unfinished = Unfinished::read(out, &nothing)?;
            certification.resume(unfinished).map_err(|error| match error {
                CertifyError::Misfit(reason) => CertifyError::Damaged { path: kept, reason },
                other => other,
            })?;
        }
        Ok(certification)
    }

    fn print(&self, done: &Certification<'_>, certificate: &Certificate) -> anyhow::Result<()> {
        print(&if self.json {
            serde_json::to_string_pretty(certificate)?
        } else {
            certificate.to_string().trim_end().to_owned()
        })?;
        if !done.is_near() {
            let how = if self.out.is_some() { "continue with --resume" } else { "give more --time" };
            trainer::note!("the search was stopped before every bound was within the ratio {}; {how}", self.ratio);
        }
        Ok(())
    }

    fn settings(&self, claimed: Option<&Certificate>) -> CertifySettings {
        match claimed {
            Some(claimed) => CertifySettings { seconds: self.time, ..claimed.settings.clone() },
            None => CertifySettings {
                seconds: self.time,
                ratio: self.ratio,
                max_error: self.max_error,
                within: self.within,
                monotone: self.monotone.clone(),
            },
        }
    }

    /// What is wrong with the data, with the name of their file.
    fn of_data(&self, error: CertifyError) -> anyhow::Error {
        match (&self.input, error) {
            (Some(path), error @ (CertifyError::NoGrid { .. } | CertifyError::Twice { .. })) => {
                anyhow!("{}: {error}", path.display())
            }
            (_, error) => error.into(),
        }
    }

    /// The command that proves it again.
    fn command(&self) -> String {
        let mut words = vec!["trainer certify".to_owned(), self.model.display().to_string()];
        words.extend(self.input.iter().map(|input| input.display().to_string()));
        let certificate = self.out.as_ref().map_or("CERTIFICATE.json".to_owned(), |out| out.display().to_string());
        words.extend(["--check".to_owned(), certificate]);
        words.join(" ")
    }

    fn write(
        &self,
        file: &ModelFile,
        (done, data): (&Certification<'_>, Option<&Dataset>),
        certificate: &Certificate,
    ) -> anyhow::Result<()> {
        if let Some(card) = &self.card {
            files::write(card, &certificate.in_card(file)?)?;
        }
        let Some(out) = &self.out else { return Ok(()) };
        if done.is_near() {
            certificate.write(out)?;
            files::remove(&Unfinished::path(out))?;
            return Ok(());
        }
        done.unfinished(data).write(out)?;
        certificate.write(out)?;
        Ok(())
    }
}

/// Fails where a claim of the certificate is not proven again.
fn judge_claims(done: &Certification<'_>) -> anyhow::Result<()> {
    let refuted = done.refuted();
    if refuted.is_empty() {
        return print("the certificate holds: everything that it claims is proven again");
    }
    bail!(
        "not proven again in this time: {}; give more --time, and if that does not help do not trust the certificate",
        refuted.join(", ")
    )
}

/// Fails where a question is not answered with yes.
fn judge_answers(certificate: &Certificate) -> anyhow::Result<()> {
    let open = certificate.questions.iter().filter(|question| question.answer != Verdict::Yes);
    let sentences: Vec<String> = open.map(|question| certificate.sentence(question)).collect();
    ensure!(sentences.is_empty(), "{}", sentences.join("; "));
    Ok(())
}
