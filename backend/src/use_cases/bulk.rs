//! Changes many services at once, in one transaction and a number of statements that does not depend
//! on how many there are. Ids that do not exist or belong to another workspace are skipped, by the
//! same statements. Pausing and resuming are in `pause`.

use super::service::change_event;
use super::{Error, Result, UseCases, now};
use crate::auth::Viewer;
use coordination::{Event, ServiceChange};
use domain::service::ServiceDraft;
use entity::service;
use entity::sql::in_ids;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of services of a request.
pub const MAX_IDS: usize = 2000;

impl UseCases {
    /// Sets or removes the category of services. Returns those of `ids` that are the viewer's.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for an invalid category or more than [`MAX_IDS`] ids.
    pub async fn recategorise_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
        category: Option<String>,
    ) -> Result<Vec<Arc<service::Model>>> {
        check_count(ids)?;
        let category = validate_category(category)?;
        let transaction = self.begin().await?;
        let mut services = lock_services(&transaction, viewer, ids).await?;
        let moved: Vec<Uuid> = services
            .iter()
            .filter(|service| service.category != category)
            .map(|service| service.id)
            .collect();
        let at = now();
        service::Entity::update_many()
            .col_expr(service::Column::Category, Expr::value(category.clone()))
            .col_expr(service::Column::UpdatedAt, Expr::value(at))
            .filter(in_ids(&self.db, service::Column::Id, moved.iter().copied()))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;

        for service in services
            .iter_mut()
            .filter(|service| service.category != category)
        {
            service.category.clone_from(&category);
            service.updated_at = at;
        }
        self.publish(&change_events(&services, &moved, ServiceChange::Updated))
            .await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// Deletes services with their history. Returns the ids of those that were the viewer's.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for more than [`MAX_IDS`] ids.
    pub async fn delete_services(&self, viewer: &Viewer, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        check_count(ids)?;
        let transaction = self.begin().await?;
        // The strongest lock at once: a recorder that holds the key of a service may be about to
        // change its incident, and would wait for this transaction while this one waits for it.
        let services = lock_services_with(&transaction, viewer, ids, LockType::Update).await?;
        let gone: Vec<Uuid> = services.iter().map(|service| service.id).collect();
        incidents::delete_of_services(&transaction, &gone).await?;
        service::Entity::delete_many()
            .filter(in_ids(&self.db, service::Column::Id, gone.iter().copied()))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;

        self.withdraw(&gone).await;
        self.publish(&change_events(&services, &gone, ServiceChange::Deleted))
            .await;
        Ok(gone)
    }
}

pub(super) fn check_count(ids: &[Uuid]) -> Result<()> {
    if ids.len() <= MAX_IDS {
        return Ok(());
    }
    let message = format!(
        "must be at most {MAX_IDS} services, got {}: send the rest separately",
        ids.len()
    );
    Err(Error::field("ids", message))
}

/// Validates and normalizes a category by the rules for a single service.
fn validate_category(category: Option<String>) -> Result<Option<String>> {
    let draft = ServiceDraft {
        name: "-".into(),
        category,
        ..ServiceDraft::default()
    };
    Ok(draft
        .clone()
        .validate(draft.check_interval_seconds, 0)?
        .category)
}

/// Reads and locks those of `ids` that are the viewer's. Ordered by id, as everywhere, so that two
/// transactions cannot wait for each other.
pub(super) async fn lock_services(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[Uuid],
) -> Result<Vec<service::Model>> {
    lock_services_with(db, viewer, ids, LockType::NoKeyUpdate).await
}

async fn lock_services_with(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[Uuid],
    lock: LockType,
) -> Result<Vec<service::Model>> {
    let query = service::Entity::find()
        .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
        .filter(in_ids(db, service::Column::Id, ids.iter().copied()))
        .order_by_asc(service::Column::Id)
        .lock(lock);
    Ok(query.all(db).await?)
}

pub(super) fn change_events(
    services: &[service::Model],
    ids: &[Uuid],
    change: ServiceChange,
) -> Vec<Event> {
    let ids: BTreeSet<&Uuid> = ids.iter().collect();
    services
        .iter()
        .filter(|service| ids.contains(&service.id))
        .map(|service| change_event(service, change))
        .collect()
}
