//! What follows from a batch of results: applies [`domain::advance`] to each in order and collects the rows to write and
//! what is to be told afterwards. No I/O.

use super::timeline;
use crate::check::{Check, MAX_MESSAGE};
use chrono::{DateTime, Utc};
use coordination::{CachedStatus, CurrentStatus, Event};
use domain::transition::{Effect, Failing, State, Transition};
use domain::{Observation, Policy, Status, advance, slot};
use entity::column;
use entity::{incident, incident_event};
use sea_orm::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// What the database knows about a service, and what this batch has made of it so far.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) paused: bool,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) state: State,
    pub(crate) incident: Option<incident::Model>,
    /// Which result of the batch was recorded last.
    pub(crate) last: Option<usize>,
}

/// What became of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is recorded; `confirm` asks for another look at once.
    Recorded { confirm: bool },
    /// Its slot or a later one was recorded before; `suspect` when that has left a failure that nobody may be about to
    /// confirm, because the claim behind it is void.
    Late { suspect: bool },
    /// The service is gone or paused, or was defined otherwise when the check began.
    Outdated,
}

/// All that follows from a batch.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    checks: Vec<&'a Check>,
    known: HashMap<i32, Known>,
    /// Each result's fate, in the batch's order.
    pub(crate) fates: Vec<Fate>,
    /// The incidents that changed, the latest form of each, earlier ones first.
    incidents: Vec<incident::Model>,
    timeline: Vec<incident_event::Model>,
    events: Vec<Event>,
    /// When it is judged.
    now: DateTime<Utc>,
    /// The services whose last slot lay in the future.
    pub(crate) set_back: Vec<Uuid>,
    /// How many slots of the services passed without a check since the last one of each.
    pub(crate) missed: u64,
}

impl<'a> Judgement<'a> {
    /// Judges results in the order given, each by what the ones before it have left.
    pub(crate) fn of(
        checks: Vec<&'a Check>,
        known: HashMap<i32, Known>,
        now: DateTime<Utc>,
    ) -> Self {
        let fates = Vec::with_capacity(checks.len());
        let (incidents, timeline, events) =
            (Vec::new(), Vec::new(), Vec::with_capacity(checks.len()));
        let set_back = Vec::new();
        let mut judgement = Self {
            checks,
            known,
            fates,
            incidents,
            timeline,
            events,
            now,
            set_back,
            missed: 0,
        };
        for i in 0..judgement.checks.len() {
            let fate = judgement.add(i, judgement.checks[i]);
            judgement.fates.push(fate);
        }
        judgement
    }

    fn add(&mut self, i: usize, check: &Check) -> Fate {
        let service = &check.subject;
        let Some(known) = self.known.get_mut(&service.seq) else {
            return Fate::Outdated;
        };
        if known.paused || known.updated_at != service.updated_at {
            return Fate::Outdated;
        }
        // The result may have waited for long, and others may have gone on recording meanwhile: `at` alone says nothing.
        let now = self.now.max(check.at);
        if known
            .state
            .last_slot
            .is_some_and(|last| slot::lies_ahead(last, now))
        {
            known.state = set_back(&known.state, check.at);
            self.set_back.push(service.id);
        }
        let policy = Policy {
            confirmations: service.confirmations,
            horizon: service.horizon,
        };
        let seen = Observation {
            slot: check.slot,
            at: check.at,
            status: check.outcome.status,
        };
        let transition = if check.vendor.held {
            held(&known.state, check.slot)
        } else {
            advance(&known.state, &seen, &policy)
        };
        let Some(Transition {
            mut state,
            mut effects,
            confirm,
        }) = transition
        else {
            return Fate::Late {
                suspect: known.state.is_suspect(),
            };
        };
        if check.vendor.unsure && state.incident.is_none() {
            state.incident = known.state.incident;
            effects.retain(|effect| !matches!(effect, Effect::Resolved { .. }));
        }
        self.missed += missed(known.state.last_slot, check);
        let before = std::mem::replace(&mut known.state, state);
        known.last = Some(i);
        let mut from = before.status;
        for effect in &effects {
            if let Effect::Changed { from: known, .. } = effect {
                from = *known;
            } else {
                self.follow(check, effect);
            }
        }
        self.report(check);
        let known = &self.known[&service.seq];
        self.events.push(Event::StatusChecked {
            workspace_id: service.workspace_id,
            service_id: service.id,
            slot: check.slot,
            previous: Some(from),
            current: current(&known.state, check),
            changed: from != known.state.status,
        });
        Fate::Recorded { confirm }
    }

