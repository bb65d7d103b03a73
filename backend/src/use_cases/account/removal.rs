//! Removing what a deleted account leaves behind. That an account is to be removed stands in the database until all of it is
//! gone, so that whatever stops a removal only puts it off.

use crate::use_cases::Ops;
use crate::use_cases::service::changed;
use coordination::CoordinationError;
use entity::{account_removal, check, service, user};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, ModelTrait, QueryFilter, QuerySelect, QueryTrait};
use std::time::Duration;
use uuid::Uuid;

/// How many checks are removed in one statement: so few that recording does not notice.
const CHECKS_AT_ONCE: u64 = 5_000;

/// How long somebody who leaves waits for everything to be gone; what is not gone by then goes on without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stopped a removal for now.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the live state failed: {0}")]
    Live(#[from] CoordinationError),
}

impl Ops {
    /// Removes what is left of an account that its owner has deleted, as far as that is done within some seconds. The rest
    /// goes on by itself, and what fails is tried again by [`Ops::finish_removals`].
    pub async fn remove_account(&self, id: Uuid) {
        let ops = self.clone();
        let removing = tokio::spawn(async move { ops.try_to_remove(id).await });
        if tokio::time::timeout(PATIENCE, removing).await.is_err() {
            tracing::info!(user = %id, "an account takes long to remove");
        }
    }

    /// Removes what is left of accounts whose owners have deleted them. One that cannot be removed now does not stop the
    /// others.
    ///
    /// # Errors
    /// When the database does not tell which those are.
    pub async fn finish_removals(&self) -> Result<(), DbErr> {
        for removal in account_removal::Entity::find().all(&self.db).await? {
            self.try_to_remove(removal.user_id).await;
        }
        Ok(())
    }

    async fn try_to_remove(&self, id: Uuid) {
        match self.remove_all_of(id).await {
            Ok(()) => tracing::info!(user = %id, "an account is gone"),
            Err(error) => {
                tracing::warn!(%error, user = %id, "an account could not be removed wholly: tried again later");
            }
        }
    }

    /// Service by service, and the checks of each in small parts: one statement for everything would keep the worker
    /// from recording for as long.
    async fn remove_all_of(&self, id: Uuid) -> Result<(), Stopped> {
        use check::Column::{ServiceSeq, Slot};
        let services = service::Entity::find()
            .filter(service::Column::UserId.eq(id))
            .all(&self.db)
            .await?;
        let mut gone = Vec::new();
        for service in services {
            // Before its row, by which it would be found again should this fail.
            self.forget_live(&[service.id]).await?;
            let of_service = || ServiceSeq.eq(service.seq);
            loop {
                let some = check::Entity::find()
                    .select_only()
                    .column(Slot)
                    .filter(of_service())
                    .limit(CHECKS_AT_ONCE);
                let some = Slot.in_subquery(some.into_query());
                let removed = check::Entity::delete_many()
                    .filter(of_service())
                    .filter(some)
                    .exec(&self.db)
                    .await?;
                if removed.rows_affected < CHECKS_AT_ONCE {
                    break;
                }
            }
            let change = changed(&service, coordination::ServiceChange::Deleted);
            gone.push(service.id);
            service.delete(&self.db).await?;
            // And after it, because a check that was under way may have been told of meanwhile.
            self.forget_live(&gone[gone.len() - 1..]).await?;
            self.publish(&[change]).await;
        }
        self.forget_live(&gone).await?;
        user::Entity::delete_by_id(id).exec(&self.db).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
