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
    /// Positions of the open incidents that name each component.
    incidents: HashMap<&'p str, Vec<usize>>,
    /// Positions of the open incidents that concern the page as a whole.
    page_wide: Vec<usize>,
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
            page_wide: Vec::new(),
        };
        for (place, incident) in page
            .incidents
            .iter()
            .enumerate()
            .filter(|(_, incident)| incident.open)
        {
            let named = index.named(&incident.component_ids);
            if named.is_empty() {
                index.page_wide.push(place);
            }
            for id in named {
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

    /// Returns the open incidents that somebody who follows these components is shown, in the vendor's
    /// order: those that name one of them, and those that concern the page as a whole.
    #[must_use]
    pub fn incidents(&self, ids: &[&str]) -> Vec<&'p Incident> {
        if ids.is_empty() {
            return Vec::new();
        }
        let places: BTreeSet<usize> = ids
            .iter()
            .filter_map(|id| self.incidents.get(id))
            .chain([&self.page_wide])
            .flatten()
            .copied()
            .collect();
        places
            .into_iter()
            .map(|place| &self.page.incidents[place])
            .collect()
    }

    /// Returns the components that an announcement names, each once, in the order of `linked`. Empty if
    /// the page has none of them: then the announcement concerns the page as a whole.
    ///
    /// The status of a component does not matter: vendors open an incident before they lower a status,
    /// and raise the status while they are still monitoring.
    #[must_use]
    pub fn named<'l>(&self, linked: &'l [String]) -> Vec<&'l str> {
        let is_known = |id: &String| self.sight(id) != ComponentPresence::Missing;
        if !linked.iter().any(is_known) {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        linked
            .iter()
            .map(String::as_str)
            .filter(|id| seen.insert(*id))
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

/// Returns the open incidents that name followed components or concern the page as a whole.
#[must_use]
pub fn incidents<'p>(page: &'p Page, ids: &[&str]) -> Vec<&'p Incident> {
    Index::new(page).incidents(ids)
}

/// Returns the maintenance, scheduled or in progress at `now`, that names followed components or
/// concerns the page as a whole.
#[must_use]
pub fn maintenances<'p>(page: &'p Page, ids: &[&str], now: DateTime<Utc>) -> Vec<&'p Maintenance> {
    let index = Index::new(page);
    let concerns = |maintenance: &Maintenance| {
        let named = index.named(&maintenance.component_ids);
        !ids.is_empty() && (named.is_empty() || named.iter().any(|id| ids.contains(id)))
    };
    page.maintenances
        .iter()
        .filter(|maintenance| maintenance.stage_at(now) != Stage::Completed)
        .filter(|maintenance| concerns(maintenance))
        .collect()
}
