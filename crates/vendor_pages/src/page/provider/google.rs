//! Google Cloud and Google Workspace: `incidents.json`, a bare list of incidents, the open ones without an `end`.
//!
//! There is no list of components here: the products are those that any incident names, and the whole.

use super::super::draft::{self, Draft};
use super::super::following::worst;
use super::super::json::Json;
use super::super::{Component, Incident, ListCoverage, WHOLE, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use std::collections::BTreeMap;
use url::Url;

pub(super) const PROVIDER: Provider = Provider { name: "Google", paths: &["incidents.json"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let items = answer.json()?.list()?;
    let known = |item: &Json<'_>| item.has("begin") && item.has("status_impact");
    let by_google = answer.address.host_str().is_some_and(|host| host.ends_with(".google.com"));
    // Nothing in an empty list tells whose it is.
    if !(items.first().is_some_and(known) || items.is_empty() && by_google && answer.file() == "incidents.json") {
        return None;
    }
    // What is dropped would be in order.
    if items.iter().any(|item| !known(item) || is_open(item) && !is_legible(item)) {
        return Some(Err("an incident in the answer does not say what it is about".into()));
    }
    let name = match answer.address {
        url if url.path().contains("appsstatus") => "Google Workspace",
        url if url.host_str() == Some("status.cloud.google.com") => "Google Cloud",
        _ => "Google",
    };
    Some(Ok(Draft {
        name: Some(name.into()),
        url: text::address(".", answer.address),
        components: Some(components(name, items)),
        incidents: Some(items.iter().filter_map(|item| incident(item, answer.address)).collect()),
        listing: ListCoverage::Mentioned,
        ..Draft::default()
    }))
}

fn components(name: &str, items: &[Json<'_>]) -> Vec<Component> {
    let mut whole = vec![(Status::Up, "AVAILABLE".to_owned())];
    // By title, since that is how people look for them.
    let mut products: BTreeMap<(String, String), Vec<(Status, String)>> = BTreeMap::new();
    for item in items {
        let open = is_open(item).then(|| (status(&item.at("status_impact").word()), text::word(item.at("status_impact"))));
        whole.extend(open.clone());
        for (id, title) in affected(item) {
            products.entry((title, id)).or_insert_with(|| vec![(Status::Up, "AVAILABLE".into())]).extend(open.clone());
        }
    }
    let component = |id: String, name: String, all: Vec<(Status, String)>| {
        let status = worst(all.iter().map(|(status, _)| *status));
        let word = all.iter().find(|(of, _)| *of == status).map(|(_, word)| word.clone()).unwrap_or_default();
        Component { id, name, group: None, status, vendor_status: word, position: 0 }
    };
    std::iter::once(component(WHOLE.into(), name.into(), whole))
        .chain(products.into_iter().map(|((title, id), all)| component(id, title, all)))
        .collect()
}

fn is_open(item: &Json<'_>) -> bool {
    matches!(item.at("end"), Json::Null) || item.at("end").text() == Some("")
}

/// Returns whether every product of the incident is known.
fn is_legible(item: &Json<'_>) -> bool {
    let named = match item.at("affected_products") {
        Json::List(products) => products.len(),
        Json::Null => usize::from(item.any(&["service_key", "service_name"]) != &Json::Null),
        _ => return false,
    };
    affected(item).len() == named
}

/// The products of an incident: id and title.
fn affected(item: &Json<'_>) -> Vec<(String, String)> {
    let pair = |item: &Json<'_>, id, title| Some((text::id(item.at(id))?, text::name(item.at(title))?));
    match item.at("affected_products").list() {
        Some(products) => products.iter().filter_map(|product| pair(product, "id", "title")).collect(),
        None => pair(item, "service_key", "service_name").into_iter().collect(),
    }
}

fn status(impact: &str) -> Status {
    match impact {
        // An announcement, no matter of health.
        "SERVICE_INFORMATION" | "AVAILABLE" => Status::Up,
        "SERVICE_DISRUPTION" => Status::Degraded,
        "SERVICE_OUTAGE" => Status::Down,
        _ => Status::Unknown,
    }
}

fn incident(item: &Json<'_>, address: &Url) -> Option<Incident> {
    let description = text::body(item.at("external_desc"));
    // The description may be Markdown under headings: the title is the first line that is none.
    let title = description.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("**"));
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: title.and_then(text::line).or_else(|| text::name(item.at("service_name")))?,
        impact: text::word(item.at("status_impact")),
        status: text::word(item.at("most_recent_update").at("status")),
        open: is_open(item) && progress::is_open(item, "", None),
        started_at: time::instant(item.any(&["begin", "created"])),
        resolved_at: time::instant(item.at("end")),
        url: text::link(item.at("uri"), address),
        component_ids: draft::with_whole(affected(item).into_iter().map(|(id, _)| id).collect()),
        updates: item
            .at("updates")
            .items()
            .iter()
            .map(|update| draft::update(time::instant(update.any(&["when", "created"])), update.at("status"), update.at("text")))
            .collect(),
    })
}
