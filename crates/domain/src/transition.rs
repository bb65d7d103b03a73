//! How one observation changes what is known about a service: a pure function and its state.

use crate::{IncidentType, Status};
use chrono::{DateTime, Duration, Utc};

/// What is known about a service, and what is suspected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The confirmed status.
    pub status: Status,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last slot that was recorded; slots only grow.
    pub last_slot: Option<DateTime<Utc>>,
    /// The failures in a row up to now; `None` when the last check did not fail.
    pub failing: Option<Failing>,
    /// The good checks in a row since the last failure, while they are too few to end the open
    /// incident.
    pub recovering: Option<Recovering>,
    /// The open incident's type.
    pub incident: Option<IncidentType>,
}

/// Failed checks in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// How many were degraded or down.
    pub checks: u32,
    /// When the first of them was made.
    pub since: DateTime<Utc>,
    /// How many at the end of the row were down.
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

/// One check, as far as the transition cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The slot that the check stands for.
    pub slot: DateTime<Utc>,
    /// When it was really made.
    pub at: DateTime<Utc>,
    /// What it found.
    pub status: Status,
}

/// How hard it is to convince.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many checks in a row must fail before it counts; 1 or more.
    pub confirmations: u32,
    /// How many checks in a row must be good before an incident is over; 1 or more.
    pub recoveries: u32,
    /// After how long without a check nothing is known any more: [`crate::slot::coverage_window`].
    pub coverage_window: Duration,
}

/// What has to follow from a transition, in order.
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
    /// The open downtime's service answers again, but slowly.
    Improved { at: DateTime<Utc> },
    /// The open downtime's service is down again, after it was eased or unknown.
    Regressed { at: DateTime<Utc> },
    /// The open incident is over.
    Resolved { at: DateTime<Utc>, by: Status },
}

/// The result of [`advance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What is known now.
    pub state: State,
    /// What has to follow.
    pub effects: Vec<Effect>,
    /// The check found something worse than is confirmed: check again at once.
    pub confirm: bool,
}

/// Whether the last `checks` checks in a row, of which the last `down_checks` were down, saw something worse than the
/// `confirmed` status: then somebody has to look again at once.
#[must_use]
pub const fn is_suspect(confirmed: Status, checks: u32, down_checks: u32) -> bool {
    match confirmed {
        Status::Down => false,
        Status::Degraded => down_checks > 0,
        _ => checks > 0,
    }
}

impl State {
    /// Whether the last check saw something worse than is confirmed: see [`is_suspect`].
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.failing
            .is_some_and(|failing| is_suspect(self.status, failing.checks, failing.down_checks))
    }

    /// A service that was never checked.
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

    /// The state when checking stops by the user's wish: nothing is known any more, and an open incident is over,
    /// because nobody would see its end.
    #[must_use]
    pub fn paused(&self, at: DateTime<Utc>) -> (Self, Vec<Effect>) {
        let mut effects = changed(self.status, Status::Unknown);
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

/// Applies one observation. `None` when its slot, or a later one, was recorded before: a late duplicate changes nothing.
///
/// - Good news, and news no worse than what is confirmed, count at once; anything worse must be seen
///   `policy.confirmations` times in a row, and counts from the first of them.
/// - An open incident ends after `policy.recoveries` good checks in a row, and the recovery counts
///   from the first of them. An unknown result neither adds to them nor interrupts them.
/// - One incident spans everything from the first confirmed failure to the recovery: degraded to down escalates it.
/// - `Unknown` neither opens nor ends an incident.
/// - After a gap longer than the coverage window nothing is taken as confirmed, but for an open incident.
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
    let failing = failing(state.failing.filter(|_| !gap), seen);
    let recovering = recovering(state, seen);
    let recovers = recovering.is_none_or(|run| run.checks >= policy.recoveries.max(1));
    let (status, confirm) = if recovers {
        judge(known, seen.status, failing, policy.confirmations.max(1))
    } else if seen.status == Status::Unknown {
        (Status::Unknown, false)
    } else {
        (known, false)
    };

    // A recovery counts from the first good check of its run.
    let good_since = match recovering {
        Some(run) if recovers => run.since,
        _ => seen.at,
    };
    let since = if status == known && !gap {
        state.since
    } else {
        begin(status, known, failing, good_since.max(state.since))
    };
    let mut effects = changed(known, status);
    let recovered_at = recovers.then_some(good_since);
    let incident = follow(
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

/// The run of good checks that may end the open incident.
fn recovering(state: &State, seen: &Observation) -> Option<Recovering> {
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

fn failing(before: Option<Failing>, seen: &Observation) -> Option<Failing> {
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

/// The status that is confirmed now, and whether the observation asks for another look.
fn judge(
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

/// When a status that was just confirmed began.
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

/// The incident that is open afterwards, and what happened to it.
fn follow(
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

fn changed(from: Status, to: Status) -> Vec<Effect> {
    if from == to {
        Vec::new()
    } else {
        vec![Effect::Changed { from, to }]
    }
}

#[cfg(test)]
mod tests;
