//! Compares a page as it is stored with a new reading: which rows change. Pure.
//!
//! Incidents and maintenances are linked to the components that they name. One that names none of the
//! page's components is stored without any: it concerns the page as a whole, and so all followers.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{column, vendor_incident, vendor_maintenance, vendor_page, vendor_page_component};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use vendor_pages::page::following::{ComponentPresence, Index};
use vendor_pages::page::{
    Component, Identity, Incident, ListCoverage, Maintenance, Page, PartialPage, Stage, Update,
};

/// How long an incident is shown after its end.
pub(crate) const INCIDENT_RETENTION: TimeDelta = TimeDelta::days(30);

/// A component id of so many characters, not all digits, is unique to one vendor.
const UNIQUE_ID_CHARS: usize = 10;

/// A page as it is stored.
#[derive(Debug, Default)]
pub(crate) struct StoredPage {
    pub(crate) components: Vec<vendor_page_component::Model>,
    pub(crate) incidents: Vec<vendor_incident::Model>,
    pub(crate) maintenances: Vec<vendor_maintenance::Model>,
}

/// Lists that were present in a response. A missing or null list means "unchanged", not "empty".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PresentLists {
    pub(crate) incidents: bool,
    pub(crate) maintenances: bool,
}

impl PresentLists {
    /// The lists that are present in any of `readings`.
    pub(crate) fn of<'r>(readings: impl IntoIterator<Item = &'r PartialPage>) -> Self {
        readings.into_iter().fold(
            Self {
                incidents: false,
                maintenances: false,
            },
            |all, one| Self {
                incidents: all.incidents || one.incidents.is_some(),
                maintenances: all.maintenances || one.maintenances.is_some(),
            },
        )
    }
}

/// The rows to write and to delete.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// New or changed.
    pub(crate) components: Vec<vendor_page_component::Model>,
    /// Ids of components that the page does not list any more. Followed ones are marked as missing, the
    /// others are deleted.
    pub(crate) removed_components: Vec<String>,
    /// New or changed.
    pub(crate) incidents: Vec<vendor_incident::Model>,
    /// New or changed.
    pub(crate) maintenances: Vec<vendor_maintenance::Model>,
    /// Ids of maintenances that are over or no longer announced.
    pub(crate) ended_maintenances: Vec<String>,
}

/// Whether a rediscovered page belongs to the same vendor: it has one of the components that are `known`
/// by id and name. Ids that any page could have, such as small numbers, count only with the name.
pub(crate) fn is_same_vendor(page: &Page, known: &[(String, String)]) -> bool {
    let names: HashMap<&str, Vec<&str>> =
        known.iter().fold(HashMap::new(), |mut names, (id, name)| {
            names.entry(id.as_str()).or_default().push(name.as_str());
            names
        });
    page.components.iter().any(|component| {
        let is_unique = component.id.chars().count() >= UNIQUE_ID_CHARS
            && !component.id.bytes().all(|byte| byte.is_ascii_digit());
        let same_name = |name: &&str| name.to_lowercase() == component.name.to_lowercase();
        names
            .get(component.id.as_str())
            .is_some_and(|names| is_unique || names.iter().any(same_name))
    })
}

impl StoredPage {
    /// Returns the page as it was last read.
    pub(crate) fn page(&self, row: &vendor_page::Model) -> Page {
        let components = self
            .components
            .iter()
            .filter(|component| !component.missing);
        let open = self
            .incidents
            .iter()
            .filter(|incident| incident.resolved_at.is_none());
        Page {
            provider: "",
            name: row.name.clone(),
            url: row.url.clone(),
            components: components.map(component).collect(),
            incidents: open.map(incident).collect(),
            maintenances: self.maintenances.iter().map(maintenance).collect(),
            identity: Identity::Id,
            listing: match row.listing {
                column::ListCoverage::All => ListCoverage::All,
                column::ListCoverage::Mentioned => ListCoverage::Mentioned,
            },
        }
    }

    /// Returns ids and names of the stored components.
    pub(crate) fn component_names(&self) -> Vec<(String, String)> {
        self.components
            .iter()
            .map(|component| (component.component_id.clone(), component.name.clone()))
            .collect()
    }

