//! Services: reading, adding, changing, deleting, checking now, and trying out before adding.

use super::follow::{self, wrong_choice};
use super::{Error, Ops, Result, now};
use crate::auth::Viewer;
use coordination::{Event, ServiceChange};
use domain::service::{FieldError, ServiceDraft};
use domain::{ExpectedStatus, MonitorKind, Outcome};
use entity::sql::among;
use entity::{service, service_state, workspace};
use monitors::HttpTarget;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, NotSet,
    PaginatorTrait, QueryFilter, QuerySelect, Set,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use uuid::Uuid;

/// What a missing one is called.
pub(crate) const SERVICE: &str = "service";

/// The longest that somebody waits for a test: less than a request to this server may take.
const MAX_TEST: Duration = Duration::from_secs(25);

/// Which services are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Exactly this category.
    pub category: Option<String>,
    /// How it is looked at.
    pub kind: Option<MonitorKind>,
    /// Occurs in the name or in an address, however it is capitalised.
    pub search: Option<String>,
    /// One of these.
    pub ids: Option<HashSet<Uuid>>,
}

/// A service as somebody wants it.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// What every service has.
    pub draft: ServiceDraft,
    /// What only those have that read a vendor page.
    pub page: Page,
}

/// What is followed of a vendor page, and where it is read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// JSON addresses that were discovered.
    pub api_urls: Vec<String>,
    /// JSON addresses that were given by hand.
    pub user_defined_urls: Vec<String>,
    /// The vendor's ids of the components; `None` leaves them as they are.
    pub component_ids: Option<Vec<String>>,
}

impl Filter {
    /// A workspace's services are few enough to be filtered here, where letters of every script have their capitals and no
    /// character means anything else than itself.
    fn admits(&self, service: &service::Model) -> bool {
        let needle = self
            .search
            .as_deref()
            .map(|search| search.trim().to_lowercase())
            .filter(|s| !s.is_empty());
        let category = self.category.as_deref().map(str::trim);
        let found = |needle: &str| {
            let texts = [
                Some(&service.name),
                service.url.as_ref(),
                service.vendor_page_url.as_ref(),
            ];
            texts
                .into_iter()
                .flatten()
                .any(|text| text.to_lowercase().contains(needle))
        };
        category.is_none_or(|category| service.category.as_deref().unwrap_or_default() == category)
            && self
                .kind
                .is_none_or(|kind| domain::MonitorKind::from(service.kind) == kind)
            && self
                .ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&service.id))
            && needle.is_none_or(|needle| found(&needle))
    }
}

