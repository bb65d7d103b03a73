//! Queries for services.

use super::connection::{ServiceConnection, ServiceCursor};
use super::input::ServiceFilter;
use super::kinds::MonitorKindInfo;
use crate::graphql::limits::{SERVICES, page};
use crate::graphql::loaders::ByService;
use crate::graphql::node::Service;
use crate::graphql::request_context::{RequestContext, request_context};
use crate::graphql::scalar::Id;
use crate::graphql::status::Status;
use crate::use_cases::Result as UseCaseResult;
use crate::use_cases::pagination::validate_page_size;
use async_graphql::{Context, Object, Result};
use entity::service;
use monitors::MonitorKind;
use std::sync::Arc;

/// Number of services on a page unless the request says otherwise.
const DEFAULT_PAGE: i32 = 250;

#[derive(Default)]
pub(crate) struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// Your services by name, compared letter by letter without regard to case, and by id where names are
    /// equal. Use `servicesPage` to load many of them.
    #[graphql(complexity = "page(SERVICES, child_complexity)")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which services to return; all by default.")] filter: Option<
            ServiceFilter,
        >,
    ) -> Result<Vec<Service>> {
        let services = find_services(request_context(ctx), filter).await?;
        Ok(services.into_iter().map(Service::from).collect())
    }

    /// One page of your services, in the order of `services`.
    #[graphql(complexity = "page(first.unwrap_or(DEFAULT_PAGE), child_complexity)")]
    async fn services_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Number of services to return, 1 to 500.",
            default_with = "Some(DEFAULT_PAGE)"
        )]
        first: Option<i32>,
        #[graphql(desc = "Return services after this cursor.")] after: Option<String>,
        #[graphql(desc = "Which services to return; all by default.")] filter: Option<
            ServiceFilter,
        >,
    ) -> Result<ServiceConnection> {
        let first = validate_page_size(first.unwrap_or(DEFAULT_PAGE))?;
        let after = after.as_deref().map(ServiceCursor::decode).transpose()?;
        let services = find_services(request_context(ctx), filter).await?;
        Ok(ServiceConnection::new(services, first, after.as_ref()))
    }

    /// All kinds of monitors with their fields, from which forms, command lines and documentation
    /// are made.
    #[graphql(complexity = "page(15, child_complexity)")]
    async fn monitor_kinds(&self, ctx: &Context<'_>) -> Result<Vec<MonitorKindInfo>> {
        request_context(ctx).viewer()?;
        Ok(MonitorKind::ALL
            .iter()
            .copied()
            .map(MonitorKindInfo::from)
            .collect())
    }

    /// One of your services; null if none has this id.
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Option<Service>> {
        let context = request_context(ctx);
        context.viewer()?;
        Ok(context.loaders.service.load(id.0).await?.map(Service::from))
    }
}

/// Finds the viewer's services that match `filter`, in the order of every list.
async fn find_services(
    context: &RequestContext,
    filter: Option<ServiceFilter>,
) -> UseCaseResult<Vec<Arc<service::Model>>> {
    let filter = filter.unwrap_or_default();
    let status = filter.status;
    let mut services = context
        .use_cases
        .services(&context.viewer()?, &filter.into())
        .await?;
    if let Some(status) = status {
        let keys = services.iter().cloned().map(ByService).collect();
        let current = context.loaders.current.load_many(keys).await?;
        services.retain(|row| {
            // A service that was never checked is unknown.
            let known = current.get(&ByService(row.clone()));
            Status::from(known.map_or(domain::Status::Unknown, |known| known.status)) == status
        });
    }
    Ok(services)
}
