//! The page. Plain HTML with the pictures inside, and a script that runs the model; nothing is loaded from elsewhere.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::markup::{add, escape};
use super::{Drawing, Report, live};
use crate::data::metrics::short;

const CSS: &str = "
body { font: 16px/1.5 system-ui, sans-serif; color: #282828; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid #e1e1e1; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; flex: 1 1 340px; max-width: 560px; }
figure img { width: 100%; }
p.advice { border-left: .3rem solid #e0a030; padding-left: .8rem; }
figcaption { color: #666; font-size: .9rem; }
.sheet { width: 100%; }
#live-canvas { max-width: 100%; cursor: crosshair; }
#live-read, #live-near { font-variant-numeric: tabular-nums; color: #444; }
#live-state.good { color: #1a7a3c; }
#live-state.bad { color: #b3261e; }
label input { width: 9rem; font: inherit; margin-right: .2rem; }
";

/// A page around one sheet.
pub(crate) struct SheetPage<'a> {
    /// The heading of the page.
    pub(crate) title: &'a str,
    /// The result in a sentence.
    pub(crate) lead: &'a str,
    /// Above the table.
    pub(crate) heading: &'a str,
    /// Head and rows.
    pub(crate) table: (Vec<String>, Vec<Vec<String>>),
    /// What the sheet shows.
    pub(crate) alt: &'a str,
    /// The sheet, as a file in the format PNG.
    pub(crate) png: &'a [u8],
    /// As JSON.
    pub(crate) settings: &'a str,
}

impl SheetPage<'_> {
    /// The whole page.
    pub(crate) fn html(&self) -> String {
        let line = |cells: &[String], tag: &str| {
            let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let (head, rows) = &self.table;
        let rows: String = rows.iter().map(|row| line(row, "td")).collect();
        format!(
            "{}<p>{}</p>\n<img class=\"sheet\" alt=\"{}\" src=\"data:image/png;base64,{}\">\n<h2>{}</h2>\n<table>\n{}{rows}</table>\n\
             <h2>Settings</h2>\n<pre>{}</pre>\n</body>\n</html>\n",
            opening(self.title),
            escape(self.lead),
            escape(self.alt),
            BASE64_STANDARD.encode(self.png),
            escape(self.heading),
            line(head, "th"),
            escape(self.settings),
        )
    }
}

/// A page up to its heading.
fn opening(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

/// The whole page.
pub(super) fn page(report: &Report<'_>, drawings: &[Drawing]) -> String {
    let mut page = opening(report.title);
    if !report.summary.is_empty() {
        add(&mut page, format_args!("<p>{}</p>\n", escape(report.summary)));
    }
    metrics_table(&mut page, report);
    for advice in report.advice {
        add(&mut page, format_args!("<p class=\"advice\">{}</p>\n", escape(advice)));
    }
    page.push_str(&live::section(report));
    page.push_str("<h2>Pictures</h2>\n<div class=\"figures\">\n");
    for Drawing { name, caption, png } in drawings {
        let (name, caption, data) = (escape(name), escape(caption), BASE64_STANDARD.encode(png));
        add(
            &mut page,
            format_args!(
                "<figure><img alt=\"{name}\" src=\"data:image/png;base64,{data}\"><figcaption>{caption}</figcaption></figure>\n"
            ),
        );
    }
    page.push_str("</div>\n");
    if !report.settings.is_empty() {
        page.push_str("<h2>Settings</h2>\n<table>\n");
        for (name, value) in report.settings {
            add(&mut page, format_args!("<tr><th>{}</th><td>{}</td></tr>\n", escape(name), escape(value)));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn metrics_table(page: &mut String, report: &Report<'_>) {
    if report.metrics.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Quality</h2>\n<table>\n<tr><th></th><th class=\"number\">samples</th><th class=\"number\">PSNR (dB)</th>\
         <th class=\"number\">RMSE</th><th class=\"number\">largest error</th></tr>\n",
    );
    let number = "<td class=\"number\">";
    for (name, metrics) in report.metrics {
        for (k, output) in metrics.outputs.iter().enumerate() {
            let of = match &metrics.outputs[..] {
                [_] => String::new(),
                _ => format!(": {}", report.dataset.output_names[k]),
            };
            let unit = report.dataset.output_units.get(k).filter(|unit| !unit.is_empty());
            let unit = unit.map_or(String::new(), |unit| format!(" {}", escape(unit)));
            add(
                page,
                format_args!(
                    "<tr><th>{}{}</th>{number}{}</td>{number}{:.2}</td>{number}{}{unit}</td>{number}{}{unit}</td></tr>\n",
                    escape(name),
                    escape(&of),
                    metrics.samples,
                    output.psnr_db,
                    short(output.rmse),
                    short(output.max_abs_error),
                ),
            );
        }
    }
    page.push_str(
        "</table>\n<p>PSNR is relative to the range of the output in the data; the errors are in the data's units. Trust the figures of \
         held-out samples for values between the samples; those of trained samples say how well the data are stored.</p>\n",
    );
}
