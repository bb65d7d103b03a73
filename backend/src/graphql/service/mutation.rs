//! Mutations of single services.

use super::bulk::BulkMutation;
use super::input::{CreateServiceInput, UpdateServiceInput};
use super::test_result::TestResult;
use crate::graphql::node::Service;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use async_graphql::{Context, MergedObject, Object, Result};

/// Mutations of services, of one and of many at once.
#[derive(MergedObject, Default)]
pub(crate) struct ServiceMutation(OneService, BulkMutation);

#[derive(Default)]
pub(crate) struct OneService;

#[Object]
impl OneService {
    /// Creates a service and checks it at once. An address without a scheme is requested by HTTPS if
    /// that answers, and else by HTTP; a local or private one by HTTP.
    async fn create_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service to create.")] input: CreateServiceInput,
    ) -> Result<Service> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .create_service(&context.viewer()?, input.into_definition()?)
            .await?
            .into())
    }

    /// Changes the given fields of a service. It is checked at once if the change affects how it is
    /// checked.
    async fn update_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
        #[graphql(desc = "The changes.")] input: UpdateServiceInput,
    ) -> Result<Service> {
        let context = request_context(ctx);
        let viewer = context.viewer()?;
        let input = input.resolve(&context.use_cases).await?;
        let change = |definition: &mut _| input.apply(definition);
        Ok(context
            .use_cases
            .update_service(&viewer, id.0, change)
            .await?
            .into())
    }

    /// Deletes a service with its whole history, and returns its id.
    async fn delete_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Id> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .delete_service(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Pauses a service and resolves its open incident.
    async fn pause_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .pause_service(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Resumes a service and checks it at once.
    async fn resume_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .resume_service(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Checks a service now. The subscription `statusUpdates` reports the result.
    async fn check_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .check_service(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Checks a service that does not exist yet, once, and stores nothing.
    async fn test_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service to test.")] input: CreateServiceInput,
    ) -> Result<TestResult> {
        let context = request_context(ctx);
        let (target, outcome) = context
            .use_cases
            .test_service(&context.viewer()?, input.into_definition()?)
            .await?;
        Ok(TestResult::new(target, &outcome))
    }
}
