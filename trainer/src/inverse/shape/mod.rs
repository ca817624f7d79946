//! Occupancy of a solid: whether a point lies within a closed mesh (Tancik et al. 2020, section 6.1).
//!
//! A network is trained by cross-entropy on the occupancy of points drawn afresh in each step from the bounding box and
//! a margin, and judged by the intersection over union (IoU) with the solid, of uniform points and of points near the
//! surface.
//!
//! | module | holds |
//! | --- | --- |
//! | [`mesh`] | closed triangle meshes and points on them |
//! | [`read`] | STL, OBJ and PLY |
//! | [`knot`] | the mesh to learn where none is given |
//! | [`inside`] | whether points lie within |
//! | [`occupancy`] | the objective |
//! | [`view`] | the solid drawn |

pub mod inside;
pub mod knot;
pub mod mesh;
pub mod occupancy;
pub mod read;
pub mod view;

use firmware_core::{Axis, OutputActivation};
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use self::inside::Inside;
use self::mesh::{MARGIN, Mesh, Point};
use self::occupancy::{OccupancyObjective, RandomPoints};
use self::read::NamedMesh;
use super::compare::{Compared, Comparison, Meaning, Problem, Solved, best, evaluate};
use super::error::InverseError;
use super::training::{TableMapping, TrainingParams};
use crate::base::random::{Purpose, step_rng};
use crate::inverse::linear::field;
use crate::network::encoding::EncodingKind;
use crate::network::features::EncodedFeatures;
use crate::network::grid::GridParams;
use crate::network::{Mlp, Shape};
use crate::report::sheet::{Panel, Raster, Row, Sheet};
use crate::store::run::Run;
use crate::training::Watch;
use crate::training::optimizer::Schedule;

/// Deviation of the points near the surface, in lengths of the unit cube; as published.
const NEAR: f64 = 0.01;
/// Height of the pictures, pixels.
const ROW_HEIGHT: u32 = 430;

/// The size of the problem, and how networks are trained for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShapeParams {
    /// Fresh points a step.
    pub batch: usize,
    /// Points of each test.
    pub test_points: usize,
    /// Pixels a side of each view.
    pub pixels: usize,
    /// How the networks are trained.
    pub training: TrainingParams,
}

/// Checked [`ShapeParams`].
#[derive(Clone, Debug)]
pub struct ValidShapeParams(ShapeParams);

impl ShapeParams {
    /// Minutes; or, if `quick`, seconds.
    pub fn new(quick: bool, seed: u64) -> Self {
        let (width, frequencies, steps, batch, test_points, pixels) =
            if quick { (64, 64, 200, 1024, 1 << 13, 60) } else { (128, 128, 1500, 8192, 1 << 18, 240) };
        let training = TrainingParams {
            hidden: vec![width; 4],
            frequencies,
            steps,
            // The published one falls to a tenth in half of its steps.
            schedule: Schedule::Exponential { factor: 0.1, every: steps as f64 / 2.0 },
            // Both chosen on the knot, of 0.25, 0.5, 1 and with normalized features or not, by its uniform points.
            rate_factor: 10.0,
            scale_factor: 0.25,
            grid: GridParams::of_volumes(),
            ..TrainingParams::field(seed)
        };
        Self { batch, test_points, pixels, training }
    }

    /// That there is an encoding for every mapping.
    ///
    /// # Errors
    /// Names the setting that is impossible.
    pub fn check(self) -> Result<ValidShapeParams, InverseError> {
        self.training.check(&self.training.mappings(Self::published()), 3)?;
        Ok(ValidShapeParams(self))
    }

    /// The mappings in the order of table 1, with the published scales and rate.
    fn published() -> [TableMapping; 4] {
        let mapping = |kind, scale, published| TableMapping::published(kind, scale, 5e-4, published);
        [
            mapping(EncodingKind::None, 1.0, 0.864),
            mapping(EncodingKind::Basic, 1.0, 0.892),
            mapping(EncodingKind::Positional, 6.0, 0.960),
            mapping(EncodingKind::Gaussian, 12.0, 0.973),
        ]
    }
}

/// Points with the truth about them.
struct Test {
    coordinates: Array2<u32>,
    inside: Vec<bool>,
}

impl Test {
    fn new(points: Vec<Point>, solid: &Inside<'_>) -> Self {
        let inside = points.iter().map(|&point| solid.contains(point)).collect();
        Self { coordinates: fixed(&points), inside }
    }

    /// Intersection over union of the solid and of the points that `predicted` holds within.
    fn iou(&self, predicted: impl Iterator<Item = bool>) -> f64 {
        let (mut both, mut either) = (0, 0);
        for (&truth, predicted) in self.inside.iter().zip(predicted) {
            both += usize::from(truth && predicted);
            either += usize::from(truth || predicted);
        }
        both as f64 / either.max(1) as f64
    }
}

/// Q0.32 coordinates `[n, 3]` of points of the unit cube.
fn fixed(points: &[Point]) -> Array2<u32> {
    Array2::from_shape_fn((points.len(), 3), |(i, axis)| (points[i][axis].clamp(0.0, 1.0) * 2f64.powi(32)) as u32)
}

