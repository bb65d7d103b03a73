//! Collects the changes of incidents that follow from a batch of checks. No I/O.

use crate::event_kind::EventKind;
use crate::progress::{IncidentProgress, is_same_cause};
use crate::text::clean_message;
use crate::timeline;
use chrono::{DateTime, Utc};
use domain::transition::Effect;
use domain::{Outcome, Status};
use entity::{column, incident, incident_event};
use uuid::Uuid;

/// The service that an incident belongs to.
#[derive(Debug, Clone, Copy)]
pub struct IncidentOwner {
    /// The service.
    pub service_id: Uuid,
    /// The user who owns the service.
    pub workspace_id: Uuid,
}

/// What was found by the check that an effect follows from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// When the check was made.
    pub checked_at: DateTime<Utc>,
    /// The outcome of the check.
    pub outcome: &'a Outcome,
    /// Whether the service has that status now. A failure that is not confirmed yet changes no cause.
    pub is_confirmed: bool,
    /// Whether the vendor renamed components since the check before, and the cause with them.
    pub has_renames: bool,
    /// The vendor's own incidents that affect the service, each by name and link, most important first.
    pub vendor_incidents: &'a [String],
}

/// Incidents and timeline entries that were changed and wait to be written.
#[derive(Debug, Default)]
pub struct IncidentChanges {
    /// The latest version of each changed incident, in the order of the first change.
    incidents: Vec<incident::Model>,
    timeline: Vec<incident_event::Model>,
}

impl IncidentChanges {
    /// Applies `effect` to the open incident of a service. Opens one in `open` or closes it there.
    /// `progress` is what its timeline says so far.
    ///
    /// Returns the incident's id if its cause changed or its timeline got a new entry.
    ///
    /// # Panics
    /// When an effect other than [`Effect::Opened`] comes while no incident is open; the transition
    /// never produces that.
    pub fn apply_effect(
        &mut self,
        owner: IncidentOwner,
        open: &mut Option<incident::Model>,
        progress: &mut IncidentProgress,
        effect: &Effect,
        evidence: &Evidence<'_>,
    ) -> Option<Uuid> {
        if matches!(effect, Effect::Changed { .. }) {
            return None;
        }
        if let Effect::Opened {
            kind,
            started_at,
            checks_failed,
        } = effect
        {
            *progress = IncidentProgress::default();
            *open = Some(incident::Model {
                id: Uuid::now_v7(),
                service_id: owner.service_id,
                workspace_id: owner.workspace_id,
                incident_type: (*kind).into(),
                started_at: *started_at,
                resolved_at: None,
                checks_failed: i32::try_from(*checks_failed).unwrap_or(i32::MAX),
                cause: evidence.cause(),
            });
        }
        let incident = open
            .as_mut()
            .expect("every effect but opening is of an open incident");
        let cause_before = incident.cause.clone();
        let entry = change_incident(incident, progress, effect, evidence);
        let incident = incident.clone();
        if incident.resolved_at.is_some() {
            *open = None;
        }
        let id = incident.id;
        let is_news = entry.is_some() || incident.cause != cause_before;
        if let Some(entry) = &entry {
            self.add_entry(id, entry);
        }
        self.upsert_incident(incident);
        is_news.then_some(id)
    }

    /// Adds to an open incident what its vendor reports: the vendor's own incident becomes the
    /// cause, and `notes` go to the timeline.
    ///
    /// Returns how many entries the timeline got.
    pub fn apply_vendor_report(
        &mut self,
        open: &mut incident::Model,
        at: DateTime<Utc>,
        vendor_incidents: &[String],
        notes: &[String],
    ) -> usize {
        let mut entries: Vec<Entry> = notes
            .iter()
            .map(|note| Entry::new(EventKind::Renamed, at, note.clone()))
            .collect();
        let reported: Vec<String> = vendor_incidents
            .iter()
            .map(|text| clean_message(text))
            .collect();
        let is_known = open
            .cause
            .as_ref()
            .is_some_and(|cause| reported.contains(cause));
        if let Some(first) = reported.into_iter().next()
            && !is_known
        {
            entries.push(Entry::new(
                EventKind::Reported,
                at,
                timeline::reported(&first),
            ));
            open.cause = Some(first);
        }
        let added = entries.len();
        if added > 0 {
            for entry in &entries {
                self.add_entry(open.id, entry);
            }
            self.upsert_incident(open.clone());
        }
        added
    }

