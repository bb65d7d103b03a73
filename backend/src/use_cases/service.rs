//! Services: reads, creates, updates and deletes them, and checks one on demand or before it is
//! created.

use super::definition_change::{changed_fields, record_on_open_incident};
use super::follow;
use super::settings;
use super::tags::{insert_tags, load_tags};
use super::{Error, Result, UseCases, now};
use crate::auth::Viewer;
use coordination::{Event, ServiceChange};
use domain::Outcome;
use domain::service::{FieldError, ServiceDraft};
use entity::sql::in_ids;
use entity::{service, service_state, service_tag, workspace};
use monitors::{Monitor, MonitorKind, Schedule, SettingsMap, Target};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, NotSet,
    PaginatorTrait, QueryFilter, QuerySelect, Set,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What [`Error::NotFound`] names.
pub(crate) const SERVICE: &str = "service";

/// Fields whose errors come first, as in the form.
const NAME_FIELDS: [&str; 4] = ["name", "category", "description", "tags"];

/// Maximum duration of a test: shorter than the timeout of a request to this server.
const MAX_TEST_TIMEOUT: Duration = Duration::from_secs(25);

/// Selects services. Conditions that are `None` match every service.
#[derive(Debug, Clone, Default)]
pub struct ServiceCriteria {
    /// Exactly this category.
    pub category: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this kind.
    pub kind: Option<MonitorKind>,
    /// Of a kind with this schedule.
    pub schedule: Option<Schedule>,
    /// Text in the name, the target or the vendor page's address, ignoring case.
    pub search: Option<String>,
    /// The service is one of these.
    pub ids: Option<HashSet<Uuid>>,
}

/// The definition of a service, as a user enters it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The settings that do not depend on the kind.
    pub draft: ServiceDraft,
    /// The kind, with its settings.
    pub monitor: Monitor,
}

/// A change of a service's definition.
#[derive(Debug, Clone)]
pub struct Change {
    /// The settings that do not depend on the kind, after the change.
    pub draft: ServiceDraft,
    /// The kind, and those of its settings that change.
    pub monitor: Option<(MonitorKind, SettingsMap)>,
}

impl ServiceCriteria {
    /// Filters in memory, because a workspace has few services: case is ignored in every script, and
    /// no character is a wildcard.
    fn matches(&self, service: &service::Model) -> bool {
        let needle = self
            .search
            .as_deref()
            .map(|search| search.trim().to_lowercase())
            .filter(|s| !s.is_empty());
        let category = self.category.as_deref().map(str::trim);
        let found = |needle: &str| {
            let texts = [
                Some(service.name.clone()),
                settings::target(service),
                service.vendor_page_url.clone(),
            ];
            texts
                .into_iter()
                .flatten()
                .any(|text| text.to_lowercase().contains(needle))
        };
        category.is_none_or(|category| service.category.as_deref().unwrap_or_default() == category)
            && self.kind.is_none_or(|kind| service.kind == kind.id())
            && self.schedule.is_none_or(|schedule| {
                MonitorKind::from_id(&service.kind)
                    .is_ok_and(|kind| kind.info().schedule == schedule)
            })
            && self
                .ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&service.id))
            && needle.is_none_or(|needle| found(&needle))
    }
}