/// Learns the occupancy of a solid with each mapping.
///
/// # Errors
/// If the watch stops it, training diverges, or a checkpoint of the `run` is of no use.
pub fn compare<S: Serialize>(
    solid: &NamedMesh,
    ValidShapeParams(params): &ValidShapeParams,
    watch: &mut Watch<'_>,
    run: Option<&Run<S>>,
) -> Result<Comparison, InverseError> {
    let (name, training) = (&solid.name, &params.training);
    let (mesh, fit) = solid.mesh.in_unit_cube();
    let solid = Inside::new(&mesh);
    // The bounding box with its margin: what networks are trained on, tested in, drawn in, and clamp points to.
    let domain = [[0.0; 3], mesh.bounds()[1].map(|high| high + MARGIN)];
    let frame = view::Frame::of(mesh.vertices());
    let [uniform, near] = tests(&mesh, &solid, domain, params);
    let truth =
        view::draw(params.pixels, frame, domain, |points| points.iter().map(|&point| solid.contains(point)).collect());
    let points = RandomPoints { bounds: domain, batch: params.batch, seed: training.seed };
    let (mut rows, mut solutions, mut pictures) = (Vec::new(), Vec::new(), vec![truth]);
    for mapping in training.mappings(ShapeParams::published()) {
        let (encoding, mapping_training) = training.start(&mapping, 3, OutputActivation::Linear)?;
        let mut objective = OccupancyObjective::new(encoding.encoder(training.steps), &solid, points);
        let (network, training_loss) = mapping_training.finish(&mut objective, watch, run)?;
        let (encoding, network) = (encoding.of(&network), network.without_encoder());
        let logits = |coordinates: &Array2<u32>| field(&EncodedFeatures::new(&encoding, coordinates.view()), &network);
        let iou = |test: &Test| test.iou(logits(&test.coordinates).into_iter().map(|logit| logit > 0.0));
        rows.push(Compared { mapping, scores: vec![iou(&uniform), iou(&near)], training_loss });
        let within = |points: &[Point]| logits(&fixed(points)).into_iter().map(|logit| logit > 0.0).collect();
        pictures.push(view::draw(params.pixels, frame, domain, within));
        solutions.push(Solved { mapping, encoding, network: with_sigmoid(&network) });
    }
    let chosen = rows.iter().position(|row| std::ptr::eq(row, best(&rows))).expect("one of them");
    let axis = |k: usize| {
        let minimum = fit.origin[k];
        Axis::new(minimum as f32, (minimum + domain[1][k] * fit.side) as f32, fit.side as f32)
    };
    let axes = [0, 1, 2].map(axis);
    // There is no PSNR of an occupancy.
    let meaning = Meaning { output: "occupancy", axes: &axes, psnr_db: f64::NAN };
    let artifact = solutions[chosen].artifact(training, &meaning, &uniform.coordinates)?;
    let on_device = |test: &Test| {
        let in_mesh_units = |(index, &fixed): (usize, &u32)| {
            (fit.origin[index % 3] + f64::from(fixed) / 2f64.powi(32) * fit.side) as f32
        };
        let points: Vec<f32> = test.coordinates.iter().enumerate().map(in_mesh_units).collect();
        test.iou(evaluate(&artifact, &points, 3).into_iter().map(|occupancy| occupancy > 0.5))
    };
    let artifact_scores = vec![on_device(&uniform), on_device(&near)];
    let problem = problem(name, mesh.faces().len(), params);
    let sheet = sheet(&problem, params.pixels, &rows, pictures);
    Ok(Comparison { problem, training: training.clone(), rows, sheet, artifact, artifact_scores })
}

fn problem(name: &str, faces: usize, params: &ShapeParams) -> Problem {
    let (batch, points) = (params.batch, params.test_points);
    Problem {
        name: "shape",
        title: format!("Occupancy of a solid: {name}, {faces} faces"),
        differences: format!(
            "Published: scanned figures, 7 hidden layers of 256 units, 256 frequencies, 10,000 steps of 32,768 points, tested on \
             262,144, features of norm one. Here: {}, {batch} points a step, tested on {points}, features not \
             divided by their norm, a margin around the bounding box. Of the published tests table 1 shows one.",
            params.training.describe()
        ),
        measures: vec!["IoU, uniform", "IoU, near surface"],
    }
}

/// Uniform points of the domain, and points near the surface.
fn tests(mesh: &Mesh, solid: &Inside<'_>, [low, high]: [Point; 2], params: &ShapeParams) -> [Test; 2] {
    let mut rng = step_rng(params.training.seed, Purpose::HeldOut, 0);
    let mut uniform = || std::array::from_fn(|k| low[k] + (high[k] - low[k]) * rng.random::<f64>());
    let uniform: Vec<Point> = (0..params.test_points).map(|_| uniform()).collect();
    let normal = Normal::new(0.0, NEAR).expect("a positive deviation");
    let mut near = mesh.sample(params.test_points, &mut rng);
    near.iter_mut().flatten().for_each(|x| *x += normal.sample(&mut rng));
    [Test::new(uniform, solid), Test::new(near, solid)]
}

/// The same network whose output is the probability, no longer its logit.
fn with_sigmoid(network: &Mlp<f32>) -> Mlp<f32> {
    let shape = Shape { output: OutputActivation::Sigmoid, ..network.shape().clone() };
    Mlp::from_parameters(shape, network.parameters().to_vec()).expect("as many parameters")
}

/// The first picture is the truth, the others are those of the rows.
fn sheet(problem: &Problem, pixels: usize, rows: &[Compared], pictures: Vec<Vec<u8>>) -> Sheet {
    let captions = rows.iter().map(|row| {
        let caption = format!("IoU {:.3}, near {:.3}", row.scores[0], row.scores[1]);
        (row.mapping.label(), caption)
    });
    let captions = std::iter::once(("truth", String::new())).chain(captions);
    let panel = |title: &str, caption: String, rgb: Vec<u8>| {
        Panel::Raster(Raster { title: title.to_owned(), caption, shape: [pixels, pixels], rgb })
    };
    let panels = captions.zip(pictures).map(|((title, caption), rgb)| panel(title, caption, rgb)).collect();
    Sheet { title: problem.title.clone(), rows: vec![Row { height: ROW_HEIGHT, panels }] }
}
