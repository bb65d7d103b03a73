//! What is known about services, incidents and the connection, each thing once.
//!
//! Queries fill it and subscriptions update it; pages only read. Every service has signals of its own, so that one
//! update redraws one row. Knows nothing of pages.

mod actions;
mod fill;
mod notices;
mod summary;
#[cfg(test)]
mod tests;

pub use actions::{check_now, delete, load, load_histories, pause, resume};
pub use notices::{Notice, Tone};
pub use summary::{Listed, Summary};

use crate::{
    api::{Current, History, Incident, Me, Moment, OpenIncident, Problem, Service},
    browser,
};
use dioxus::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};
use uuid::Uuid;

/// Who sits before the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Session {
    /// Not known yet.
    Asking,
    /// The server does not answer.
    Unreachable(Problem),
    /// Nobody.
    SignedOut,
    /// Somebody.
    SignedIn(Me),
}

/// How far the list of services has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Loading {
    /// Never seen.
    Waiting,
    /// Here, and kept current.
    Ready,
    /// Never seen, and the last attempt failed.
    Failed(Problem),
}

/// The live connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The first attempt is under way.
    Connecting,
    /// What is shown is current.
    Live,
    /// Nothing has arrived since then.
    Lost(Moment),
}

/// The signals of one service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The service's id.
    pub id: Uuid,
    /// Its definition; `current` and `open_incident` in it are always empty, they have places of their own.
    pub service: Signal<Rc<Service>>,
    /// What the last check found; `None` before the first.
    pub current: Signal<Option<Current>>,
    /// Its last 30 days; `None` until asked for.
    pub history: Signal<Option<Rc<History>>>,
    /// Grows at each change of status that arrives live.
    pub flips: Signal<u32>,
}

/// Everything that pages show. Cheap to copy: it holds signals.
#[derive(Clone, Copy)]
pub struct Store {
    /// Who is signed in.
    pub session: Signal<Session>,
    /// How far the list of services has come.
    pub loading: Signal<Loading>,
    /// What lists are filtered, sorted, grouped and counted by. Changes when a definition or a status does, not at every check.
    pub listed: Signal<BTreeMap<Uuid, Listed>>,
    /// Incidents that were seen, by id.
    pub incidents: Signal<HashMap<Uuid, Incident>>,
    /// The open incident of each service that has one.
    pub open: Signal<BTreeMap<Uuid, OpenIncident>>,
    /// The live connection.
    pub connection: Signal<Connection>,
    /// Grows when pages must ask anew, because updates may have been missed.
    pub epoch: Signal<u32>,
    /// The time, to the second.
    pub clock: Signal<Moment>,
    /// What is to be told for a moment.
    pub notices: Signal<Vec<Notice>>,
    /// The last change of status in words, for those who do not see it.
    pub announcement: Signal<String>,
    entries: Signal<HashMap<Uuid, Entry>>,
    unannounced: Signal<Vec<(Uuid, crate::api::Status)>>,
}

impl Store {
    /// An empty store whose signals live as long as the program.
    #[must_use]
    pub fn new() -> Self {
        fn signal<T: 'static>(value: T) -> Signal<T> {
            Signal::new_in_scope(value, ScopeId::ROOT)
        }
        Self {
            session: signal(Session::Asking),
            loading: signal(Loading::Waiting),
            listed: signal(BTreeMap::new()),
            incidents: signal(HashMap::new()),
            open: signal(BTreeMap::new()),
            connection: signal(Connection::Connecting),
            epoch: signal(0),
            clock: signal(browser::now()),
            notices: signal(Vec::new()),
            announcement: signal(String::new()),
            entries: signal(HashMap::new()),
            unannounced: signal(Vec::new()),
        }
    }

    /// The signals of one service; `None` when it is not (or no longer) in the list. Does not subscribe.
    #[must_use]
    pub fn entry(&self, id: Uuid) -> Option<Entry> {
        self.entries.peek().get(&id).copied()
    }

    /// The categories in use, in the order of the alphabet.
    #[must_use]
    pub fn categories(&self) -> Vec<String> {
        let mut categories: Vec<_> = self.listed.read().values().filter_map(|listed| listed.category.clone()).collect();
        categories.sort_by_key(|category| category.to_lowercase());
        categories.dedup();
        categories
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// The store of this program.
#[must_use]
pub fn use_store() -> Store {
    use_context::<Store>()
}

/// Writes only what differs, because every write redraws.
fn put<T: PartialEq + 'static>(mut signal: Signal<T>, value: T) {
    if *signal.peek() != value {
        signal.set(value);
    }
}
