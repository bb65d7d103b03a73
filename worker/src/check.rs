//! What was found about one service at one moment, whoever looked: PulseCheck itself, or the service's vendor.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Outcome, slot, vendor_page};
use std::sync::Arc;
use uuid::Uuid;

/// How long one statement of a vendor speaks for a service: the time until its page is asked again with what is added by
/// chance, and until its answer is there. Twice as long as that, which one poll that failed is forgiven, the next good one
/// has come.
pub(crate) const SPEAKS_FOR: TimeDelta = TimeDelta::seconds(76);

/// The longest message that is kept, in characters: parts of it come from the outside.
pub(crate) const MAX_MESSAGE: usize = 500;

/// A service as the recorder knows it, as it is defined at one time.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) id: Uuid,
    /// The key of its checks.
    pub(crate) seq: i32,
    pub(crate) workspace_id: Uuid,
    /// How long one check speaks for it.
    pub(crate) interval: TimeDelta,
    /// After how long without a check nothing is taken as known.
    pub(crate) horizon: TimeDelta,
    pub(crate) confirmations: u32,
    /// Tells one definition from another.
    pub(crate) updated_at: DateTime<Utc>,
}

impl Subject {
    /// A service that PulseCheck itself requests.
    pub(crate) fn requested(
        id: Uuid,
        seq: i32,
        workspace_id: Uuid,
        interval: TimeDelta,
        confirmations: u32,
        updated_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            seq,
            workspace_id,
            interval,
            horizon: slot::horizon(interval),
            confirmations,
            updated_at,
        }
    }

    /// A service whose vendor says how it is: a statement needs no confirmation, and holds for as long as the page does.
    pub(crate) fn followed(
        id: Uuid,
        seq: i32,
        workspace_id: Uuid,
        updated_at: DateTime<Utc>,
    ) -> Self {
        let (interval, horizon) = (SPEAKS_FOR, vendor_page::UNKNOWN_AFTER + SPEAKS_FOR);
        Self {
            id,
            seq,
            workspace_id,
            interval,
            horizon,
            confirmations: 1,
            updated_at,
        }
    }

    /// How long one check speaks for it, in seconds.
    pub(crate) fn interval_seconds(&self) -> i32 {
        i32::try_from(self.interval.num_seconds()).unwrap_or(i32::MAX)
    }
}

/// What one look at a service found.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) subject: Arc<Subject>,
    pub(crate) slot: DateTime<Utc>,
    /// When it was really made.
    pub(crate) at: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    /// What its vendor says besides.
    pub(crate) vendor: VendorWord,
}

/// What a vendor page says besides the status; empty where PulseCheck looked itself.
#[derive(Debug, Default)]
pub(crate) struct VendorWord {
    /// Nothing new was learned, and what is known stays for now.
    pub(crate) held: bool,
    /// Of some of what is followed nothing is known: an open incident may be its, and goes on.
    pub(crate) unsure: bool,
    /// Said instead of the outcome's own message, even of a service that is up.
    pub(crate) remark: Option<String>,
    /// The vendor's incidents that touch the service, each by name and link, the one to be told first.
    pub(crate) incidents: Vec<String>,
    /// What the timeline of an open incident is to say besides.
    pub(crate) notes: Vec<String>,
}