    /// Number of new timeline entries of `kind`.
    #[must_use]
    pub fn count(&self, kind: EventKind) -> u64 {
        let kind = kind.as_str();
        self.timeline
            .iter()
            .filter(|entry| entry.kind == kind)
            .count() as u64
    }

    /// The latest version of each changed incident, in the order of the first change.
    #[must_use]
    pub fn incidents(&self) -> &[incident::Model] {
        &self.incidents
    }

    /// The new timeline entries.
    #[must_use]
    pub fn timeline(&self) -> &[incident_event::Model] {
        &self.timeline
    }

    fn add_entry(&mut self, incident_id: Uuid, entry: &Entry) {
        self.timeline.push(incident_event::Model {
            id: Uuid::now_v7(),
            incident_id,
            at: entry.at,
            kind: entry.kind.as_str().to_owned(),
            message: clean_message(&entry.message),
        });
    }

    fn upsert_incident(&mut self, incident: incident::Model) {
        let known = self
            .incidents
            .iter_mut()
            .rfind(|known| known.id == incident.id);
        match known {
            Some(known) => *known = incident,
            None => self.incidents.push(incident),
        }
    }
}

/// A timeline entry before it has an id.
struct Entry {
    kind: EventKind,
    at: DateTime<Utc>,
    message: String,
}

impl Entry {
    const fn new(kind: EventKind, at: DateTime<Utc>, message: String) -> Self {
        Self { kind, at, message }
    }
}

/// Changes `incident` by `effect` and returns the timeline entry for it, if it is worth one.
fn change_incident(
    incident: &mut incident::Model,
    progress: &mut IncidentProgress,
    effect: &Effect,
    evidence: &Evidence<'_>,
) -> Option<Entry> {
    let outcome = evidence.outcome;
    let entry = match effect {
        Effect::Opened {
            kind, started_at, ..
        } => Entry::new(
            EventKind::Opened,
            *started_at,
            timeline::opened(*kind, outcome),
        ),
        Effect::Escalated { at } => {
            incident.incident_type = column::IncidentType::Downtime;
            incident.cause = evidence.cause();
            Entry::new(EventKind::Escalated, *at, timeline::escalated(outcome))
        }
        Effect::Improved { at } => {
            Entry::new(EventKind::Improved, *at, timeline::improved(outcome))
        }
        Effect::Regressed { at } => {
            incident.cause = evidence.cause().or(incident.cause.take());
            Entry::new(EventKind::Regressed, *at, timeline::regressed(outcome))
        }
        Effect::Resolved { at, by } => {
            let at = (*at).max(incident.started_at);
            incident.resolved_at = Some(at);
            let lasted = at - incident.started_at;
            let message = timeline::resolved(*by, lasted, progress.has_changed_definition, outcome);
            Entry::new(EventKind::Resolved, at, message)
        }
        Effect::FailedAgain => {
            incident.checks_failed = incident.checks_failed.saturating_add(1);
            return change_cause(incident, progress, evidence);
        }
        Effect::Changed { .. } => return None,
    };
    Some(entry)
}

