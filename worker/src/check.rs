//! A check: what was found about one service at one moment, by PulseCheck itself or by its vendor.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Outcome, Status, slot, vendor_page};
use monitors::MonitorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use uuid::Uuid;

/// How long one reading of a vendor page covers its followers: the time until the page is fetched
/// again, with jitter, and answers. Twice that, so with one failed poll forgiven, the next good
/// reading has come.
pub(crate) const VENDOR_READING_VALIDITY: TimeDelta = TimeDelta::seconds(76);

/// The target of a check: a service as it was defined when the check began.
#[derive(Debug)]
pub(crate) struct CheckedService {
    pub(crate) id: Uuid,
    /// The short key that its checks carry.
    pub(crate) seq: i32,
    pub(crate) workspace_id: Uuid,
    pub(crate) kind: MonitorKind,
    /// How long one check covers it.
    pub(crate) interval: TimeDelta,
    /// How long after its last check its state is still taken as known.
    pub(crate) coverage_window: TimeDelta,
    pub(crate) thresholds: Thresholds,
    /// Tells one definition from another.
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) settled: SettledSlot,
}

/// The last recorded slot of a service that is settled: up, without a failure or an open incident.
/// Another good check at its next slot changes nothing.
#[derive(Debug)]
pub(crate) struct SettledSlot(AtomicI64);

/// How many checks in a row open and end an incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    pub(crate) confirmations: u32,
    pub(crate) recoveries: u32,
}

impl CheckedService {
    /// A service that PulseCheck probes itself.
    pub(crate) fn probed(
        id: Uuid,
        seq: i32,
        workspace_id: Uuid,
        kind: MonitorKind,
        interval: TimeDelta,
        thresholds: Thresholds,
        updated_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            seq,
            workspace_id,
            kind,
            interval,
            coverage_window: slot::coverage_window(interval),
            thresholds,
            updated_at,
            settled: SettledSlot::default(),
        }
    }

    /// A service that follows a vendor page. A report needs no confirmation and is valid for as long
    /// as the page's reading.
    pub(crate) fn followed(
        id: Uuid,
        seq: i32,
        workspace_id: Uuid,
        kind: MonitorKind,
        recoveries: u32,
        updated_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            seq,
            workspace_id,
            kind,
            interval: VENDOR_READING_VALIDITY,
            coverage_window: vendor_page::UNKNOWN_AFTER + VENDOR_READING_VALIDITY,
            thresholds: Thresholds {
                confirmations: 1,
                recoveries,
            },
            updated_at,
            settled: SettledSlot::default(),
        }
    }

    /// How long one check covers it, in seconds.
    pub(crate) fn interval_seconds(&self) -> i32 {
        i32::try_from(self.interval.num_seconds()).unwrap_or(i32::MAX)
    }
}

impl Default for SettledSlot {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl SettledSlot {
    /// Notes that the service is settled at `slot`, or that it is not.
    pub(crate) fn set(&self, slot: Option<DateTime<Utc>>) {
        self.0.store(
            slot.map_or(i64::MIN, |slot| slot.timestamp_millis()),
            Relaxed,
        );
    }

    fn get(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0.load(Relaxed))
    }
}

/// One check of a service.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) service: Arc<CheckedService>,
    pub(crate) slot: DateTime<Utc>,
    /// When it was really made.
    pub(crate) at: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    pub(crate) vendor: VendorReport,
}

impl Check {
    /// Whether the check is expected to change nothing: the service is settled, was found up again,
    /// and nobody asked for this check.
    ///
    /// A longer gap than one interval means that another worker may have recorded a change since. A
    /// check that somebody asked for, or that was put off, is not at a regular slot.
    pub(crate) fn is_routine(&self) -> bool {
        let CheckedService { id, interval, .. } = *self.service;
        self.outcome.status == Status::Up
            && self
                .service
                .settled
                .get()
                .is_some_and(|settled| self.slot - settled <= interval)
            && slot::slot_at(id, interval, self.slot) == self.slot
    }
}

/// What a vendor page adds to the status; empty for services that PulseCheck probes itself.
#[derive(Debug, Default)]
pub(crate) struct VendorReport {
    /// Nothing new was learned: the state stays as it is for now.
    pub(crate) carry_forward: bool,
    /// Some followed components have unknown status. An open incident stays open, because it may
    /// belong to one of them.
    pub(crate) has_unknown_components: bool,
    /// Replaces the outcome's own message, even for a service that is up.
    pub(crate) message: Option<String>,
    /// The vendor's incidents that affect the service, by name and link, most important first.
    pub(crate) incidents: Vec<String>,
    /// Entries for the timeline of an open incident.
    pub(crate) notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Cause, Phases};

    const INTERVAL: TimeDelta = TimeDelta::seconds(10);

    fn check(service: &Arc<CheckedService>, slot: DateTime<Utc>, outcome: Outcome) -> Check {
        Check {
            service: Arc::clone(service),
            slot,
            at: slot,
            outcome,
            vendor: VendorReport::default(),
        }
    }

    fn up() -> Outcome {
        Outcome {
            status: Status::Up,
            ..Outcome::without_answer(Cause::ConnectionRefused, Phases::default())
        }
    }

    #[test]
    fn only_a_good_check_at_the_next_slot_of_a_settled_service_is_routine() {
        let id = Uuid::from_u128(7);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let service = Arc::new(CheckedService::probed(
            id,
            1,
            id,
            MonitorKind::ALL[0],
            INTERVAL,
            Thresholds {
                confirmations: 2,
                recoveries: 1,
            },
            now,
        ));
        let slot = slot::slot_at(id, INTERVAL, now);
        let next = slot + INTERVAL;
        assert!(!check(&service, next, up()).is_routine(), "first check");
        service.settled.set(Some(slot));
        assert!(check(&service, next, up()).is_routine());
        let down = Outcome::without_answer(Cause::ConnectionRefused, Phases::default());
        assert!(!check(&service, next, down).is_routine(), "a failure");
        let requested = slot + TimeDelta::seconds(3);
        assert!(!check(&service, requested, up()).is_routine(), "requested");
        let later = next + INTERVAL;
        assert!(!check(&service, later, up()).is_routine(), "after a gap");
        service.settled.set(None);
        assert!(!check(&service, next, up()).is_routine(), "not settled");
    }
}
