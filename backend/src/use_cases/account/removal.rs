//! Removes the data of deleted accounts: their workspaces, then the user. A removal is recorded in
//! the database until all data is gone, so that one that is interrupted is resumed.

use crate::use_cases::UseCases;
use crate::use_cases::service::change_event;
use coordination::CoordinationError;
use entity::{account_removal, check, membership, service, user, workspace};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, ModelTrait, QueryFilter, QuerySelect, QueryTrait};
use std::time::Duration;
use uuid::Uuid;

/// Number of checks deleted in one statement: few enough not to delay recording.
const DELETE_BATCH: u64 = 5_000;

/// How long the request to delete an account waits for the removal, which continues without it.
const REMOVAL_WAIT: Duration = Duration::from_secs(10);

/// Why a removal failed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum RemovalError {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the live state failed: {0}")]
    Live(#[from] CoordinationError),
}

impl UseCases {
    /// Removes the data of a deleted account, and waits for it some seconds. The rest continues in the
    /// background, and what fails is tried again by [`UseCases::finish_removals`].
    pub async fn remove_account(&self, id: Uuid) {
        let use_cases = self.clone();
        let removing = tokio::spawn(async move { use_cases.try_to_remove(id).await });
        if tokio::time::timeout(REMOVAL_WAIT, removing).await.is_err() {
            tracing::info!(user = %id, "removing an account continues in the background");
        }
    }

    /// Removes the data of all deleted accounts. One that fails does not stop the others.
    ///
    /// # Errors
    /// When the list of removals cannot be read.
    pub async fn finish_removals(&self) -> Result<(), DbErr> {
        for removal in account_removal::Entity::find().all(&self.db).await? {
            self.try_to_remove(removal.user_id).await;
        }
        Ok(())
    }

    async fn try_to_remove(&self, id: Uuid) {
        match self.remove_all_of(id).await {
            Ok(()) => tracing::info!(user = %id, "removed an account"),
            Err(error) => {
                tracing::warn!(%error, user = %id, "failed to remove all data of an account, retrying later");
            }
        }
    }

    /// Removes the workspaces that were deleted with the account, then the user. Their memberships
    /// are the only ones that the account still has.
    async fn remove_all_of(&self, id: Uuid) -> Result<(), RemovalError> {
        let memberships = membership::Entity::find()
            .filter(membership::Column::UserId.eq(id))
            .all(&self.db)
            .await?;
        for membership in memberships {
            self.remove_services_of(membership.workspace_id).await?;
            workspace::Entity::delete_by_id(membership.workspace_id)
                .exec(&self.db)
                .await?;
        }
        user::Entity::delete_by_id(id).exec(&self.db).await?;
        Ok(())
    }

    /// Deletes the services of a workspace one by one, and the checks of each in batches: a single
    /// statement would block the worker's recording for as long as it takes.
    async fn remove_services_of(&self, workspace: Uuid) -> Result<(), RemovalError> {
        use check::Column::{ServiceSeq, Slot};
        let services = service::Entity::find()
            .filter(service::Column::WorkspaceId.eq(workspace))
            .all(&self.db)
            .await?;
        let mut gone = Vec::new();
        for service in services {
            // Before the row is deleted: by it the service is found again if this fails.
            self.forget_live(&[service.id]).await?;
            let of_service = || ServiceSeq.eq(service.seq);
            loop {
                let some = check::Entity::find()
                    .select_only()
                    .column(Slot)
                    .filter(of_service())
                    .limit(DELETE_BATCH);
                let some = Slot.in_subquery(some.into_query());
                let removed = check::Entity::delete_many()
                    .filter(of_service())
                    .filter(some)
                    .exec(&self.db)
                    .await?;
                if removed.rows_affected < DELETE_BATCH {
                    break;
                }
            }
            let change = change_event(&service, coordination::ServiceChange::Deleted);
            gone.push(service.id);
            service.delete(&self.db).await?;
            // And again afterwards: a check that was running may have been recorded meanwhile.
            self.forget_live(&gone[gone.len() - 1..]).await?;
            self.publish(&[change]).await;
        }
        self.forget_live(&gone).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
