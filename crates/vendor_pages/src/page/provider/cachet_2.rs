//! Cachet 2: `/api/v1/components`, `/api/v1/incidents` and `/api/v1/schedules`, each `{meta, data: [...]}`.
//!
//! Its times have no time zone, and the API does not name one.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Incident, Maintenance, Stage, text, time};
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
        "components" if is_cut_short(root, data) => return Some(Err("the answer holds only a part of the components".into())),
        "components" => draft.components = Some(data.iter().filter_map(component).collect()),
        "incidents" => draft.incidents = Some(data.iter().filter_map(|item| incident(item, answer)).collect()),
        "schedules" => draft.maintenances = Some(data.iter().filter_map(maintenance).collect()),
        _ => return None,
    }
    Some(Ok(draft))
}

/// Whether there are more entries on further pages: a component there would look as if it were gone.
pub(super) fn is_cut_short(root: &Json<'_>, data: &[Json<'_>]) -> bool {
    let total = root.at("meta").at("pagination").at("total").integer().or_else(|| root.at("meta").at("total").integer());
    total.and_then(|total| usize::try_from(total).ok()).is_some_and(|total| total > data.len())
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
    // 0 scheduled, 1 investigating, 2 identified, 3 watching, 4 fixed.
    let code = item.at("status").integer();
    if code == Some(0) {
        return None;
    }
    let at = time::instant(item.any(&["occurred_at", "created_at"]));
    let touched = item.at("component_id").integer().filter(|id| *id > 0);
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        impact: String::new(),
        status: text::word(item.any(&["latest_human_status", "human_status", "status"])),
        open: code != Some(4) && !item.at("is_resolved").is_true(),
        started_at: at,
        resolved_at: time::instant(item.at("updated_at")),
        url: text::link(item.at("permalink"), answer.address),
        component_ids: touched.map(|id| id.to_string()).into_iter().collect(),
        updates: vec![draft::update(at, item.any(&["human_status", "status"]), item.at("message"))],
    })
}

fn maintenance(item: &Json<'_>) -> Option<Maintenance> {
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        status: text::word(item.any(&["human_status", "status"])),
        stage: stage(item.at("status").integer()),
        scheduled_for: time::instant(item.at("scheduled_at")),
        scheduled_until: time::instant(item.at("completed_at")),
        url: None,
        component_ids: item.at("components").items().iter().filter_map(|item| text::id(item.any(&["component_id", "id"]))).collect(),
        updates: vec![draft::update(None, item.any(&["human_status", "status"]), item.at("message"))],
    })
}

pub(super) fn stage(code: Option<i64>) -> Option<Stage> {
    match code {
        Some(0) => Some(Stage::Scheduled),
        Some(1) => Some(Stage::InProgress),
        Some(2) => Some(Stage::Completed),
        _ => None,
    }
}
