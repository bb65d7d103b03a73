//! State machine of a service's status: how one check changes status and incident. Pure.

use crate::status::{IncidentType, Status};
use chrono::{DateTime, Duration, Utc};

/// Confirmed status of a service, and the failures or recoveries being counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The confirmed status.
    pub status: Status,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last recorded slot; slots only increase.
    pub last_slot: Option<DateTime<Utc>>,
    /// The current run of failures; `None` if the last check did not fail.
    pub failing: Option<Failing>,
    /// The current run of good checks, while it is too short to end the open incident.
    pub recovering: Option<Recovering>,
    /// The open incident's type.
    pub incident: Option<IncidentType>,
}

/// Failed checks in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// Number of checks that were degraded or down.
    pub checks: u32,
    /// When the first of them was made.
    pub since: DateTime<Utc>,
    /// Number of checks at the end of the run that were down.
    pub down_checks: u32,
    /// When the first of those was made; means nothing while `down_checks` is 0.
    pub down_since: DateTime<Utc>,
}

/// Good checks in a row while an incident is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovering {
    /// How many there were.
    pub checks: u32,
    /// When the first of them was made.
    pub since: DateTime<Utc>,
}

/// The part of a check that a transition depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The scheduled slot of the check.
    pub slot: DateTime<Utc>,
    /// When it was actually made.
    pub at: DateTime<Utc>,
    /// What it found.
    pub status: Status,
}

/// Thresholds for changing the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Number of failed checks in a row that confirm a failure; 1 or more.
    pub confirmations: u32,
    /// Number of good checks in a row that end an incident; 1 or more.
    pub recoveries: u32,
    /// Time without a check after which the status is unknown: [`crate::slot::coverage_window`].
    pub coverage_window: Duration,
}

/// Side effect of a transition, to be applied in order.
#[allow(
    missing_docs,
    reason = "the fields are times, statuses and counts as they are named"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The confirmed status changed.
    Changed { from: Status, to: Status },
    /// An incident begins; `checks_failed` checks have failed so far.
    Opened {
        kind: IncidentType,
        started_at: DateTime<Utc>,
        checks_failed: u32,
    },
    /// One more check failed while an incident is open.
    FailedAgain,
    /// The open degradation became a downtime.
    Escalated { at: DateTime<Utc> },
    /// The service of an open downtime responds again, but slowly.
    Improved { at: DateTime<Utc> },
    /// The service of an open downtime is down again, after it had improved or was unknown.
    Regressed { at: DateTime<Utc> },
    /// The open incident ends.
    Resolved { at: DateTime<Utc>, by: Status },
}

/// The result of [`advance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state.
    pub state: State,
    /// Side effects to apply.
    pub effects: Vec<Effect>,
    /// The check was worse than the confirmed status: check again immediately.
    pub confirm: bool,
}

/// Returns whether a run of `checks` failed checks, of which the last `down_checks` were down, is
/// worse than the `confirmed` status. If so, the service is checked again immediately.
#[must_use]
pub const fn is_suspect(confirmed: Status, checks: u32, down_checks: u32) -> bool {
    match confirmed {
        Status::Down => false,
        Status::Degraded => down_checks > 0,
        _ => checks > 0,
    }
}

impl State {
    /// Returns whether the last check was worse than the confirmed status; see [`is_suspect`].
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.failing
            .is_some_and(|failing| is_suspect(self.status, failing.checks, failing.down_checks))
    }

    /// Creates the state of a service that was never checked.
    #[must_use]
    pub const fn new(created_at: DateTime<Utc>) -> Self {
        Self {
            status: Status::Unknown,
            since: created_at,
            last_slot: None,
            failing: None,
            recovering: None,
            incident: None,
        }
    }

    /// Returns the state after the user paused the service: unknown, with the open incident ended,
    /// because its real end would not be observed.
    #[must_use]
    pub fn paused(&self, at: DateTime<Utc>) -> (Self, Vec<Effect>) {
        let mut effects = status_change(self.status, Status::Unknown);
        if self.incident.is_some() {
            effects.push(Effect::Resolved {
                at,
                by: Status::Unknown,
            });
        }
        let since = if self.status == Status::Unknown {
            self.since
        } else {
            at
        };
        (
            Self {
                status: Status::Unknown,
                since,
                last_slot: self.last_slot,
                failing: None,
                recovering: None,
                incident: None,
            },
            effects,
        )
    }
}

