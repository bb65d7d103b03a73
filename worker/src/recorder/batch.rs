//! Evaluates a batch of checks: applies [`domain::advance`] to each in order and collects the rows
//! to write and the events to publish. No I/O.

use crate::check::{Check, CheckedService};
use chrono::{DateTime, Utc};
use coordination::{CachedStatus, CurrentStatus, Event};
use domain::transition::{Effect, Failing, Recovering, State, Transition};
use domain::{Details, Observation, Outcome, Policy, Status, advance, slot};
use entity::{column, incident};
use incidents::{Evidence, IncidentChanges, IncidentOwner, IncidentProgress, clean_message};
use sea_orm::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// A service as the database has it, changed by the checks of the batch as they are applied.
#[derive(Debug)]
pub(crate) struct StoredService {
    pub(crate) paused: bool,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) state: State,
    pub(crate) incident: Option<incident::Model>,
    /// What the timeline of that incident says so far.
    pub(crate) progress: IncidentProgress,
    /// Index of the check of the batch that was recorded last.
    pub(crate) last_check: Option<usize>,
}

/// The outcome of recording one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordOutcome {
    /// Recorded; `confirm` asks for another check at once.
    Recorded { confirm: bool },
    /// Dropped, because its slot or a later one was recorded before. `suspect` if the recorded state
    /// has a failure that nobody may be about to confirm, because the claim behind it is void.
    Late { suspect: bool },
    /// Dropped, because the service is gone, paused, or was changed since the check began.
    Outdated,
}

/// Everything that follows from a batch of checks.
#[derive(Debug)]
pub(crate) struct BatchTransition<'a> {
    checks: Vec<&'a Check>,
    /// By the services' `seq`.
    services: HashMap<i32, StoredService>,
    /// One for each check, in their order.
    pub(crate) outcomes: Vec<RecordOutcome>,
    pub(crate) incidents: IncidentChanges,
    events: Vec<Event>,
    now: DateTime<Utc>,
    /// Services whose last slot was in the future: the clock was set back.
    pub(crate) rewound: Vec<Uuid>,
    /// Number of slots that passed without a check since the last one of each service.
    pub(crate) missed: u64,
}

impl<'a> BatchTransition<'a> {
    /// Applies `checks` one after another, each to the state that the ones before it left.
    pub(crate) fn evaluate(
        checks: Vec<&'a Check>,
        services: HashMap<i32, StoredService>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut batch = Self {
            outcomes: Vec::with_capacity(checks.len()),
            events: Vec::with_capacity(checks.len()),
            checks,
            services,
            incidents: IncidentChanges::default(),
            now,
            rewound: Vec::new(),
            missed: 0,
        };
        for i in 0..batch.checks.len() {
            let outcome = batch.apply(i, batch.checks[i]);
            batch.outcomes.push(outcome);
        }
        batch
    }

    fn apply(&mut self, i: usize, check: &Check) -> RecordOutcome {
        let service = &check.service;
        let Some(stored) = self.services.get_mut(&service.seq) else {
            return RecordOutcome::Outdated;
        };
        if stored.paused || stored.updated_at != service.updated_at {
            return RecordOutcome::Outdated;
        }
        // `check.at` alone is not enough: the result may have waited for long, while other workers
        // went on recording.
        let now = self.now.max(check.at);
        if stored
            .state
            .last_slot
            .is_some_and(|last| slot::is_in_future(last, now))
        {
            stored.state = rewind_after_clock_jump(&stored.state, check.at);
            self.rewound.push(service.id);
        }
        let Some(Transition {
            state,
            effects,
            confirm,
        }) = transition(&stored.state, check)
        else {
            return RecordOutcome::Late {
                suspect: stored.state.is_suspect(),
            };
        };
        self.missed += missed_slots(stored.state.last_slot, check);
        let before = std::mem::replace(&mut stored.state, state);
        stored.last_check = Some(i);
        let mut previous = before.status;
        for effect in &effects {
            if let Effect::Changed { from, .. } = effect {
                previous = *from;
            }
        }
        self.change_incident(check, &effects);
        let state = &self.services[&service.seq].state;
        self.events.push(Event::StatusChecked {
            workspace_id: service.workspace_id,
            service_id: service.id,
            slot: check.slot,
            previous: Some(previous),
            current: current(state, check),
            changed: previous != state.status,
        });
        RecordOutcome::Recorded { confirm }
    }

