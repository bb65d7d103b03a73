//! The tooltip: one for the program, above everything else.

use dioxus::prelude::*;

/// The content and the position of the tooltip, in pixels of the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Tooltip {
    /// The first line is bold.
    pub lines: Vec<String>,
    /// The horizontal centre of its target.
    pub x: f64,
    /// The upper edge of its target.
    pub y: f64,
}

/// The tooltip that is shown; `None` while there is none.
#[derive(Clone, Copy)]
pub struct TooltipState(Signal<Option<Tooltip>>);

impl TooltipState {
    #[must_use]
    pub fn new() -> Self {
        Self(Signal::new_in_scope(None, ScopeId::ROOT))
    }

    pub fn show(mut self, tooltip: Tooltip) {
        if self.0.peek().as_ref() != Some(&tooltip) {
            self.0.set(Some(tooltip));
        }
    }

    pub fn hide(mut self) {
        if self.0.peek().is_some() {
            self.0.set(None);
        }
    }
}

impl Default for TooltipState {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the program's tooltip.
#[must_use]
pub fn use_tooltip() -> TooltipState {
    use_context::<TooltipState>()
}

#[component]
pub fn TooltipLayer() -> Element {
    let state = use_tooltip().0;
    let tooltip = state.read();
    let Some(Tooltip { lines, x, y }) = &*tooltip else {
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
