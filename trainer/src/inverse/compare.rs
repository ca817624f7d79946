//! Several mappings on one problem: the table beside the published numbers, and the artifact of the best.

use firmware_core::{Axis, OutputActivation, OutputMap, Precision};
use ndarray::Array2;
use serde::Serialize;

use super::error::InverseError;
use super::linear::{LinearObjective, LinearOperator, field};
use super::training::{TableMapping, TrainingParams};
use crate::artifact::card_text::CardText;
use crate::artifact::export::{Artifact, Card, Domain, TrainedNetwork};
use crate::artifact::quantize::CALIBRATION_POINTS;
use crate::data::metrics::psnr_db;
use crate::network::Mlp;
use crate::network::encoding::Encoding;
use crate::network::features::EncodedFeatures;
use crate::report::sheet::{Panel, Raster, Row, Sheet};
use crate::store::run::Run;
use crate::training::Watch;

/// Height of a row of pictures, pixels.
const ROW_HEIGHT: u32 = 430;
/// What is compared on.
#[derive(Clone, Debug)]
pub struct Problem {
    /// As on the command line.
    pub name: &'static str,
    /// What is measured of which field, for the heading.
    pub title: String,
    /// How the settings differ from the published ones.
    pub differences: String,
    /// Names of the scores; the first decides.
    pub measures: Vec<&'static str>,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// With its rate and published score.
    pub mapping: TableMapping,
    /// One a measure, larger is better.
    pub scores: Vec<f64>,
    /// At the last step.
    pub training_loss: f64,
}

/// What a comparison came to.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The problem on which the mappings are compared.
    pub problem: Problem,
    /// What all mappings share.
    pub training: TrainingParams,
    /// In the order of the mappings.
    pub rows: Vec<Compared>,
    /// The truth and what each mapping makes of it.
    pub sheet: Sheet,
    /// The best network in w8a16.
    pub artifact: Artifact,
    /// Its scores, as a device computes the field.
    pub artifact_scores: Vec<f64>,
}

/// How far positional may lie above Gaussian and still count as about equal, parts of Gaussian's gain over no mapping.
const ABOUT_EQUAL: f64 = 0.1;

impl Comparison {
    /// The row with the best first score.
    ///
    /// # Panics
    /// If there are no rows.
    pub fn best(&self) -> &Compared {
        best(&self.rows)
    }

    /// Whether the first score grows as published: none < basic < positional, and positional above Gaussian by a tenth
    /// of Gaussian's gain over none at most (`published_order_tolerance` in JSON): on one field and with one seed the
    /// two are not told apart.
    pub fn has_published_order(&self) -> bool {
        let score = |row: usize| self.rows.get(row).map_or(f64::NAN, |row| row.scores[0]);
        let [none, basic, positional, gaussian] = [0, 1, 2, 3].map(score);
        none < basic && basic < positional && positional < gaussian + ABOUT_EQUAL * (gaussian - none)
    }

    /// Everything but the drawing.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "problem": self.problem.name,
            "title": self.problem.title,
            "differences": self.problem.differences,
            "measures": self.problem.measures,
            "training": self.training,
            "mappings": self.rows,
            "best": self.best().mapping.name(),
            "published_order": self.has_published_order(),
            "published_order_tolerance": ABOUT_EQUAL,
            "artifact_scores": self.artifact_scores,
            "artifact_bytes": self.artifact.as_bytes().len(),
        })
    }
}

/// The row with the best first score.
pub(super) fn best(rows: &[Compared]) -> &Compared {
    rows.iter().max_by(|a, b| a.scores[0].total_cmp(&b.scores[0])).expect("four mappings or more")
}

/// A trained mapping.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    pub(super) mapping: TableMapping,
    pub(super) encoding: Encoding,
    pub(super) network: Mlp<f32>,
}

/// What inputs and output of an artifact mean.
pub(super) struct Meaning<'a> {
    pub(super) output: &'a str,
    /// The inputs, x first.
    pub(super) axes: &'a [Axis],
    /// How well the network does, NaN where that is no PSNR.
    pub(super) psnr_db: f64,
}

impl Solved {
    /// The artifact of the network. `coordinates` `[n, d]` calibrate the quantization.
    pub(super) fn artifact(
        &self,
        training: &TrainingParams,
        meaning: &Meaning<'_>,
        coordinates: &Array2<u32>,
    ) -> Result<Artifact, InverseError> {
        let Self { mapping, encoding, network } = self;
        let Meaning { output, axes, psnr_db } = *meaning;
        let text = CardText::new(&["x", "y", "z"][..axes.len()], &[output])
            .json("encoding", &mapping.kind)
            .number("scale", mapping.scaled(training.scale_factor))
            .json("seed", &training.seed);
        let domain = Domain::clamped(axes.to_vec(), vec![OutputMap { scale: 1.0, offset: 0.0 }]);
        let every = coordinates.nrows().div_ceil(CALIBRATION_POINTS).max(1);
        let features = encoding.encode(coordinates.slice(ndarray::s![..;every, ..]));
        let card = Card { training_psnr_db: psnr_db as f32, ..Card::new(text.as_str()) };
        let trained = TrainedNetwork { encoding, network, domain: &domain };
        Ok(trained.artifact(Precision::W8A16, features.view(), card)?)
    }
}