/// Applies one check. Returns `None` if its slot or a later one is already recorded.
///
/// - A status no worse than the confirmed one is confirmed immediately. A worse one needs
///   `policy.confirmations` checks in a row, and starts at the first of them.
/// - An open incident ends after `policy.recoveries` good checks in a row, and the recovery
///   starts at the first of them. An unknown result neither adds to them nor interrupts them.
/// - One incident spans everything from the first confirmed failure to the recovery: degraded to down escalates it.
/// - `Unknown` neither opens nor ends an incident.
/// - After a gap longer than the coverage window the old status counts as unknown;
///   an open incident stays open.
#[must_use]
pub fn advance(state: &State, seen: &Observation, policy: &Policy) -> Option<Transition> {
    if state.last_slot.is_some_and(|last| seen.slot <= last) {
        return None;
    }
    let gap = state.incident.is_none()
        && state
            .last_slot
            .is_some_and(|last| seen.slot - last > policy.coverage_window);
    let known = if gap { Status::Unknown } else { state.status };
    let failing = next_failing(state.failing.filter(|_| !gap), seen);
    let recovering = next_recovering(state, seen);
    let recovers = recovering.is_none_or(|run| run.checks >= policy.recoveries.max(1));
    let (status, confirm) = if recovers {
        confirm_status(known, seen.status, failing, policy.confirmations.max(1))
    } else if seen.status == Status::Unknown {
        (Status::Unknown, false)
    } else {
        (known, false)
    };

    // A recovery starts at the first good check of its run.
    let good_since = match recovering {
        Some(run) if recovers => run.since,
        _ => seen.at,
    };
    let since = if status == known && !gap {
        state.since
    } else {
        begin(status, known, failing, good_since.max(state.since))
    };
    let mut effects = status_change(known, status);
    let recovered_at = recovers.then_some(good_since);
    let incident = update_incident(
        state.incident,
        status,
        since,
        failing,
        seen,
        recovered_at,
        &mut effects,
    );
    Some(Transition {
        state: State {
            status,
            since,
            last_slot: Some(seen.slot),
            failing,
            recovering: recovering.filter(|_| incident.is_some()),
            incident,
        },
        effects,
        confirm,
    })
}

/// Returns the run of good checks that may end the open incident.
fn next_recovering(state: &State, seen: &Observation) -> Option<Recovering> {
    state.incident?;
    match seen.status {
        Status::Up | Status::Maintenance => {
            let before = state.recovering.unwrap_or(Recovering {
                checks: 0,
                since: seen.at,
            });
            Some(Recovering {
                checks: before.checks.saturating_add(1),
                ..before
            })
        }
        Status::Unknown => state.recovering,
        Status::Degraded | Status::Down => None,
    }
}

fn next_failing(before: Option<Failing>, seen: &Observation) -> Option<Failing> {
    if !seen.status.is_failure() {
        return None;
    }
    let before = before.unwrap_or(Failing {
        checks: 0,
        since: seen.at,
        down_checks: 0,
        down_since: seen.at,
    });
    let down = seen.status == Status::Down;
    Some(Failing {
        checks: before.checks.saturating_add(1),
        since: before.since,
        down_checks: if down {
            before.down_checks.saturating_add(1)
        } else {
            0
        },
        down_since: if down && before.down_checks > 0 {
            before.down_since
        } else {
            seen.at
        },
    })
}

/// Returns the confirmed status, and whether the service has to be checked again immediately.
fn confirm_status(
    known: Status,
    seen: Status,
    failing: Option<Failing>,
    confirmations: u32,
) -> (Status, bool) {
    let Some(failing) = failing else {
        return (seen, false);
    };
    match (known, seen) {
        (Status::Down, _) | (Status::Degraded, Status::Degraded) => (seen, false),
        (_, Status::Down) if failing.down_checks >= confirmations => (Status::Down, false),
        _ if failing.checks >= confirmations => (Status::Degraded, seen == Status::Down),
        _ => (known, true),
    }
}

/// Returns when a newly confirmed status started.
fn begin(
    status: Status,
    known: Status,
    failing: Option<Failing>,
    at: DateTime<Utc>,
) -> DateTime<Utc> {
    match (status, failing) {
        (Status::Down, Some(failing)) => failing.down_since,
        (Status::Degraded, Some(failing)) if known != Status::Down => failing.since,
        _ => at,
    }
}

/// Returns the incident that is open afterwards, and the effects on it.
fn update_incident(
    open: Option<IncidentType>,
    status: Status,
    since: DateTime<Utc>,
    failing: Option<Failing>,
    seen: &Observation,
    recovered_at: Option<DateTime<Utc>>,
    effects: &mut Vec<Effect>,
) -> Option<IncidentType> {
    let changed = matches!(effects.first(), Some(Effect::Changed { .. }));
    match (open, IncidentType::of(status)) {
        (None, Some(kind)) => {
            let checks_failed = failing.map_or(1, |failing| failing.checks);
            let started_at = failing.map_or(since, |failing| failing.since);
            effects.push(Effect::Opened {
                kind,
                started_at,
                checks_failed,
            });
            Some(kind)
        }
        (Some(kind), Some(now)) => {
            if failing.is_some() {
                effects.push(Effect::FailedAgain);
            }
            match (kind, now) {
                (IncidentType::Degraded, IncidentType::Downtime) => {
                    effects.push(Effect::Escalated { at: since });
                    Some(IncidentType::Downtime)
                }
                (IncidentType::Downtime, IncidentType::Degraded) if changed => {
                    effects.push(Effect::Improved { at: seen.at });
                    Some(kind)
                }
                (IncidentType::Downtime, IncidentType::Downtime) if changed => {
                    effects.push(Effect::Regressed { at: since });
                    Some(kind)
                }
                _ => Some(kind),
            }
        }
        (open @ Some(_), None) => match (status, recovered_at) {
            (Status::Up | Status::Maintenance, Some(at)) => {
                effects.push(Effect::Resolved { at, by: status });
                None
            }
            _ => {
                if failing.is_some() {
                    effects.push(Effect::FailedAgain);
                }
                open
            }
        },
        (None, None) => None,
    }
}

fn status_change(from: Status, to: Status) -> Vec<Effect> {
    if from == to {
        Vec::new()
    } else {
        vec![Effect::Changed { from, to }]
    }
}

#[cfg(test)]
mod tests;
