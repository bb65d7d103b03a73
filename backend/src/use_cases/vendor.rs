//! Reads vendor pages and the components that services follow; the worker writes them.
//!
//! A page is reachable only through a service of the viewer's, and what other users had read of it
//! before is not shown: until the page is read after the service was created, there is only what
//! the owner discovered, if that is still cached.

mod announcements;
mod page;

pub use announcements::{VendorAnnouncements, is_page_wide};
pub use page::PageView;

use super::{Error, Result, UseCases, now};
use chrono::{DateTime, Utc};
use domain::Status;
use domain::vendor_page::{Freshness, freshness};
use entity::sql::in_ids;
use entity::{service, service_component, vendor_page, vendor_page_component};
use page::{MAX_COMPONENTS, PageSource, ROW_LIMIT};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use vendor_pages::Discovery;

/// Maximum number of pages of which successors of missing components are offered.
const MAX_PAGES_WITH_SUCCESSORS: usize = 20;

/// A component as its page shows it.
pub type PageComponent = vendor_page_component::Model;

/// A component that a service follows.
#[derive(Debug, Clone)]
pub struct Followed {
    pub chosen: service_component::Model,
    /// As the page shows it; `None` when it does not.
    pub shown: Option<PageComponent>,
    /// Its status; unknown if the page was not read recently.
    pub status: Status,
    /// Whether the page no longer has it.
    pub missing: bool,
    /// If it is missing, the components that may have replaced it, the likeliest first.
    pub successors: Vec<PageComponent>,
}

impl UseCases {
    /// Returns the page of each service that follows one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pages(&self, services: &[Arc<service::Model>]) -> Result<HashMap<Uuid, PageView>> {
        let ids: HashSet<Uuid> = services
            .iter()
            .filter_map(|service| service.vendor_page_id)
            .collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let of_these = in_ids(&self.db, vendor_page::Column::Id, ids);
        let rows = vendor_page::Entity::find()
            .filter(of_these)
            .all(&self.db)
            .await?;
        let rows: HashMap<Uuid, _> = rows
            .into_iter()
            .map(|row| (row.id, Arc::new(row)))
            .collect();
        let view = |service: &Arc<service::Model>| {
            let row = rows.get(&service.vendor_page_id?)?;
            let discovered = || {
                self.caches
                    .discoveries
                    .get_by_key(service.workspace_id, &row.key, now())
            };
            Some((service.id, PageView::of(row, service, discovered)))
        };
        Ok(services.iter().filter_map(view).collect())
    }

    /// Returns all components of the page of each service, in the vendor's order.
    ///
    /// # Errors
    /// When the database fails, or when there are too many for one response.
    pub async fn components_of_pages(
        &self,
        services: &[Arc<service::Model>],
    ) -> Result<HashMap<Uuid, Arc<Vec<PageComponent>>>> {
        let views = self.pages(services).await?;
        let stored: HashMap<Uuid, _> = self
            .page_components(&stored_pages(&views))
            .await?
            .into_iter()
            .map(|(page, all)| (page, Arc::new(all)))
            .collect();
        let of_service = |(service, view): (&Uuid, &PageView)| {
            let components = match &view.source {
                PageSource::Stored => Arc::clone(stored.get(&view.row.id)?),
                PageSource::Discovered(found) => Arc::new(discovered_components(view, found)),
                PageSource::Unknown => return None,
            };
            Some((*service, components))
        };
        let shown: HashMap<Uuid, Arc<Vec<PageComponent>>> =
            views.iter().filter_map(of_service).collect();
        bounded("components", shown.values().map(|all| all.len()).sum())?;
        Ok(shown)
    }

    /// Returns the components that each service follows, in the order in which they were chosen.
    ///
    /// # Errors
    /// When the database fails, or when there are too many for one response.
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
        let stored = self.chosen_page_components(&views).await?;
        let mut followed = join(chosen, &views, &stored, now);
        self.offer_successors(&mut followed, &views).await?;
        Ok(followed)
    }

    /// Adds successors of missing components, which are rare. Reads whole pages for it, one after the
    /// other and a bounded number of them: a query for fewer services gets the rest.
    async fn offer_successors(
        &self,
        followed: &mut HashMap<Uuid, Vec<Followed>>,
        views: &HashMap<Uuid, PageView>,
    ) -> Result<()> {
        let mut broken: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for (service, all) in followed.iter() {
            let view = views
                .get(service)
                .filter(|_| all.iter().any(|one| one.missing));
            if let Some(view) = view.filter(|view| matches!(view.source, PageSource::Stored)) {
                broken.entry(view.row.id).or_default().push(*service);
            }
        }
        for (page, services) in broken.into_iter().take(MAX_PAGES_WITH_SUCCESSORS) {
            let components = self
                .page_components(&HashSet::from([page]))
                .await?
                .remove(&page)
                .unwrap_or_default();
            for service in services {
                if let Some(followed) = followed.get_mut(&service) {
                    offer_successors(followed, &components);
                }
            }
        }
        Ok(())
    }

    async fn chosen(
        &self,
        views: &HashMap<Uuid, PageView>,
    ) -> Result<Vec<service_component::Model>> {
        let of_these = in_ids(
            &self.db,
            service_component::Column::ServiceId,
            views.keys().copied(),
        );
        let chosen = service_component::Entity::find().filter(of_these);
        let chosen = chosen
            .order_by_asc(service_component::Column::Position)
            .limit(ROW_LIMIT);
        let chosen = chosen.all(&self.db).await?;
        bounded("components", chosen.len())?;
        Ok(chosen)
    }

    /// Reads the components of pages, by page, in the vendor's order.
    async fn page_components(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<PageComponent>>> {
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = vendor_page_component::Entity::find()
            .filter(in_ids(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                pages.iter().copied(),
            ))
            .filter(vendor_page_component::Column::Missing.eq(false))
            .order_by_asc(vendor_page_component::Column::Position)
            .order_by_asc(vendor_page_component::Column::ComponentId)
            .limit(ROW_LIMIT)
            .all(&self.db)
            .await?;
        bounded("components", rows.len())?;
        let mut components_by_page: HashMap<Uuid, Vec<PageComponent>> = HashMap::new();
        for row in rows {
            components_by_page
                .entry(row.vendor_page_id)
                .or_default()
                .push(row);
        }
        Ok(components_by_page)
    }

    /// Reads those components of the pages that these services follow, by page and id.
    async fn chosen_page_components(
        &self,
        views: &HashMap<Uuid, PageView>,
    ) -> Result<HashMap<(Uuid, String), PageComponent>> {
        let services = views
            .iter()
            .filter(|(_, view)| matches!(view.source, PageSource::Stored))
            .map(|(service, _)| *service);
        let is_chosen = service_component::Entity::find()
            .select_only()
            .expr(Expr::val(1))
            .inner_join(service::Entity)
            .filter(in_ids(&self.db, service::Column::Id, services))
            .filter(same(
                service::Column::VendorPageId,
                vendor_page_component::Column::VendorPageId,
            ))
            .filter(same(
                service_component::Column::ComponentId,
                vendor_page_component::Column::ComponentId,
            ))
            .into_query();
        let rows = vendor_page_component::Entity::find()
            .filter(in_ids(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                stored_pages(views),
            ))
            .filter(Expr::exists(is_chosen))
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| ((row.vendor_page_id, row.component_id.clone()), row))
            .collect())
    }
}