    /// Applies the effects, and then what the vendor reports, to the incident of the service.
    fn change_incident(&mut self, check: &Check, effects: &[Effect]) {
        let service = &check.service;
        let Some(stored) = self.services.get_mut(&service.seq) else {
            return;
        };
        let owner = IncidentOwner {
            service_id: service.id,
            workspace_id: service.workspace_id,
        };
        let evidence = Evidence {
            checked_at: check.at,
            outcome: &check.outcome,
            is_confirmed: stored.state.status == check.outcome.status,
            has_renames: !check.vendor.notes.is_empty(),
            vendor_incidents: &check.vendor.incidents,
        };
        let (open, progress) = (&mut stored.incident, &mut stored.progress);
        // Counted last: an escalation gives the new cause itself, which needs no entry of its own then.
        let is_count = |effect: &&Effect| matches!(effect, Effect::FailedAgain);
        let others = effects.iter().filter(|effect| !is_count(effect));
        for effect in others.chain(effects.iter().filter(is_count)) {
            let changed = self
                .incidents
                .apply_effect(owner, open, progress, effect, &evidence);
            self.events
                .extend(changed.map(|id| incident_changed(service, id)));
        }
        if let Some(open) = open {
            let vendor = &check.vendor;
            let entries = self.incidents.apply_vendor_report(
                open,
                check.at,
                &vendor.incidents,
                &vendor.notes,
            );
            let event = incident_changed(service, open.id);
            self.events.extend(std::iter::repeat_n(event, entries));
        }
    }

    /// The checks that are recorded.
    pub(crate) fn recorded_checks(&self) -> impl Iterator<Item = &'a Check> {
        self.checks
            .iter()
            .zip(&self.outcomes)
            .filter(|(_, outcome)| matches!(outcome, RecordOutcome::Recorded { .. }))
            .map(|(check, _)| *check)
    }

    /// The services of which a check was recorded, with their new states.
    pub(crate) fn new_states(&self) -> impl Iterator<Item = (&'a CheckedService, &State)> {
        self.services.values().filter_map(|stored| {
            let check = self.checks[stored.last_check?];
            Some((&*check.service, &stored.state))
        })
    }

    /// Consumes the batch and returns the latest statuses and the events to publish.
    pub(crate) fn into_events(self) -> (Vec<CachedStatus>, Vec<Event>) {
        let latest = self.services.values().filter_map(|stored| {
            let check = self.checks[stored.last_check?];
            Some(CachedStatus {
                service_id: check.service.id,
                slot: check.slot,
                current: current(&stored.state, check),
            })
        });
        (latest.collect(), self.events)
    }

    /// The values of the new rows of `checks`.
    pub(crate) fn check_values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.checks.len() * 8);
        for check in self.recorded_checks() {
            let outcome = &check.outcome;
            let lateness = (check.at - check.slot).num_milliseconds();
            values.extend([
                check.service.seq.into(),
                check.slot.timestamp_millis().into(),
                i32::try_from(lateness).unwrap_or(i32::MAX).into(),
                check.service.interval_seconds().into(),
                milliseconds(outcome.response_time_ms),
                column::Status::from(outcome.status).into(),
                outcome
                    .status_code
                    .and_then(|code| i16::try_from(code).ok())
                    .into(),
                message(check).into(),
            ]);
        }
        values
    }

    /// The values of the changed rows of `service_state`.
    pub(crate) fn state_values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.services.len() * 21);
        for stored in self.services.values() {
            let Some(last) = stored.last_check else {
                continue;
            };
            let (check, state) = (self.checks[last], &stored.state);
            let outcome = &check.outcome;
            let down = state.failing.filter(|failing| failing.down_checks > 0);
            let count = |n: Option<u32>| i32::try_from(n.unwrap_or(0)).unwrap_or(i32::MAX);
            let incident = stored.incident.as_ref();
            values.extend([
                check.service.id.into(),
                column::Status::from(state.status).into(),
                state.since.into(),
                state.last_slot.into(),
                check.at.into(),
                outcome.status_code.map(i32::from).into(),
                milliseconds(outcome.response_time_ms),
                details(outcome),
                message(check).into(),
                count(state.failing.map(|failing| failing.checks)).into(),
                state.failing.map(|failing| failing.since).into(),
                count(down.map(|failing| failing.down_checks)).into(),
                down.map(|failing| failing.down_since).into(),
                count(state.recovering.map(|run| run.checks)).into(),
                state.recovering.map(|run| run.since).into(),
                incident.map(|incident| incident.id).into(),
                incident.map(|incident| incident.incident_type).into(),
            ]);
        }
        values
    }
}

