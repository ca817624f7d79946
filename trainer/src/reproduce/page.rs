//! The pages of all figures, in the order of the text, and of all applications: pictures inside, nothing loaded from elsewhere.

use std::fmt::Write;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::error::ReproduceError;
use super::{Claim, Figure, Options, Outcome, Table};
use crate::base::files;
use crate::report::escape;

const CSS: &str = "
body { font: 16px/1.55 system-ui, sans-serif; color: #282828; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .5rem; }
p { max-width: 56rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; color: #666; font-size: .9rem; padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem 1.4rem .25rem 0; border-bottom: 1px solid #e1e1e1; vertical-align: top; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figure img { width: 100%; border: 1px solid #e1e1e1; }
figcaption { color: #666; font-size: .9rem; }
.yes { color: #00704f; white-space: nowrap; }
.no { color: #b23b00; font-weight: 600; white-space: nowrap; }
.note { border-left: 4px solid #b23b00; padding-left: 1rem; }
";

/// Figures that are told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// [`Figure::ALL`], in `index.html`.
    Figures,
    /// [`Figure::APPLICATIONS`], in `applications.html`.
    Applications,
}

impl Page {
    /// What is on it.
    #[must_use]
    pub const fn figures(self) -> &'static [Figure] {
        match self {
            Self::Figures => &Figure::ALL,
            Self::Applications => &Figure::APPLICATIONS,
        }
    }

    /// The file's name.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Figures => "index.html",
            Self::Applications => "applications.html",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Figures => "Fourier features: the figures",
            Self::Applications => "Fourier features: the applications",
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::Figures => {
                "Why a network of coordinates learns only the slow parts of a signal, and what Fourier features change: the figures of \
                 Tancik et al. (2020), computed anew"
            }
            Self::Applications => {
                "What Fourier features made possible: scenes from pictures, a protein from noisy projections, and the inverse problems \
                 of Tancik et al. (2020), each by one small network that a microcontroller evaluates; computed anew"
            }
        }
    }

    /// Writes the page into `out`, the outcomes in the order given.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(self, out: &Path, options: Options, outcomes: &[Outcome]) -> Result<(), ReproduceError> {
        files::write(&out.join(self.file()), self.html(options, outcomes).as_bytes())?;
        Ok(())
    }

    fn html(self, options: Options, outcomes: &[Outcome]) -> String {
        let title = self.title();
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        let settings = if options.quick { "quick settings" } else { "full settings" };
        add(&mut page, format_args!("<p>{} with {settings}, seed {}.</p>\n", self.lead(), options.seed));
        contradictions(&mut page, outcomes);
        for outcome in outcomes {
            section(&mut page, outcome);
        }
        page.push_str("</body>\n</html>\n");
        page
    }
}

/// What does not hold comes first.
fn contradictions(page: &mut String, outcomes: &[Outcome]) {
    let failed: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| outcome.told.claims.iter().filter(|claim| !claim.holds).map(move |claim| (outcome, claim)))
        .collect();
    if failed.is_empty() {
        page.push_str("<p>Every statement that is checked below holds.</p>\n");
        return;
    }
    page.push_str("<div class=\"note\"><p>What does not come out as stated:</p>\n<ul>\n");
    for (outcome, claim) in failed {
        add(
            page,
            format_args!(
                "<li><a href=\"#{}\">{}</a>: {}. Here: {}.</li>\n",
                outcome.told.figure.name(),
                outcome.told.figure.name(),
                escape(&claim.statement),
                escape(&claim.measured)
            ),
        );
    }
    page.push_str("</ul></div>\n");
}

fn section(page: &mut String, outcome: &Outcome) {
    let (told, name) = (&outcome.told, outcome.told.figure.name());
    add(page, format_args!("<h2 id=\"{name}\">{}</h2>\n", escape(&told.title)));
    for paragraph in &told.text {
        add(page, format_args!("<p>{}</p>\n", escape(paragraph)));
    }
    let data = BASE64_STANDARD.encode(&outcome.png);
    add(
        page,
        format_args!(
            "<figure><img alt=\"{name}\" src=\"data:image/png;base64,{data}\"><figcaption>{} <a href=\"{name}.svg\">SVG</a>, \
             <a href=\"{name}.json\">numbers</a>{}.</figcaption></figure>\n",
            escape(&told.caption),
            outcome.seconds.map_or_else(String::new, |seconds| format!("; {seconds:.0} s"))
        ),
    );
    for table in &told.tables {
        numbers(page, table);
    }
    claims(page, &told.claims);
}

fn numbers(page: &mut String, table: &Table) {
    add(page, format_args!("<table><caption>{}</caption>\n<tr>", escape(&table.caption)));
    for head in &table.head {
        add(page, format_args!("<th>{}</th>", escape(head)));
    }
    page.push_str("</tr>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        for cell in row {
            add(page, format_args!("<td>{}</td>", escape(cell)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
}

fn claims(page: &mut String, claims: &[Claim]) {
    page.push_str("<table><tr><th>statement</th><th>here</th><th></th></tr>\n");
    for claim in claims {
        let (class, verdict) = if claim.holds { ("yes", "holds") } else { ("no", "does not hold") };
        add(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{verdict}</td></tr>\n",
                escape(&claim.statement),
                escape(&claim.measured)
            ),
        );
    }
    page.push_str("</table>\n");
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::super::Told;
    use super::*;

    #[test]
    fn what_fails_is_called_out_and_text_is_escaped() {
        let told = Told {
            figure: Figure::Encodings,
            options: Options { quick: true, seed: 3 },
            title: "T".to_owned(),
            text: Vec::new(),
            caption: String::new(),
            claims: vec![Claim::new("a < b", "b & a", false), Claim::new("c", "c", true)],
            tables: Vec::new(),
            numbers: serde_json::Value::Null,
        };
        let outcome = Outcome { told, png: vec![1, 2, 3], seconds: Some(1.0) };
        let page = Page::Figures.html(Options { quick: true, seed: 3 }, &[outcome]);
        assert!(page.contains("a &lt; b. Here: b &amp; a.") && page.contains("does not come out as stated"));
        assert!(page.contains("href=\"encodings.svg\"") && !page.contains("http"));
    }
}
