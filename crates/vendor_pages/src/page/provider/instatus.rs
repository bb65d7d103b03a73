//! Instatus: `/summary.json` for incidents and maintenance, which are absent when there are none, and
//! `/v3/components.json`. Its words are in capitals.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, Update, progress, text, time};
use super::{Answer, Provider};
use chrono::TimeDelta;
use domain::Status;
use std::collections::HashMap;
use url::Url;

pub(super) const PROVIDER: Provider =
    Provider { name: "Instatus", paths: &["/summary.json", "/v3/components.json"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let page = root.at("page");
    let of_page = matches!(&*page.at("status").word(), "UP" | "HASISSUES" | "UNDERMAINTENANCE");
    let of_components = root.at("components").items().first().is_some_and(|item| item.has("isParent"));
    let of_events = root.has("activeIncidents") || root.has("activeMaintenances");
    (of_page || of_components || of_events).then(|| draft(root, answer.address))
}

fn draft(root: &Json<'_>, address: &Url) -> Result<Draft, String> {
    let page = root.at("page");
    let components = match root.at("components") {
        Json::Null => None,
        Json::List(items) => Some(components(items)),
        _ => return Err("\"components\" in the answer is no list".into()),
    };
    // The list of components speaks of nothing else; the summary leaves out what it has none of.
    let of_events = root.has("activeIncidents") || root.has("activeMaintenances") || components.is_none();
    let events = |key: &str| {
        let absent = of_events && !root.has(key);
        root.at(key).list().or(absent.then_some(&[])).map(<[Json<'_>]>::iter)
    };
    Ok(Draft {
        name: text::name(page.at("name")),
        url: text::link(page.at("url"), address),
        components,
        incidents: events("activeIncidents").map(|items| items.filter_map(|item| incident(item, address)).collect()),
        maintenances: events("activeMaintenances")
            .map(|items| items.filter_map(|item| maintenance(item, address)).collect()),
        ..Draft::default()
    })
}

/// The leaves. A parent holds its children, or their ids while they stand beside it.
fn components(items: &[Json<'_>]) -> Vec<Component> {
    let is_parent = |item: &Json<'_>| item.at("isParent").is_true() || !item.at("children").items().is_empty();
    let parents = || items.iter().filter(|item| is_parent(item));
    let mut groups: HashMap<String, Option<String>> = HashMap::new();
    for parent in parents() {
        for child in parent.at("children").items() {
            groups.extend(text::id(if child.is_object() { child.at("id") } else { child }).map(|id| (id, text::name(parent.at("name")))));
        }
    }
    let mut ordered: Vec<&Json<'_>> = items.iter().collect();
    ordered.sort_by_key(|item| item.at("order").integer().unwrap_or(i64::MAX));
    let mut found = Vec::new();
    for item in ordered {
        if is_parent(item) {
            let mut children: Vec<_> = item.at("children").items().iter().filter(|child| child.is_object()).collect();
            children.sort_by_key(|child| child.at("order").integer().unwrap_or(i64::MAX));
            found.extend(children.into_iter().filter_map(|child| leaf(child, text::name(item.at("name")))));
        } else {
            let group = text::id(item.at("id")).and_then(|id| groups.get(&id).cloned().flatten());
            found.extend(leaf(item, group.or_else(|| text::name(item.at("group").at("name")))));
        }
    }
    found
}

fn leaf(item: &Json<'_>, group: Option<String>) -> Option<Component> {
    draft::component(text::id(item.at("id")), text::name(item.at("name")), group, item.at("status"), status)
}

fn status(word: &str) -> Status {
    match word {
        "OPERATIONAL" => Status::Up,
        "DEGRADEDPERFORMANCE" => Status::Degraded,
        "PARTIALOUTAGE" | "MINOROUTAGE" | "MAJOROUTAGE" => Status::Down,
        "UNDERMAINTENANCE" => Status::Maintenance,
        _ => Status::Unknown,
    }
}

/// Its id; an older summary has none, and then its page identifies it.
fn event_id(item: &Json<'_>) -> Option<String> {
    text::id(item.at("id")).or_else(|| text::id(item.at("url")))
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    let word = text::word(item.at("status"));
    Some(Incident {
        id: event_id(item)?,
        name: text::name(item.at("name"))?,
        impact: text::word(item.at("impact")),
        open: progress::is_open(item, &word, time::instant(item.at("resolved"))),
        status: word,
        started_at: time::instant(item.at("started")),
        resolved_at: time::instant(item.any(&["resolved", "updatedAt"])),
        url: text::link(item.at("url"), address),
        component_ids: draft::ids(item.at("components").items(), "id"),
        updates: updates(item),
    })
}

fn maintenance(item: &Json<'_>, address: &Url) -> Option<Maintenance> {
    let word = text::word(item.at("status"));
    let start = time::instant(item.at("start"));
    // In minutes, as a number or as text.
    let duration = item.at("duration").integer().and_then(TimeDelta::try_minutes);
    Some(Maintenance {
        id: event_id(item)?,
        name: text::name(item.at("name"))?,
        stage: progress::stage(item, &word),
        status: word,
        scheduled_for: start,
        scheduled_until: start.zip(duration).and_then(|(start, duration)| start.checked_add_signed(duration)),
        url: text::link(item.at("url"), address),
        component_ids: draft::ids(item.at("components").items(), "id"),
        updates: updates(item),
    })
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let updates = item.at("updates").items().iter();
    updates
        .map(|update| {
            let at = time::instant(update.any(&["started", "createdAt"]));
            draft::update(at, update.at("status"), update.any(&["message", "messageHtml"]))
        })
        .collect()
}
