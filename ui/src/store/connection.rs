//! Whether the state on the screen is current.

use super::root_signal;
use crate::api::Moment;
use dioxus::prelude::*;

/// The live connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The first attempt is in progress.
    Connecting,
    Live,
    /// Lost at this time.
    Lost(Moment),
}

#[derive(Clone, Copy)]
pub struct ConnectionStore {
    pub state: Signal<Connection>,
    /// When the state on the screen was cached, if it comes from the service worker's cache.
    pub cached_since: Signal<Option<Moment>>,
    /// Grows when queries have to be sent again, because updates may have been missed.
    pub refetch_generation: Signal<u32>,
}

impl ConnectionStore {
    pub(super) fn new() -> Self {
        Self {
            state: root_signal(Connection::Connecting),
            cached_since: root_signal(None),
            refetch_generation: root_signal(0),
        }
    }
}
