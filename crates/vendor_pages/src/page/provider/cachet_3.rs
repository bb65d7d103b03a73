//! Cachet 3: `/api/components`, `/api/incidents` and `/api/schedules` as JSON:API, with `status: {human, value}`.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, progress, text, time};
use super::{Answer, Provider, cachet_2};
use chrono::{DateTime, Utc};
use domain::Status;
use std::collections::HashMap;

pub(super) const PROVIDER: Provider = Provider {
    name: "Cachet 3",
    paths: &[
        "/api/components?per_page=1000&include=group",
        "/api/incidents?per_page=50&sort=-id&include=components",
        "/api/schedules?per_page=50&include=components",
    ],
    hint: None,
    read,
};

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let data = root.at("data").list()?;
    let kind = match data.first() {
        Some(first) if first.at("attributes").is_object() => first.at("type").text()?,
        Some(_) => return None,
        None if root.at("meta").is_object() && root.has("links") => answer.file(),
        None => return None,
    };
    let mut draft = Draft { url: answer.root(), ..Draft::default() };
    match kind {
        "components" => {
            let groups = groups(root);
            draft.components = Some(data.iter().filter_map(|item| component(item, &groups)).collect());
        }
        "incidents" => draft.incidents = Some(data.iter().filter_map(|item| incident(item, answer)).collect()),
        "schedules" => draft.maintenances = Some(data.iter().filter_map(maintenance).collect()),
        _ => return None,
    }
    Some(Ok(draft))
}

/// The names of the groups by id; of several with one id, the first.
fn groups(root: &Json<'_>) -> HashMap<String, Option<String>> {
    let is_group = |item: &&Json<'_>| item.at("type").text().is_some_and(|kind| kind.to_ascii_lowercase().contains("group"));
    let mut groups = HashMap::new();
    for item in root.at("included").items().iter().filter(is_group) {
        if let Some(id) = text::id(item.at("id")) {
            groups.entry(id).or_insert_with(|| text::name(item.at("attributes").at("name")));
        }
    }
    groups
}

fn component(item: &Json<'_>, groups: &HashMap<String, Option<String>>) -> Option<Component> {
    let attributes = item.at("attributes");
    let group = text::id(item.at("relationships").at("group").at("data").at("id"));
    let group = group.and_then(|id| groups.get(&id)?.clone());
    let code = attributes.at("status").at("value");
    let mut found = draft::component(text::id(item.at("id")), text::name(attributes.at("name")), group, code, status)?;
    found.vendor_status = text::word(attributes.at("status").any(&["human", "value"]));
    Some(found)
}

/// As in Cachet 2, and two more.
fn status(code: &str) -> Status {
    match code {
        "6" => Status::Maintenance,
        other => cachet_2::status(other),
    }
}

/// An instant, alone or as `{human, string}`.
fn moment(value: &Json<'_>) -> Option<DateTime<Utc>> {
    time::instant(if value.is_object() { value.at("string") } else { value })
}

fn incident(item: &Json<'_>, answer: &Answer<'_>) -> Option<Incident> {
    let attributes = item.at("attributes");
    let id = text::id(item.at("id"))?;
    let state = attributes.at("status");
    let at = moment(attributes.any(&["occurred", "occurred_at"])).or_else(|| moment(attributes.any(&["created", "created_at"])));
    Some(Incident {
        url: text::id(attributes.at("guid")).and_then(|guid| text::address(&format!("/incidents/{guid}"), answer.address)),
        id,
        name: text::name(attributes.at("name"))?,
        impact: String::new(),
        status: text::word(state.any(&["human", "value"])),
        open: progress::is_open(attributes, cachet_2::incident_state(state.at("value").integer()), None),
        started_at: at,
        resolved_at: moment(attributes.any(&["updated", "updated_at"])),
        component_ids: linked(item),
        updates: vec![draft::update(at, state.any(&["human", "value"]), attributes.at("message"))],
    })
}

fn maintenance(item: &Json<'_>) -> Option<Maintenance> {
    let attributes = item.at("attributes");
    let state = attributes.at("status");
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(attributes.at("name"))?,
        status: text::word(state.any(&["human", "value"])),
        stage: progress::stage(attributes, cachet_2::schedule_state(state.at("value").integer())),
        scheduled_for: moment(attributes.any(&["scheduled", "scheduled_at"])),
        scheduled_until: moment(attributes.any(&["completed", "completed_at"])),
        url: None,
        component_ids: linked(item),
        updates: vec![draft::update(None, state.any(&["human", "value"]), attributes.at("message"))],
    })
}

fn linked(item: &Json<'_>) -> Vec<String> {
    draft::ids(item.at("relationships").at("components").at("data").items(), "id")
}
