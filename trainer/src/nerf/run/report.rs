//! What a field looks like: held-out views beside their drawings and distances, view by view in a table.

use image::RgbImage;

use super::{Folder, NerfSettings};
use crate::base::files;
use crate::nerf::fit::{TrainedField, ViewsMetrics};
use crate::nerf::render::{draw, picture};
use crate::nerf::scene::View;
use crate::report::figure::Figure as _;
use crate::report::sheet::{Panel, Raster, Row, Sheet};
use crate::report::{ReportError, SheetPage};

/// Views that are shown, at even distances.
const SHOWN: usize = 3;
/// Height of a row of pictures, pixels.
const ROW_HEIGHT: u32 = 430;

/// A picture as a part of a sheet.
pub(crate) fn raster(picture: RgbImage, title: &str, caption: String) -> Panel {
    let shape = [picture.height() as usize, picture.width() as usize];
    Panel::Raster(Raster { title: title.to_owned(), caption, shape, rgb: picture.into_raw() })
}

/// What a report shows.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What the run was started with.
    pub settings: &'a NerfSettings,
    /// The field that it ended in.
    pub field: &'a TrainedField,
    /// Held-out views.
    pub views: &'a [View],
    /// How well these are drawn.
    pub metrics: &'a ViewsMetrics,
}

impl Report<'_> {
    /// Writes `report.png` and `report.html`.
    ///
    /// # Errors
    /// If a picture cannot be drawn or a file written.
    pub fn write(&self, folder: &Folder) -> Result<(), ReportError> {
        let Self { settings, views, metrics, .. } = *self;
        let (volume, field) = (self.field.volume(), self.field.field());
        let every = views.len().div_ceil(SHOWN).max(1);
        let rows = views.iter().zip(&metrics.views).step_by(every).map(|(view, judged)| {
            let drawn = draw(&volume, &view.viewpoint(), &field);
            let exact = picture(usize::from(view.camera.width), &view.over(volume.background));
            let caption = format!("{:.2} dB, SSIM {:.3}", judged.psnr_db, judged.ssim);
            let panels = vec![
                raster(exact, &judged.name, String::new()),
                raster(drawn.picture(), "drawn", caption),
                raster(drawn.depth_map(), "distance", "yellow: near".to_owned()),
            ];
            Row { height: ROW_HEIGHT, panels }
        });
        let sheet = Sheet { title: "Views that were not trained on".to_owned(), rows: rows.collect() };
        let png = sheet.png()?;
        let row = |name: &str, psnr: f64, ssim: f64| vec![name.to_owned(), format!("{psnr:.2}"), format!("{ssim:.4}")];
        let mut rows: Vec<_> = metrics.views.iter().map(|view| row(&view.name, view.psnr_db, view.ssim)).collect();
        rows.push(row("mean", metrics.psnr_db, metrics.ssim));
        // A path such as `..` ends in no name.
        let scene = settings.scene.file_name().unwrap_or(settings.scene.as_os_str()).to_string_lossy();
        let page = SheetPage {
            title: &scene,
            lead: &format!(
                "{:.2} dB and SSIM {:.4} over {} views that were not trained on, {:.1} evaluations of the network per \
             pixel.",
                metrics.psnr_db,
                metrics.ssim,
                metrics.views.len(),
                metrics.evaluations_per_pixel
            ),
            heading: "View by view",
            table: (["view", "PSNR (dB)", "SSIM"].map(str::to_owned).into(), rows),
            alt: "views, their drawings and distances",
            png: &png,
            settings: &serde_json::to_string_pretty(settings).expect("plain values"),
        };
        files::write(&folder.path().join("report.png"), &png)?;
        files::write(&folder.report(), page.html().as_bytes())?;
        Ok(())
    }
}
