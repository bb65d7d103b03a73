//! Toasts: short messages that disappear by themselves, some with an action.

use super::{
    actions::{ServiceAction, UNDO_WINDOW_MS},
    root_signal,
};
use crate::{api::Problem, browser};
use dioxus::{core::spawn_forever, prelude::*};

/// How long a toast is shown: as long as its action can be undone.
const SHOWN_MS: u32 = UNDO_WINDOW_MS;
/// Maximum number of toasts; the oldest make room.
const MAX_TOASTS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToastKind {
    Success,
    Failure,
}

/// What the button of a toast does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToastAction {
    /// Runs the action that undoes the one that the toast reports.
    Undo(ServiceAction),
    /// Reloads the page.
    Reload,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub id: u32,
    pub kind: ToastKind,
    /// One sentence.
    pub text: String,
    pub action: Option<ToastAction>,
}

#[derive(Clone, Copy)]
pub struct ToastStore {
    pub list: Signal<Vec<Toast>>,
    last_id: Signal<u32>,
}

impl ToastStore {
    pub(super) fn new() -> Self {
        Self {
            list: root_signal(Vec::new()),
            last_id: root_signal(0),
        }
    }

    /// Reports a success.
    pub fn success(self, text: impl Into<String>) {
        self.add(ToastKind::Success, text.into(), None);
    }

    /// Reports a failure.
    pub fn failure(self, text: impl Into<String>) {
        self.add(ToastKind::Failure, text.into(), None);
    }

    /// Reports a failed request: `Could not check: …`.
    pub fn problem(self, what: &str, problem: &Problem) {
        self.failure(format!("{what}: {}", problem.message));
    }

    pub fn dismiss(mut self, id: u32) {
        self.list.write().retain(|toast| toast.id != id);
    }

    /// Shows a toast and returns its id.
    pub fn add(mut self, kind: ToastKind, text: String, action: Option<ToastAction>) -> u32 {
        self.last_id += 1;
        let id = *self.last_id.peek();
        // The offer of a newer version stays until it is accepted or dismissed.
        let stays = action == Some(ToastAction::Reload);
        let mut list = self.list.write();
        list.push(Toast {
            id,
            kind,
            text,
            action,
        });
        let excess = list.len().saturating_sub(MAX_TOASTS);
        list.drain(..excess);
        drop(list);
        if !stays {
            spawn_forever(async move {
                browser::sleep(SHOWN_MS).await;
                self.dismiss(id);
            });
        }
        id
    }
}