impl UseCases {
    /// Lists the viewer's services that match `filter`, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn services(
        &self,
        viewer: &Viewer,
        filter: &ServiceCriteria,
    ) -> Result<Vec<Arc<service::Model>>> {
        let all = self.list_services(viewer.workspace_id, now()).await?;
        let tagged = match &filter.tag {
            Some(tag) => Some(self.ids_with_tag(viewer, tag).await?),
            None => None,
        };
        let has_tag =
            |service: &service::Model| tagged.as_ref().is_none_or(|ids| ids.contains(&service.id));
        Ok(all
            .iter()
            .filter(|service| filter.matches(service) && has_tag(service))
            .cloned()
            .collect())
    }

    /// Returns one of the viewer's services.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service(&self, viewer: &Viewer, id: Uuid) -> Result<Option<Arc<service::Model>>> {
        Ok(select_own(viewer, id).one(&self.db).await?.map(Arc::new))
    }

    /// Returns those of `ids` that are services of the viewer.
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
            .filter(in_ids(&self.db, service::Column::Id, ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(found
            .into_iter()
            .map(|service| (service.id, Arc::new(service)))
            .collect())
    }

    /// Creates a service and schedules its first check. A vendor page is read before: all who follow
    /// it share its row, so it must not hold what a client sent.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] with every invalid field, [`Error::Conflict`] if the workspace has
    /// its maximum of services, or an error of [`UseCases::discover_page`].
    pub async fn create_service(
        &self,
        viewer: &Viewer,
        wanted: Definition,
    ) -> Result<Arc<service::Model>> {
        let Definition { mut draft, monitor } = self.resolve_definition(wanted).await?;
        let read = match monitor.shared_page() {
            Some(page) => {
                let found = self.read_page(viewer, page).await?;
                let chosen = follow::choose_components(&found.page, &page.component_ids)?;
                let url = page.url.clone().or_else(|| found.page.url.clone());
                draft.vendor_page_url = draft.vendor_page_url.or(url);
                Some((found, chosen, page.is_user_defined()))
            }
            None => None,
        };
        let transaction = self.begin().await?;
        // Locks the workspace, so that two concurrent requests cannot both create the last service
        // that is allowed.
        let workspace = workspace::Entity::find_by_id(viewer.workspace_id)
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?;
        workspace.ok_or(Error::Unauthenticated)?;
        let own =
            service::Entity::find().filter(service::Column::WorkspaceId.eq(viewer.workspace_id));
        let max = self.quotas.max_services;
        if own.count(&transaction).await? >= u64::from(max) {
            let message = format!(
                "this workspace has {max} services, as many as this server allows: delete one first"
            );
            return Err(Error::Conflict(message));
        }
        let now = now();
        let vendor_page_id = match &read {
            Some((found, _, by_hand)) => {
                let page = follow::upsert_page(&transaction, found, *by_hand, now).await?;
                follow::check_page_quota(&transaction, viewer.workspace_id, page).await?;
                Some(page)
            }
            None => None,
        };
        let id = Uuid::now_v7();
        let mut service = service::ActiveModel {
            id: Set(id),
            seq: NotSet,
            workspace_id: Set(viewer.workspace_id),
            kind: Set(monitor.kind().id().into()),
            paused: Set(false),
            vendor_page_id: Set(vendor_page_id),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        let tags = std::mem::take(&mut draft.tags);
        set_definition(&mut service, draft);
        self.store_settings(&mut service, id, &monitor);
        let service = service.insert(&transaction).await?;
        initial_state(&service).insert(&transaction).await?;
        insert_tags(&transaction, &service, tags).await?;
        if let Some((_, chosen, _)) = read {
            follow::insert_followed(&transaction, service.id, chosen).await?;
        }
        transaction.commit().await?;

        self.make_due([&service]).await;
        self.publish(&[change_event(&service, ServiceChange::Created)])
            .await;
        Ok(Arc::new(service))
    }

    /// Updates a service's definition. Schedules a check if anything changed that checks depend on.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], or [`Error::BadInput`] with every invalid field.
    pub async fn update_service(
        &self,
        viewer: &Viewer,
        id: Uuid,
        change: impl FnOnce(&mut Change) -> Vec<FieldError> + Send,
    ) -> Result<Arc<service::Model>> {
        let transaction = self.begin().await?;
        let before = lock_own(&transaction, viewer, id).await?;
        let mut tags = load_tags(&transaction, &[id]).await?;
        let old = Definition {
            draft: to_draft(&before, tags.remove(&id).unwrap_or_default()),
            monitor: self.monitor(&transaction, &before).await?,
        };
        let mut wanted = Change {
            draft: old.draft.clone(),
            monitor: None,
        };
        let mut errors = change(&mut wanted);
        let monitor = match wanted.monitor {
            Some((kind, settings)) => {
                settings::apply_change(&old.monitor, kind, settings, &mut errors)?
            }
            None => old.monitor.clone(),
        };
        // The minimum may have been raised since: an interval that does not change stays valid.
        let unchanged = wanted.draft.check_interval_seconds == old.draft.check_interval_seconds;
        let least = self.quotas.min_interval_seconds;
        let least = if unchanged {
            least.min(old.draft.check_interval_seconds)
        } else {
            least
        };
        let draft = wanted.draft;
        let mut new = validate(Definition { draft, monitor }, errors, least)?;
        let url_of = |monitor: &Monitor| monitor.shared_page().and_then(|page| page.url.clone());
        let url = url_of(&new.monitor);
        if url != url_of(&old.monitor) {
            new.draft.vendor_page_url = url;
        }
        let others = match new.monitor.shared_page() {
            Some(page) => {
                follow::replace_followed(&transaction, &before, &page.component_ids).await?
            }
            None => false,
        };
        if new == old && !others {
            return Ok(Arc::new(before));
        }
        let changed = changed_fields(&old, &new, others);
        let recheck = !changed.is_empty();
        let lost_secrets = self.has_lost_secrets(&before)?;
        let mut service = before.into_active_model();
        let Definition { mut draft, monitor } = new;
        let tags = std::mem::take(&mut draft.tags);
        set_definition(&mut service, draft);
        if monitor != old.monitor {
            let sealed = service.secrets.clone();
            self.store_settings(&mut service, id, &monitor);
            // The right key may be set again later, so only new secrets replace the old ones.
            if lost_secrets && service.secrets == Set(None) {
                service.secrets = sealed;
            }
        }
        service.updated_at = Set(now());
        let service = service.update(&transaction).await?;
        if tags != old.draft.tags {
            service_tag::Entity::delete_many()
                .filter(service_tag::Column::ServiceId.eq(id))
                .exec(&transaction)
                .await?;
            insert_tags(&transaction, &service, tags).await?;
        }
        let incident = record_on_open_incident(&transaction, id, &changed).await?;
        transaction.commit().await?;

        if recheck && !service.paused {
            self.make_due([&service]).await;
        }
        let mut events = vec![change_event(&service, ServiceChange::Updated)];
        events.extend(incident.map(|incident_id| Event::IncidentChanged {
            workspace_id: service.workspace_id,
            service_id: id,
            incident_id,
        }));
        self.publish(&events).await;
        Ok(Arc::new(service))
    }

    /// Writes the settings of `monitor` to the row of the service `id`, secrets sealed.
    fn store_settings(&self, row: &mut service::ActiveModel, id: Uuid, monitor: &Monitor) {
        let stored = monitor.seal(id, &self.sealer);
        row.settings = Set(stored.settings);
        row.secrets = Set(stored.secrets);
    }

    /// Deletes a service with its history.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`].
    pub async fn delete_service(&self, viewer: &Viewer, id: Uuid) -> Result<Uuid> {
        self.delete_services(viewer, &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound(SERVICE))
    }

    /// Schedules a check of a service now. The result arrives as an event.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], [`Error::Conflict`] if the service is paused, or [`Error::Upstream`]
    /// if the due queue is unavailable.
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
            tracing::warn!(%error, service = %id, "failed to schedule a check on demand");
            Error::Upstream(
                "the queue of checks does not answer at the moment: try again in a few seconds"
                    .into(),
            )
        })?;
        Ok(service)
    }

    /// Checks a target once without storing anything. Returns the target as well, with the scheme that
    /// was chosen if it was given without one.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] with every invalid field.
    pub async fn test_service(
        &self,
        _viewer: &Viewer,
        wanted: Definition,
    ) -> Result<(Option<String>, Outcome)> {
        let info = wanted.monitor.kind().info();
        if info.schedule != Schedule::Every {
            let message = format!(
                "cannot be tested: a {} is not checked for one service alone",
                info.name.to_lowercase()
            );
            return Err(Error::field("monitor", message));
        }
        let Definition { draft, monitor } = self.resolve_definition(wanted).await?;
        let milliseconds = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or_default());
        let checked = monitor.target();
        let target = Target {
            monitor,
            timeout: milliseconds(draft.timeout_ms).min(MAX_TEST_TIMEOUT),
            degraded_threshold: milliseconds(draft.degraded_threshold_ms),
        };
        Ok((checked, self.prober.check(&target).await))
    }

    /// Validates and normalizes a new definition, and decides what its target means if that can be
    /// read in several ways.
    async fn resolve_definition(&self, mut wanted: Definition) -> Result<Definition> {
        let candidates = wanted.monitor.candidates();
        let min_interval_seconds = self.quotas.min_interval_seconds;
        let valid = validate(wanted.clone(), Vec::new(), min_interval_seconds)?;
        match self.first_that_answers(candidates).await {
            None => Ok(valid),
            Some(monitor) => {
                wanted.monitor = monitor;
                validate(wanted, Vec::new(), min_interval_seconds)
            }
        }
    }
}