/// Condition of a correlated subquery: two columns of different tables are equal.
fn same(left: impl ColumnTrait, right: impl ColumnTrait) -> Expr {
    Expr::col(left.as_column_ref()).eq(Expr::col(right.as_column_ref()))
}

/// Rejects lists that are together too long for one response.
fn bounded(what: &str, total: usize) -> Result<()> {
    if total <= MAX_COMPONENTS {
        return Ok(());
    }
    let message = format!(
        "must be at most {MAX_COMPONENTS} {what} of all services, got {total}: request fewer services"
    );
    Err(Error::field(what, message))
}

/// Joins chosen components with what their pages show.
fn join(
    chosen: Vec<service_component::Model>,
    views: &HashMap<Uuid, PageView>,
    stored: &HashMap<(Uuid, String), PageComponent>,
    now: DateTime<Utc>,
) -> HashMap<Uuid, Vec<Followed>> {
    let mut own: HashMap<Uuid, HashMap<String, PageComponent>> = HashMap::new();
    for (service, view) in views {
        if let PageSource::Discovered(found) = &view.source {
            let by_id = |one: PageComponent| (one.component_id.clone(), one);
            own.insert(
                *service,
                discovered_components(view, found)
                    .into_iter()
                    .map(by_id)
                    .collect(),
            );
        }
    }
    let mut of_each: HashMap<Uuid, Vec<Followed>> = HashMap::new();
    for chosen in chosen {
        let Some(view) = views.get(&chosen.service_id) else {
            continue;
        };
        let on_page = match &view.source {
            PageSource::Stored => stored.get(&(view.row.id, chosen.component_id.clone())),
            PageSource::Discovered(_) => own
                .get(&chosen.service_id)
                .and_then(|all| all.get(&chosen.component_id)),
            PageSource::Unknown => None,
        };
        let there = on_page.filter(|one| !one.missing);
        let missing = chosen.missing || (view.lists_all() && there.is_none());
        let lost = matches!(view.source, PageSource::Unknown)
            || freshness(Some(view.read_at), now) == Freshness::Lost;
        let status = match there {
            _ if missing || lost => Status::Unknown,
            Some(there) => there.status.into(),
            // Of what is not among what it writes about, the vendor says nothing bad.
            None => Status::Up,
        };
        let shown = on_page.cloned();
        of_each
            .entry(chosen.service_id)
            .or_default()
            .push(Followed {
                shown,
                status,
                missing,
                successors: Vec::new(),
                chosen,
            });
    }
    of_each
}

/// Returns the components that the owner of a service discovered.
fn discovered_components(view: &PageView, found: &Discovery) -> Vec<PageComponent> {
    let shown = |component| super::follow::component_row(view.row.id, component, view.since);
    found.page.components.iter().map(shown).collect()
}

/// Returns the pages whose stored contents may be shown.
fn stored_pages(views: &HashMap<Uuid, PageView>) -> HashSet<Uuid> {
    views
        .values()
        .filter(|view| matches!(view.source, PageSource::Stored))
        .map(|view| view.row.id)
        .collect()
}

/// Sets the successors of missing components: components of the same name that are not followed
/// already, those of the same group first.
fn offer_successors(followed: &mut [Followed], components: &[PageComponent]) {
    if !followed.iter().any(|one| one.missing) {
        return;
    }
    let taken: HashSet<String> = followed
        .iter()
        .map(|one| one.chosen.component_id.clone())
        .collect();
    for gone in followed.iter_mut().filter(|one| one.missing) {
        let name = gone.chosen.name.to_lowercase();
        let same = |one: &&PageComponent| {
            !one.missing && !taken.contains(&one.component_id) && one.name.to_lowercase() == name
        };
        gone.successors = components.iter().filter(same).cloned().collect();
        gone.successors
            .sort_by_key(|one| one.group_name != gone.chosen.group_name);
    }
}