impl Ops {
    /// The viewer's services, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn services(
        &self,
        viewer: &Viewer,
        filter: &Filter,
    ) -> Result<Vec<Arc<service::Model>>> {
        let all = self
            .definitions
            .of(&self.db, viewer.workspace_id, now())
            .await?;
        Ok(all
            .iter()
            .filter(|service| filter.admits(service))
            .cloned()
            .collect())
    }

    /// One of the viewer's services.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service(&self, viewer: &Viewer, id: Uuid) -> Result<Option<Arc<service::Model>>> {
        Ok(mine(viewer, id).one(&self.db).await?.map(Arc::new))
    }

    /// Those of `ids` that are the viewer's services.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn services_by_id(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<service::Model>>> {
        let found = service::Entity::find()
            .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
            .filter(among(&self.db, service::Column::Id, ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(found
            .into_iter()
            .map(|service| (service.id, Arc::new(service)))
            .collect())
    }

    /// Adds a service and has it checked at once. A vendor page is read first, because all who follow it share what is
    /// kept of it.
    ///
    /// # Errors
    /// Every wrong field, [`Error::Conflict`] when the viewer has as many services as allowed, or what
    /// [`Ops::discover_page`] refuses.
    pub async fn create_service(
        &self,
        viewer: &Viewer,
        wanted: Definition,
    ) -> Result<Arc<service::Model>> {
        let Definition { draft, page } = wanted;
        let follows = draft.kind == MonitorKind::VendorPage;
        let wrong = if follows {
            page.wrong()
        } else {
            page.unwanted()
        };
        let mut draft = checked(draft, wrong, self.limits.min_interval_seconds)?;
        let read = if follows {
            let found = self.read_page(viewer, &page).await?;
            let chosen = follow::choose(
                &found.page,
                page.component_ids.as_deref().unwrap_or_default(),
            )?;
            draft.vendor_page_url = draft.vendor_page_url.or_else(|| found.page.url.clone());
            Some((found, chosen))
        } else {
            None
        };
        let transaction = self.begin().await?;
        // Two concurrent requests must not both take the last free place: the second waits here.
        let workspace = workspace::Entity::find_by_id(viewer.workspace_id)
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?;
        workspace.ok_or(Error::Unauthenticated)?;
        let own =
            service::Entity::find().filter(service::Column::WorkspaceId.eq(viewer.workspace_id));
        let max = self.limits.max_services;
        if own.count(&transaction).await? >= u64::from(max) {
            let message = format!(
                "this workspace has {max} services, as many as this server allows: delete one first"
            );
            return Err(Error::Conflict(message));
        }
        let now = now();
        let vendor_page_id = match &read {
            Some((found, _)) => {
                let page = follow::bind(&transaction, found, page.by_hand(), now).await?;
                follow::within_budget(&transaction, viewer.workspace_id, page).await?;
                Some(page)
            }
            None => None,
        };
        let mut service = service::ActiveModel {
            id: Set(Uuid::now_v7()),
            seq: NotSet,
            workspace_id: Set(viewer.workspace_id),
            kind: Set(draft.kind.into()),
            paused: Set(false),
            vendor_page_id: Set(vendor_page_id),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        define(&mut service, draft);
        let service = service.insert(&transaction).await?;
        never_checked(&service).insert(&transaction).await?;
        if let Some((_, chosen)) = read {
            follow::follow(&transaction, service.id, chosen).await?;
        }
        transaction.commit().await?;

        self.make_due([&service]).await;
        self.publish(&[changed(&service, ServiceChange::Created)])
            .await;
        Ok(Arc::new(service))
    }

    /// Changes a service's definition. When anything that checks depend on is another, it is checked at once.
    ///
    /// # Errors
    /// [`Error::NotFound`], or every wrong field.
    pub async fn update_service(
        &self,
        viewer: &Viewer,
        id: Uuid,
        change: impl FnOnce(&mut Definition) -> Vec<FieldError> + Send,
    ) -> Result<Arc<service::Model>> {
        let transaction = self.begin().await?;
        let before = locked(&transaction, viewer, id).await?;
        let old = draft_of(&before);
        let mut wanted = Definition {
            draft: old.clone(),
            ..Definition::default()
        };
        let mut errors = change(&mut wanted);
        let follows = old.kind == MonitorKind::VendorPage;
        match &wanted.page.component_ids {
            Some(ids) if follows => errors.extend(wrong_choice(ids)),
            _ => errors.extend(wanted.page.unwanted()),
        }
        // An interval that was allowed when it was chosen does not stand in the way of a new name.
        let unchanged = wanted.draft.check_interval_seconds == old.check_interval_seconds;
        let least = self.limits.min_interval_seconds;
        let least = if unchanged {
            least.min(old.check_interval_seconds)
        } else {
            least
        };
        let new = checked(wanted.draft, errors, least)?;
        let others = match &wanted.page.component_ids {
            Some(ids) if follows => follow::follow_others(&transaction, &before, ids).await?,
            _ => false,
        };
        if new == old && !others {
            return Ok(Arc::new(before));
        }
        let shown_only = |draft: &ServiceDraft| ServiceDraft {
            name: String::new(),
            category: None,
            vendor_page_url: None,
            ..draft.clone()
        };
        let recheck = others || shown_only(&new) != shown_only(&old);
        let mut service = before.into_active_model();
        define(&mut service, new);
        service.updated_at = Set(now());
        let service = service.update(&transaction).await?;
        transaction.commit().await?;

        if recheck && !service.paused {
            self.make_due([&service]).await;
        }
        self.publish(&[changed(&service, ServiceChange::Updated)])
            .await;
        Ok(Arc::new(service))
    }

    /// Deletes a service with everything that was recorded of it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_service(&self, viewer: &Viewer, id: Uuid) -> Result<Uuid> {
        let deleted = service::Entity::delete_many()
            .filter(service::Column::Id.eq(id))
            .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
            .exec(&self.db)
            .await?;
        if deleted.rows_affected == 0 {
            return Err(Error::NotFound(SERVICE));
        }
        self.withdraw(&[id]).await;
        self.publish(&[Event::ServiceChanged {
            workspace_id: viewer.workspace_id,
            service_id: id,
            change: ServiceChange::Deleted,
        }])
        .await;
        Ok(id)
    }

    /// Has a service checked now; the result comes by the events.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when it is paused, [`Error::Upstream`] when the queue does not answer.
    pub async fn check_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        let service = self
            .service(viewer, id)
            .await?
            .ok_or(Error::NotFound(SERVICE))?;
        if service.paused {
            return Err(Error::Conflict(
                "the service is paused: resume it to have it checked".into(),
            ));
        }
        self.schedule_now([&*service]).await.map_err(|error| {
            tracing::warn!(%error, service = %id, "a check that was asked for could not be scheduled");
            Error::Upstream("the queue of checks does not answer at the moment: try again in a few seconds".into())
        })?;
        Ok(service)
    }

    /// Looks at a target once, as a check would, and stores nothing.
    ///
    /// # Errors
    /// Every wrong field.
    pub async fn test_service(&self, _viewer: &Viewer, wanted: Definition) -> Result<Outcome> {
        let Definition { draft, page } = wanted;
        if draft.kind == MonitorKind::VendorPage {
            let message = "is VENDOR_PAGE: what a page says is told by discoverVendorPage, only HTTP services are tried out";
            return Err(Error::field("kind", message));
        }
        let draft = checked(draft, page.unwanted(), self.limits.min_interval_seconds)?;
        let url = draft.url.as_deref().and_then(|url| Url::parse(url).ok());
        let milliseconds = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or_default());
        let target = HttpTarget {
            url: url.ok_or_else(|| Error::field("url", "give the address to check"))?,
            timeout: milliseconds(draft.timeout_ms).min(MAX_TEST),
            degraded_threshold: milliseconds(draft.degraded_threshold_ms),
            expected: draft
                .expected_status
                .parse::<ExpectedStatus>()
                .unwrap_or_default(),
        };
        Ok(self.prober.http(&target).await)
    }
}

