//! What follows from a batch of results: applies [`domain::advance`] to each in order and collects the rows to write and
//! what is to be told afterwards. No I/O.

use super::{Finding, timeline};
use chrono::{DateTime, Utc};
use domain::transition::{Effect, Failing, State, Transition};
use domain::{Observation, Outcome, Policy, Status, advance, slot};
use entity::column;
use entity::{incident, incident_event};
use live::{CurrentStatus, Event, Latest};
use sea_orm::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// The longest message that is kept, in characters: parts of it come from the outside.
const MAX_MESSAGE: usize = 500;

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
    findings: &'a [Finding],
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
}

impl<'a> Judgement<'a> {
    /// Judges results in the order given, each by what the ones before it have left.
    pub(crate) fn of(findings: &'a [Finding], known: HashMap<i32, Known>, now: DateTime<Utc>) -> Self {
        let fates = Vec::with_capacity(findings.len());
        let (incidents, timeline, events) = (Vec::new(), Vec::new(), Vec::with_capacity(findings.len()));
        let mut judgement = Self { findings, known, fates, incidents, timeline, events, now, set_back: Vec::new() };
        for (i, finding) in findings.iter().enumerate() {
            let fate = judgement.add(i, finding);
            judgement.fates.push(fate);
        }
        judgement
    }

    fn add(&mut self, i: usize, finding: &Finding) -> Fate {
        let service = &finding.service;
        let Some(known) = self.known.get_mut(&service.number) else { return Fate::Outdated };
        if known.paused || known.updated_at != service.updated_at {
            return Fate::Outdated;
        }
        // The result may have waited for long, and others may have gone on recording meanwhile: `at` alone says nothing.
        let now = self.now.max(finding.at);
        if known.state.last_slot.is_some_and(|last| slot::lies_ahead(last, now)) {
            known.state = set_back(&known.state, finding.at);
            self.set_back.push(service.id);
        }
        let policy = Policy { confirmations: service.confirmations, horizon: slot::horizon(service.interval) };
        let seen = Observation { slot: finding.slot, at: finding.at, status: finding.outcome.status };
        let Some(Transition { state, effects, confirm }) = advance(&known.state, &seen, &policy) else {
            return Fate::Late { suspect: known.state.is_suspect() };
        };
        let before = std::mem::replace(&mut known.state, state);
        known.last = Some(i);
        let mut from = before.status;
        for effect in &effects {
            if let Effect::Changed { from: known, .. } = effect {
                from = *known;
            } else {
                self.follow(finding, effect);
            }
        }
        let known = &self.known[&service.number];
        self.events.push(Event::StatusChecked {
            user_id: service.user_id,
            service_id: service.id,
            slot: finding.slot,
            previous: Some(from),
            current: current(&known.state, finding),
            changed: from != known.state.status,
        });
        Fate::Recorded { confirm }
    }

    /// Carries an effect out on the service's incident and its timeline.
    fn follow(&mut self, finding: &Finding, effect: &Effect) {
        let service = &finding.service;
        let known = self.known.get_mut(&service.number).expect("the effect came of what is known");
        if let Effect::Opened { kind, started_at, checks_failed } = effect {
            known.incident = Some(incident::Model {
                id: Uuid::now_v7(),
                service_id: service.id,
                user_id: service.user_id,
                kind: (*kind).into(),
                started_at: *started_at,
                resolved_at: None,
                checks_failed: i32::try_from(*checks_failed).unwrap_or(i32::MAX),
                cause: message(&finding.outcome),
            });
        }
        let incident = known.incident.as_mut().expect("every other effect is of an open incident");
        let entry = match effect {
            Effect::Opened { kind, started_at, .. } => {
                Some(("opened", *started_at, timeline::opened(*kind, &finding.outcome)))
            }
            Effect::Escalated { at } => {
                incident.kind = column::IncidentType::Downtime;
                incident.cause = message(&finding.outcome);
                Some(("escalated", *at, timeline::escalated(&finding.outcome)))
            }
            Effect::Eased { at } => Some(("eased", *at, timeline::eased(&finding.outcome))),
            Effect::Worsened { at } => Some(("worsened", *at, timeline::worsened(&finding.outcome))),
            Effect::Resolved { at, by } => {
                let at = (*at).max(incident.started_at);
                incident.resolved_at = Some(at);
                Some(("resolved", at, timeline::resolved(*by, at - incident.started_at, &finding.outcome)))
            }
            Effect::FailedAgain => {
                incident.checks_failed = incident.checks_failed.saturating_add(1);
                None
            }
            Effect::Changed { .. } => None,
        };
        if let Some((kind, at, message)) = entry {
            let (id, incident_id, message) = (Uuid::now_v7(), incident.id, tidy(&message));
            self.timeline.push(incident_event::Model { id, incident_id, at, kind: kind.into(), message });
            let (user_id, service_id) = (service.user_id, service.id);
            self.events.push(Event::IncidentChanged { user_id, service_id, incident_id });
        }
        match self.incidents.iter_mut().rfind(|changed| changed.id == incident.id) {
            Some(changed) => changed.clone_from(incident),
            None => self.incidents.push(incident.clone()),
        }
        if incident.resolved_at.is_some() {
            known.incident = None;
        }
    }

