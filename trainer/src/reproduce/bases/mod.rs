//! Frequencies, sines, grids and tables beside each other: their tangent kernels, what they learn first, and what a
//! byte buys.

mod basis;
mod claims;
mod drawing;
mod shapes;
mod text;
mod trainings;

use self::basis::Basis;
use self::shapes::Shapes;
use self::trainings::{Outcome, Setting};
use super::error::ReproduceError;
use super::monitor::{Event, FigureWatch, side_by_side};
use super::{Claim, Draft, Figure, FigureContent, Options, Table};

/// All that was computed.
struct Results {
    options: Options,
    setting: Setting,
    /// In the order of [`Basis::ALL`].
    shapes: Vec<Shapes>,
    outcomes: Vec<Outcome>,
}

impl Results {
    fn of(&self, basis: Basis) -> &Shapes {
        &self.shapes[basis as usize]
    }

    fn model(&self, basis: Basis, picture: &str, budget: usize) -> &Outcome {
        let is_it = |o: &&Outcome| o.basis == basis && o.picture == picture && o.budget == budget;
        self.outcomes.iter().find(is_it).expect("every basis was trained on every picture in every size")
    }

    /// The networks' best on the pixels trained on.
    fn best_network(&self, picture: &str, budget: usize) -> &Outcome {
        let networks = Basis::NETWORKS.map(|basis| self.model(basis, picture, budget));
        let best = networks
            .into_iter()
            .reduce(|best, next| if next.trained_psnr_db > best.trained_psnr_db { next } else { best });
        best.expect("there are networks")
    }

    fn largest(&self) -> usize {
        self.setting.bytes.iter().copied().max().expect("there are sizes")
    }
}

pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let setting = Setting::new(options.quick, options.seed);
    (monitor.tell)(Event::Begin { figure: Figure::Bases.name(), units: setting.units() });
    let shapes = side_by_side(&Basis::ALL, |&basis| {
        monitor.check()?;
        Shapes::new(basis, options.seed)
    })?;
    let outcomes = trainings::run(setting, monitor)?;
    let results = Results { options, setting, shapes, outcomes };
    let content = FigureContent {
        title: "Frequencies, sines, grids or a table: which basis wins when".to_owned(),
        what_you_see: text::what_you_see(&results),
        why: text::why(),
        method: text::method(&results),
        caption: text::caption(),
        tables: vec![table(&results)],
        claims: claims::all(&results),
        numbers: serde_json::json!({ "setting": setting, "kernels": results.shapes, "models": results.outcomes }),
    };
    Ok(Draft { content, sheet: drawing::sheet(&results.shapes, &results.outcomes, setting) })
}

fn kilobytes(bytes: usize) -> String {
    format!("{} KB", bytes >> 10)
}

/// What each model reaches.
fn table(results: &Results) -> Table {
    let sizes = results.setting.bytes;
    let row = |picture: &str, basis: Basis| {
        let cell = |&budget: &usize| {
            let model = results.model(basis, picture, budget);
            format!("{:.2} / {:.2}", model.trained_psnr_db, model.between_psnr_db)
        };
        let multiplications = results.model(basis, picture, results.largest()).multiplications;
        let names = [picture, basis.name()].map(str::to_owned).into_iter();
        names.chain(sizes.iter().map(cell)).chain([multiplications.to_string()]).collect()
    };
    let head = ["picture", "basis"].map(str::to_owned).into_iter();
    let pictures = trainings::PICTURES.iter();
    Table {
        caption: format!(
            "PSNR of the artifact in dB, on the pixels trained on / between them, by the size that the artifact may \
             have; last, the multiplications by weights (of a table: by its values) for one point, at {}",
            kilobytes(results.largest())
        ),
        head: head.chain(sizes.iter().map(|&bytes| kilobytes(bytes))).chain(["multiplications".to_owned()]).collect(),
        rows: pictures.flat_map(|picture| Basis::ALL.map(|basis| row(picture, basis))).collect(),
    }
}
