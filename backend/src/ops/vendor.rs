//! What a vendor's status page says about the components that services follow. Read only: the worker fills the tables.
//! A page is reached through a service of the viewer's and in no other way, and nothing here tells who else follows it.

mod notices;

pub use notices::Notices;

use super::{Error, Ops, Result};
use chrono::{DateTime, Utc};
use domain::Status;
use domain::status_page::{Standing, standing};
use entity::column::Listing;
use entity::{service, service_component, status_page, status_page_component};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QueryTrait};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// How many components of all services may be told of at a time: what a query costs is judged before anybody knows how
/// many there are.
const MAX_COMPONENTS: usize = 50_000;

/// How many ids a statement may be given; beyond that whole pages are read.
const MAX_IDS: usize = 5_000;

/// A component as its page shows it.
pub type Shown = status_page_component::Model;

/// A component that a service follows.
#[derive(Debug, Clone)]
pub struct Followed {
    /// As it was chosen.
    pub chosen: service_component::Model,
    /// As the page shows it; `None` when it does not.
    pub shown: Option<Shown>,
    /// What it is now, as far as the page was read lately.
    pub status: Status,
    /// Whether the page no longer has it.
    pub missing: bool,
    /// When it is missing: what could be meant by it now, the likeliest first.
    pub successors: Vec<Shown>,
}

/// The page that a service follows.
#[derive(Debug, Clone)]
pub struct PageView {
    /// As it is kept for all who follow it.
    pub row: Arc<status_page::Model>,
    /// When it was last read; for whom it was just added, it was then.
    pub read_at: DateTime<Utc>,
}

impl PageView {
    fn of(row: &Arc<status_page::Model>, service: &service::Model) -> Self {
        // What others read before this service began to follow is not for its owner to see.
        let read_at = row.fetched_at.map_or(service.created_at, |at| at.max(service.created_at));
        Self { row: Arc::clone(row), read_at }
    }

    /// Whether what it says is old.
    #[must_use]
    pub fn stale(&self, now: DateTime<Utc>) -> bool {
        standing(Some(self.read_at), now) != Standing::Fresh
    }

    /// Why it could not be read when it was last tried, one sentence; `None` when it could.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        (self.row.failures > 0).then(|| self.row.message.as_deref().unwrap_or("it could not be read"))
    }

    /// The addresses that are read.
    #[must_use]
    pub fn api_urls(&self) -> Vec<String> {
        let urls = self.row.api_urls.as_array().map(Vec::as_slice).unwrap_or_default();
        urls.iter().filter_map(|url| url.as_str().map(str::to_owned)).collect()
    }
}

impl Ops {
    /// The page of each service that follows one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages(&self, services: &[Arc<service::Model>]) -> Result<HashMap<Uuid, PageView>> {
        let ids: HashSet<Uuid> = services.iter().filter_map(|service| service.status_page_id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let of_these = status_page::Column::Id.is_in(ids);
        let rows = status_page::Entity::find().filter(of_these).all(&self.db).await?;
        let rows: HashMap<Uuid, _> = rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
        let view = |service: &Arc<service::Model>| {
            let row = rows.get(&service.status_page_id?)?;
            Some((service.id, PageView::of(row, service)))
        };
        Ok(services.iter().filter_map(view).collect())
    }

    /// Everything that can be followed on the page of each service, in the vendor's order.
    ///
    /// # Errors
    /// When the database fails, or when they are too many for one answer.
    pub async fn components_of_pages(
        &self,
        services: &[Arc<service::Model>],
    ) -> Result<HashMap<Uuid, Arc<Vec<Shown>>>> {
        let shown = self.shown(&services.iter().filter_map(|service| service.status_page_id).collect(), None).await?;
        let there = |components: Vec<Shown>| Arc::new(components.into_iter().filter(|one| !one.missing).collect());
        let shown: HashMap<Uuid, Arc<Vec<Shown>>> =
            shown.into_iter().map(|(page, components)| (page, there(components))).collect();
        let rows = |service: &Arc<service::Model>| Some(shown.get(&service.status_page_id?)?.len());
        bounded("components", services.iter().filter_map(rows).sum())?;
        let of_service =
            |service: &Arc<service::Model>| Some((service.id, shown.get(&service.status_page_id?)?.clone()));
        Ok(services.iter().filter_map(of_service).collect())
    }