/// The definition in its normal form, or everything that is wrong with it besides `errors`.
fn checked(draft: ServiceDraft, mut errors: Vec<FieldError>, least: i32) -> Result<ServiceDraft> {
    match draft.validate(least) {
        Ok(valid) if errors.is_empty() => Ok(valid),
        Ok(_) => Err(errors.into()),
        Err(more) => {
            errors.extend(more);
            Err(errors.into())
        }
    }
}

/// Selects a service of the viewer's workspace. Every lookup of one service goes through here, so that
/// another workspace's service is missed by the same statement as an absent one.
pub(crate) fn mine(viewer: &Viewer, id: Uuid) -> sea_orm::Select<service::Entity> {
    service::Entity::find()
        .filter(service::Column::Id.eq(id))
        .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
}

/// Locks one of the viewer's services until the transaction ends.
pub(crate) async fn locked(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: Uuid,
) -> Result<service::Model> {
    mine(viewer, id)
        .lock(LockType::NoKeyUpdate)
        .one(db)
        .await?
        .ok_or(Error::NotFound(SERVICE))
}

pub(crate) fn changed(service: &service::Model, change: ServiceChange) -> Event {
    Event::ServiceChanged {
        workspace_id: service.workspace_id,
        service_id: service.id,
        change,
    }
}

/// The state of a service before its first check.
pub(crate) fn never_checked(service: &service::Model) -> service_state::ActiveModel {
    service_state::ActiveModel {
        service_id: Set(service.id),
        status: Set(entity::column::Status::Unknown),
        status_since: Set(service.created_at),
        failing_checks: Set(0),
        down_checks: Set(0),
        ..Default::default()
    }
}

fn draft_of(service: &service::Model) -> ServiceDraft {
    ServiceDraft {
        name: service.name.clone(),
        category: service.category.clone(),
        kind: service.kind.into(),
        url: service.url.clone(),
        vendor_page_url: service.vendor_page_url.clone(),
        check_interval_seconds: service.check_interval_seconds,
        timeout_ms: service.timeout_ms,
        degraded_threshold_ms: service.degraded_threshold_ms,
        expected_status: service.expected_status.clone(),
        confirmations: service.confirmations,
    }
}

fn define(service: &mut service::ActiveModel, draft: ServiceDraft) {
    service.name = Set(draft.name);
    service.category = Set(draft.category);
    service.url = Set(draft.url);
    service.vendor_page_url = Set(draft.vendor_page_url);
    service.check_interval_seconds = Set(draft.check_interval_seconds);
    service.timeout_ms = Set(draft.timeout_ms);
    service.degraded_threshold_ms = Set(draft.degraded_threshold_ms);
    service.expected_status = Set(draft.expected_status);
    service.confirmations = Set(draft.confirmations);
}