    /// How many results are recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.fates.iter().filter(|fate| matches!(fate, Fate::Recorded { .. })).count()
    }

    /// What is known now, and what happened, for those who listen.
    pub(crate) fn news(self) -> (Vec<Latest>, Vec<Event>) {
        let latest = self.known.values().filter_map(|known| {
            let finding = &self.findings[known.last?];
            let current = current(&known.state, finding);
            Some(Latest { service_id: finding.service.id, slot: finding.slot, current })
        });
        (latest.collect(), self.events)
    }

    pub(crate) fn check_values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.findings.len() * 8);
        for (finding, fate) in self.findings.iter().zip(&self.fates) {
            if !matches!(fate, Fate::Recorded { .. }) {
                continue;
            }
            let outcome = &finding.outcome;
            let delay = (finding.at - finding.slot).num_milliseconds();
            values.extend([
                finding.service.number.into(),
                finding.slot.timestamp_millis().into(),
                i32::try_from(delay).unwrap_or(i32::MAX).into(),
                finding.service.interval_seconds().into(),
                milliseconds(outcome.response_time_ms),
                column::Status::from(outcome.status).into(),
                outcome.status_code.and_then(|code| i16::try_from(code).ok()).into(),
                message(outcome).into(),
            ]);
        }
        values
    }

    pub(crate) fn incident_values(&self) -> Vec<Value> {
        let values = self.incidents.iter().flat_map(|incident| {
            [
                incident.id.into(),
                incident.service_id.into(),
                incident.user_id.into(),
                incident.kind.into(),
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
            let (finding, state) = (&self.findings[last], &known.state);
            let (outcome, phases) = (&finding.outcome, &finding.outcome.phases);
            let down = state.failing.filter(|failing| failing.down_checks > 0);
            let count = |n: Option<u32>| i32::try_from(n.unwrap_or(0)).unwrap_or(i32::MAX);
            values.extend([
                finding.service.id.into(),
                column::Status::from(state.status).into(),
                state.since.into(),
                state.last_slot.into(),
                finding.at.into(),
                outcome.status_code.map(i32::from).into(),
                milliseconds(outcome.response_time_ms),
                milliseconds(phases.dns_ms),
                milliseconds(phases.connect_ms),
                milliseconds(phases.tls_ms),
                milliseconds(phases.first_byte_ms),
                outcome.certificate_expires_at.into(),
                message(outcome).into(),
                count(state.failing.map(|failing| failing.checks)).into(),
                state.failing.map(|failing| failing.since).into(),
                count(down.map(|failing| failing.down_checks)).into(),
                down.map(|failing| failing.down_since).into(),
                known.incident.as_ref().map(|incident| incident.id).into(),
                known.incident.as_ref().map(|incident| incident.kind).into(),
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
    State { since: state.since.min(at), last_slot: None, failing, ..state.clone() }
}

fn current(state: &State, finding: &Finding) -> CurrentStatus {
    CurrentStatus {
        status: state.status,
        since: state.since,
        checked_at: finding.at,
        response_time_ms: finding.outcome.response_time_ms,
        status_code: finding.outcome.status_code,
        message: message(&finding.outcome),
    }
}

fn message(outcome: &Outcome) -> Option<String> {
    if outcome.status == Status::Up {
        return None;
    }
    outcome.message().map(|message| tidy(&message))
}

/// Without what no database column takes, and not longer than a person reads.
fn tidy(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}

fn milliseconds(ms: Option<u32>) -> Value {
    ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)).into()
}
