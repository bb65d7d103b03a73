//! The same done to many services by one mutation. Ids that are absent or another user's are passed over: they are not
//! in the answer, and nobody can tell which they are.

use super::Service;
use crate::graphql::scalar::Id;
use crate::graphql::scope::scope;
use async_graphql::{Context, Object, Result};
use entity::service;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct BulkMutation;

#[Object]
impl BulkMutation {
    /// Stops checking services, up to 2000 at a time; open incidents end by that. Returns those that exist, by id.
    async fn pause_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The services' ids.")] ids: Vec<Id>,
    ) -> Result<Vec<Service>> {
        let scope = scope(ctx);
        Ok(objects(
            scope
                .ops
                .pause_services(&scope.viewer()?, &plain(&ids))
                .await?,
        ))
    }

    /// Checks services again, the first time at once; up to 2000 at a time. Returns those that exist, by id.
    async fn resume_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The services' ids.")] ids: Vec<Id>,
    ) -> Result<Vec<Service>> {
        let scope = scope(ctx);
        Ok(objects(
            scope
                .ops
                .resume_services(&scope.viewer()?, &plain(&ids))
                .await?,
        ))
    }

    /// Puts services into a category, up to 2000 at a time. Returns those that exist, by id.
    async fn recategorise_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The services' ids.")] ids: Vec<Id>,
        #[graphql(desc = "Your own grouping, up to 60 characters; none takes them out of theirs.")]
        category: Option<String>,
    ) -> Result<Vec<Service>> {
        let scope = scope(ctx);
        Ok(objects(
            scope
                .ops
                .recategorise_services(&scope.viewer()?, &plain(&ids), category)
                .await?,
        ))
    }

    /// Deletes services with everything that was recorded of them, up to 2000 at a time. Returns the ids of those that
    /// existed.
    async fn delete_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The services' ids.")] ids: Vec<Id>,
    ) -> Result<Vec<Id>> {
        let scope = scope(ctx);
        let gone = scope
            .ops
            .delete_services(&scope.viewer()?, &plain(&ids))
            .await?;
        Ok(gone.into_iter().map(Into::into).collect())
    }
}

fn plain(ids: &[Id]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

fn objects(services: Vec<Arc<service::Model>>) -> Vec<Service> {
    services.into_iter().map(Into::into).collect()
}
