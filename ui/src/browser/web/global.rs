//! The window, and the document in it.

use web_sys::{Document, Window};

pub(super) fn window() -> Window {
    web_sys::window().expect("the program runs in a page")
}

pub(super) fn document() -> Document {
    window().document().expect("a page has a document")
}