    /// Carries an effect out on the service's incident and its timeline.
    fn follow(&mut self, check: &Check, effect: &Effect) {
        let service = &check.subject;
        let known = self
            .known
            .get_mut(&service.seq)
            .expect("the effect came of what is known");
        if let Effect::Opened {
            kind,
            started_at,
            checks_failed,
        } = effect
        {
            known.incident = Some(incident::Model {
                id: Uuid::now_v7(),
                service_id: service.id,
                workspace_id: service.workspace_id,
                incident_type: (*kind).into(),
                started_at: *started_at,
                resolved_at: None,
                checks_failed: i32::try_from(*checks_failed).unwrap_or(i32::MAX),
                cause: cause(check),
            });
        }
        let incident = known
            .incident
            .as_mut()
            .expect("every other effect is of an open incident");
        let entry = match effect {
            Effect::Opened {
                kind, started_at, ..
            } => Some((
                "opened",
                *started_at,
                timeline::opened(*kind, &check.outcome),
            )),
            Effect::Escalated { at } => {
                incident.incident_type = column::IncidentType::Downtime;
                incident.cause = cause(check);
                Some(("escalated", *at, timeline::escalated(&check.outcome)))
            }
            Effect::Eased { at } => Some(("eased", *at, timeline::eased(&check.outcome))),
            Effect::Worsened { at } => Some(("worsened", *at, timeline::worsened(&check.outcome))),
            Effect::Resolved { at, by } => {
                let at = (*at).max(incident.started_at);
                incident.resolved_at = Some(at);
                Some((
                    "resolved",
                    at,
                    timeline::resolved(*by, at - incident.started_at, &check.outcome),
                ))
            }
            Effect::FailedAgain => {
                incident.checks_failed = incident.checks_failed.saturating_add(1);
                None
            }
            Effect::Changed { .. } => None,
        };
        let incident = incident.clone();
        if incident.resolved_at.is_some() {
            known.incident = None;
        }
        self.keep(check, incident, entry);
    }

    /// Adds to the open incident what its vendor says: the vendor's own incident, once there is one, and notes.
    fn report(&mut self, check: &Check) {
        let Some(known) = self.known.get_mut(&check.subject.seq) else {
            return;
        };
        let Some(incident) = &mut known.incident else {
            return;
        };
        let word = &check.vendor;
        let reported: Vec<String> = word.incidents.iter().map(|text| tidy(text)).collect();
        let mut entries: Vec<_> = word
            .notes
            .iter()
            .map(|note| ("renamed", check.at, note.clone()))
            .collect();
        if let Some(first) = reported.first()
            && incident
                .cause
                .as_ref()
                .is_none_or(|cause| !reported.contains(cause))
        {
            incident.cause = Some(first.clone());
            entries.push(("reported", check.at, timeline::reported(first)));
        }
        let incident = incident.clone();
        for entry in entries {
            self.keep(check, incident.clone(), Some(entry));
        }
    }

    /// Notes the latest form of an incident, and an entry of its timeline.
    fn keep(
        &mut self,
        check: &Check,
        incident: incident::Model,
        entry: Option<(&'static str, DateTime<Utc>, String)>,
    ) {
        let incident_id = incident.id;
        if let Some((kind, at, message)) = entry {
            let (id, message) = (Uuid::now_v7(), tidy(&message));
            self.timeline.push(incident_event::Model {
                id,
                incident_id,
                at,
                kind: kind.into(),
                message,
            });
            let (workspace_id, service_id) = (check.subject.workspace_id, check.subject.id);
            self.events.push(Event::IncidentChanged {
                workspace_id,
                service_id,
                incident_id,
            });
        }
        match self
            .incidents
            .iter_mut()
            .rfind(|changed| changed.id == incident_id)
        {
            Some(changed) => *changed = incident,
            None => self.incidents.push(incident),
        }
    }

    /// The results that are recorded.
    pub(crate) fn recorded_checks(&self) -> impl Iterator<Item = &'a Check> {
        let all = self.checks.iter().zip(&self.fates);
        all.filter(|(_, fate)| matches!(fate, Fate::Recorded { .. }))
            .map(|(check, _)| *check)
    }

