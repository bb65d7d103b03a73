//! What a vendor page says about the components that services follow. Read only: the worker fills the tables.
//! A page is reached through a service of the viewer's and in no other way. What others had read of it before is not
//! shown: until it was read for this service too, there is only what its owner read themselves, if that is remembered.

mod notices;

pub use notices::Notices;

use super::{Error, Ops, Result};
use chrono::{DateTime, Duration, Utc};
use domain::Status;
use domain::vendor_page::{Standing, standing};
use entity::column::Listing;
use entity::sql::among;
use entity::{service, service_component, vendor_page, vendor_page_component};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use vendor_pages::Discovery;

/// How many components of all services may be told of at a time: what a query costs is judged before anybody knows how
/// many there are.
const MAX_COMPONENTS: usize = 50_000;

/// The same as a number of rows: one more shows that they are too many.
const ENOUGH_ROWS: u64 = MAX_COMPONENTS as u64 + 1;

/// Of how many pages with missing components successors are offered at a time.
const MAX_BROKEN: usize = 20;

/// Within this time a page is read for a new service too. What changed until then may have been known to others before,
/// so it is told as known from the service's beginning on.
const FIRST_READ: Duration = Duration::minutes(2);

/// A component as its page shows it.
pub type Shown = vendor_page_component::Model;

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
    row: Arc<vendor_page::Model>,
    /// When it was last read; for whom it was just added, it was then.
    pub read_at: DateTime<Utc>,
    /// Since when the service follows it.
    since: DateTime<Utc>,
    said: Said,
}

/// Where what is shown of a page comes from.
#[derive(Debug, Clone)]
enum Said {
    /// It was read since the service began to follow it.
    Stored,
    /// Not yet, but its owner just read it.
    Own(Arc<Discovery>),
    /// Nor is that remembered.
    Nothing,
}

impl PageView {
    fn of(
        row: &Arc<vendor_page::Model>,
        service: &service::Model,
        own: impl FnOnce() -> Option<Arc<Discovery>>,
    ) -> Self {
        // What others read before this service began to follow is not for its owner to see.
        let since = service.created_at;
        let read_at = row.fetched_at.map_or(since, |at| std::cmp::max(at, since));
        let said = match row.fetched_at {
            Some(at) if at >= since => Said::Stored,
            _ => own().map_or(Said::Nothing, Said::Own),
        };
        Self {
            row: Arc::clone(row),
            read_at,
            since,
            said,
        }
    }

    fn said<'a>(
        &'a self,
        stored: impl FnOnce(&'a vendor_page::Model) -> Option<&'a str>,
        own: impl FnOnce(&'a vendor_pages::page::Page) -> Option<&'a str>,
    ) -> Option<&'a str> {
        match &self.said {
            Said::Stored => stored(&self.row),
            Said::Own(found) => own(&found.page),
            Said::Nothing => None,
        }
    }

    /// The vendor's name for it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.said(|row| row.name.as_deref(), |page| page.name.as_deref())
    }

    /// The page for people, as it says itself: any text.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.said(|row| row.url.as_deref(), |page| page.url.as_deref())
    }

    /// Whose software makes it.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.said(|row| row.provider.as_deref(), |page| Some(page.provider))
    }

    /// Whether what it says is old.
    #[must_use]
    pub fn stale(&self, now: DateTime<Utc>) -> bool {
        standing(Some(self.read_at), now) != Standing::Fresh
    }

    /// Why it could not be read when it was last tried, one sentence; `None` when it could, or was not tried since the
    /// service follows it.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let tried = self.row.attempted_at.is_some_and(|at| at >= self.since);
        (tried && self.row.failures > 0).then(|| {
            self.row
                .message
                .as_deref()
                .unwrap_or("it could not be read")
        })
    }

    /// Whether it lists all of its components.
    fn lists_all(&self) -> bool {
        match &self.said {
            Said::Stored => self.row.listing == Listing::All,
            Said::Own(found) => found.page.listing == vendor_pages::page::Listing::All,
            Said::Nothing => false,
        }
    }

    /// The addresses that are read.
    #[must_use]
    pub fn api_urls(&self) -> Vec<String> {
        let urls = self
            .row
            .api_urls
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut urls: Vec<_> = urls
            .iter()
            .filter_map(|url| url.as_str().map(str::to_owned))
            .collect();
        // Not in the order in which whoever came first gave them.
        urls.sort_unstable();
        urls
    }
}

