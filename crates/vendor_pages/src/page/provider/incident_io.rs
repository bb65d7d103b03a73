//! incident.io's own answer, richer than the one in Statuspage's shape: `/proxy/<host>`.
//!
//! The components stand in `summary.structure` as the page shows them, and only those that are affected have a
//! status: the others are operational, as long as every entry of those that are affected can be read.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, Update, progress, text, time};
use super::{Answer, Provider};
use chrono::{DateTime, Utc};
use domain::Status;
use std::borrow::Cow;
use std::collections::HashMap;
use url::Url;

pub(super) const PROVIDER: Provider = Provider { name: "incident.io", paths: &["/proxy/{host}"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let summary = root.at("summary");
    let known = summary.at("structure").at("items").list().is_some() || summary.at("components").list().is_some();
    known.then(|| draft(root, summary, answer))
}

fn draft(root: &Json<'_>, summary: &Json<'_>, answer: &Answer<'_>) -> Result<Draft, String> {
    let Some(affected) = summary.at("affected_components").list() else {
        return Err("the answer has no list of the affected components".into());
    };
    let url = text::link(summary.at("public_url"), answer.address).or_else(|| answer.root());
    // An incident's own page lies below the page for people.
    let base = url.as_ref().and_then(|url| Url::parse(url).ok());
    let events = |key: &str| [summary.at(key), root.at(key)].into_iter().find_map(Json::list);
    let page_of = |item: &Json<'_>| {
        text::link(item.at("url"), answer.address).or_else(|| {
            let id = text::id(item.at("id"))?;
            text::address(&format!("/incidents/{id}"), base.as_ref()?)
        })
    };
    Ok(Draft {
        name: text::name(summary.at("name")),
        components: Some(components(summary, affected)),
        incidents: events("ongoing_incidents")
            .map(|items| items.iter().filter_map(|item| incident(item, page_of(item))).collect()),
        maintenances: works(events("in_progress_maintenances"), events("scheduled_maintenances"))
            .map(|items| items.into_iter().filter_map(|item| maintenance(item, page_of(item))).collect()),
        url,
        ..Draft::default()
    })
}

/// Joins the lists of maintenance; `None` if the response has neither.
fn works<'j, 'a>(in_progress: Option<&'j [Json<'a>]>, scheduled: Option<&'j [Json<'a>]>) -> Option<Vec<&'j Json<'a>>> {
    let lists = [in_progress, scheduled];
    lists.iter().any(Option::is_some).then(|| lists.into_iter().flatten().flatten().collect())
}

fn components(summary: &Json<'_>, entries: &[Json<'_>]) -> Vec<Component> {
    let affected: HashMap<_, _> =
        entries.iter().filter_map(|item| Some((text::id(item.at("component_id"))?, item.at("status")))).collect();
    // One that cannot be read may be about any of them.
    let all_read = entries.iter().all(|item| text::id(item.at("component_id")).is_some());
    let names: HashMap<_, _> = summary
        .at("components")
        .items()
        .iter()
        .filter_map(|item| Some((text::id(item.at("id"))?, text::name(item.at("name"))?)))
        .collect();
    let others = if all_read { Json::Text(Cow::Borrowed("operational")) } else { Json::Null };
    let leaf = |item: &Json<'_>, group: Option<String>| {
        let id = text::id(item.any(&["component_id", "id"]))?;
        let name = text::name(item.at("name")).or_else(|| names.get(&id).cloned());
        let word = *affected.get(&id).unwrap_or(&&others);
        draft::component(Some(id), name, group, word, status)
    };
    let structure = summary.at("structure").at("items").items();
    if structure.is_empty() {
        return summary.at("components").items().iter().filter_map(|item| leaf(item, None)).collect();
    }
    let mut found = Vec::new();
    for item in structure {
        let group = item.at("group");
        let name = text::name(group.at("name"));
        found.extend(group.at("components").items().iter().filter_map(|member| leaf(member, name.clone())));
        found.extend(leaf(item.at("component"), None));
    }
    found
}

fn status(word: &str) -> Status {
    match word {
        "full_outage" => Status::Down,
        other => super::atlassian::status(other),
    }
}

fn incident(item: &Json<'_>, url: Option<String>) -> Option<Incident> {
    let word = text::word(item.at("status"));
    Some(Incident {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        impact: text::word(item.any(&["current_worst_impact", "impact"])),
        open: progress::is_open(item, &word, time::instant(item.at("resolved_at"))),
        status: word,
        started_at: first_time(item, &["started_at", "published_at", "created_at"]),
        resolved_at: time::instant(item.at("resolved_at")),
        url,
        component_ids: linked(item),
        updates: updates(item),
    })
}

fn maintenance(item: &Json<'_>, url: Option<String>) -> Option<Maintenance> {
    let word = text::word(item.at("status"));
    let impacts = item.at("component_impacts").items().iter();
    let start = impacts.clone().filter_map(|impact| time::instant(impact.at("start_at"))).min();
    let end = impacts.filter_map(|impact| time::instant(impact.at("end_at"))).max();
    Some(Maintenance {
        id: text::id(item.at("id"))?,
        name: text::name(item.at("name"))?,
        stage: progress::stage(item, &word),
        status: word,
        scheduled_for: first_time(item, &["starts_at", "scheduled_start_at"]).or(start),
        scheduled_until: first_time(item, &["ends_at", "scheduled_end_at"]).or(end),
        url,
        component_ids: linked(item),
        updates: updates(item),
    })
}

fn linked(item: &Json<'_>) -> Vec<String> {
    let mut ids = draft::ids(item.at("affected_components").items(), "component_id");
    ids.extend(draft::ids(item.at("component_impacts").items(), "component_id"));
    ids
}

fn updates(item: &Json<'_>) -> Vec<Update> {
    let updates = item.at("updates").items().iter();
    updates
        .map(|update| {
            let at = first_time(update, &["published_at", "created_at"]);
            draft::update(at, update.any(&["to_status", "status"]), update.any(&["message_string", "message"]))
        })
        .collect()
}

fn first_time(item: &Json<'_>, keys: &[&str]) -> Option<DateTime<Utc>> {
    keys.iter().find_map(|key| time::instant(item.at(key)))
}
