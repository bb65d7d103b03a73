//! The state that pages share. Queries fill it, subscriptions update it, pages read it.
//!
//! One struct per concern, each holding signals. Every service has signals of its own, so that one
//! update redraws one row. Knows nothing of pages.

mod actions;
mod announcer;
mod connection;
mod dispatch;
mod histories;
mod incidents;
mod loading;
mod mutation_queue;
mod optimistic;
mod services;
mod session;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod toasts;
mod updates;

pub use actions::ServiceAction;
pub use announcer::Announcer;
pub(crate) use announcer::DESKTOP_NOTIFICATIONS;
pub use connection::{Connection, ConnectionStore};
pub use dispatch::check_now;
pub use histories::HistoryStore;
pub use incidents::IncidentStore;
pub use loading::{load_histories, load_services, load_uptimes};
pub use services::{Entry, Loading, ServiceStore};
pub use session::{Session, SessionStore};
pub use summary::{ListedService, Summary};
pub use toasts::{Toast, ToastAction, ToastKind, ToastStore};

use crate::{api::Moment, browser};
use dioxus::prelude::*;
use mutation_queue::MutationQueue;
use optimistic::PendingChanges;
use uuid::Uuid;

/// Everything that pages show. Cheap to copy: it holds signals that live as long as the program.
#[derive(Clone, Copy)]
pub struct Store {
    pub session: SessionStore,
    pub services: ServiceStore,
    pub histories: HistoryStore,
    pub incidents: IncidentStore,
    pub connection: ConnectionStore,
    pub toasts: ToastStore,
    pub announcer: Announcer,
    /// The time, to the second.
    pub clock: Signal<Moment>,
    /// Grows when the time zone or the language of dates changes.
    pub zone_revision: Signal<u32>,
    pending: Signal<PendingChanges>,
    mutations: Signal<MutationQueue>,
    pending_deletions: Signal<Vec<(u32, Vec<Uuid>)>>,
    last_change_id: Signal<u32>,
}

impl Store {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            session: SessionStore::new(),
            services: ServiceStore::new(),
            histories: HistoryStore::new(),
            incidents: IncidentStore::new(),
            connection: ConnectionStore::new(),
            toasts: ToastStore::new(),
            announcer: Announcer::new(),
            clock: root_signal(browser::now()),
            zone_revision: root_signal(0),
            pending: root_signal(PendingChanges::default()),
            mutations: root_signal(MutationQueue::default()),
            pending_deletions: root_signal(Vec::new()),
            last_change_id: root_signal(0),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the program's store.
#[must_use]
pub fn use_store() -> Store {
    use_context::<Store>()
}

/// Creates a signal that lives as long as the program.
fn root_signal<T: 'static>(value: T) -> Signal<T> {
    Signal::new_in_scope(value, ScopeId::ROOT)
}

/// Writes `value` only if it differs, because every write redraws.
fn set_if_changed<T: PartialEq + 'static>(mut signal: Signal<T>, value: T) {
    if *signal.peek() != value {
        signal.set(value);
    }
}