/// When something became known to those who follow a page since `since`, that changed at `changed_at` for all.
fn known_at(changed_at: DateTime<Utc>, since: DateTime<Utc>) -> DateTime<Utc> {
    if changed_at < since + FIRST_READ {
        since
    } else {
        changed_at
    }
}

impl Ops {
    /// The page of each service that follows one.
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
        let of_these = among(&self.db, vendor_page::Column::Id, ids);
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
            let own = || self.vendor_pages.own(service.workspace_id, &row.key);
            Some((service.id, PageView::of(row, service, own)))
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
        let views = self.pages(services).await?;
        let stored: HashMap<Uuid, _> = self
            .shown(&stored_pages(&views))
            .await?
            .into_iter()
            .map(|(page, all)| (page, Arc::new(all)))
            .collect();
        let of_service = |(service, view): (&Uuid, &PageView)| {
            let components = match &view.said {
                Said::Stored => Arc::clone(stored.get(&view.row.id)?),
                Said::Own(found) => Arc::new(own_components(view, found)),
                Said::Nothing => return None,
            };
            Some((*service, components))
        };
        let shown: HashMap<Uuid, Arc<Vec<Shown>>> = views.iter().filter_map(of_service).collect();
        bounded("components", shown.values().map(|all| all.len()).sum())?;
        Ok(shown)
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
        let stored = self.shown_of(&views).await?;
        let mut followed = join(chosen, &views, &stored, now);
        self.offer_successors(&mut followed, &views).await?;
        Ok(followed)
    }

    /// Offers what could be meant by those that are gone, which is rare. Whole pages are read for it, one after the other
    /// and not without end: of many broken ones the rest is offered to who asks for fewer services.
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
            if let Some(view) = view.filter(|view| matches!(view.said, Said::Stored)) {
                broken.entry(view.row.id).or_default().push(*service);
            }
        }
        for (page, services) in broken.into_iter().take(MAX_BROKEN) {
            let components = self
                .shown(&HashSet::from([page]))
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
        let of_these = among(
            &self.db,
            service_component::Column::ServiceId,
            views.keys().copied(),
        );
        let chosen = service_component::Entity::find().filter(of_these);
        let chosen = chosen
            .order_by_asc(service_component::Column::Position)
            .limit(ENOUGH_ROWS);
        let chosen = chosen.all(&self.db).await?;
        bounded("components", chosen.len())?;
        Ok(chosen)
    }

    /// What is there on pages, by page, in the vendor's order.
    async fn shown(&self, pages: &HashSet<Uuid>) -> Result<HashMap<Uuid, Vec<Shown>>> {
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = vendor_page_component::Entity::find()
            .filter(among(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                pages.iter().copied(),
            ))
            .filter(vendor_page_component::Column::Missing.eq(false))
            .order_by_asc(vendor_page_component::Column::Position)
            .order_by_asc(vendor_page_component::Column::ComponentId)
            .limit(ENOUGH_ROWS)
            .all(&self.db)
            .await?;
        bounded("components", rows.len())?;
        let mut of_each: HashMap<Uuid, Vec<Shown>> = HashMap::new();
        for row in rows {
            of_each.entry(row.vendor_page_id).or_default().push(row);
        }
        Ok(of_each)
    }

    /// Of the pages no more than what these services chose, by page and id: as many rows at most as were chosen.
    async fn shown_of(
        &self,
        views: &HashMap<Uuid, PageView>,
    ) -> Result<HashMap<(Uuid, String), Shown>> {
        let services = views
            .iter()
            .filter(|(_, view)| matches!(view.said, Said::Stored))
            .map(|(service, _)| *service);
        let chosen = Query::select()
            .expr(Expr::val(1))
            .from(service::Entity)
            .from(service_component::Entity)
            .and_where(among(&self.db, service::Column::Id, services))
            .and_where(
                Expr::col(service_component::Column::ServiceId.as_column_ref())
                    .eq(Expr::col(service::Column::Id.as_column_ref())),
            )
            .and_where(
                Expr::col(service::Column::VendorPageId.as_column_ref()).eq(Expr::col(
                    vendor_page_component::Column::VendorPageId.as_column_ref(),
                )),
            )
            .and_where(
                Expr::col(service_component::Column::ComponentId.as_column_ref()).eq(Expr::col(
                    vendor_page_component::Column::ComponentId.as_column_ref(),
                )),
            )
            .to_owned();
        let rows = vendor_page_component::Entity::find()
            .filter(among(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                stored_pages(views),
            ))
            .filter(Expr::exists(chosen))
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| ((row.vendor_page_id, row.component_id.clone()), row))
            .collect())
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
    stored: &HashMap<(Uuid, String), Shown>,
    now: DateTime<Utc>,
) -> HashMap<Uuid, Vec<Followed>> {
    let mut own: HashMap<Uuid, HashMap<String, Shown>> = HashMap::new();
    for (service, view) in views {
        if let Said::Own(found) = &view.said {
            let by_id = |one: Shown| (one.component_id.clone(), one);
            own.insert(
                *service,
                own_components(view, found).into_iter().map(by_id).collect(),
            );
        }
    }
    let mut of_each: HashMap<Uuid, Vec<Followed>> = HashMap::new();
    for chosen in chosen {
        let Some(view) = views.get(&chosen.service_id) else {
            continue;
        };
        let on_page = match &view.said {
            Said::Stored => stored.get(&(view.row.id, chosen.component_id.clone())),
            Said::Own(_) => own
                .get(&chosen.service_id)
                .and_then(|all| all.get(&chosen.component_id)),
            Said::Nothing => None,
        };
        let there = on_page.filter(|one| !one.missing);
        let missing = chosen.missing || (view.lists_all() && there.is_none());
        let lost = matches!(view.said, Said::Nothing)
            || standing(Some(view.read_at), now) == Standing::Lost;
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

/// The components as the owner of a service read them.
fn own_components(view: &PageView, found: &Discovery) -> Vec<Shown> {
    let shown = |component| super::follow::shown(view.row.id, component, view.since);
    found.page.components.iter().map(shown).collect()
}

/// The pages of which may be shown what is stored.
fn stored_pages(views: &HashMap<Uuid, PageView>) -> HashSet<Uuid> {
    views
        .values()
        .filter(|view| matches!(view.said, Said::Stored))
        .map(|view| view.row.id)
        .collect()
}

/// What could be meant by those that are gone: components of the same name that are not followed already, the ones of the
/// same group first.
fn offer_successors(followed: &mut [Followed], components: &[Shown]) {
    if !followed.iter().any(|one| one.missing) {
        return;
    }
    let taken: HashSet<String> = followed
        .iter()
        .map(|one| one.chosen.component_id.clone())
        .collect();
    for gone in followed.iter_mut().filter(|one| one.missing) {
        let name = gone.chosen.name.to_lowercase();
        let same = |one: &&Shown| {
            !one.missing && !taken.contains(&one.component_id) && one.name.to_lowercase() == name
        };
        gone.successors = components.iter().filter(same).cloned().collect();
        gone.successors
            .sort_by_key(|one| one.group_name != gone.chosen.group_name);
    }
}
