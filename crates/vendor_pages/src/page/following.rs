//! What a page means to somebody who follows some of its components.
//!
//! Components are bound by id alone. What became of one that is gone is never supposed: it is missing, and the
//! user chooses again.

use super::{Component, Incident, ListCoverage, Maintenance, Page, Stage};
use chrono::{DateTime, Utc};
use domain::Status;
use std::collections::{BTreeSet, HashMap, HashSet};

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
pub enum ComponentPresence<'p> {
    /// It is there.
    Present(&'p Component),
    /// The vendor lists only what it published something about, and this is not among it: up.
    Unmentioned,
    /// It is gone: unknown, and the user is to choose again.
    Missing,
}

impl ComponentPresence<'_> {
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

/// A page, ready to be asked about many components by many who follow them: each question takes a time that does not grow
/// with the page.
#[derive(Debug)]
pub struct Index<'p> {
    page: &'p Page,
    components: HashMap<&'p str, &'p Component>,
    /// The places of the open incidents that touch each component.
    incidents: HashMap<&'p str, Vec<usize>>,
}

impl<'p> Index<'p> {
    /// The index of `page`.
    #[must_use]
    pub fn new(page: &'p Page) -> Self {
        let components = page
            .components
            .iter()
            .map(|component| (component.id.as_str(), component))
            .collect();
        let mut index = Self {
            page,
            components,
            incidents: HashMap::new(),
        };
        for (place, incident) in page
            .incidents
            .iter()
            .enumerate()
            .filter(|(_, incident)| incident.open)
        {
            for id in index.touched(&incident.component_ids, true) {
                index.incidents.entry(id).or_default().push(place);
            }
        }
        index
    }

    /// What became of the component with this id.
    #[must_use]
    pub fn sight(&self, id: &str) -> ComponentPresence<'p> {
        match (self.components.get(id), self.page.listing) {
            (Some(component), _) => ComponentPresence::Present(component),
            (None, ListCoverage::Mentioned) if !self.page.components.is_empty() => {
                ComponentPresence::Unmentioned
            }
            (None, _) => ComponentPresence::Missing,
        }
    }

    /// The open incidents that touch any of the components with these ids, in the vendor's order.
    #[must_use]
    pub fn incidents(&self, ids: &[&str]) -> Vec<&'p Incident> {
        let places: BTreeSet<usize> = ids
            .iter()
            .filter_map(|id| self.incidents.get(id))
            .flatten()
            .copied()
            .collect();
        places
            .into_iter()
            .map(|place| &self.page.incidents[place])
            .collect()
    }

    /// The components that a notice really touches, each once, in the order of `linked`: what the vendor links. But where
    /// that is everything that the page has, and `strict`, the link says nothing: only those that are not up.
    #[must_use]
    pub fn touched<'l>(&self, linked: &'l [String], strict: bool) -> Vec<&'l str> {
        let mut seen = HashSet::new();
        let linked: Vec<&str> = linked
            .iter()
            .map(String::as_str)
            .filter(|id| seen.insert(*id))
            .collect();
        let everything = strict
            && self.page.listing == ListCoverage::All
            && self.components.len() > 1
            && self.components.keys().all(|id| seen.contains(id));
        linked
            .into_iter()
            .filter(|id| !everything || self.sight(id).status() != Status::Up)
            .collect()
    }
}

/// What became of the component with this id. See [`Index`] for more than one.
#[must_use]
pub fn sight<'p>(page: &'p Page, id: &str) -> ComponentPresence<'p> {
    Index::new(page).sight(id)
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
    let index = Index::new(page);
    worst(ids.into_iter().map(|id| index.sight(id).status()))
}

/// What could be meant by a component that is gone: those of the same name, the ones of the same group first.
#[must_use]
pub fn successors<'p>(page: &'p Page, gone: &Followed) -> Vec<&'p Component> {
    let name = gone.name.to_lowercase();
    let mut found: Vec<_> = page
        .components
        .iter()
        .filter(|component| component.name.to_lowercase() == name)
        .collect();
    found.sort_by_key(|component| component.group != gone.group);
    found
}

/// The open incidents that touch followed components.
#[must_use]
pub fn incidents<'p>(page: &'p Page, ids: &[&str]) -> Vec<&'p Incident> {
    Index::new(page).incidents(ids)
}

/// The maintenance, scheduled or in progress at `now`, that touches followed components.
///
/// A vendor that links all its components is held to what they say only once the work goes on: what is still to
/// come cannot show in them.
#[must_use]
pub fn maintenances<'p>(page: &'p Page, ids: &[&str], now: DateTime<Utc>) -> Vec<&'p Maintenance> {
    let index = Index::new(page);
    let touches = |linked: &[String], strict| {
        index
            .touched(linked, strict)
            .iter()
            .any(|id| ids.contains(id))
    };
    page.maintenances
        .iter()
        .filter(|maintenance| match maintenance.stage_at(now) {
            Stage::Completed => false,
            stage => touches(&maintenance.component_ids, stage == Stage::InProgress),
        })
        .collect()
}