/// Takes over the cause of another failed check if it is of another kind than the known one. Returns
/// the timeline entry for it, unless the cause flaps and there are enough of them.
fn change_cause(
    incident: &mut incident::Model,
    progress: &mut IncidentProgress,
    evidence: &Evidence<'_>,
) -> Option<Entry> {
    let found = evidence.outcome.cause.as_ref()?;
    let known = incident.cause.as_deref().unwrap_or_default();
    // An incident is named by its worst status, and so is its cause.
    let is_worst = domain::IncidentType::of(evidence.outcome.status)
        .is_some_and(|kind| incident.incident_type == kind.into());
    if !is_worst || !evidence.is_confirmed {
        return None;
    }
    // The vendor's own incident explains more than a check; `apply_vendor_report` takes it over.
    if !evidence.vendor_incidents.is_empty() || is_same_cause(known, found) {
        return None;
    }
    incident.cause = evidence.cause();
    if evidence.has_renames {
        return None;
    }
    let reported = progress.report_cause_change(evidence.checked_at);
    reported.then(|| {
        Entry::new(
            EventKind::CauseChanged,
            evidence.checked_at,
            timeline::cause_changed(found),
        )
    })
}

impl Evidence<'_> {
    /// Why an incident began: the vendor's own incident if there is one, otherwise the outcome.
    fn cause(&self) -> Option<String> {
        let found = || {
            self.outcome
                .message()
                .filter(|_| self.outcome.status != Status::Up)
        };
        self.vendor_incidents
            .first()
            .cloned()
            .or_else(found)
            .map(|cause| clean_message(&cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Cause, IncidentType, Phases};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn an_incident_is_opened_changed_and_closed_with_an_entry_for_each_step() {
        let outcome = Outcome::without_answer(Cause::ConnectionRefused, Phases::default());
        let evidence = Evidence {
            checked_at: at(10),
            outcome: &outcome,
            is_confirmed: true,
            has_renames: false,
            vendor_incidents: &[],
        };
        let owner = IncidentOwner {
            service_id: Uuid::from_u128(1),
            workspace_id: Uuid::from_u128(2),
        };
        let effects = [
            Effect::Opened {
                kind: IncidentType::Degraded,
                started_at: at(0),
                checks_failed: 2,
            },
            Effect::FailedAgain,
            Effect::Escalated { at: at(20) },
            Effect::Resolved {
                at: at(-5),
                by: Status::Up,
            },
        ];
        let mut changes = IncidentChanges::default();
        let mut open = None;
        let entries: Vec<bool> = effects
            .iter()
            .map(|effect| {
                let mut progress = IncidentProgress::default();
                changes
                    .apply_effect(owner, &mut open, &mut progress, effect, &evidence)
                    .is_some()
            })
            .collect();
        assert_eq!(entries, [true, false, true, true]);
        assert_eq!(open, None);
        let [incident] = changes.incidents() else {
            panic!("one incident, in its latest version");
        };
        assert_eq!(incident.checks_failed, 3);
        assert_eq!(incident.incident_type, column::IncidentType::Downtime);
        assert_eq!(
            incident.resolved_at,
            Some(at(0)),
            "it never ends before it began"
        );
        let kinds: Vec<&str> = changes
            .timeline()
            .iter()
            .map(|entry| entry.kind.as_str())
            .collect();
        assert_eq!(kinds, ["opened", "escalated", "resolved"]);
        assert_eq!(changes.count(EventKind::Opened), 1);
    }

    fn unexpected(code: u16) -> Outcome {
        let expected = "200-299".into();
        Outcome::without_answer(
            Cause::UnexpectedStatus { code, expected },
            Phases::default(),
        )
    }

    /// Lets checks fail one after another, a minute apart, and returns the incident with its entries.
    fn fail_with(outcomes: &[Outcome]) -> (incident::Model, Vec<(String, String)>) {
        let owner = IncidentOwner {
            service_id: Uuid::from_u128(1),
            workspace_id: Uuid::from_u128(2),
        };
        let (mut changes, mut open) = (IncidentChanges::default(), None);
        let mut progress = IncidentProgress::default();
        for (minutes, outcome) in (0..).zip(outcomes) {
            let evidence = Evidence {
                checked_at: at(60 * minutes),
                outcome,
                is_confirmed: true,
                has_renames: false,
                vendor_incidents: &[],
            };
            let effect = match open {
                None => Effect::Opened {
                    kind: IncidentType::Downtime,
                    started_at: at(0),
                    checks_failed: 1,
                },
                Some(_) => Effect::FailedAgain,
            };
            changes.apply_effect(owner, &mut open, &mut progress, &effect, &evidence);
        }
        let timeline = changes.timeline().iter();
        let timeline = timeline.map(|entry| (entry.kind.clone(), entry.message.clone()));
        (open.unwrap(), timeline.collect())
    }

    #[test]
    fn an_open_incident_shows_the_cause_of_its_last_failure() {
        let refused = Outcome::without_answer(Cause::ConnectionRefused, Phases::default());
        let (incident, timeline) = fail_with(&[
            unexpected(500),
            unexpected(500),
            unexpected(404),
            unexpected(404),
            refused,
        ]);
        assert_eq!(incident.cause.as_deref(), Some("connection refused"));
        assert_eq!(incident.checks_failed, 5);
        let messages: Vec<&str> = timeline.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            messages,
            [
                "went down: answered 500, expected 200-299",
                "still failing, now: answered 404, expected 200-299",
                "still failing, now: connection refused",
            ]
        );
        assert_eq!(timeline[1].0, "cause_changed");
    }

    #[test]
    fn causes_that_alternate_do_not_flood_the_timeline() {
        let day: Vec<_> = (0..1440)
            .map(|minute| unexpected(if minute % 2 == 0 { 500 } else { 502 }))
            .collect();
        let (incident, timeline) = fail_with(&day);
        assert_eq!(
            incident.cause.as_deref(),
            Some("answered 502, expected 200-299"),
            "the cause is current all the same"
        );
        assert!((10..=40).contains(&timeline.len()), "{}", timeline.len());
    }

    #[test]
    fn a_recovery_tells_that_the_definition_was_changed() {
        let up = Outcome {
            status: Status::Up,
            status_code: Some(200),
            cause: None,
            ..unexpected(500)
        };
        let (open, _) = fail_with(&[unexpected(500)]);
        let owner = IncidentOwner {
            service_id: open.service_id,
            workspace_id: open.workspace_id,
        };
        let mut progress = IncidentProgress {
            has_changed_definition: true,
            ..IncidentProgress::default()
        };
        let evidence = Evidence {
            checked_at: at(60),
            outcome: &up,
            is_confirmed: true,
            has_renames: false,
            vendor_incidents: &[],
        };
        let effect = Effect::Resolved {
            at: at(60),
            by: Status::Up,
        };
        let mut changes = IncidentChanges::default();
        changes.apply_effect(owner, &mut Some(open), &mut progress, &effect, &evidence);
        assert_eq!(
            changes.timeline()[0].message,
            "up after 1 min with the changed definition: answered 200"
        );
    }

    #[test]
    fn a_vendors_incident_becomes_the_cause_once() {
        let mut open = incident::Model {
            id: Uuid::from_u128(3),
            service_id: Uuid::from_u128(1),
            workspace_id: Uuid::from_u128(2),
            incident_type: column::IncidentType::Degraded,
            started_at: at(0),
            resolved_at: None,
            checks_failed: 1,
            cause: Some("API: degraded".into()),
        };
        let mut changes = IncidentChanges::default();
        let incidents = ["Trouble".to_owned(), "More trouble".to_owned()];
        let notes = ["the vendor renamed \"A\" to \"B\"".to_owned()];
        assert_eq!(
            changes.apply_vendor_report(&mut open, at(1), &incidents, &notes),
            2
        );
        assert_eq!(open.cause.as_deref(), Some("Trouble"));
        assert_eq!(
            changes.apply_vendor_report(&mut open, at(2), &incidents, &[]),
            0
        );
        assert_eq!(changes.count(EventKind::Reported), 1);
        assert_eq!(changes.count(EventKind::Renamed), 1);
    }
}
