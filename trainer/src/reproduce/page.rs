//! The pages: a lesson for readers who know neither the tangent kernel nor Fourier features, then the figures with what
//! is to be seen in them and why, then the results of the checks. Pictures are inside; nothing is loaded from
//! elsewhere.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::error::ReproduceError;
use super::{Claim, Figure, Options, Table, WrittenFigure};
use crate::base::files;
use crate::report::markup::{add, escape};

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
figcaption { color: #666; font-size: .9rem; max-width: 56rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .2rem; }
h3 + p { margin-top: 0; }
nav ul { margin: 0; padding: 0; list-style: none; columns: 2; column-gap: 3rem; max-width: 64rem; }
nav li { break-inside: avoid; padding: .1rem 0; }
ul { max-width: 56rem; }
.formula { margin: .8rem 2rem; font-size: 1.1rem; }
details { margin: 1rem 0; color: #444; }
summary { cursor: pointer; }
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
            Self::Figures => "Fourier features: why they work",
            Self::Applications => "Fourier features: what they are used for",
        }
    }

    /// What a reader should know before the figures, as HTML.
    const fn lesson(self) -> &'static str {
        match self {
            Self::Figures => include_str!("lesson.html"),
            Self::Applications => include_str!("lesson_applications.html"),
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::Figures => {
                "Why does a network of coordinates learn only the rough form of a signal, and why do Fourier features \
                 let it learn the details? This page answers both questions in seven short steps, and then shows the \
                 answers at work in the figures of Tancik et al. (2020)."
            }
            Self::Applications => {
                "What can Fourier features be used for? This page shows a scene from pictures of it, a protein from \
                 noisy projections, and the inverse problems of Tancik et al. (2020). Each is solved by one small \
                 network that a microcontroller can evaluate."
            }
        }
    }

    /// Writes the page into `out`, the figures in the order given.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(self, out: &Path, options: Options, figures: &[WrittenFigure]) -> Result<(), ReproduceError> {
        files::write(&out.join(self.file()), self.html(options, figures).as_bytes())?;
        Ok(())
    }

    fn html(self, options: Options, figures: &[WrittenFigure]) -> String {
        let title = self.title();
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        let settings = if options.quick { "the quick settings" } else { "the full settings" };
        add(
            &mut page,
            format_args!(
                "<p>{} All figures were computed with {settings} and seed {}.</p>\n",
                self.lead(),
                options.seed
            ),
        );
        contents(&mut page, self.lesson(), figures);
        page.push_str(self.lesson());
        for (index, figure) in figures.iter().enumerate() {
            section(&mut page, index + 1, figure);
        }
        checks(&mut page, figures);
        page.push_str(SOURCES);
        page.push_str("</body>\n</html>\n");
        page
    }
}

const SOURCES: &str = "<h2 id=\"sources\">Sources</h2>\n<ul>\n\
<li>A. Jacot, F. Gabriel, C. Hongler (2018): Neural Tangent Kernel: Convergence and Generalization in Neural Networks. \
arXiv 1806.07572. The tangent kernel, and that it stays constant at infinite width.</li>\n\
<li>N. Rahaman et al. (2019): On the Spectral Bias of Neural Networks. arXiv 1806.08734. That networks learn low \
frequencies first.</li>\n\
<li>M. Tancik et al. (2020): Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains. \
arXiv 2006.10739. The mapping γ, its theory, and the figures.</li>\n\
<li>V. Sitzmann et al. (2020): Implicit Neural Representations with Periodic Activation Functions. arXiv 2006.09661. \
Sine layers, and the weights that they start from.</li>\n</ul>\n";

/// Links to the steps of the lesson, which are its headings, and to the figures.
fn contents(page: &mut String, lesson: &str, figures: &[WrittenFigure]) {
    page.push_str("<nav>\n<h3>On this page</h3>\n<ul>\n");
    for heading in lesson.split("<h2 id=\"").skip(1) {
        if let Some((id, rest)) = heading.split_once("\">")
            && let Some((text, _)) = rest.split_once("</h2>")
        {
            add(page, format_args!("<li><a href=\"#{id}\">{text}</a></li>\n"));
        }
    }
    for (index, figure) in figures.iter().enumerate() {
        let (name, title) = (figure.record.figure.name(), escape(&figure.record.content.title));
        add(page, format_args!("<li>Figure {}. <a href=\"#{name}\">{title}</a></li>\n", index + 1));
    }
    page.push_str(
        "<li><a href=\"#checks\">What was checked</a></li>\n<li><a href=\"#sources\">Sources</a></li>\n</ul>\n</nav>\n",
    );
}

