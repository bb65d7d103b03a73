//! What is known about services, incidents and the connection, each thing once.
//!
//! Queries fill it and subscriptions update it; pages only read. Every service has signals of its own, so that one
//! update redraws one row. Knows nothing of pages.

mod announce;
mod deeds;
mod fill;
mod load;
mod notices;
mod summary;
#[cfg(test)]
mod tests;
mod wish;

pub(crate) use announce::NOTIFY;
pub use deeds::{Deed, check_now};
pub use load::{load, load_days, load_uptimes};
pub use notices::{Notice, Offer, Tone};
pub use summary::{Listed, Summary};

use crate::{
    api::{Current, History, Incident, Me, Moment, OpenIncident, Problem, Service},
    browser,
};
use dioxus::prelude::*;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};
use uuid::Uuid;
use wish::{Turns, Wished};

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
    /// Its uptime over 30 days in percent; `None` until asked for, or when nothing was watched.
    pub uptime: Signal<Option<f64>>,
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
    /// The counts over all of them.
    pub summary: Memo<Summary>,
    /// The mean uptime over 30 days of those that are looked at, in percent.
    pub overall: Memo<Option<f64>>,
    /// Incidents that were seen, by id.
    pub incidents: Signal<HashMap<Uuid, Incident>>,
    /// The open incident of each service that has one.
    pub open: Signal<BTreeMap<Uuid, OpenIncident>>,
    /// The live connection.
    pub connection: Signal<Connection>,
    /// When what is shown was kept, if it comes from what this browser keeps for times without a connection.
    pub kept: Signal<Option<Moment>>,
    /// Grows when pages must ask anew, because updates may have been missed.
    pub epoch: Signal<u32>,
    /// Grows when times are to be written in another zone or language.
    pub zone: Signal<u32>,
    /// The time, to the second.
    pub clock: Signal<Moment>,
    /// What is to be told for a moment.
    pub notices: Signal<Vec<Notice>>,
    /// The last change of status in words, for those who do not see it.
    pub announcement: Signal<String>,
    entries: Signal<HashMap<Uuid, Entry>>,
    uptimes: Signal<u32>,
    /// The services whose days were asked for lately.
    /// Grows when it is asked anew who is there.
    pub(crate) identifying: Signal<u32>,
    days_known: CopyValue<HashSet<Uuid>>,
    /// Grows when all days are to be asked for again.
    pub(crate) days_round: Signal<u32>,
    wishes: Signal<HashMap<Uuid, Wished>>,
    turns: Signal<Turns>,
    regrets: Signal<Vec<(u32, Vec<Uuid>)>>,
    numbers: Signal<u32>,
    unannounced: Signal<Vec<(Uuid, crate::api::Status)>>,
}

impl Store {
    /// An empty store whose signals live as long as the program.
    #[must_use]
    pub fn new() -> Self {
        fn signal<T: 'static>(value: T) -> Signal<T> {
            Signal::new_in_scope(value, ScopeId::ROOT)
        }
        let listed = signal(BTreeMap::<Uuid, Listed>::new());
        let entries = signal(HashMap::<Uuid, Entry>::new());
        let uptimes = signal(0);
        let mean = move || {
            let _ = uptimes.read();
            let (entries, listed) = (entries.peek(), listed.read());
            let watched = listed.iter().filter(|(_, service)| !service.paused);
            let known = watched.filter_map(|(id, _)| *entries.get(id)?.uptime.peek());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), percent| {
                (sum + percent, count + 1.0)
            });
            (count > 0.0).then(|| sum / count)
        };
        Self {
            session: signal(Session::Asking),
            loading: signal(Loading::Waiting),
            listed,
            summary: Memo::new(move || Summary::of(listed.read().values())),
            overall: Memo::new(mean),
            incidents: signal(HashMap::new()),
            open: signal(BTreeMap::new()),
            connection: signal(Connection::Connecting),
            kept: signal(None),
            epoch: signal(0),
            zone: signal(0),
            clock: signal(browser::now()),
            notices: signal(Vec::new()),
            announcement: signal(String::new()),
            entries,
            uptimes,
            identifying: signal(0),
            days_known: CopyValue::new_in_scope(HashSet::new(), ScopeId::ROOT),
            days_round: signal(0),
            wishes: signal(HashMap::new()),
            turns: signal(Turns::default()),
            regrets: signal(Vec::new()),
            numbers: signal(0),
            unannounced: signal(Vec::new()),
        }
    }

    /// The signals of one service; `None` when it is not (or no longer) in the list. Does not subscribe.
    #[must_use]
    pub fn entry(&self, id: Uuid) -> Option<Entry> {
        self.entries.peek().get(&id).copied()
    }

    /// Whether there is no service at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let summary = self.summary.read();
        summary.total + summary.paused == 0
    }

    /// The categories in use, in the order of the alphabet.
    #[must_use]
    pub fn categories(&self) -> Vec<String> {
        let mut categories: Vec<_> = self
            .listed
            .read()
            .values()
            .filter_map(|listed| listed.category.clone())
            .collect();
        categories.sort_by_key(|category| browser::lowercase(category));
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

impl Store {
    /// A number that was not given before.
    fn next_number(mut self) -> u32 {
        self.numbers += 1;
        *self.numbers.peek()
    }
}

/// Writes only what differs, because every write redraws.
fn put<T: PartialEq + 'static>(mut signal: Signal<T>, value: T) {
    if *signal.peek() != value {
        signal.set(value);
    }
}
