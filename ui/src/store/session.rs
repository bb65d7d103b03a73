//! Who is signed in.

use super::root_signal;
use crate::api::{Me, Problem};
use dioxus::prelude::*;

#[derive(Debug, Clone, PartialEq)]
pub enum Session {
    /// Not known yet.
    Loading,
    /// The server does not respond.
    Unreachable(Problem),
    SignedOut,
    SignedIn(Me),
}

#[derive(Clone, Copy)]
pub struct SessionStore {
    pub state: Signal<Session>,
    /// Grows with each attempt to load the session; an older attempt gives up when it has changed.
    pub(crate) load_generation: Signal<u32>,
}

impl SessionStore {
    pub(super) fn new() -> Self {
        Self {
            state: root_signal(Session::Loading),
            load_generation: root_signal(0),
        }
    }

    /// Shows the sign-in page.
    pub fn end(mut self) {
        self.state.set(Session::SignedOut);
    }
}
