//! Adding, changing, deleting, pausing and checking services.

use super::Service;
use super::bulk::BulkMutation;
use super::input::{CreateServiceInput, UpdateServiceInput};
use crate::graphql::scalar::{Id, Time};
use crate::graphql::scope::scope;
use crate::graphql::status::{Phases, Status};
use async_graphql::{Context, MergedObject, Object, Result, SimpleObject};

/// What one look at a target found.
#[derive(SimpleObject, Debug)]
pub(crate) struct TestResult {
    /// What a service with this definition would be if this were confirmed.
    status: Status,
    /// The HTTP status code, when an answer came.
    status_code: Option<u16>,
    /// How long it took, in milliseconds, when an answer came.
    response_time_ms: Option<u32>,
    /// Why it is not up, one sentence for people.
    message: Option<String>,
    /// Where the time went.
    phases: Phases,
    /// When the server's certificate ends; null without TLS.
    certificate_expires_at: Option<Time>,
}

/// What can be done with services: with one, and with many at once.
#[derive(MergedObject, Default)]
pub(crate) struct ServiceMutation(OneService, BulkMutation);

#[derive(Default)]
pub(crate) struct OneService;

#[Object]
impl OneService {
    /// Adds a service and checks it at once.
    async fn create_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service to add.")] input: CreateServiceInput,
    ) -> Result<Service> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .create_service(&scope.viewer()?, input.into_definition()?)
            .await?
            .into())
    }

    /// Changes a service; only the fields given. It is checked at once when anything that checks depend on is another.
    async fn update_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
        #[graphql(desc = "What to change.")] input: UpdateServiceInput,
    ) -> Result<Service> {
        let scope = scope(ctx);
        let change = |definition: &mut _| input.apply(definition);
        Ok(scope
            .ops
            .update_service(&scope.viewer()?, id.0, change)
            .await?
            .into())
    }

    /// Deletes a service with everything that was recorded of it, and returns its id.
    async fn delete_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Id> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .delete_service(&scope.viewer()?, id.0)
            .await?
            .into())
    }

    /// Stops checking a service. An open incident ends by that.
    async fn pause_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .pause_service(&scope.viewer()?, id.0)
            .await?
            .into())
    }

    /// Checks a service again, the first time at once.
    async fn resume_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .resume_service(&scope.viewer()?, id.0)
            .await?
            .into())
    }

    /// Has a service checked now. The result comes by the subscription `statusUpdates`.
    async fn check_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Service> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .check_service(&scope.viewer()?, id.0)
            .await?
            .into())
    }

    /// Looks once at what would be added, and stores nothing.
    async fn test_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service to try out.")] input: CreateServiceInput,
    ) -> Result<TestResult> {
        let scope = scope(ctx);
        let outcome = scope
            .ops
            .test_service(&scope.viewer()?, input.into_definition()?)
            .await?;
        Ok(TestResult {
            status: outcome.status.into(),
            status_code: outcome.status_code,
            response_time_ms: outcome.response_time_ms,
            message: outcome.message(),
            phases: (&outcome.phases).into(),
            certificate_expires_at: outcome.certificate_expires_at.map(Time),
        })
    }
}