    /// The components that each service follows, in the order in which they were chosen.
    ///
    /// # Errors
    /// When the database fails, or when they are too many for one answer.
    pub async fn followed(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Vec<Followed>>> {
        let views = self.pages(services).await?;
        if views.is_empty() {
            return Ok(HashMap::new());
        }
        let chosen = self.chosen(&views).await?;
        let ids = chosen.iter().map(|one| one.component_id.as_str()).collect();
        let shown = self.shown(&pages_of(&views), Some(&ids)).await?;
        let mut followed = join(chosen, &views, &shown, now);
        // Whole pages are read only where something is gone, which is rare.
        let broken: HashSet<Uuid> = followed
            .iter()
            .filter(|(_, all)| all.iter().any(|one| one.missing))
            .filter_map(|(service, _)| views.get(service).map(|view| view.row.id))
            .collect();
        let whole = self.shown(&broken, None).await?;
        for (service, followed) in &mut followed {
            let components = views.get(service).and_then(|view| whole.get(&view.row.id));
            offer_successors(followed, components.map(Vec::as_slice).unwrap_or_default());
        }
        Ok(followed)
    }

    async fn chosen(&self, views: &HashMap<Uuid, PageView>) -> Result<Vec<service_component::Model>> {
        let of_these = service_component::Column::ServiceId.is_in(views.keys().copied());
        let chosen = service_component::Entity::find().filter(of_these);
        let chosen = chosen.order_by_asc(service_component::Column::Position).all(&self.db).await?;
        bounded("components", chosen.len())?;
        Ok(chosen)
    }

    /// The components of pages, by page, in the vendor's order: all, or of those with these ids at least the ones that
    /// there are.
    async fn shown(&self, pages: &HashSet<Uuid>, ids: Option<&HashSet<&str>>) -> Result<HashMap<Uuid, Vec<Shown>>> {
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = status_page_component::Entity::find()
            .filter(status_page_component::Column::StatusPageId.is_in(pages.iter().copied()))
            .apply_if(ids.filter(|ids| ids.len() <= MAX_IDS), |query, ids| {
                query.filter(status_page_component::Column::ComponentId.is_in(ids.iter().copied()))
            })
            .order_by_asc(status_page_component::Column::Position)
            .order_by_asc(status_page_component::Column::ComponentId)
            .all(&self.db)
            .await?;
        let mut of_each: HashMap<Uuid, Vec<Shown>> = HashMap::new();
        for row in rows {
            of_each.entry(row.status_page_id).or_default().push(row);
        }
        Ok(of_each)
    }
}

/// Refuses lists that together come to more than one answer should hold.
fn bounded(what: &str, total: usize) -> Result<()> {
    if total <= MAX_COMPONENTS {
        return Ok(());
    }
    let message = format!(
        "comes to {total} {what} of all services, at most {MAX_COMPONENTS} are allowed at a time: ask for fewer services"
    );
    Err(Error::field(what, message))
}

/// What was chosen, beside what the pages show of it.
fn join(
    chosen: Vec<service_component::Model>,
    views: &HashMap<Uuid, PageView>,
    shown: &HashMap<Uuid, Vec<Shown>>,
    now: DateTime<Utc>,
) -> HashMap<Uuid, Vec<Followed>> {
    let mut by_id: HashMap<Uuid, HashMap<&str, &Shown>> = HashMap::new();
    for (page, components) in shown {
        by_id.insert(*page, components.iter().map(|one| (one.component_id.as_str(), one)).collect());
    }
    let mut of_each: HashMap<Uuid, Vec<Followed>> = HashMap::new();
    for chosen in chosen {
        let Some(view) = views.get(&chosen.service_id) else { continue };
        let on_page = by_id.get(&view.row.id).and_then(|components| components.get(chosen.component_id.as_str()));
        let there = on_page.filter(|one| !one.missing).copied();
        let all = view.row.listing == Listing::All;
        let missing = chosen.missing || (all && there.is_none());
        let status = match there {
            _ if missing || standing(Some(view.read_at), now) == Standing::Lost => Status::Unknown,
            Some(there) => there.status.into(),
            // Of what is not among what it writes about, the vendor says nothing bad.
            None => Status::Up,
        };
        of_each.entry(chosen.service_id).or_default().push(Followed {
            shown: on_page.copied().cloned(),
            status,
            missing,
            successors: Vec::new(),
            chosen,
        });
    }
    of_each
}

fn pages_of(views: &HashMap<Uuid, PageView>) -> HashSet<Uuid> {
    views.values().map(|view| view.row.id).collect()
}

/// What could be meant by those that are gone: components of the same name that are not followed already, the ones of the
/// same group first.
fn offer_successors(followed: &mut [Followed], components: &[Shown]) {
    if !followed.iter().any(|one| one.missing) {
        return;
    }
    let taken: HashSet<String> = followed.iter().map(|one| one.chosen.component_id.clone()).collect();
    for gone in followed.iter_mut().filter(|one| one.missing) {
        let name = gone.chosen.name.to_lowercase();
        let same = |one: &&Shown| !one.missing && !taken.contains(&one.component_id) && one.name.to_lowercase() == name;
        gone.successors = components.iter().filter(same).cloned().collect();
        gone.successors.sort_by_key(|one| one.group_name != gone.chosen.group_name);
    }
}
