//! Better Stack: `/index.json`, a JSON:API document whose `included` holds everything, distinguished by `type`.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Incident, Maintenance, Update, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use std::cell::RefCell;
use std::collections::HashMap;

pub(super) const PROVIDER: Provider = Provider { name: "Better Stack", paths: &["/index.json"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let root = answer.json()?;
    let page = root.at("data");
    if page.at("type").text() != Some("status_page") {
        return None;
    }
    let Some(included) = root.at("included").list() else {
        return Some(Err("the answer includes nothing".into()));
    };
    let address = answer.address;
    let attributes = page.at("attributes");
    let of = |kind: &'static str| included.iter().filter(move |item| item.at("type").text() == Some(kind));
    let updates: HashMap<_, _> = of("status_update").filter_map(|item| Some((text::id(item.at("id"))?, item))).collect();
    let updates = RefCell::new(updates);
    let url = attributes.at("custom_domain").text().filter(|domain| !domain.trim().is_empty());
    let url = url.and_then(|domain| text::address(&format!("https://{domain}/"), address)).or_else(|| answer.root());
    let is_work = |item: &Json<'_>| item.at("attributes").at("report_type").text() == Some("maintenance");
    let sections = of("status_page_section").collect::<Vec<_>>();
    Some(Ok(Draft {
        name: text::name(attributes.at("company_name")),
        components: Some(components(&sections, of("status_page_resource").collect())),
        incidents: Some(
            of("status_report").filter(|item| !is_work(item)).filter_map(|item| incident(item, &updates, url.as_ref())).collect(),
        ),
        maintenances: Some(
            of("status_report").filter(|item| is_work(item)).filter_map(|item| maintenance(item, &updates, url.as_ref())).collect(),
        ),
        url,
        ..Draft::default()
    }))
}

fn components(sections: &[&Json<'_>], mut resources: Vec<&Json<'_>>) -> Vec<Component> {
    let position = |item: &Json<'_>| item.at("attributes").at("position").integer().unwrap_or(i64::MAX);
    let sections: HashMap<_, _> = sections
        .iter()
        .filter_map(|item| Some((text::id(item.at("id"))?, (position(item), text::name(item.at("attributes").at("name"))))))
        .collect();
    let section = |item: &Json<'_>| text::id(item.at("attributes").at("status_page_section_id")).and_then(|id| sections.get(&id));
    resources.sort_by_key(|item| (section(item).map_or(i64::MAX, |(position, _)| *position), position(item)));
    resources
        .into_iter()
        .filter_map(|item| {
            let attributes = item.at("attributes");
            let group = section(item).and_then(|(_, name)| name.clone());
            let name = text::name(attributes.at("public_name"));
            draft::component(text::id(item.at("id")), name, group, attributes.at("status"), status)
        })
        .collect()
}

fn status(word: &str) -> Status {
    match word {
        "operational" => Status::Up,
        "degraded" => Status::Degraded,
        "downtime" => Status::Down,
        "maintenance" => Status::Maintenance,
        // Among them `not_monitored`: the vendor does not know either.
        _ => Status::Unknown,
    }
}

/// Updates that no report has taken yet. Each belongs to one report and is read once, however often
/// it is referenced.
type Updates<'j, 'a> = RefCell<HashMap<String, &'j Json<'a>>>;

fn incident(item: &Json<'_>, updates: &Updates<'_, '_>, page: Option<&String>) -> Option<Incident> {
    let attributes = item.at("attributes");
    let id = text::id(item.at("id"))?;
    let ended = time::instant(attributes.at("ends_at"));
    let word = text::word(attributes.at("aggregate_state"));
    let over = !progress::is_open(attributes, &word, ended);
    Some(Incident {
        url: report_page(page, &id),
        id,
        name: text::name(attributes.at("title"))?,
        impact: word,
        status: if over { "resolved" } else { "open" }.into(),
        open: !over,
        started_at: time::instant(attributes.at("starts_at")),
        resolved_at: ended,
        component_ids: linked(attributes),
        updates: written(item, updates),
    })
}

/// Only its window says how far it is, unless its state says that it is over.
fn maintenance(item: &Json<'_>, updates: &Updates<'_, '_>, page: Option<&String>) -> Option<Maintenance> {
    let attributes = item.at("attributes");
    let id = text::id(item.at("id"))?;
    let word = text::word(attributes.at("aggregate_state"));
    Some(Maintenance {
        url: report_page(page, &id),
        id,
        name: text::name(attributes.at("title"))?,
        stage: progress::stage(attributes, &word),
        status: word,
        scheduled_for: time::instant(attributes.at("starts_at")),
        scheduled_until: time::instant(attributes.at("ends_at")),
        component_ids: linked(attributes),
        updates: written(item, updates),
    })
}

fn report_page(page: Option<&String>, id: &str) -> Option<String> {
    let page = url::Url::parse(page?).ok()?;
    text::address(&format!("/incident/{id}"), &page)
}

fn linked(attributes: &Json<'_>) -> Vec<String> {
    draft::ids(attributes.at("affected_resources").items(), "status_page_resource_id")
}

fn written(item: &Json<'_>, updates: &Updates<'_, '_>) -> Vec<Update> {
    let of_report = draft::ids(item.at("relationships").at("status_updates").at("data").items(), "id");
    of_report
        .iter()
        .filter_map(|id| updates.borrow_mut().remove(id))
        .map(|update| {
            let attributes = update.at("attributes");
            draft::update(time::instant(attributes.at("published_at")), attributes.at("status"), attributes.at("message"))
        })
        .collect()
}
