//! Mutations of many services at once. Unknown ids and those of other users are skipped alike, so
//! that a response does not tell which ids exist.

use crate::graphql::node::Service;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use async_graphql::{Context, Object, Result};
use entity::service;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct BulkMutation;

#[Object]
impl BulkMutation {
    /// Pauses up to 2000 services and resolves their open incidents. Returns those that exist, by
    /// id.
    async fn pause_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the services.")] ids: Vec<Id>,
    ) -> Result<Vec<Service>> {
        let context = request_context(ctx);
        Ok(objects(
            context
                .use_cases
                .pause_services(&context.viewer()?, &uuids(&ids))
                .await?,
        ))
    }

    /// Resumes up to 2000 services and checks them at once. Returns those that exist, by id.
    async fn resume_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the services.")] ids: Vec<Id>,
    ) -> Result<Vec<Service>> {
        let context = request_context(ctx);
        Ok(objects(
            context
                .use_cases
                .resume_services(&context.viewer()?, &uuids(&ids))
                .await?,
        ))
    }

    /// Undoes a pause of up to 2000 services within 20 seconds: each has its status, and since when, as
    /// before, and the same incident is open again. Services that were paused earlier are resumed.
    /// Returns those that exist, by id.
    async fn undo_pause_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the services.")] ids: Vec<Id>,
    ) -> Result<Vec<Service>> {
        let context = request_context(ctx);
        Ok(objects(
            context
                .use_cases
                .undo_pause_services(&context.viewer()?, &uuids(&ids))
                .await?,
        ))
    }

    /// Changes the category of up to 2000 services. Returns those that exist, by id.
    async fn recategorise_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the services.")] ids: Vec<Id>,
        #[graphql(desc = "Category, up to 60 characters; null removes it.")] category: Option<
            String,
        >,
    ) -> Result<Vec<Service>> {
        let context = request_context(ctx);
        Ok(objects(
            context
                .use_cases
                .recategorise_services(&context.viewer()?, &uuids(&ids), category)
                .await?,
        ))
    }

    /// Deletes up to 2000 services with their whole history. Returns the ids of those that existed.
    async fn delete_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the services.")] ids: Vec<Id>,
    ) -> Result<Vec<Id>> {
        let context = request_context(ctx);
        let deleted = context
            .use_cases
            .delete_services(&context.viewer()?, &uuids(&ids))
            .await?;
        Ok(deleted.into_iter().map(Into::into).collect())
    }
}

fn uuids(ids: &[Id]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

fn objects(services: Vec<Arc<service::Model>>) -> Vec<Service> {
    services.into_iter().map(Into::into).collect()
}
