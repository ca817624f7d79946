//! `trainer ntk gap`: how far finite networks are from the infinite one.

use std::path::PathBuf;

use anyhow::ensure;
use trainer::base::files;
use trainer::base::random::{PlainPurpose, plain_rng};
use trainer::report::figure::Figure;
use trainer::report::sheet::{Line, Panel, Plot, Row, Sheet, Stroke};
use trainer::report::style;
use trainer::theory::empirical::{EmpiricalNtk, relative_gap};
use trainer::theory::kernel::Kernel;

use super::kernel::KernelArgs;
use crate::cli::{outputs, print};

/// Compare the tangent kernels of random networks of several widths with that of the infinitely wide network.
///
/// The gap is the Frobenius norm of the difference of the two kernel matrices, divided by the norm of the infinite
/// network's matrix. It falls as 1/√width.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  trainer ntk gap --points X.npy --encoding fourier --amplitude-power 1 --normalize \
                        --widths 64,256,1024 --plot gap.png"
)]
pub(crate) struct Gap {
    #[command(flatten)]
    kernel: KernelArgs,
    /// The widths of the hidden layers to try
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "64,128,256,512,1024,2048,4096")]
    #[arg(action = clap::ArgAction::Set)]
    widths: Vec<usize>,
    /// Number of random networks of each width
    #[arg(long, default_value_t = 4)]
    draws: u64,
    /// Write a plot of the gap against the width to this PNG
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    points: usize,
    draws: u64,
    widths: Vec<WidthGap>,
}

#[derive(serde::Serialize)]
struct WidthGap {
    width: usize,
    mean_gap: f64,
    smallest_gap: f64,
    largest_gap: f64,
}

impl Gap {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        ensure!(self.draws > 0, "--draws is 0; draw at least one network of each width");
        self.kernel.must_be_tangent()?;
        if let Some(path) = &self.plot {
            outputs::check_extension("--plot", path, "png")?;
        }
        self.kernel.warn_of_options_without_effect(false);
        outputs::check_outputs(&[Some(self.kernel.points_path())], &[self.plot.as_deref()])?;
        let points = self.kernel.points()?;
        let widths = self
            .widths
            .iter()
            .map(|&width| {
                let kernel = self.kernel.tangent_kernel(points.ncols(), width)?;
                let infinite = kernel.gram(points.view())?;
                let inputs =
                    kernel.features.as_ref().map_or_else(|| Ok(points.clone()), |f| f.features(points.view()))?;
                let gaps = (0..self.draws)
                    .map(|seed| {
                        let mut rng = plain_rng(seed, PlainPurpose::DrawnNetworks);
                        let network = EmpiricalNtk::sample(&kernel.network, inputs.ncols(), width, &mut rng)?;
                        Ok(relative_gap(network.gram(inputs.view(), 0)?.view(), infinite.view())?)
                    })
                    .collect::<anyhow::Result<Vec<f64>>>()?;
                Ok(WidthGap {
                    width,
                    mean_gap: gaps.iter().sum::<f64>() / gaps.len() as f64,
                    smallest_gap: gaps.iter().copied().fold(f64::INFINITY, f64::min),
                    largest_gap: gaps.iter().copied().fold(0.0, f64::max),
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let report = Report { points: points.nrows(), draws: self.draws, widths };
        if let Some(path) = &self.plot {
            files::write(path, &sheet(&report).png()?)?;
        }
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        let mut text = format!("width     mean gap  smallest  largest   ({} networks each)", report.draws);
        for gap in &report.widths {
            text.push_str(&format!(
                "\n{:<8}  {:<8.4}  {:<8.4}  {:<8.4}",
                gap.width, gap.mean_gap, gap.smallest_gap, gap.largest_gap
            ));
        }
        print(&text)
    }
}

fn sheet(report: &Report) -> Sheet {
    let line = |name: &str, color, stroke, of: &dyn Fn(&WidthGap) -> f64| {
        Line::new(name, color, stroke, report.widths.iter().map(|gap| (gap.width as f64, of(gap))))
    };
    let grey = plotters::style::RGBColor(150, 150, 150);
    let constant = report.widths.iter().map(|gap| gap.mean_gap * (gap.width as f64).sqrt()).sum::<f64>()
        / report.widths.len() as f64;
    let plot = Plot {
        x_label: "width".to_owned(),
        y_label: "‖finite - infinite‖ / ‖infinite‖".to_owned(),
        log_x: true,
        log_y: true,
        lines: vec![
            line("mean", style::SERIES[0], Stroke::Marked, &|gap| gap.mean_gap),
            line("smallest", style::SERIES[2], Stroke::Points, &|gap| gap.smallest_gap),
            line("largest", style::SERIES[1], Stroke::Points, &|gap| gap.largest_gap),
            line("1/√width", grey, Stroke::Dashed, &|gap| constant / (gap.width as f64).sqrt()),
        ],
        ..Plot::default()
    };
    Sheet {
        title: format!("Tangent kernels of finite networks on {} points", report.points),
        rows: vec![Row { height: 700, panels: vec![Panel::Plot(plot)] }],
    }
}