    /// Whether `page` has none of the stored components. Then it is another page or a broken one, and
    /// does not mean that they are gone. Missing components count, so that a page can come back.
    pub(crate) fn shares_nothing_with(&self, page: &Page) -> bool {
        let ids: HashSet<&str> = page
            .components
            .iter()
            .map(|component| component.id.as_str())
            .collect();
        let mut known = self.components.iter().peekable();
        known.peek().is_some()
            && known.all(|component| !ids.contains(component.component_id.as_str()))
    }

    /// Returns what to write for a reading made at `now`. Only lists that are `present` count.
    pub(crate) fn changes(
        &self,
        id: Uuid,
        page: &Page,
        present: PresentLists,
        now: DateTime<Utc>,
    ) -> Changes {
        let index = Index::new(page);
        let (components, removed_components) = self.changed_components(id, page, &index, now);
        let incidents = if present.incidents {
            self.changed_incidents(id, page, &index, now)
        } else {
            Vec::new()
        };
        let (maintenances, ended_maintenances) = if present.maintenances {
            self.changed_maintenances(id, page, &index, now)
        } else {
            Default::default()
        };
        Changes {
            components,
            removed_components,
            incidents,
            maintenances,
            ended_maintenances,
        }
    }

    fn changed_components(
        &self,
        id: Uuid,
        page: &Page,
        index: &Index<'_>,
        now: DateTime<Utc>,
    ) -> (Vec<vendor_page_component::Model>, Vec<String>) {
        let known: HashMap<&str, _> = self
            .components
            .iter()
            .map(|row| (row.component_id.as_str(), row))
            .collect();
        let mut changed = Vec::new();
        let mut change = |row: vendor_page_component::Model| {
            let same = known.get(row.component_id.as_str()).is_some_and(|known| {
                vendor_page_component::Model {
                    updated_at: row.updated_at,
                    ..(*known).clone()
                } == row
            });
            if !same {
                changed.push(row);
            }
        };
        for component in &page.components {
            change(vendor_page_component::Model {
                vendor_page_id: id,
                component_id: component.id.clone(),
                name: component.name.clone(),
                group_name: component.group.clone(),
                position: i32::try_from(component.position).unwrap_or(i32::MAX),
                status: component.status.into(),
                vendor_status: component.vendor_status.clone(),
                missing: false,
                updated_at: now,
            });
        }
        let shown: HashSet<&str> = page
            .components
            .iter()
            .map(|component| component.id.as_str())
            .collect();
        let absent = self
            .components
            .iter()
            .filter(|row| !shown.contains(row.component_id.as_str()));
        let mut removed = Vec::new();
        for row in absent {
            let unmentioned = index.sight(&row.component_id) == ComponentPresence::Unmentioned;
            // A missing component stays missing until it is mentioned again: the vendor may never have
            // listed it here, so that not mentioning it means nothing.
            if unmentioned && !row.missing {
                let (status, vendor_status) = (column::Status::Up, String::new());
                change(vendor_page_component::Model {
                    status,
                    vendor_status,
                    missing: false,
                    updated_at: now,
                    ..row.clone()
                });
            } else if !row.missing {
                removed.push(row.component_id.clone());
            }
        }
        (changed, removed)
    }

