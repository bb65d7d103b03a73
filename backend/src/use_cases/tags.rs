//! The tags of services.

use super::{Result, UseCases};
use crate::auth::Viewer;
use entity::sql::in_ids;
use entity::{service, service_tag};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

impl UseCases {
    /// Returns the tags of each of `services` that has any, sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tags(&self, services: &[Uuid]) -> Result<HashMap<Uuid, Vec<String>>> {
        load_tags(&self.db, services).await
    }

    /// Returns the ids of the viewer's services that have this tag.
    pub(super) async fn ids_with_tag(&self, viewer: &Viewer, tag: &str) -> Result<HashSet<Uuid>> {
        let rows = service_tag::Entity::find()
            .filter(service_tag::Column::Tag.eq(tag.trim().to_lowercase()))
            .filter(service_tag::Column::WorkspaceId.eq(viewer.workspace_id))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| row.service_id).collect())
    }
}

/// Returns the tags of each of `services` that has any, sorted.
pub(super) async fn load_tags(
    db: &impl ConnectionTrait,
    services: &[Uuid],
) -> Result<HashMap<Uuid, Vec<String>>> {
    let ids = services.iter().copied();
    let rows = service_tag::Entity::find()
        .filter(in_ids(db, service_tag::Column::ServiceId, ids))
        .order_by_asc(service_tag::Column::Tag)
        .all(db)
        .await?;
    let mut tags: HashMap<Uuid, Vec<String>> = HashMap::new();
    for row in rows {
        tags.entry(row.service_id).or_default().push(row.tag);
    }
    Ok(tags)
}

/// Inserts tags of a service, which has none of them yet.
pub(super) async fn insert_tags(
    db: &impl ConnectionTrait,
    service: &service::Model,
    tags: Vec<String>,
) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let rows = tags.into_iter().map(|tag| service_tag::ActiveModel {
        workspace_id: Set(service.workspace_id),
        service_id: Set(service.id),
        tag: Set(tag),
    });
    service_tag::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
