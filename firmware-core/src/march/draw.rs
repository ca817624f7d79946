//! A ray through a model.

use super::camera::Ray;
use super::sum::{Accumulator, Pixel};
use super::volume::{OUTPUTS, Volume};
use crate::error::EvalError;
use crate::model::Model;

impl Volume<'_> {
    /// Draws the ray with `model`, stopping early where nothing further would be seen.
    ///
    /// # Errors
    ///
    /// [`EvalError::ScratchLength`], and for a model that the volume was not parsed for [`EvalError::PointLength`] and
    /// [`EvalError::OutputLength`].
    pub fn draw(&self, ray: &Ray, model: &Model<'_>, scratch: &mut [u32]) -> Result<Pixel, EvalError> {
        let mut sum = Accumulator::new();
        let mut outputs = [0.0; OUTPUTS];
        for sample in self.samples(ray, || 0.5) {
            let point = sample.point();
            model.eval_into(point.get(..self.inputs()).unwrap_or(&point), scratch, &mut outputs)?;
            if !sum.add(self, &sample, &outputs) {
                break;
            }
        }
        Ok(sum.finish(self))
    }
}
