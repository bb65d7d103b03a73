//! Atlassian Statuspage, and pages of other providers with a compatible API, such as incident.io.
//!
//! `/api/v2/summary.json` holds all; `components.json`, `incidents.json` and `scheduled-maintenances.json` parts of it.
//! A group is a component with `group: true`; its members carry its id and often come before it.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, Update, progress, text, time};
use super::{Answer, Provider};
use chrono::{DateTime, Utc};
use domain::Status;
use std::collections::HashMap;
use url::Url;

pub(super) const PROVIDER: Provider = Provider {
    name: "Atlassian Statuspage",
    paths: &["/api/v2/summary.json", "/api/v2/components.json"],
    hint: None,
    read,
};

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let is_status = root.at("status").at("indicator").text().is_some();
    let of_page = is_status || root.at("page").is_object();
    let has_list = ["components", "incidents", "scheduled_maintenances"].iter().any(|key| root.at(key).list().is_some());
    (of_page && (has_list || is_status) || looks_like_components(root)).then(|| draft(root, is_status, answer.address))
}

/// A list of components without anything around it that would tell whose it is.
fn looks_like_components(root: &Json<'_>) -> bool {
    let components = root.at("components").items();
    let known = |item: &Json<'_>| status(&item.at("status").word()) != Status::Unknown && item.has("name");
    components.first().is_some_and(known)
}

fn draft(root: &Json<'_>, is_summary: bool, address: &Url) -> Result<Draft, String> {
    let page = root.at("page");
    let lists = |key: &'static str| match root.at(key) {
        Json::Null => Ok(None),
        Json::List(items) => Ok(Some(items.as_slice())),
        _ => Err(format!("{key:?} in the answer is no list")),
    };
    let listed = lists("components")?;
    // A summary leaves out what it has none of; a null is no list that is empty.
    let whole = is_summary && listed.is_some();
    let part = |key| Ok::<_, String>(lists(key)?.or((whole && !root.has(key)).then_some(&[])));
    let event = |item| incident(item, address);
    let work = |item| maintenance(item, address);
    Ok(Draft {
        name: text::name(page.at("name")),
        url: text::link(page.at("url"), address),
        components: listed.map(components),
        incidents: part("incidents")?.map(|items| items.iter().filter_map(event).collect()),
        maintenances: part("scheduled_maintenances")?.map(|items| items.iter().filter_map(work).collect()),
        ..Draft::default()
    })
}

/// The leaves in the order in which the page shows them: groups and ungrouped leaves by their position, the members
/// of a group by theirs.
fn components(items: &[Json<'_>]) -> Vec<Component> {
    let position = |item: &Json<'_>, place: usize| item.at("position").integer().unwrap_or(place as i64);
    let groups: HashMap<_, _> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.at("group").is_true())
        .filter_map(|(place, item)| Some((text::id(item.at("id"))?, (text::name(item.at("name")), position(item, place), place))))
        .collect();
    let mut leaves: Vec<_> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !item.at("group").is_true())
        .filter_map(|(place, item)| {
            let own = position(item, place);
            let group = text::id(item.at("group_id")).and_then(|id| groups.get(&id));
            let (name, of_group, group_place) = group.map_or((None, own, place), |(name, at, place)| (name.clone(), *at, *place));
            let (id, word) = (text::id(item.at("id")), item.at("status"));
            let leaf = draft::component(id, text::name(item.at("name")), name, word, status)?;
            Some(((of_group, group_place, own, place), leaf))
        })
        .collect();
    leaves.sort_by_key(|(order, _)| *order);
    leaves.into_iter().map(|(_, leaf)| leaf).collect()
}

pub(super) fn status(word: &str) -> Status {
    match word {
        "operational" => Status::Up,
        "degraded_performance" => Status::Degraded,
        "partial_outage" | "major_outage" => Status::Down,
        "under_maintenance" => Status::Maintenance,
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    let word = text::word(item.at("status"));
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        impact: text::word(item.at("impact")),
        open: progress::is_open(item, &word, time::instant(item.at("resolved_at"))),
        status: word,
        started_at: first_time(item, &["started_at", "created_at"]),
        resolved_at: first_time(item, &["resolved_at", "updated_at"]),
        url: text::link(item.at("shortlink"), address),
        component_ids: linked(item),
        updates: updates(item),
    })
}

/// `started_at` is when a maintenance was announced: its window is in other fields.
fn maintenance(item: &Json<'_>, address: &Url) -> Option<Maintenance> {
    let word = text::word(item.at("status"));
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        stage: progress::stage(item, &word),
        status: word,
        scheduled_for: time::instant(item.at("scheduled_for")),
        scheduled_until: time::instant(item.at("scheduled_until")),
        url: text::link(item.at("shortlink"), address),
        component_ids: linked(item),
        updates: updates(item),
    })
}

fn first_time(item: &Json<'_>, keys: &[&str]) -> Option<DateTime<Utc>> {
    keys.iter().find_map(|key| time::instant(item.at(key)))
}

/// Returns the components of an event: its own list, or else those of the last update that names any. There the names
/// are "Group - Leaf", and only the code identifies.
fn linked(item: &Json<'_>) -> Vec<String> {
    let own = draft::ids(item.at("components").items(), "id");
    if !own.is_empty() {
        return own;
    }
    let updates = item.at("incident_updates").items().iter();
    let named = updates.map(|update| {
        let codes = draft::ids(update.at("affected_components").items(), "code");
        (first_time(update, &["display_at", "created_at"]), codes)
    });
    // Of several without a time, the first: they come newest first.
    let newest = named.filter(|(_, codes)| !codes.is_empty()).reduce(|a, b| if b.0 > a.0 { b } else { a });
    newest.map(|(_, codes)| codes).unwrap_or_default()
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let updates = item.at("incident_updates").items().iter();
    updates
        .map(|update| draft::update(first_time(update, &["display_at", "created_at"]), update.at("status"), update.at("body")))
        .collect()
}
