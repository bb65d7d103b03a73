//! Status.io: `https://api.status.io/1.0/status/<page id>`; the id is in the page's HTML.
//!
//! A component runs in containers (places), each with a status of its own; the component has the worst of them.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Incident, Maintenance, Stage, Update, progress, text, time};
use super::{Answer, Provider};
use domain::Status;

pub(super) const PROVIDER: Provider = Provider { name: "Status.io", paths: &[], hint: Some(hint), read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let result = if root.at("result").is_object() { root.at("result") } else { root };
    if !result.at("status_overall").is_object() {
        return None;
    }
    let Some(components) = result.at("status").list() else {
        return Some(Err("the answer has no list of components".into()));
    };
    let work = result.at("maintenance");
    let works = |key, stage| Some(work.at(key).list()?.iter().filter_map(move |item| maintenance(item, stage)));
    let works = works("active", Stage::InProgress).zip(works("upcoming", Stage::Scheduled));
    Some(Ok(Draft {
        components: Some(
            components
                .iter()
                .filter_map(|item| {
                    let (id, name) = (text::id(item.at("id")), text::name(item.at("name")));
                    let mut found = draft::component(id, name, None, item.at("status_code"), status)?;
                    found.vendor_status = text::word(item.any(&["status", "status_code"]));
                    Some(found)
                })
                .collect(),
        ),
        incidents: result.at("incidents").list().map(|items| items.iter().filter_map(incident).collect()),
        maintenances: works.map(|(active, upcoming)| active.chain(upcoming).collect()),
        ..Draft::default()
    }))
}

/// The page's links to its own history and incidents hold its id: `/pages/history/<24 hexadecimal digits>`.
fn hint(html: &str) -> Option<String> {
    let kinds = ["/pages/history/", "/pages/incident/", "/pages/maintenance/"];
    let after = kinds.iter().find_map(|kind| html.split_once(kind))?.1;
    let id = after.get(..24)?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| format!("https://api.status.io/1.0/status/{id}"))
}

fn status(code: &str) -> Status {
    match code {
        "100" => Status::Up,
        "200" => Status::Maintenance,
        "300" => Status::Degraded,
        "400" | "500" => Status::Down,
        // Among them 600, a matter of security: it says nothing about whether the component works.
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>) -> Option<Incident> {
    let updates = updates(item);
    let newest = item.at("messages").items().iter().max_by_key(|message| time::instant(message.at("datetime")));
    let state = newest.map(|message| text::word(message.at("state"))).unwrap_or_default();
    let word = item.at("messages").items().last().map(|message| text::word(message.at("status"))).unwrap_or_default();
    Some(Incident {
        id: text::id(item.any(&["_id", "id"]))?,
        name: text::name(item.at("name"))?,
        impact: word,
        open: progress::is_open(item, &state_word(&state), time::instant(item.at("datetime_resolved"))),
        status: state_word(&state),
        started_at: time::instant(item.at("datetime_open")),
        resolved_at: time::instant(item.at("datetime_resolved")),
        url: None,
        component_ids: linked(item),
        updates,
    })
}

fn maintenance(item: &Json<'_>, stage: Stage) -> Option<Maintenance> {
    Some(Maintenance {
        id: text::id(item.any(&["_id", "id"]))?,
        name: text::name(item.at("name"))?,
        status: if stage == Stage::InProgress { "active" } else { "upcoming" }.into(),
        stage: progress::stage(item, "").or(Some(stage)),
        scheduled_for: time::instant(item.any(&["datetime_planned_start", "datetime_open"])),
        scheduled_until: time::instant(item.at("datetime_planned_end")),
        url: None,
        component_ids: linked(item),
        updates: updates(item),
    })
}

fn linked(item: &Json<'_>) -> Vec<String> {
    let components = item.at("components_affected").items().iter();
    components.filter_map(|item| text::id(if item.is_object() { item.any(&["_id", "id"]) } else { item })).collect()
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let messages = item.at("messages").items().iter();
    messages
        .map(|message| {
            let mut update = draft::update(time::instant(message.at("datetime")), message.at("state"), message.at("details"));
            update.status = state_word(&update.status);
            update
        })
        .collect()
}

/// Maps the code of an incident's state to its word.
fn state_word(state: &str) -> String {
    match state {
        "100" => "investigating",
        "200" => "identified",
        "300" => "monitoring",
        "400" => "resolved",
        other => other,
    }
    .to_owned()
}
