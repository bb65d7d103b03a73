//! All services of a workspace, cached for as long as none of them changes.

use super::{Result, UseCases};
use crate::caches::ServicesVersion;
use chrono::{DateTime, Utc};
use entity::service;
use entity::sql::epoch_ms;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QuerySelect};
use std::sync::Arc;
use uuid::Uuid;

impl UseCases {
    /// Returns all services of a workspace by name. Reads their columns only if one of them has
    /// changed since they were cached.
    ///
    /// # Errors
    /// Returns an error when the database fails.
    pub(super) async fn list_services(
        &self,
        workspace: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Arc<[Arc<service::Model>]>> {
        let cache = &self.caches.services;
        let ticket = cache.begin_load();
        let version = read_version(&self.db, workspace).await?;
        if version.count == 0 {
            return Ok(Arc::default());
        }
        if let Some(services) = cache.get(workspace, version, now) {
            return Ok(services);
        }
        let mut services: Vec<_> = service::Entity::find()
            .filter(service::Column::WorkspaceId.eq(workspace))
            .all(&self.db)
            .await?
            .into_iter()
            .map(Arc::new)
            .collect();
        services.sort_by_cached_key(|service| (service.name.to_lowercase(), service.id));
        let services: Arc<[_]> = services.into();
        cache.insert(ticket, workspace, version, &services, now);
        Ok(services)
    }
}

/// Reads the version of the services of a workspace: two numbers instead of all columns of each.
async fn read_version(db: &DatabaseConnection, workspace: Uuid) -> Result<ServicesVersion> {
    let updated_ms = Func::coalesce([
        Expr::expr(epoch_ms(db.get_database_backend(), "updated_at")).sum(),
        Expr::val(0),
    ]);
    let version = service::Entity::find()
        .select_only()
        .expr_as(Expr::col(Asterisk).count(), "count")
        .expr_as(Expr::expr(updated_ms).cast_as("bigint"), "updated_ms")
        .filter(service::Column::WorkspaceId.eq(workspace))
        .into_model::<ServicesVersion>()
        .one(db)
        .await?;
    Ok(version.unwrap_or_default())
}
