//! The text of a page in HTML.

use std::fmt::{Arguments, Write};

/// Adds formatted text to a page.
pub(crate) fn add(page: &mut String, text: Arguments<'_>) {
    page.write_fmt(text).expect("writing to a string does not fail");
}

/// Text as it must stand in HTML, in attributes too.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
