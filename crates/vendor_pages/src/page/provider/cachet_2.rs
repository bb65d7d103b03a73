//! Cachet 2: `/api/v1/components`, `/api/v1/incidents` and `/api/v1/schedules`, each `{meta, data: [...]}`.
//!
//! Its times have no time zone, and the API does not name one.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Incident, Maintenance, progress, text, time};
use super::{Answer, Provider};
use domain::Status;

pub(super) const PROVIDER: Provider = Provider {
    name: "Cachet 2",
    // One page of the list has 20 entries unless more are asked for.
    paths: &["/api/v1/components?per_page=1000", "/api/v1/incidents?sort=id&order=desc&per_page=50", "/api/v1/schedules?per_page=50"],
    hint: None,
    read,
};

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let data = root.at("data").list()?;
    if !root.at("meta").is_object() || data.iter().any(|item| item.has("attributes")) {
        return None;
    }
    // What is in the list shows in its entries, and where there are none in the address.
    let kind = match data.first() {
        Some(first) if first.has("scheduled_at") && first.has("completed_at") => "schedules",
        Some(first) if first.has("message") && first.has("status") => "incidents",
        Some(first) if first.has("name") && first.has("status") && first.has("group_id") => "components",
        Some(_) => return None,
        None => answer.file(),
    };
    let mut draft = Draft { url: answer.root(), ..Draft::default() };
    match kind {
        "components" => draft.components = Some(data.iter().filter_map(component).collect()),
        "incidents" => {
            // Before there were schedules, maintenance was an incident that is scheduled.
            let (works, incidents): (Vec<_>, Vec<_>) = data.iter().partition(|item| item.at("status").integer() == Some(0));
            draft.incidents = Some(incidents.into_iter().filter_map(|item| incident(item, answer)).collect());
            // None is not an empty list: they are listed elsewhere.
            let works: Vec<_> = works.into_iter().filter_map(|item| scheduled_incident(item, answer)).collect();
            draft.maintenances = (!works.is_empty()).then_some(works);
        }
        "schedules" => draft.maintenances = Some(data.iter().filter_map(maintenance).collect()),
        _ => return None,
    }
    Some(Ok(draft))
}

fn component(item: &Json<'_>) -> Option<super::super::Component> {
    let (id, name) = (text::id(item.at("id")), text::name(item.at("name")));
    let group = text::name(item.at("group").at("name"));
    let mut found = draft::component(id, name, group, item.at("status"), status)?;
    found.vendor_status = text::word(item.any(&["status_name", "status"]));
    Some(found)
}

pub(super) fn status(code: &str) -> Status {
    match code {
        "1" => Status::Up,
        "2" => Status::Degraded,
        "3" | "4" => Status::Down,
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>, answer: &Answer<'_>) -> Option<Incident> {
    let at = time::instant(item.any(&["occurred_at", "created_at"]));
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        impact: String::new(),
        status: text::word(item.any(&["latest_human_status", "human_status", "status"])),
        open: progress::is_open(item, incident_state(item.at("status").integer()), None),
        started_at: at,
        resolved_at: time::instant(item.at("updated_at")),
        url: text::link(item.at("permalink"), answer.address),
        component_ids: component_of(item),
        updates: vec![draft::update(at, item.any(&["human_status", "status"]), item.at("message"))],
    })
}

/// Returns the component of an incident; 0 stands for none.
fn component_of(item: &Json<'_>) -> Vec<String> {
    let id = item.at("component_id").integer().filter(|id| *id > 0);
    id.map(|id| id.to_string()).into_iter().collect()
}

/// Maps the code of an incident's state to a word.
pub(super) fn incident_state(code: Option<i64>) -> &'static str {
    match code {
        Some(0) => "scheduled",
        Some(1) => "investigating",
        Some(2) => "identified",
        Some(3) => "watching",
        Some(4) => "fixed",
        _ => "",
    }
}

fn scheduled_incident(item: &Json<'_>, answer: &Answer<'_>) -> Option<Maintenance> {
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        status: text::word(item.any(&["latest_human_status", "human_status", "status"])),
        stage: progress::stage(item, "scheduled"),
        scheduled_for: time::instant(item.at("scheduled_at")),
        scheduled_until: None,
        url: text::link(item.at("permalink"), answer.address),
        component_ids: component_of(item),
        updates: vec![draft::update(None, item.any(&["human_status", "status"]), item.at("message"))],
    })
}

fn maintenance(item: &Json<'_>) -> Option<Maintenance> {
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        status: text::word(item.any(&["human_status", "status"])),
        stage: progress::stage(item, schedule_state(item.at("status").integer())),
        scheduled_for: time::instant(item.at("scheduled_at")),
        scheduled_until: time::instant(item.at("completed_at")),
        url: None,
        component_ids: item.at("components").items().iter().filter_map(|item| text::id(item.any(&["component_id", "id"]))).collect(),
        updates: vec![draft::update(None, item.any(&["human_status", "status"]), item.at("message"))],
    })
}

/// Maps the code of a schedule's state to a word.
pub(super) fn schedule_state(code: Option<i64>) -> &'static str {
    match code {
        Some(0) => "upcoming",
        Some(1) => "in progress",
        Some(2) => "complete",
        _ => "",
    }
}
