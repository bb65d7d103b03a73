//! The `VendorPage` object.

use super::component::DiscoveredComponent;
use super::link::safe_link;
use crate::graphql::limits::page;
use crate::graphql::loaders::ByService;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Time;
use crate::use_cases::vendor::PageView;
use async_graphql::{Context, Object, Result};
use entity::service;
use std::sync::Arc;

/// The vendor page that a service follows.
#[derive(Debug)]
pub(crate) struct VendorPage {
    service: Arc<service::Model>,
    page: PageView,
}

impl VendorPage {
    pub(in crate::graphql) const fn new(service: Arc<service::Model>, page: PageView) -> Self {
        Self { service, page }
    }
}

/// The vendor page that a service follows.
#[Object]
impl VendorPage {
    /// The vendor's name for it.
    async fn name(&self) -> Option<&str> {
        self.page.name()
    }

    /// URL of the page for people, as the page itself gives it.
    async fn url(&self) -> Option<String> {
        safe_link(self.page.url())
    }

    /// Software that publishes the page, such as `Atlassian Statuspage`.
    async fn provider(&self) -> Option<&str> {
        self.page.provider()
    }

    /// JSON URLs that are read.
    async fn api_urls(&self) -> Vec<String> {
        self.page.api_urls()
    }

    /// When it was last read.
    async fn last_read_at(&self) -> Time {
        self.page.read_at.into()
    }

    /// Whether it was last read 5 or more minutes ago. After 15 minutes the status of its
    /// components is UNKNOWN.
    async fn stale(&self, ctx: &Context<'_>) -> bool {
        self.page.stale(request_context(ctx).now)
    }

    /// Why the last attempt to read it failed, in one sentence; null if it succeeded.
    async fn failure(&self) -> Option<&str> {
        self.page.failure()
    }

    /// Components that can be followed, in the vendor's order.
    #[graphql(complexity = "page(50, child_complexity)")]
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<DiscoveredComponent>> {
        let components = request_context(ctx)
            .loaders
            .page_components
            .load(ByService(self.service.clone()))
            .await?;
        Ok(components
            .iter()
            .flat_map(|all| all.iter())
            .map(DiscoveredComponent::from)
            .collect())
    }
}
