//! What is noted while one probe is under way: where it stands, where its time went, what came in sight.
//!
//! The client tells its inner moments (name resolved, connected, handshake begun) only to hooks that are shared by
//! all probes. Without a connection pool it polls them in the task of the probe itself, so the record of the probe
//! is a task-local value that the hooks find. Outside of a probe the hooks note nothing.

use chrono::{DateTime, Utc};
use domain::Phases;
use domain::cause::Phase;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use url::{Host, Url};

tokio::task_local! {
    /// The record of the probe that the current task is making.
    pub static EXCHANGE: RefCell<Exchange>;
}

/// The record of one probe over all its hops.
#[derive(Debug, Clone)]
pub struct Exchange {
    started: Instant,
    since: Instant,
    phase: Option<Phase>,
    spent: [Option<Duration>; 5],
    /// Whether the check waits for a free name lookup.
    pub waits_for_lookup: bool,
    /// Status code of the last answer.
    pub code: Option<u16>,
    /// Expiry of the last certificate that was presented.
    pub certificate_expires_at: Option<DateTime<Utc>>,
}

impl Exchange {
    /// Starts the record of one check.
    pub fn start() -> RefCell<Self> {
        let now = Instant::now();
        RefCell::new(Self {
            started: now,
            since: now,
            phase: None,
            spent: [None; 5],
            waits_for_lookup: false,
            code: None,
            certificate_expires_at: None,
        })
    }

    /// Ends the present phase and begins `phase`.
    fn enter(&mut self, phase: Option<Phase>) {
        let now = Instant::now();
        if let Some(ended) = self.phase {
            *self.spent[ended as usize].get_or_insert_default() += now - self.since;
        }
        (self.phase, self.since) = (phase, now);
    }

    /// Where the exchange stands; `None` before its first hop.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Closes the record: all time since the start, in milliseconds.
    pub fn close(&mut self) -> u32 {
        self.enter(self.phase);
        milliseconds(self.since - self.started)
    }

    /// Returns the time spent in each phase.
    pub fn phases(&self) -> Phases {
        let spent = |phase: Phase| self.spent[phase as usize].map(milliseconds);
        Phases {
            dns_ms: spent(Phase::Dns),
            connect_ms: spent(Phase::Connect),
            tls_ms: spent(Phase::Tls),
            first_byte_ms: spent(Phase::FirstByte),
        }
    }
}

/// Begins a hop to `url`: with looking its name up, if it has one.
pub fn begin_hop(url: &Url) {
    enter(if matches!(url.host(), Some(Host::Domain(_))) {
        Phase::Dns
    } else {
        Phase::Connect
    });
}

/// Notes that `phase` begins.
pub fn enter(phase: Phase) {
    note(|exchange| exchange.enter(Some(phase)));
}

/// Writes into the record of the current probe, if there is one.
pub fn note(write: impl FnOnce(&mut Exchange)) {
    let _ = EXCHANGE.try_with(|exchange| write(&mut exchange.borrow_mut()));
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
