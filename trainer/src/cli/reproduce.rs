//! `trainer reproduce`: the figures of the text.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use trainer::base::files;
use trainer::reproduce::{
    Claim, Event, Figure, FigureWatch, Options, ReproduceError, WrittenFigure, check_free, kept, page::Page, reproduce,
};

use super::hold::{Others, hold_while_made};
use super::new_directories::NewDirectories;
use super::number::whole;
use super::{interrupt, print};

/// Compute a figure of the lesson from nothing: a PNG, an SVG, and its numbers as JSON.
///
/// `all` makes every figure of the lesson in order, and the page index.html that explains them. `applications` makes
/// the figures of the applications, and the page applications.html. Where a result does not support what the text
/// claims, the page and this command say so; the command does not fail.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer reproduce all --quick --out figures\n  \
                        trainer reproduce applications --quick --out figures --resume\n  \
                        trainer reproduce toy-1d --out figures --seed 1 --json")]
pub(crate) struct Reproduce {
    /// The figure to make, or a name for several
    #[arg(value_enum)]
    name: Name,
    /// The folder for the files; it is made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Use smaller networks and fewer steps than the published ones: ten seconds or less for each figure on two cores
    ///
    /// At full size, two cores need a second for kernels; five to ten minutes for bases; a quarter of an hour to twenty
    /// minutes for dynamics, spectral-bias and each application; one to two hours each for toy-1d and scale-sweep; and
    /// several hours each for encodings and axis-aligned.
    #[arg(long)]
    quick: bool,
    /// Keep the figures that are in the folder with the same size and seed, and make the others
    ///
    /// A figure of the lesson that was interrupted continues after its last finished training, with this option or
    /// without, as long as the program is the same. Figures of the applications start again.
    #[arg(long)]
    resume: bool,
    /// Seed of the initial weights and the random frequencies
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy)]
enum Name {
    All(Page),
    One(Figure),
}

impl ValueEnum for Name {
    fn value_variants<'a>() -> &'a [Self] {
        const VARIANTS: [Name; 15] = [
            Name::One(Figure::SpectralBias),
            Name::One(Figure::Kernels),
            Name::One(Figure::Toy1d),
            Name::One(Figure::Dynamics),
            Name::One(Figure::ScaleSweep),
            Name::One(Figure::Encodings),
            Name::One(Figure::AxisAligned),
            Name::One(Figure::Bases),
            Name::One(Figure::Nerf),
            Name::One(Figure::Cryo),
            Name::One(Figure::Ct),
            Name::One(Figure::Mri),
            Name::One(Figure::Shape),
            Name::All(Page::Figures),
            Name::All(Page::Applications),
        ];
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::All(Page::Figures) => Some(
                clap::builder::PossibleValue::new("all")
                    .help("Every figure of the lesson, and a page that explains them"),
            ),
            Self::All(Page::Applications) => Some(
                clap::builder::PossibleValue::new("applications")
                    .help("The figures nerf, cryo, ct, mri and shape, and a page with all of them"),
            ),
            Self::One(figure) => figure.to_possible_value(),
        }
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    figure: Figure,
    seconds: Option<f64>,
    claims: &'a [Claim],
    files: Vec<PathBuf>,
}

impl Reproduce {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let stop = interrupt::catch()?;
        let options = Options { quick: self.quick, seed: self.seed };
        let figures = match &self.name {
            Name::All(page) => page.figures().to_vec(),
            Name::One(figure) => vec![*figure],
        };
        let made = NewDirectories::on_the_way_to(&self.out);
        hold_while_made(&self.out, Others::Refused, || Ok(files::make_folder(&self.out)?))?;
        let outcomes = match self.make(&figures, options, stop) {
            Err(error @ ReproduceError::Interrupted) => {
                drop(made);
                trainer::note!("{error}");
                interrupt::exit();
            }
            outcomes => outcomes?,
        };
        let page = match self.name {
            Name::All(page) => {
                page.write(&self.out, options, &outcomes)?;
                Some(self.out.join(page.file()))
            }
            Name::One(_) => None,
        };
        if self.json {
            let summaries: Vec<_> = outcomes.iter().map(|outcome| self.summary(outcome)).collect();
            return print(&serde_json::to_string_pretty(&serde_json::json!({ "figures": summaries, "page": page }))?);
        }
        for outcome in &outcomes {
            print(&text(outcome))?;
        }
        page.map_or(Ok(()), |page| print(&format!("page: {}", page.display())))
    }

    /// Makes the figures, but for those that `--resume` keeps; whether all may be made is checked before the first one.
    fn make(
        &self,
        figures: &[Figure],
        options: Options,
        stop: &AtomicBool,
    ) -> Result<Vec<WrittenFigure>, ReproduceError> {
        let bar = Mutex::new(ProgressBar::hidden());
        let tell = |event| show(&bar, event);
        let monitor = FigureWatch::new(stop, &tell);
        let kept: Vec<_> =
            figures.iter().map(|&figure| self.resume.then(|| kept(figure, options, &self.out)).flatten()).collect();
        for (&figure, _) in figures.iter().zip(&kept).filter(|(_, kept)| kept.is_none()) {
            check_free(figure, &self.out)?;
        }
        let mut outcomes = Vec::new();
        for (&figure, kept) in figures.iter().zip(kept) {
            let outcome = kept.map_or_else(|| reproduce(figure, options, &self.out, &monitor), Ok)?;
            match outcome.seconds {
                Some(seconds) => trainer::note!("{}: {seconds:.1} s", figure.name()),
                None => trainer::note!("{}: made before", figure.name()),
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn summary<'a>(&self, outcome: &'a WrittenFigure) -> Summary<'a> {
        let name = outcome.record.figure.name();
        let files = ["png", "svg", "json"].map(|extension| self.out.join(format!("{name}.{extension}")));
        Summary {
            figure: outcome.record.figure,
            seconds: outcome.seconds,
            claims: &outcome.record.content.claims,
            files: files.into(),
        }
    }
}

/// A heading and a line for each claim.
fn text(outcome: &WrittenFigure) -> String {
    let claims = outcome.record.content.claims.iter().map(|claim| {
        let verdict = if claim.holds { "holds" } else { "DIFFERS" };
        format!("  {verdict:<8} {}: {}", claim.statement, claim.measured)
    });
    std::iter::once(outcome.record.figure.name().to_owned()).chain(claims).collect::<Vec<_>>().join("\n")
}

/// One bar a figure, on standard error; nothing where that is no terminal.
fn show(bar: &Mutex<ProgressBar>, event: Event) {
    let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match event {
        Event::Begin { figure, units } => {
            *bar = ProgressBar::with_draw_target(Some(units), ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("{prefix:13} {bar:40} {percent:>3} %, {elapsed} of about {duration}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(figure);
        }
        Event::Advance(units) => bar.inc(units),
        Event::End => bar.finish_and_clear(),
    }
}
