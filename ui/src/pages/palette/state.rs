//! Whether the command palette is open.

use crate::browser;
use dioxus::prelude::*;

/// The id of the palette's dialog.
pub(super) const PALETTE_ID: &str = "palette";

#[derive(Clone, Copy)]
pub(crate) struct PaletteState(Signal<bool>);

impl PaletteState {
    pub(crate) fn new() -> Self {
        Self(Signal::new(false))
    }

    pub(crate) fn is_open(self) -> bool {
        (self.0)()
    }

    pub(crate) fn open(mut self) {
        self.0.set(true);
    }

    pub(super) fn close(mut self) {
        browser::close_dialog(PALETTE_ID);
        self.0.set(false);
    }
}