/// Returns what `check` changes in `state`; `None` if its slot was recorded before.
fn transition(state: &State, check: &Check) -> Option<Transition> {
    if check.vendor.carry_forward {
        return carry_forward(state, check.slot);
    }
    let policy = Policy {
        confirmations: check.service.thresholds.confirmations,
        recoveries: check.service.thresholds.recoveries,
        coverage_window: check.service.coverage_window,
    };
    let observation = Observation {
        slot: check.slot,
        at: check.at,
        status: check.outcome.status,
    };
    let mut transition = advance(state, &observation, &policy)?;
    if check.vendor.has_unknown_components && transition.state.incident.is_none() {
        // The open incident may belong to one of the unknown components.
        transition.state.incident = state.incident;
        transition
            .effects
            .retain(|effect| !matches!(effect, Effect::Resolved { .. }));
    }
    Some(transition)
}

/// Returns `state` with nothing in it after `at`, for a clock that was set back.
fn rewind_after_clock_jump(state: &State, at: DateTime<Utc>) -> State {
    let failing = state.failing.map(|failing| Failing {
        since: failing.since.min(at),
        down_since: failing.down_since.min(at),
        ..failing
    });
    let recovering = state.recovering.map(|run| Recovering {
        since: run.since.min(at),
        ..run
    });
    State {
        since: state.since.min(at),
        last_slot: None,
        failing,
        recovering,
        ..state.clone()
    }
}

/// Keeps `state` as it is up to `slot`; `None` if that slot was recorded before.
fn carry_forward(state: &State, slot: DateTime<Utc>) -> Option<Transition> {
    let is_new = state.last_slot.is_none_or(|last| slot > last);
    is_new.then(|| Transition {
        state: State {
            last_slot: Some(slot),
            ..state.clone()
        },
        effects: Vec::new(),
        confirm: false,
    })
}

/// Returns how many slots passed without a check between `last` and this check. Slots from before
/// the last change of the service, or from while it was paused, were not due.
fn missed_slots(last: Option<DateTime<Utc>>, check: &Check) -> u64 {
    let Some(last) = last.filter(|last| *last >= check.service.updated_at) else {
        return 0;
    };
    let intervals =
        (check.slot - last).num_milliseconds() / check.service.interval.num_milliseconds().max(1);
    u64::try_from(intervals - 1).unwrap_or(0)
}

fn incident_changed(service: &CheckedService, incident_id: Uuid) -> Event {
    Event::IncidentChanged {
        workspace_id: service.workspace_id,
        service_id: service.id,
        incident_id,
    }
}

fn current(state: &State, check: &Check) -> CurrentStatus {
    CurrentStatus {
        status: state.status,
        since: state.since,
        checked_at: check.at,
        response_time_ms: check.outcome.response_time_ms,
        status_code: check.outcome.status_code,
        message: message(check),
    }
}

/// Returns what people read about a check; `None` if all is well and there is nothing to add.
fn message(check: &Check) -> Option<String> {
    let own = || {
        check
            .outcome
            .message()
            .filter(|_| check.outcome.status != Status::Up)
    };
    check
        .vendor
        .message
        .clone()
        .or_else(own)
        .map(|message| clean_message(&message))
}

/// The details of a check as JSON.
fn details(outcome: &Outcome) -> Value {
    serde_json::to_value(Details::from(outcome))
        .expect("details are a struct of numbers and times")
        .into()
}

fn milliseconds(ms: Option<u32>) -> Value {
    ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Thresholds;
    use crate::check::{CheckedService, VendorReport};
    use chrono::TimeDelta;
    use domain::{Outcome, Phases};
    use monitors::MonitorKind;
    use std::sync::Arc;

    #[test]
    fn slots_count_as_missed_only_since_the_last_change() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let service = Arc::new(CheckedService::probed(
            Uuid::nil(),
            1,
            Uuid::nil(),
            MonitorKind::ALL[0],
            TimeDelta::seconds(10),
            Thresholds {
                confirmations: 2,
                recoveries: 1,
            },
            at(0),
        ));
        let check = |slot| Check {
            service: Arc::clone(&service),
            slot: at(slot),
            at: at(slot),
            outcome: Outcome {
                status: Status::Up,
                status_code: None,
                response_time_ms: None,
                phases: Phases::default(),
                certificate_expires_at: None,
                cause: None,
            },
            vendor: VendorReport::default(),
        };
        for (last, slot, count) in [
            (Some(10), 20, 0),
            (Some(12), 20, 0),
            (Some(10), 12, 0),
            (Some(10), 30, 1),
            (Some(10), 3_610, 359),
            (Some(-60), 20, 0),
            (None, 20, 0),
        ] {
            assert_eq!(
                missed_slots(last.map(at), &check(slot)),
                count,
                "{last:?} {slot}"
            );
        }
    }
}
