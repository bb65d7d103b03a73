//! The workspaces that the viewer is a member of.

use super::{Result, UseCases};
use crate::auth::Viewer;
use entity::column::Role;
use entity::{membership, workspace};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};

/// A workspace with the viewer's role in it.
#[derive(Debug, Clone)]
pub struct WorkspaceMembership {
    /// The workspace.
    pub workspace: workspace::Model,
    /// What the viewer may do in it.
    pub role: Role,
}

impl UseCases {
    /// Lists the viewer's workspaces, the personal one first, the others by name. A token sees only
    /// the workspace that it belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspaces(&self, viewer: &Viewer) -> Result<Vec<WorkspaceMembership>> {
        let mut query = membership::Entity::find()
            .filter(membership::Column::UserId.eq(viewer.user_id))
            .find_also_related(workspace::Entity);
        if viewer.token.is_some() {
            query = query.filter(membership::Column::WorkspaceId.eq(viewer.workspace_id));
        }
        let rows = query.all(&self.db).await?;
        let mut memberships = rows
            .into_iter()
            .map(|(membership, workspace)| {
                Ok(WorkspaceMembership {
                    workspace: workspace.ok_or_else(missing_workspace)?,
                    role: membership.role,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        memberships.sort_by_cached_key(|membership| {
            let workspace = &membership.workspace;
            (
                !workspace.personal,
                workspace.name.to_lowercase(),
                workspace.id,
            )
        });
        Ok(memberships)
    }
}

/// A row that refers to a workspace cannot outlive it.
pub(super) fn missing_workspace() -> DbErr {
    DbErr::RecordNotFound("the workspace of a membership or token".into())
}
