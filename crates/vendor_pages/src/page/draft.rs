//! What a provider's file reads out of an answer, and the rules that hold for all of them, applied when it is done.

use super::json::Json;
use super::text;
use super::{
    Component, Identity, Incident, ListCoverage, Maintenance, Paging, PartialPage, Stage, Update,
    WHOLE,
};
use chrono::{DateTime, Utc};
use domain::Status;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The most that is kept of one answer; no known page has a tenth of it.
const MAX_EVENTS: usize = 500;
const MAX_UPDATES: usize = 100;
const MAX_LINKED: usize = 10_000;

/// One answer, as it is being read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) components: Option<Vec<Component>>,
    pub(crate) incidents: Option<Vec<Incident>>,
    pub(crate) maintenances: Option<Vec<Maintenance>>,
    pub(crate) identity: Identity,
    pub(crate) listing: ListCoverage,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            name: None,
            url: None,
            components: None,
            incidents: None,
            maintenances: None,
            identity: Identity::Id,
            listing: ListCoverage::All,
        }
    }
}

impl Draft {
    /// Returns the reading, after applying the rules common to all providers.
    pub(crate) fn finished(self, provider: &'static str) -> PartialPage {
        PartialPage {
            provider,
            name: self.name,
            url: self.url,
            components: self.components.map(distinct),
            incidents: self.incidents.map(|incidents| {
                events(
                    incidents,
                    |incident| &incident.id,
                    |incident| (incident.open, incident.started_at),
                    settle_incident,
                )
            }),
            maintenances: self.maintenances.map(|maintenances| {
                let newest = |maintenance: &Maintenance| {
                    (
                        maintenance.stage != Some(Stage::Completed),
                        maintenance.scheduled_for,
                    )
                };
                events(
                    maintenances,
                    |maintenance| &maintenance.id,
                    newest,
                    settle_maintenance,
                )
            }),
            identity: self.identity,
            listing: self.listing,
            paging: Paging::default(),
        }
    }
}

/// Each id once. Two components with one id that do not agree are one of which nothing is known; of its words, the first
/// two are kept.
fn distinct(components: Vec<Component>) -> Vec<Component> {
    let mut places: HashMap<String, (usize, bool)> = HashMap::with_capacity(components.len());
    let mut kept: Vec<Component> = Vec::with_capacity(components.len());
    for mut component in components {
        if let Some((at, disagree)) = places.get_mut(&component.id) {
            let first: &mut Component = &mut kept[*at];
            if first.status != component.status && !std::mem::replace(disagree, true) {
                first.status = Status::Unknown;
                first.vendor_status =
                    format!("{} / {}", first.vendor_status, component.vendor_status);
            }
            continue;
        }
        places.insert(component.id.clone(), (kept.len(), false));
        component.position = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        kept.push(component);
    }
    kept
}

/// Each id once, settled; of too many the open and the newest.
fn events<T, K: Ord>(
    all: Vec<T>,
    id: fn(&T) -> &String,
    newest: impl Fn(&T) -> K,
    settle: fn(&mut T),
) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<T> = all
        .into_iter()
        .filter(|event| seen.insert(id(event).clone()))
        .collect();
    if kept.len() > MAX_EVENTS {
        kept.sort_by_key(|event| Reverse(newest(event)));
        kept.truncate(MAX_EVENTS);
    }
    kept.iter_mut().for_each(settle);
    kept
}

fn settle_incident(incident: &mut Incident) {
    settle_lists(&mut incident.component_ids, &mut incident.updates);
    if incident.open {
        // A reopened one keeps the time of its first end.
        incident.resolved_at = None;
    }
    // One that was written down afterwards may end before it starts.
    if let (Some(start), Some(end)) = (incident.started_at, incident.resolved_at) {
        incident.started_at = Some(start.min(end));
    }
}

fn settle_maintenance(maintenance: &mut Maintenance) {
    settle_lists(&mut maintenance.component_ids, &mut maintenance.updates);
    if let (Some(start), Some(end)) = (maintenance.scheduled_for, maintenance.scheduled_until)
        && end < start
    {
        maintenance.scheduled_until = None;
    }
}

fn settle_lists(component_ids: &mut Vec<String>, updates: &mut Vec<Update>) {
    component_ids.sort_unstable();
    component_ids.dedup();
    component_ids.truncate(MAX_LINKED);
    if updates.iter().all(|update| update.at.is_some()) {
        // A stable sort keeps the vendor's order for equal times.
        updates.sort_by_key(|update| Reverse(update.at));
    }
    updates.truncate(MAX_UPDATES);
}

/// A component whose status word means `status`. `None` without an id or a name: it could not be followed.
pub(crate) fn component(
    id: Option<String>,
    name: Option<String>,
    group: Option<String>,
    word: &Json<'_>,
    status: fn(&str) -> Status,
) -> Option<Component> {
    Some(Component {
        id: id?,
        name: name?,
        group,
        status: status(&word.word()),
        vendor_status: text::word(word),
        position: 0,
    })
}

/// The ids under `key` of all items, or the items themselves where they are ids.
pub(crate) fn ids(items: &[Json<'_>], key: &str) -> Vec<String> {
    items
        .iter()
        .filter_map(|item| text::id(if item.is_object() { item.at(key) } else { item }))
        .collect()
}

/// Adds the component of the vendor's whole product to those that an announcement names. One that names
/// none is left as it is, and so concerns the page as a whole.
pub(crate) fn with_whole(mut ids: Vec<String>) -> Vec<String> {
    if !ids.is_empty() {
        ids.push(WHOLE.to_owned());
    }
    ids
}

/// An update.
pub(crate) fn update(at: Option<DateTime<Utc>>, status: &Json<'_>, body: &Json<'_>) -> Update {
    Update {
        at,
        status: text::word(status),
        body: text::body(body),
    }
}
