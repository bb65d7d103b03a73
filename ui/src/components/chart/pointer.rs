//! Hover, drag and keyboard selection in the chart.

use super::plot::Plot;
use crate::api::Moment;
use dioxus::prelude::*;

/// A pointer that moves by fewer pixels has not dragged.
const MIN_DRAG_PX: f64 = 8.0;

/// What the pointer or the keys have selected.
#[derive(Clone, Copy)]
pub(super) struct PointerState {
    /// The index of the selected point.
    pub(super) selected: Signal<Option<usize>>,
    /// The start and the end of the dragged range, in pixels.
    pub(super) drag: Signal<Option<(f64, f64)>>,
}

impl PointerState {
    pub(super) fn use_state() -> Self {
        Self {
            selected: use_signal(|| None),
            drag: use_signal(|| None),
        }
    }

    pub(super) fn select(mut self, index: Option<usize>) {
        if *self.selected.peek() != index {
            self.selected.set(index);
        }
    }

    pub(super) fn set_drag(mut self, range: Option<(f64, f64)>) {
        if *self.drag.peek() != range {
            self.drag.set(range);
        }
    }

    /// Selects the point nearest to `x`, and extends the drag.
    pub(super) fn move_to(self, plot: &Plot, x: f64) {
        self.select(plot.nearest(x));
        let drag = *self.drag.peek();
        if let Some((start, _)) = drag {
            self.set_drag(Some((start, plot.scale.clamp(x))));
        }
    }

    /// Ends the drag and returns its range, if it was one.
    pub(super) fn end_drag(self) -> Option<(f64, f64)> {
        let drag = *self.drag.peek();
        self.set_drag(None);
        drag.filter(is_drag)
    }
}

pub(super) fn is_drag((start, end): &(f64, f64)) -> bool {
    (end - start).abs() >= MIN_DRAG_PX
}

/// Arrow keys, Home and End select a point, Enter zooms in around it, Escape zooms out.
pub(super) fn handle_key(
    event: &KeyboardEvent,
    pointer: PointerState,
    plot: &Plot,
    onzoom: EventHandler<Option<(Moment, Moment)>>,
) {
    let last = plot.points.len().saturating_sub(1);
    let selected = pointer.selected.peek().unwrap_or(last);
    let next = match event.key() {
        Key::ArrowLeft => selected.saturating_sub(1),
        Key::ArrowRight => (selected + 1).min(last),
        Key::Home => 0,
        Key::End => last,
        Key::Enter => {
            let scale = plot.scale;
            let middle = plot
                .points
                .get(selected)
                .map_or(scale.right, |point| scale.x(point.at));
            let quarter = (scale.right - scale.left) / 4.0;
            event.prevent_default();
            pointer.select(None);
            return onzoom.call(Some(scale.range(middle - quarter, middle + quarter)));
        }
        Key::Escape => {
            pointer.set_drag(None);
            return onzoom.call(None);
        }
        _ => return,
    };
    event.prevent_default();
    pointer.select(Some(next));
}
