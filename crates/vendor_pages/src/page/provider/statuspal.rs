//! Statuspal: `/api/v2/status_pages/<subdomain>/summary`: a tree of services, and events linked to their ids.
//!
//! Its times have no zone and are in UTC: an event's own time and the database's time of its record agree.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, Stage, Update, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use url::Url;

pub(super) const PROVIDER: Provider = Provider {
    name: "Statuspal",
    paths: &["/api/v2/status_pages/{label}/summary"],
    hint: None,
    read,
};

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let services = root.at("services").list()?;
    let page = root.at("status_page");
    if !page.is_object() {
        return None;
    }
    let address = answer.address;
    let mut components = Vec::new();
    leaves(services, None, &mut components);
    // Written without a scheme.
    let url = page.at("url").text().map(str::trim).filter(|url| !url.is_empty());
    let url = url.and_then(|url| text::address(&if url.contains("://") { url.into() } else { format!("https://{url}") }, address));
    let works: Vec<_> = ["maintenances", "upcoming_maintenances"].iter().filter_map(|key| root.at(key).list()).collect();
    let works = (!works.is_empty()).then(|| works.into_iter().flatten());
    Some(Ok(Draft {
        name: text::name(page.at("name")),
        url,
        components: Some(components),
        incidents: root.at("incidents").list().map(|items| items.iter().filter_map(|item| incident(item, address)).collect()),
        maintenances: works.map(|works| works.filter_map(|item| maintenance(item, address)).collect()),
        ..Draft::default()
    }))
}

/// The services without children, in the order of the tree, each with the names above it as its group.
fn leaves(services: &[Json<'_>], group: Option<&str>, found: &mut Vec<Component>) {
    for service in services {
        let name = text::name(service.at("name"));
        let children = service.at("children").items();
        if children.is_empty() {
            let id = text::id(service.at("id"));
            let word = service.at("current_incident_type");
            found.extend(draft::component(id, name, group.map(str::to_owned), word, status).map(|mut leaf| {
                if *word == Json::Null {
                    (leaf.status, leaf.vendor_status) = healthy(service);
                }
                leaf
            }));
        } else {
            let path = match (group, name) {
                (Some(above), Some(name)) => text::line(&format!("{above} / {name}")),
                (above, name) => name.or(above.map(str::to_owned)),
            };
            leaves(children, path.as_deref(), found);
        }
    }
}

/// A null is "no incident", but only where it was written: a service that says nothing of its state is not known.
fn healthy(service: &Json<'_>) -> (Status, String) {
    if service.has("current_incident_type") { (Status::Up, "operational".into()) } else { (Status::Unknown, String::new()) }
}

fn status(word: &str) -> Status {
    match word {
        // An announcement, no matter of health.
        "info" => Status::Up,
        // The page's own words for a minor incident: something works worse, nothing is out.
        "performance" | "minor" => Status::Degraded,
        "major" => Status::Down,
        "scheduled" | "emergency-maintenance" => Status::Maintenance,
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    let ended = time::in_utc(item.at("ends_at"));
    let updates = updates(item);
    let state = updates.first().map(|update| update.status.clone()).unwrap_or_default();
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        impact: text::word(item.at("type")),
        // An end is an end here, whatever the last update was about.
        open: ended.is_none() && progress::is_open(item, &state, None),
        status: state,
        started_at: time::in_utc(item.any(&["starts_at", "inserted_at"])),
        resolved_at: ended,
        url: text::link(item.at("url"), address),
        component_ids: draft::ids(item.at("service_ids").items(), "id"),
        updates,
    })
}

/// Only its window says how far it is, unless an update says that it is over.
fn maintenance(item: &Json<'_>, address: &Url) -> Option<Maintenance> {
    let updates = updates(item);
    let last_word = updates.first().map(|update| update.status.as_str()).unwrap_or_default();
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("title"))?,
        status: text::word(item.at("type")),
        stage: progress::stage(item, last_word).filter(|stage| *stage == Stage::Completed),
        scheduled_for: time::in_utc(item.at("starts_at")),
        scheduled_until: time::in_utc(item.at("ends_at")),
        url: text::link(item.at("url"), address),
        component_ids: draft::ids(item.at("service_ids").items(), "id"),
        updates,
    })
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let updates = item.at("updates").items().iter();
    let mut updates: Vec<_> = updates
        .map(|update| {
            let at = time::in_utc(update.any(&["posted_at", "inserted_at"]));
            draft::update(at, update.at("type"), update.any(&["description", "description_html"]))
        })
        .collect();
    updates.sort_by_key(|update| std::cmp::Reverse(update.at));
    updates
}
