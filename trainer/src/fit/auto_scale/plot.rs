//! A figure of the choice: what each candidate was judged to be worth.

use super::{Candidate, Choice, Setting};
use crate::report::Drawing;
use crate::report::figure::{Figure as _, FigureError, tick_label};
use crate::report::sheet::{Line, Panel, Plot, Row, Sheet, Stroke};
use crate::report::style;

impl Choice {
    /// [`Self::plot`] for the report.
    ///
    /// # Errors
    /// If the font or the picture cannot be made.
    pub fn drawing(&self) -> Result<Drawing, FigureError> {
        let theory =
            self.theory.map_or(String::new(), |theory| format!(" The kernel theory alone would take {theory:.3}."));
        let smaller = if self.setting == Setting::Scale && self.chosen < self.trial {
            " Of candidates that are close, a smaller one gains more by training on."
        } else {
            ""
        };
        let caption = format!(
            "How {} was chosen: short trainings of {} steps are best at {:.3}, measured on {}.{smaller}{theory}",
            self.name(),
            self.trial_steps,
            self.trial,
            self.judge.words(),
        );
        Ok(Drawing { name: "choice".to_owned(), caption, png: self.plot().png()? })
    }

    /// Both curves over the candidates, each relative to its own best, with the choice marked.
    #[must_use]
    pub fn plot(&self) -> Sheet {
        let relative = |of: &dyn Fn(&Candidate) -> Option<f64>| -> Vec<(f64, f64)> {
            let known =
                || self.candidates.iter().filter_map(|c| Some((c.value, of(c)?))).filter(|(_, db)| db.is_finite());
            let best = known().map(|(_, db)| db).fold(f64::NEG_INFINITY, f64::max);
            known().map(|(value, db)| (value, db - best)).collect()
        };
        let theory = relative(&|candidate| candidate.theory_psnr_db);
        let trials = relative(&|candidate| candidate.trial_psnr_db);
        let lowest = theory.iter().chain(&trials).map(|point| point.1).fold(-1.0, f64::min).max(-20.0);
        let (symbol, x_label) = match self.setting {
            Setting::Scale => ("σ", "σ (cycles over the domain)"),
            Setting::AmplitudePower => ("p", "p (amplitudes 1/j^p)"),
        };
        let predicted = (!theory.is_empty())
            .then(|| Line::new("predicted by the kernel", style::SERIES[0], Stroke::Dashed, theory));
        let trained = format!("trained for {} steps", self.trial_steps);
        let trained = Line::new(trained, style::SERIES[1], Stroke::Marked, trials);
        let chosen = [(self.chosen, 1.05 * lowest), (self.chosen, 0.6)];
        let chosen = Line::new("chosen", style::INK, Stroke::Solid, chosen);
        let plot = Plot {
            title: format!("{symbol} = {} chosen before training", tick_label(self.chosen)),
            x_label: x_label.to_owned(),
            y_label: "PSNR below the best (dB)".to_owned(),
            log_x: self.setting == Setting::Scale,
            y_range: Some(1.05 * lowest..0.7),
            lines: predicted.into_iter().chain([trained, chosen]).collect(),
            ..Plot::default()
        };
        Sheet {
            title: format!("The choice of {}", self.name()),
            rows: vec![Row { height: 700, panels: vec![Panel::Plot(plot)] }],
        }
    }

    fn name(&self) -> &'static str {
        match self.setting {
            Setting::Scale => "the scale",
            Setting::AmplitudePower => "the amplitude power",
        }
    }
}