    /// How many results are recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.recorded_checks().count()
    }

    /// How many new entries of timelines are of this kind.
    pub(crate) fn entries(&self, kind: &str) -> u64 {
        self.timeline
            .iter()
            .filter(|entry| entry.kind == kind)
            .count() as u64
    }

    /// What is known now, and what happened, for those who listen.
    pub(crate) fn news(self) -> (Vec<CachedStatus>, Vec<Event>) {
        let latest = self.known.values().filter_map(|known| {
            let check = self.checks[known.last?];
            let current = current(&known.state, check);
            Some(CachedStatus {
                service_id: check.subject.id,
                slot: check.slot,
                current,
            })
        });
        (latest.collect(), self.events)
    }

    pub(crate) fn check_values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.checks.len() * 8);
        for check in self.recorded_checks() {
            let outcome = &check.outcome;
            let delay = (check.at - check.slot).num_milliseconds();
            values.extend([
                check.subject.seq.into(),
                check.slot.timestamp_millis().into(),
                i32::try_from(delay).unwrap_or(i32::MAX).into(),
                check.subject.interval_seconds().into(),
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

    pub(crate) fn incident_values(&self) -> Vec<Value> {
        let values = self.incidents.iter().flat_map(|incident| {
            [
                incident.id.into(),
                incident.service_id.into(),
                incident.workspace_id.into(),
                incident.incident_type.into(),
                incident.started_at.into(),
                incident.resolved_at.into(),
                incident.checks_failed.into(),
                incident.cause.clone().into(),
            ]
        });
        values.collect()
    }

    pub(crate) fn timeline_values(&self) -> Vec<Value> {
        let values = self.timeline.iter().flat_map(|entry| {
            [
                entry.id.into(),
                entry.incident_id.into(),
                entry.at.into(),
                entry.kind.clone().into(),
                entry.message.clone().into(),
            ]
        });
        values.collect()
    }

    pub(crate) fn state_values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.known.len() * 19);
        for known in self.known.values() {
            let Some(last) = known.last else { continue };
            let (check, state) = (self.checks[last], &known.state);
            let (outcome, phases) = (&check.outcome, &check.outcome.phases);
            let down = state.failing.filter(|failing| failing.down_checks > 0);
            let count = |n: Option<u32>| i32::try_from(n.unwrap_or(0)).unwrap_or(i32::MAX);
            values.extend([
                check.subject.id.into(),
                column::Status::from(state.status).into(),
                state.since.into(),
                state.last_slot.into(),
                check.at.into(),
                outcome.status_code.map(i32::from).into(),
                milliseconds(outcome.response_time_ms),
                milliseconds(phases.dns_ms),
                milliseconds(phases.connect_ms),
                milliseconds(phases.tls_ms),
                milliseconds(phases.first_byte_ms),
                outcome.certificate_expires_at.into(),
                message(check).into(),
                count(state.failing.map(|failing| failing.checks)).into(),
                state.failing.map(|failing| failing.since).into(),
                count(down.map(|failing| failing.down_checks)).into(),
                down.map(|failing| failing.down_since).into(),
                known.incident.as_ref().map(|incident| incident.id).into(),
                known
                    .incident
                    .as_ref()
                    .map(|incident| incident.incident_type)
                    .into(),
            ]);
        }
        values
    }
}

/// What is known when time itself was set back: the same, but nothing of it lies after `at`.
fn set_back(state: &State, at: DateTime<Utc>) -> State {
    let failing = state.failing.map(|failing| Failing {
        since: failing.since.min(at),
        down_since: failing.down_since.min(at),
        ..failing
    });
    State {
        since: state.since.min(at),
        last_slot: None,
        failing,
        ..state.clone()
    }
}

/// What is known when nothing new was learned: the same, up to this slot. `None` when that was recorded before.
fn held(state: &State, slot: DateTime<Utc>) -> Option<Transition> {
    let new = state.last_slot.is_none_or(|last| slot > last);
    let state = || State {
        last_slot: Some(slot),
        ..state.clone()
    };
    new.then(|| Transition {
        state: state(),
        effects: Vec::new(),
        confirm: false,
    })
}

/// How many slots passed without a check between the last one and this. What was before the service was defined as it is,
/// or paused, was not due.
fn missed(last: Option<DateTime<Utc>>, check: &Check) -> u64 {
    let Some(last) = last.filter(|last| *last >= check.subject.updated_at) else {
        return 0;
    };
    let intervals =
        (check.slot - last).num_milliseconds() / check.subject.interval.num_milliseconds().max(1);
    u64::try_from(intervals - 1).unwrap_or(0)
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

/// What a person reads about a check; nothing where all is well and there is nothing to add.
fn message(check: &Check) -> Option<String> {
    let own = || {
        check
            .outcome
            .message()
            .filter(|_| check.outcome.status != Status::Up)
    };
    check
        .vendor
        .remark
        .clone()
        .or_else(own)
        .map(|message| tidy(&message))
}

/// Why an incident began: what its vendor calls it, or else what the check found.
fn cause(check: &Check) -> Option<String> {
    let found = || {
        check
            .outcome
            .message()
            .filter(|_| check.outcome.status != Status::Up)
    };
    check
        .vendor
        .incidents
        .first()
        .cloned()
        .or_else(found)
        .map(|cause| tidy(&cause))
}

/// Without what no database column takes, and not longer than a person reads.
fn tidy(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect()
}

fn milliseconds(ms: Option<u32>) -> Value {
    ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Subject, VendorWord};
    use chrono::TimeDelta;
    use domain::{Outcome, Phases};
    use std::sync::Arc;

    #[test]
    fn slots_are_missed_only_while_the_service_was_due_as_it_is_defined() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let subject = Subject::requested(
            Uuid::nil(),
            1,
            Uuid::nil(),
            TimeDelta::seconds(10),
            2,
            at(0),
        );
        let check = |slot| Check {
            subject: Arc::new(subject.clone()),
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
            vendor: VendorWord::default(),
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
            assert_eq!(missed(last.map(at), &check(slot)), count, "{last:?} {slot}");
        }
    }
}
