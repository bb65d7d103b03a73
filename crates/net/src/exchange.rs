//! Records the phases, timings and certificate of one check.
//!
//! The client reports its phases (resolved, connected, handshake started) only to hooks that all
//! checks share. Without a connection pool it polls the hooks in the task of the check, so the record
//! is a task-local value. Outside of a check the hooks do nothing.

use chrono::{DateTime, Utc};
use domain::Phases;
use domain::cause::Phase;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use url::{Host, Url};

tokio::task_local! {
    /// Record of the check that the current task performs.
    pub static EXCHANGE: RefCell<Exchange>;
}

/// Record of one check over all its redirect hops.
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
    /// Whether the server of this hop has presented its certificate.
    pub is_certificate_presented: bool,
    /// Whether that certificate was accepted.
    pub is_certificate_verified: bool,
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
            is_certificate_presented: false,
            is_certificate_verified: false,
        })
    }

    /// Ends the current phase and starts `phase`.
    fn enter(&mut self, phase: Option<Phase>) {
        let now = Instant::now();
        if let Some(ended) = self.phase {
            *self.spent[ended as usize].get_or_insert_default() += now - self.since;
        }
        (self.phase, self.since) = (phase, now);
    }

    /// Returns the current phase; `None` before the first hop.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Ends the record. Returns the total time in milliseconds.
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

/// Starts a hop to `url`, with the DNS phase unless its host is an IP address.
pub fn begin_hop(url: &Url) {
    note(|exchange| {
        exchange.is_certificate_presented = false;
        exchange.is_certificate_verified = false;
    });
    enter(if matches!(url.host(), Some(Host::Domain(_))) {
        Phase::Dns
    } else {
        Phase::Connect
    });
}

/// Records the start of `phase`.
pub fn enter(phase: Phase) {
    note(|exchange| exchange.enter(Some(phase)));
}

/// Updates the record of the current check, if there is one.
pub fn note(write: impl FnOnce(&mut Exchange)) {
    let _ = EXCHANGE.try_with(|exchange| write(&mut exchange.borrow_mut()));
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