/// Validates and normalizes a definition. `errors` are those that were found before.
fn validate(
    wanted: Definition,
    mut errors: Vec<FieldError>,
    min_interval_seconds: i32,
) -> Result<Definition> {
    let kind_min_interval_seconds = wanted.monitor.kind().info().min_interval_seconds;
    let draft = wanted
        .draft
        .validate(min_interval_seconds, kind_min_interval_seconds);
    match (draft, wanted.monitor.validate()) {
        (Ok(draft), Ok(monitor)) if errors.is_empty() => Ok(Definition { draft, monitor }),
        (draft, monitor) => {
            // In the order of the form: names, the kind's settings, then thresholds.
            let mut more = draft.err().unwrap_or_default();
            let is_name = |error: &FieldError| NAME_FIELDS.contains(&error.field.as_str());
            let names = more.iter().take_while(|error| is_name(error)).count();
            more.splice(names..names, monitor.err().unwrap_or_default());
            // One error per field; the earlier one wins.
            let new = |error: &FieldError| errors.iter().all(|e| e.field != error.field);
            let new: Vec<_> = more.into_iter().filter(new).collect();
            errors.extend(new);
            Err(errors.into())
        }
    }
}

/// Selects a service of the viewer's workspace. Every lookup of one service goes through here, so that
/// a service of another workspace is not found by the same statement as one that does not exist.
pub(crate) fn select_own(viewer: &Viewer, id: Uuid) -> sea_orm::Select<service::Entity> {
    service::Entity::find()
        .filter(service::Column::Id.eq(id))
        .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
}

