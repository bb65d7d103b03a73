//! Slack: `/api/v2.0.0/current`, and the list of past incidents at `/api/v2.0.0/history`.
//!
//! There is no list of components: incidents name the features that they touch. The whole of Slack can be followed,
//! and every feature that is named. Planned maintenance is listed among the incidents, as a type of its own and without a
//! window (<https://docs.slack.dev/reference/slack-status-api>).

use super::super::draft::{self, Draft};
use super::super::following::worst;
use super::super::json::Json;
use super::super::{Component, Identity, Incident, ListCoverage, Maintenance, Stage, Update, WHOLE, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use std::collections::BTreeMap;
use url::Url;

pub(super) const PROVIDER: Provider = Provider { name: "Slack", paths: &["/api/v2.0.0/current"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let draft = Draft {
        name: Some("Slack".into()),
        url: answer.root(),
        identity: Identity::Name,
        listing: ListCoverage::Mentioned,
        ..Draft::default()
    };
    let with_events = |items: &[Json<'_>], draft| {
        let (works, incidents): (Vec<_>, Vec<_>) = items.iter().partition(|item| is_work(item));
        Draft {
            incidents: Some(incidents.into_iter().filter_map(|item| incident(item, answer.address)).collect()),
            maintenances: Some(works.into_iter().filter_map(|item| maintenance(item, answer.address)).collect()),
            ..draft
        }
    };
    if let Some(items) = root.list() {
        let known = |item: &Json<'_>| item.has("title") && item.has("date_created") && item.has("services");
        return items.first().is_some_and(known).then(|| Ok(with_events(items, draft)));
    }
    let active = root.at("active_incidents").list()?;
    let word = root.at("status").text()?;
    if let Some(why) = unclear(word, active) {
        return Some(Err(why.into()));
    }
    Some(Ok(with_events(active, Draft { components: Some(components(word, active)), ..draft })))
}

/// Why the features that nothing mentions are not known to be in order: something may be about any of them.
fn unclear(word: &str, active: &[Json<'_>]) -> Option<&'static str> {
    let names = |item: &Json<'_>| item.at("services").list().is_some_and(|list| list.iter().all(|one| text::name(one).is_some()));
    match word {
        "ok" => (!active.iter().all(names)).then_some("an incident in the answer does not say what it is about"),
        "active" if active.is_empty() => Some("the answer says that something is wrong, and not what"),
        "active" => (!active.iter().all(names)).then_some("an incident in the answer does not say what it is about"),
        _ => Some("the answer says that something is the matter, in a word that is not known"),
    }
}

fn components(word: &str, active: &[Json<'_>]) -> Vec<Component> {
    let of = |item: &Json<'_>| (status(item), text::word(item.at("type")));
    let whole = match word {
        "ok" | "active" if !active.is_empty() => worst(active.iter().map(|item| of(item).0)),
        "ok" => Status::Up,
        // Something is the matter, and nothing says what.
        _ => Status::Unknown,
    };
    let mut features: BTreeMap<String, (Status, String)> = BTreeMap::new();
    for item in active {
        for name in item.at("services").items().iter().filter_map(text::name) {
            let (status, word) = of(item);
            let entry = features.entry(name).or_insert_with(|| (status, word.clone()));
            if worst([entry.0, status]) != entry.0 {
                *entry = (status, word);
            }
        }
    }
    let whole = (WHOLE.to_owned(), "Slack".to_owned(), whole, text::line(word).unwrap_or_default());
    let features = features.into_iter().map(|(name, (status, word))| (name.clone(), name, status, word));
    std::iter::once(whole)
        .chain(features)
        .map(|(id, name, status, vendor_status)| Component { id, name, group: None, status, vendor_status, position: 0 })
        .collect()
}

fn is_work(item: &Json<'_>) -> bool {
    item.at("type").word() == "maintenance"
}

fn status(item: &Json<'_>) -> Status {
    match &*item.at("type").word() {
        // An announcement, no matter of health.
        "notice" => Status::Up,
        "incident" => Status::Degraded,
        "outage" => Status::Down,
        "maintenance" => match stage(item) {
            Some(Stage::InProgress) => Status::Maintenance,
            Some(Stage::Scheduled | Stage::Completed) => Status::Up,
            None => Status::Unknown,
        },
        _ => Status::Unknown,
    }
}

fn stage(item: &Json<'_>) -> Option<Stage> {
    progress::stage(item, &item.at("status").word())
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        impact: text::word(item.at("type")),
        open: progress::is_open(item, &item.at("status").word(), None),
        status: text::word(item.at("status")),
        started_at: time::instant(item.at("date_created")),
        resolved_at: time::instant(item.at("date_updated")),
        url: text::link(item.at("url"), address),
        component_ids: touched(item),
        updates: updates(item),
    })
}

fn maintenance(item: &Json<'_>, address: &Url) -> Option<Maintenance> {
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        status: text::word(item.at("status")),
        stage: stage(item),
        // Only the time of the announcement is given.
        scheduled_for: None,
        scheduled_until: None,
        url: text::link(item.at("url"), address),
        component_ids: touched(item),
        updates: updates(item),
    })
}

fn touched(item: &Json<'_>) -> Vec<String> {
    draft::with_whole(item.at("services").items().iter().filter_map(text::name).collect())
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let notes = item.at("notes").items().iter();
    notes.map(|note| draft::update(time::instant(note.at("date_created")), &Json::Null, note.at("body"))).collect()
}