    fn changed_incidents(
        &self,
        id: Uuid,
        page: &Page,
        index: &Index<'_>,
        now: DateTime<Utc>,
    ) -> Vec<vendor_incident::Model> {
        let known: HashMap<&str, _> = self
            .incidents
            .iter()
            .map(|row| (row.incident_id.as_str(), row))
            .collect();
        let shown: HashSet<&str> = page
            .incidents
            .iter()
            .map(|incident| incident.id.as_str())
            .collect();
        let listed = page.incidents.iter().map(|incident| {
            let known = known.get(incident.id.as_str());
            // Without an end time, the end is when it was first seen to be over.
            let ended = || {
                incident
                    .resolved_at
                    .or(known.and_then(|row| row.resolved_at))
                    .unwrap_or(now)
            };
            vendor_incident::Model {
                vendor_page_id: id,
                incident_id: incident.id.clone(),
                name: incident.name.clone(),
                impact: incident.impact.clone(),
                status: incident.status.clone(),
                started_at: incident.started_at,
                resolved_at: (!incident.open).then(ended),
                url: incident.url.clone(),
                component_ids: json!(index.named(&incident.component_ids)),
                updates: updates(&incident.updates),
                updated_at: now,
            }
        });
        let recent = |row: &vendor_incident::Model| {
            row.resolved_at
                .is_none_or(|end| end > now - INCIDENT_RETENTION)
                || known.contains_key(row.incident_id.as_str())
        };
        let vanished = self
            .incidents
            .iter()
            .filter(|row| row.resolved_at.is_none() && !shown.contains(row.incident_id.as_str()))
            .map(|row| vendor_incident::Model {
                resolved_at: Some(now),
                updated_at: now,
                ..row.clone()
            });
        let same = |row: &vendor_incident::Model| {
            known.get(row.incident_id.as_str()).is_some_and(|known| {
                vendor_incident::Model {
                    updated_at: row.updated_at,
                    ..(*known).clone()
                } == *row
            })
        };
        listed
            .chain(vanished)
            .filter(|row| recent(row) && !same(row))
            .collect()
    }

    fn changed_maintenances(
        &self,
        id: Uuid,
        page: &Page,
        index: &Index<'_>,
        now: DateTime<Utc>,
    ) -> (Vec<vendor_maintenance::Model>, Vec<String>) {
        let known: HashMap<&str, _> = self
            .maintenances
            .iter()
            .map(|row| (row.maintenance_id.as_str(), row))
            .collect();
        let announced = page
            .maintenances
            .iter()
            .filter(|work| work.stage_at(now) != Stage::Completed);
        let announced = announced.map(|work| vendor_maintenance::Model {
            vendor_page_id: id,
            maintenance_id: work.id.clone(),
            name: work.name.clone(),
            status: work.status.clone(),
            scheduled_for: work.scheduled_for,
            scheduled_until: work.scheduled_until,
            url: work.url.clone(),
            component_ids: json!(index.named(&work.component_ids)),
            updated_at: now,
        });
        let announced: Vec<_> = announced.collect();
        let ids: HashSet<&str> = announced
            .iter()
            .map(|row| row.maintenance_id.as_str())
            .collect();
        let ended = known
            .keys()
            .filter(|id| !ids.contains(*id))
            .map(|id| (*id).to_owned())
            .collect();
        let same = |row: &vendor_maintenance::Model| {
            known.get(row.maintenance_id.as_str()).is_some_and(|known| {
                vendor_maintenance::Model {
                    updated_at: row.updated_at,
                    ..(*known).clone()
                } == *row
            })
        };
        (
            announced.iter().filter(|row| !same(row)).cloned().collect(),
            ended,
        )
    }
}

impl Changes {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn updates(updates: &[Update]) -> Value {
    let update =
        |update: &Update| json!({ "at": update.at, "status": update.status, "body": update.body });
    updates.iter().map(update).collect()
}

fn component(row: &vendor_page_component::Model) -> Component {
    Component {
        id: row.component_id.clone(),
        name: row.name.clone(),
        group: row.group_name.clone(),
        status: row.status.into(),
        vendor_status: row.vendor_status.clone(),
        position: u32::try_from(row.position).unwrap_or_default(),
    }
}

fn incident(row: &vendor_incident::Model) -> Incident {
    Incident {
        id: row.incident_id.clone(),
        name: row.name.clone(),
        impact: row.impact.clone(),
        status: row.status.clone(),
        open: true,
        started_at: row.started_at,
        resolved_at: None,
        url: row.url.clone(),
        component_ids: ids(&row.component_ids),
        updates: Vec::new(),
    }
}

fn maintenance(row: &vendor_maintenance::Model) -> Maintenance {
    Maintenance {
        id: row.maintenance_id.clone(),
        name: row.name.clone(),
        status: row.status.clone(),
        stage: None,
        scheduled_for: row.scheduled_for,
        scheduled_until: row.scheduled_until,
        url: row.url.clone(),
        component_ids: ids(&row.component_ids),
        updates: Vec::new(),
    }
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(ToOwned::to_owned))
        .collect()
}

#[cfg(test)]
mod tests;
