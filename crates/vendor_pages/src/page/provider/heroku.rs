//! Heroku: `/api/v4/current-status`. Its systems have names and colours, and no ids.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Identity, Incident, Maintenance, Stage, Update, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use url::Url;

pub(super) const PROVIDER: Provider = Provider { name: "Heroku", paths: &["/api/v4/current-status"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let systems = root.at("status").list()?;
    if !systems.iter().all(|item| item.has("system")) || !(root.has("incidents") || root.has("scheduled")) {
        return None;
    }
    let system = |item: &Json<'_>| {
        let name = text::name(item.at("system"));
        draft::component(name.clone(), name, None, item.at("status"), status)
    };
    let address = answer.address;
    Some(Ok(Draft {
        name: Some("Heroku".into()),
        url: answer.root(),
        components: Some(systems.iter().filter_map(system).collect()),
        incidents: root.at("incidents").list().map(|items| items.iter().filter_map(|item| incident(item, address)).collect()),
        maintenances: root
            .at("scheduled")
            .list()
            .map(|items| items.iter().filter_map(|item| maintenance(item, address)).collect()),
        identity: Identity::Name,
        ..Draft::default()
    }))
}

fn status(colour: &str) -> Status {
    match colour {
        "green" => Status::Up,
        "yellow" => Status::Degraded,
        "red" => Status::Down,
        "blue" => Status::Maintenance,
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    let word = text::word(item.at("state"));
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        impact: String::new(),
        open: progress::is_open(item, &word, time::instant(item.at("resolved_at"))),
        status: word,
        started_at: time::instant(item.at("created_at")),
        resolved_at: time::instant(item.any(&["resolved_at", "updated_at"])),
        url: text::link(item.any(&["full_url", "href"]), address),
        component_ids: linked(item),
        updates: updates(item),
    })
}

fn maintenance(item: &Json<'_>, address: &Url) -> Option<Maintenance> {
    let word = text::word(item.at("state"));
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        // The state may be absent.
        stage: progress::stage(item, &word).or_else(|| item.at("upcoming").is_true().then_some(Stage::Scheduled)),
        status: word,
        scheduled_for: time::instant(item.any(&["scheduled_for", "scheduled_at", "starts_at"])),
        scheduled_until: time::instant(item.any(&["scheduled_until", "ends_at"])),
        url: text::link(item.any(&["full_url", "href"]), address),
        component_ids: linked(item),
        updates: updates(item),
    })
}

/// The systems' names, as texts or inside of entries.
fn linked(item: &Json<'_>) -> Vec<String> {
    let systems = ["systems", "statuses"].iter().flat_map(|key| item.at(key).items());
    systems.filter_map(|system| text::name(if system.is_object() { system.at("system") } else { system })).collect()
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let updates = item.at("updates").items().iter();
    updates
        .map(|update| draft::update(time::instant(update.at("created_at")), update.at("update_type"), update.at("contents")))
        .collect()
}
