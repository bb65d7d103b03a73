//! Amazon Web Services: `https://health.aws.amazon.com/public/currentevents`, a list of what is going on, in UTF-16.
//!
//! There is no list of components: what no event names is in order. An event has one for the whole of what it is
//! about, and one for each service that it impacts.

use super::super::draft::{self, Draft};
use super::super::following::worst;
use super::super::json::Json;
use super::super::{Component, Incident, ListCoverage, WHOLE, progress, text, time};
use super::{Answer, Provider};
use domain::Status;
use std::collections::HashMap;

pub(super) const PROVIDER: Provider = Provider { name: "AWS", paths: &["/public/currentevents"], hint: None, read };

const PAGE: &str = "https://health.aws.amazon.com/health/status";

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let events = answer.json()?.list()?;
    let known = |event: &Json<'_>| event.has("service") && event.has("region_name") && event.has("status");
    // Nothing in an empty list tells whose it is.
    if !(events.first().is_some_and(known) || events.is_empty() && answer.file() == "currentevents") {
        return None;
    }
    // What is dropped would be in order.
    if !events.iter().all(|event| known(event) && is_legible(event)) {
        return Some(Err("an event in the answer does not say what it is about".into()));
    }
    Some(Ok(Draft {
        name: Some("Amazon Web Services".into()),
        url: Some(PAGE.into()),
        components: Some(components(events)),
        incidents: Some(events.iter().filter_map(incident).collect()),
        listing: ListCoverage::Mentioned,
        ..Draft::default()
    }))
}

/// Returns whether every service that the event affects is known.
fn is_legible(event: &Json<'_>) -> bool {
    let is_named = |id: Option<&str>, service: &Json<'_>| component(event, id, service, &Json::Null).is_some();
    let impacted = event.at("impacted_services");
    is_named(event.at("service").text(), event)
        && matches!(impacted, Json::Null | Json::Object(_))
        && impacted.entries().iter().all(|(id, service)| is_named(Some(id), service))
}

fn components(events: &[Json<'_>]) -> Vec<Component> {
    let mut found = vec![Component {
        id: WHOLE.into(),
        name: "AWS, any service in any region".into(),
        group: None,
        status: Status::Up,
        vendor_status: "0".into(),
        position: 0,
    }];
    let mut places: HashMap<String, usize> = HashMap::from([(WHOLE.into(), 0)]);
    for event in events {
        let whole = draft::component(Some(WHOLE.into()), text::name(event.at("service_name")), None, event.at("status"), status);
        let own = component(event, event.at("service").text(), event, event.at("status"));
        let impacted = event.at("impacted_services").entries().iter();
        let impacted = impacted.filter_map(|(id, service)| component(event, Some(id), service, service.at("current")));
        for new in whole.into_iter().chain(own).chain(impacted) {
            match places.get(&new.id) {
                // Of several events on one service the worst counts.
                Some(at) => {
                    let old: &mut Component = &mut found[*at];
                    if worst([old.status, new.status]) != old.status {
                        (old.status, old.vendor_status) = (new.status, new.vendor_status);
                    }
                }
                None => {
                    places.insert(new.id.clone(), found.len());
                    found.push(new);
                }
            }
        }
    }
    found
}

/// A service of an event. One that belongs to a region has the region's code at the end of its id.
fn component(event: &Json<'_>, id: Option<&str>, service: &Json<'_>, word: &Json<'_>) -> Option<Component> {
    let id = id?;
    let code = event.at("arn").text().and_then(|arn| arn.split(':').nth(3)).filter(|code| !code.is_empty());
    let regional = code.is_some_and(|code| id.ends_with(code));
    let group = if regional { text::name(event.at("region_name")) } else { None };
    draft::component(text::id(&Json::Text(id.into())), text::name(service.at("service_name")), group, word, status)
}

fn status(code: &str) -> Status {
    match code {
        "0" => Status::Up,
        // A message about trouble, and trouble: something works worse than it should.
        "1" | "2" => Status::Degraded,
        "3" => Status::Down,
        _ => Status::Unknown,
    }
}

fn incident(event: &Json<'_>) -> Option<Incident> {
    let log = event.at("event_log").items();
    let status = text::word(event.at("status"));
    let region = text::name(event.at("region_name"));
    let names = [text::name(event.at("service_name")), region, text::name(event.at("summary"))];
    let newest = log.iter().filter_map(|entry| time::seconds(entry.at("timestamp"))).max();
    let component_ids = event.at("impacted_services").entries().iter().map(|(id, _)| id.to_string());
    Some(Incident {
        id: text::id(event.any(&["arn", "date"]))?,
        name: text::line(&names.into_iter().flatten().collect::<Vec<_>>().join(": "))?,
        impact: status.clone(),
        open: status != "0" && progress::is_open(event, "", None),
        status,
        started_at: time::seconds(event.at("date")),
        resolved_at: newest,
        url: Some(PAGE.into()),
        component_ids: component_ids.chain(event.at("service").text().map(str::to_owned)).chain([WHOLE.into()]).collect(),
        updates: log
            .iter()
            .map(|entry| draft::update(time::seconds(entry.at("timestamp")), entry.at("status"), entry.at("message")))
            .collect(),
    })
}