/// Locks one of the viewer's services until the transaction ends.
pub(crate) async fn lock_own(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: Uuid,
) -> Result<service::Model> {
    select_own(viewer, id)
        .lock(LockType::NoKeyUpdate)
        .one(db)
        .await?
        .ok_or(Error::NotFound(SERVICE))
}

pub(crate) fn change_event(service: &service::Model, change: ServiceChange) -> Event {
    Event::ServiceChanged {
        workspace_id: service.workspace_id,
        service_id: service.id,
        change,
    }
}

/// Returns the state of a service before its first check.
pub(crate) fn initial_state(service: &service::Model) -> service_state::ActiveModel {
    service_state::ActiveModel {
        service_id: Set(service.id),
        status: Set(entity::column::Status::Unknown),
        status_since: Set(service.created_at),
        failing_checks: Set(0),
        down_checks: Set(0),
        recovering_checks: Set(0),
        ..Default::default()
    }
}

fn to_draft(service: &service::Model, tags: Vec<String>) -> ServiceDraft {
    ServiceDraft {
        name: service.name.clone(),
        category: service.category.clone(),
        tags,
        description: service.description.clone(),
        vendor_page_url: service.vendor_page_url.clone(),
        check_interval_seconds: service.check_interval_seconds,
        timeout_ms: service.timeout_ms,
        degraded_threshold_ms: service.degraded_threshold_ms,
        confirmations: service.confirmations,
        recoveries: service.recoveries,
    }
}

/// Writes everything but tags and settings to the row.
fn set_definition(service: &mut service::ActiveModel, draft: ServiceDraft) {
    service.name = Set(draft.name);
    service.category = Set(draft.category);
    service.description = Set(draft.description);
    service.vendor_page_url = Set(draft.vendor_page_url);
    service.check_interval_seconds = Set(draft.check_interval_seconds);
    service.timeout_ms = Set(draft.timeout_ms);
    service.degraded_threshold_ms = Set(draft.degraded_threshold_ms);
    service.confirmations = Set(draft.confirmations);
    service.recoveries = Set(draft.recoveries);
}
