//! Event listeners of the window and the document.

use super::global::{document, window};
use crate::browser::key::Key;
use js_sys::Function;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, KeyboardEvent, MouseEvent};

/// Calls `moved` with the pointer's position, in percent of the window's width, until the button is
/// released, then `done`.
pub(crate) fn drag(mut moved: impl FnMut(i32) + 'static, done: impl FnOnce() + 'static) {
    let moves = listen_to(window().into(), "pointermove", move |event| {
        let (Ok(event), Some(width)) =
            (event.dyn_into::<MouseEvent>(), window().inner_width().ok())
        else {
            return;
        };
        #[allow(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        moved(
            (f64::from(event.client_x()) * 100.0 / width.as_f64().unwrap_or(1.0).max(1.0)) as i32,
        );
    });
    let mut handlers = Some((moves, done));
    let end = Closure::once_into_js(move |_: Event| {
        if let Some((moves, done)) = handlers.take() {
            drop(moves);
            done();
        }
    });
    let once = web_sys::AddEventListenerOptions::new();
    once.set_once(true);
    let end: &Function = end.unchecked_ref();
    let _ = window().add_event_listener_with_callback_and_add_event_listener_options(
        "pointerup",
        end,
        &once,
    );
}

/// An event listener that is removed when dropped.
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    closure: Closure<dyn FnMut(Event)>,
    capture: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback_and_bool(
            self.event,
            function,
            self.capture,
        );
    }
}

pub(super) fn listen_to(
    target: EventTarget,
    event: &'static str,
    handle: impl FnMut(Event) + 'static,
) -> Listener {
    let closure = Closure::<dyn FnMut(Event)>::new(handle);
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    Listener {
        target,
        event,
        closure,
        capture: false,
    }
}

/// Calls `handle` on each `event` of the window.
pub(crate) fn listen(event: &'static str, mut handle: impl FnMut() + 'static) -> Listener {
    listen_to(window().into(), event, move |_| handle())
}

/// Returns whether the browser has a network, as far as it knows.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Calls `handle` when the page is scrolled or resized.
pub(crate) fn listen_viewport(handle: impl FnMut() + 'static) -> [Listener; 2] {
    let handle = std::rc::Rc::new(RefCell::new(handle));
    let again = handle.clone();
    // Scroll events do not bubble, so the document listens in the capture phase.
    let scrolls = Closure::<dyn FnMut(Event)>::new(move |_| handle.borrow_mut()());
    let target: EventTarget = document().into();
    let passive = web_sys::AddEventListenerOptions::new();
    passive.set_capture(true);
    passive.set_passive(true);
    let function = scrolls.as_ref().unchecked_ref();
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        "scroll", function, &passive,
    );
    let scrolls = Listener {
        target,
        event: "scroll",
        closure: scrolls,
        capture: true,
    };
    [
        scrolls,
        listen_to(window().into(), "resize", move |_| again.borrow_mut()()),
    ]
}

/// Calls `handle` with each key, which returns whether it has handled the key.
pub(crate) fn listen_keys(mut handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    listen_to(document().into(), "keydown", move |event| {
        // Browsers that fill in a form send key events without a key.
        let Ok(pressed) = event.dyn_into::<KeyboardEvent>() else {
            return;
        };
        let modified = pressed.ctrl_key() || pressed.alt_key() || pressed.meta_key();
        let command = (pressed.ctrl_key() || pressed.meta_key())
            && !pressed.alt_key()
            && !pressed.shift_key();
        if handle(Key {
            name: pressed.key(),
            modified,
            command,
        }) {
            pressed.prevent_default();
        }
    })
}