/// What an artifact of one output gives at points `[n, d]` in the units of its inputs, as a device computes it.
pub(super) fn evaluate(artifact: &Artifact, points: &[f32], inputs: usize) -> Vec<f32> {
    let model = artifact.model().expect("written by this program");
    let mut scratch = vec![0; model.batch_scratch_words()];
    let mut values = vec![0.0; points.len() / inputs];
    model.eval_batch_into(points, &mut scratch, &mut values).expect("one output, and points outside are clamped");
    values
}

/// A linear problem with a known answer.
pub(super) struct LinearProblem<'a, A> {
    pub(super) problem: Problem,
    /// The field (z, y, x).
    pub(super) truth: &'a [f32],
    /// Its depth, height and width; of depth 1 it is plane.
    pub(super) shape: [usize; 3],
    pub(super) operator: &'a A,
    pub(super) training: &'a TrainingParams,
    pub(super) mappings: Vec<TableMapping>,
}

impl<A: LinearOperator> LinearProblem<'_, A> {
    /// Solves the problem with every mapping.
    ///
    /// # Errors
    /// If the watch stops it, or training diverges.
    pub(super) fn solve<S: Serialize>(
        self,
        watch: &mut Watch<'_>,
        run: Option<&Run<S>>,
    ) -> Result<Comparison, InverseError> {
        let Self { truth, operator, training, .. } = self;
        let sizes: Vec<usize> = self.shape.iter().rev().copied().filter(|&size| size > 1).collect();
        let measured = operator.apply(truth);
        let position = |index: usize, axis: usize| index / sizes[..axis].iter().product::<usize>() % sizes[axis];
        let coordinates = Array2::from_shape_fn((truth.len(), sizes.len()), |(index, axis)| {
            (((position(index, axis) as u64) << 32) / sizes[axis] as u64) as u32
        });
        let psnr = |values: &[f32]| {
            let squares =
                values.iter().zip(truth).map(|(&value, &truth)| f64::from(value.clamp(0.0, 1.0) - truth).powi(2));
            psnr_db(squares.sum::<f64>() / truth.len() as f64, 1.0)
        };
        let (mut rows, mut fields, mut solutions) = (Vec::new(), Vec::new(), Vec::new());
        for &mapping in &self.mappings {
            let (encoding, mapping_training) = training.start(&mapping, sizes.len(), OutputActivation::Sigmoid)?;
            let features = encoding.features(coordinates.clone(), training.steps);
            let mut objective = LinearObjective::new(features, operator, &measured);
            let (network, training_loss) = mapping_training.finish(&mut objective, watch, run)?;
            let (encoding, network) = (encoding.of(&network), network.without_encoder());
            let values = field(&EncodedFeatures::new(&encoding, coordinates.view()), &network);
            rows.push(Compared { mapping, scores: vec![psnr(&values)], training_loss });
            fields.push(values);
            solutions.push(Solved { mapping, encoding, network });
        }
        let chosen = rows.iter().position(|row| std::ptr::eq(row, best(&rows))).expect("one of them");
        let axes: Vec<Axis> = sizes.iter().map(|&n| Axis::new(0.0, (n - 1) as f32, n as f32)).collect();
        let meaning = Meaning { output: "intensity", axes: &axes, psnr_db: rows[chosen].scores[0] };
        let artifact = solutions[chosen].artifact(training, &meaning, &coordinates)?;
        let points: Vec<f32> =
            (0..truth.len() * sizes.len()).map(|i| position(i / sizes.len(), i % sizes.len()) as f32).collect();
        let artifact_scores = vec![psnr(&evaluate(&artifact, &points, sizes.len()))];
        let sheet = self.sheet(&rows, &fields);
        Ok(Comparison { problem: self.problem, training: training.clone(), rows, sheet, artifact, artifact_scores })
    }

    /// The truth and every reconstruction; of a volume the middle section across z and the one across y.
    fn sheet(&self, rows: &[Compared], fields: &[Vec<f32>]) -> Sheet {
        let [depth, height, width] = self.shape;
        let across_z = |values: &[f32]| values[depth / 2 * height * width..][..height * width].to_vec();
        let across_y = |values: &[f32]| -> Vec<f32> {
            (0..depth).rev().flat_map(|z| values[(z * height + height / 2) * width..][..width].to_vec()).collect()
        };
        let strip = |which: &str, section: &dyn Fn(&[f32]) -> Vec<f32>, shape: [usize; 2]| {
            let panel = |title: &str, caption: String, values: &[f32]| {
                let rgb =
                    section(values).into_iter().flat_map(|value| [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3]);
                Panel::Raster(Raster { title: title.to_owned(), caption, shape, rgb: rgb.collect() })
            };
            let mut panels = vec![panel("truth", which.to_owned(), self.truth)];
            panels.extend(
                rows.iter()
                    .zip(fields)
                    .map(|(row, values)| panel(row.mapping.label(), format!("{:.2} dB", row.scores[0]), values)),
            );
            Row { height: ROW_HEIGHT, panels }
        };
        let mut strips =
            vec![strip(if depth > 1 { "middle section across z" } else { "" }, &across_z, [height, width])];
        if depth > 1 {
            strips.push(strip("middle section across y", &across_y, [depth, width]));
        }
        Sheet { title: self.problem.title.clone(), rows: strips }
    }
}
