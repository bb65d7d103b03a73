//! The same done to many services at once: one transaction, and a number of statements that does not depend on how many
//! there are; pausing and resuming are beside. Ids that are absent or another workspace's are passed over, both by the same statements.

use super::service::changed;
use super::{Error, Ops, Result, now};
use crate::auth::Viewer;
use coordination::{Event, ServiceChange};
use domain::service::ServiceDraft;
use entity::service;
use entity::sql::among;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// How many services may be named at a time.
pub const MAX_IDS: usize = 2000;

impl Ops {
    /// Puts services into a category, or into none. Returns those of `ids` that are the viewer's.
    ///
    /// # Errors
    /// A category that no service may have; more than [`MAX_IDS`] ids.
    pub async fn recategorise_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
        category: Option<String>,
    ) -> Result<Vec<Arc<service::Model>>> {
        bounded(ids)?;
        let category = valid(category)?;
        let transaction = self.begin().await?;
        let mut services = locked(&transaction, viewer, ids).await?;
        let moved: Vec<Uuid> = services
            .iter()
            .filter(|service| service.category != category)
            .map(|service| service.id)
            .collect();
        let at = now();
        service::Entity::update_many()
            .col_expr(service::Column::Category, Expr::value(category.clone()))
            .col_expr(service::Column::UpdatedAt, Expr::value(at))
            .filter(among(&self.db, service::Column::Id, moved.iter().copied()))
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
        self.publish(&told(&services, &moved, ServiceChange::Updated))
            .await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// Deletes services with everything that was recorded of them. Returns the ids of those that were the viewer's.
    ///
    /// # Errors
    /// More than [`MAX_IDS`] ids.
    pub async fn delete_services(&self, viewer: &Viewer, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        bounded(ids)?;
        let transaction = self.begin().await?;
        let services = locked(&transaction, viewer, ids).await?;
        let gone: Vec<Uuid> = services.iter().map(|service| service.id).collect();
        service::Entity::delete_many()
            .filter(among(&self.db, service::Column::Id, gone.iter().copied()))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;

        self.withdraw(&gone).await;
        self.publish(&told(&services, &gone, ServiceChange::Deleted))
            .await;
        Ok(gone)
    }
}

pub(super) fn bounded(ids: &[Uuid]) -> Result<()> {
    if ids.len() <= MAX_IDS {
        return Ok(());
    }
    let message = format!(
        "names {} services, at most {MAX_IDS} are allowed at a time: send the rest separately",
        ids.len()
    );
    Err(Error::field("ids", message))
}

/// The category in its normal form, by the same rules as for one service.
fn valid(category: Option<String>) -> Result<Option<String>> {
    let anywhere = Some("https://localhost/".to_owned());
    let draft = ServiceDraft {
        name: "-".into(),
        url: anywhere,
        category,
        ..ServiceDraft::default()
    };
    Ok(draft
        .clone()
        .validate(draft.check_interval_seconds)?
        .category)
}

/// Those of `ids` that are the viewer's, which nobody else changes before the transaction ends. By id, as everybody locks
/// them.
pub(super) async fn locked(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[Uuid],
) -> Result<Vec<service::Model>> {
    let query = service::Entity::find()
        .filter(service::Column::WorkspaceId.eq(viewer.workspace_id))
        .filter(among(db, service::Column::Id, ids.iter().copied()))
        .order_by_asc(service::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(query.all(db).await?)
}

pub(super) fn told(services: &[service::Model], ids: &[Uuid], change: ServiceChange) -> Vec<Event> {
    let ids: BTreeSet<&Uuid> = ids.iter().collect();
    services
        .iter()
        .filter(|service| ids.contains(&service.id))
        .map(|service| changed(service, change))
        .collect()
}