fn section(page: &mut String, number: usize, figure: &WrittenFigure) {
    let (content, name) = (&figure.record.content, figure.record.figure.name());
    add(page, format_args!("<h2 id=\"{name}\">Figure {number}. {}</h2>\n", escape(&content.title)));
    let data = BASE64_STANDARD.encode(&figure.png);
    add(
        page,
        format_args!(
            "<figure><img alt=\"{name}\" src=\"data:image/png;base64,{data}\"><figcaption>{} The same as <a \
             href=\"{name}.svg\">SVG</a>, and <a href=\"{name}.json\">its numbers</a>.</figcaption></figure>\n",
            escape(&content.caption),
        ),
    );
    for (heading, texts) in [("What you see", &content.what_you_see), ("Why", &content.why)] {
        if !texts.is_empty() {
            add(page, format_args!("<h3>{heading}</h3>\n"));
            paragraphs(page, texts);
        }
    }
    for table in &content.tables {
        numbers(page, table);
    }
    page.push_str("<details><summary>How it was computed</summary>\n");
    paragraphs(page, &content.method);
    if let Some(seconds) = figure.seconds {
        add(page, format_args!("<p>It took {seconds:.0} s.</p>\n"));
    }
    page.push_str("</details>\n");
}

fn paragraphs(page: &mut String, texts: &[String]) {
    for text in texts {
        add(page, format_args!("<p>{}</p>\n", escape(text)));
    }
}

/// The results of all checks: how many hold, those that do not, and a table for each figure.
fn checks(page: &mut String, figures: &[WrittenFigure]) {
    let each = |figure: &WrittenFigure| figure.record.content.claims.clone().into_iter();
    let (held, failed): (Vec<_>, Vec<_>) = figures.iter().flat_map(each).partition(|claim| claim.holds);
    add(
        page,
        format_args!(
            "<h2 id=\"checks\">What was checked</h2>\n<p>While it drew the figures, the program checked statements of \
             the theory and of the papers against what came out. Of {} statements, {} hold.",
            held.len() + failed.len(),
            held.len()
        ),
    );
    let called_out = if failed.is_empty() { "" } else { " The others are marked below." };
    add(page, format_args!("{called_out}</p>\n"));
    for (index, figure) in figures.iter().enumerate() {
        let (content, name) = (&figure.record.content, figure.record.figure.name());
        let title = escape(&content.title);
        add(page, format_args!("<h3>Figure {}: <a href=\"#{name}\">{title}</a></h3>\n", index + 1));
        claims(page, &content.claims);
    }
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
    page.push_str("<table><tr><th>statement</th><th>what came out</th><th></th></tr>\n");
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

#[cfg(test)]
mod tests {
    use super::super::{FigureContent, FigureRecord};
    use super::*;

    fn figure(figure: Figure, claims: Vec<Claim>) -> WrittenFigure {
        let content = FigureContent {
            title: "A < B".to_owned(),
            what_you_see: vec!["It is seen.".to_owned()],
            why: vec!["There is a reason.".to_owned()],
            method: vec!["So it is made.".to_owned()],
            caption: String::new(),
            claims,
            tables: Vec::new(),
            numbers: serde_json::Value::Null,
        };
        let record = FigureRecord { figure, options: Options { quick: true, seed: 3 }, content };
        WrittenFigure { record, png: vec![1, 2, 3], seconds: Some(1.0) }
    }

    /// Where the first of each of these begins.
    fn order(page: &str, texts: &[&str]) -> Vec<usize> {
        texts.iter().map(|text| page.find(text).unwrap_or_else(|| panic!("no {text}"))).collect()
    }

    #[test]
    fn the_lesson_comes_first_then_the_figures_then_the_checks() {
        let claims = vec![Claim::new("a < b", "b & a", false), Claim::new("c", "c", true)];
        let figures = [figure(Figure::SpectralBias, claims), figure(Figure::Encodings, Vec::new())];
        let page = Page::Figures.html(Options { quick: true, seed: 3 }, &figures);
        let places = order(
            &page,
            &[
                "K(x, x′) =\n⟨∂f(x)/∂θ, ∂f(x′)/∂θ⟩",
                "error(t) = e<sup>−ηλt</sup> · error(0)",
                "<h2 id=\"spectral-bias\">Figure 1. A &lt; B",
                "It is seen.",
                "There is a reason.",
                "So it is made.",
                "<h2 id=\"encodings\">Figure 2.",
                "Of 2 statements, 1 hold",
                "a &lt; b</td><td>b &amp; a</td><td class=\"no\">does not hold",
                "1806.07572",
            ],
        );
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn a_page_is_whole_by_itself() {
        for page in [Page::Figures, Page::Applications] {
            let figures: Vec<_> = page.figures().iter().map(|&name| figure(name, Vec::new())).collect();
            let html = page.html(Options { quick: true, seed: 3 }, &figures);
            for loads in ["http", "src=\"/", "<script", "<link", "url("] {
                assert!(!html.contains(loads), "{loads}");
            }
            // Every link within the page leads to a heading, every other one to a file beside it.
            for link in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let found = link.strip_prefix('#').map(|id| html.contains(&format!("<h2 id=\"{id}\">")));
                assert!(found.unwrap_or(link.ends_with(".svg") || link.ends_with(".json")), "{link}");
            }
            for tag in
                ["p", "h2", "h3", "table", "tr", "td", "th", "ul", "ol", "li", "b", "sub", "sup", "details", "figure"]
            {
                let count = |text: &str| html.matches(text).count();
                let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
                assert_eq!(opened, count(&format!("</{tag}>")), "<{tag}>");
            }
        }
    }
}
