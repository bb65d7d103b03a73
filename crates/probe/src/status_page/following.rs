//! What a page means to somebody who follows some of its components.
//!
//! Components are bound by id alone. What became of one that is gone is never supposed: it is missing, and the
//! user chooses again.

use super::{Component, Incident, Listing, Maintenance, Page, Stage};
use chrono::{DateTime, Utc};
use domain::Status;
use std::collections::HashSet;

/// A component that is followed, as it was when it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The vendor's id.
    pub id: String,
    /// The vendor's name for it.
    pub name: String,
    /// The vendor's group.
    pub group: Option<String>,
}

/// What became of a followed component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight<'p> {
    /// It is there.
    Present(&'p Component),
    /// The vendor lists only what it published something about, and this is not among it: up.
    Unmentioned,
    /// It is gone: unknown, and the user is to choose again.
    Missing,
}

impl Sight<'_> {
    /// The status that it has by that.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Present(component) => component.status,
            Self::Unmentioned => Status::Up,
            Self::Missing => Status::Unknown,
        }
    }
}

/// What became of the component with this id.
#[must_use]
pub fn sight<'p>(page: &'p Page, id: &str) -> Sight<'p> {
    match (page.components.iter().find(|component| component.id == id), page.listing) {
        (Some(component), _) => Sight::Present(component),
        (None, Listing::Mentioned) if !page.components.is_empty() => Sight::Unmentioned,
        (None, _) => Sight::Missing,
    }
}

/// Whether the component has another name or group than it is remembered with.
#[must_use]
pub fn was_renamed(followed: &Followed, component: &Component) -> bool {
    followed.name != component.name || followed.group != component.group
}

/// The status of a service that follows components with these statuses: the worst that is known; but where any is not
/// known, or there is none, nobody can say that all is well.
#[must_use]
pub fn worst(statuses: impl IntoIterator<Item = Status>) -> Status {
    let (mut worst, mut all_known) = (None, true);
    for status in statuses {
        if status == Status::Unknown {
            all_known = false;
        } else if worst.is_none_or(|worst: Status| status.severity() > worst.severity()) {
            worst = Some(status);
        }
    }
    match worst {
        Some(Status::Up) if !all_known => Status::Unknown,
        Some(worst) => worst,
        None => Status::Unknown,
    }
}

/// The status that the page gives to a service that follows components with these ids.
#[must_use]
pub fn status<'a>(page: &Page, ids: impl IntoIterator<Item = &'a str>) -> Status {
    worst(ids.into_iter().map(|id| sight(page, id).status()))
}

/// What could be meant by a component that is gone: those of the same name, the ones of the same group first.
#[must_use]
pub fn successors<'p>(page: &'p Page, gone: &Followed) -> Vec<&'p Component> {
    let name = gone.name.to_lowercase();
    let mut found: Vec<_> = page.components.iter().filter(|component| component.name.to_lowercase() == name).collect();
    found.sort_by_key(|component| component.group != gone.group);
    found
}

/// The open incidents that touch followed components.
#[must_use]
pub fn incidents<'p>(page: &'p Page, ids: &[&str]) -> Vec<&'p Incident> {
    page.incidents
        .iter()
        .filter(|incident| incident.open && touches(page, &incident.component_ids, ids, true))
        .collect()
}

/// The maintenance, scheduled or in progress at `now`, that touches followed components.
///
/// A vendor that links all its components is held to what they say only once the work goes on: what is still to
/// come cannot show in them.
#[must_use]
pub fn maintenances<'p>(page: &'p Page, ids: &[&str], now: DateTime<Utc>) -> Vec<&'p Maintenance> {
    page.maintenances
        .iter()
        .filter(|maintenance| match maintenance.stage_at(now) {
            Stage::Completed => false,
            stage => touches(page, &maintenance.component_ids, ids, stage == Stage::InProgress),
        })
        .collect()
}

/// Whether what is linked to `linked` touches any of `followed`. Where it is linked to everything that the page has,
/// and `strict`, the link says nothing: the component itself must be other than up.
fn touches(page: &Page, linked: &[String], followed: &[&str], strict: bool) -> bool {
    let linked: HashSet<&str> = linked.iter().map(String::as_str).collect();
    let everything = strict
        && page.listing == Listing::All
        && page.components.len() > 1
        && page.components.iter().all(|component| linked.contains(component.id.as_str()));
    followed.iter().filter(|id| linked.contains(**id)).any(|id| !everything || sight(page, id).status() != Status::Up)
}
