//! The one tooltip of the program: beside the pointer, above everything.

use dioxus::prelude::*;

/// What the tooltip says, and where: window coordinates in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Tip {
    /// Its lines, the first of them strong.
    pub lines: Vec<String>,
    /// The middle of what it belongs to.
    pub x: f64,
    /// The upper edge of what it belongs to.
    pub y: f64,
}

/// The tooltip's place; `None` where there is none.
#[derive(Clone, Copy)]
pub struct TipPlace(Signal<Option<Tip>>);

impl TipPlace {
    /// A place without a tooltip.
    #[must_use]
    pub fn new() -> Self {
        Self(Signal::new_in_scope(None, ScopeId::ROOT))
    }

    /// Shows `tip`.
    pub fn show(mut self, tip: Tip) {
        if self.0.peek().as_ref() != Some(&tip) {
            self.0.set(Some(tip));
        }
    }

    /// Shows none.
    pub fn hide(mut self) {
        if self.0.peek().is_some() {
            self.0.set(None);
        }
    }
}

impl Default for TipPlace {
    fn default() -> Self {
        Self::new()
    }
}

/// The tooltip's place.
#[must_use]
pub fn use_tip() -> TipPlace {
    use_context::<TipPlace>()
}

/// Draws the tooltip.
#[component]
pub fn TipLayer() -> Element {
    let tip = use_tip().0;
    let tip = tip.read();
    let Some(Tip { lines, x, y }) = &*tip else {
        return VNode::empty();
    };
    let side = if *x < 140.0 { "tip right" } else { "tip" };
    rsx! {
        div { class: side, role: "tooltip", left: "{x}px", top: "{y}px",
            for line in lines {
                p { key: "{line}", "{line}" }
            }
        }
    }
}
