//! Mutations that look for vendor pages.

use super::discovery::VendorPageDiscovery;
use crate::graphql::request_context::request_context;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct VendorPageMutation;

#[Object]
impl VendorPageMutation {
    /// Finds a vendor page behind any URL: the page itself, a link into it, the vendor's own site,
    /// or a bare host. Takes up to 11 seconds and stores nothing. Fails with BAD_INPUT if there is
    /// none and with UPSTREAM if it cannot be read now.
    async fn discover_vendor_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Any URL of the page or of its vendor.")] url: String,
    ) -> Result<VendorPageDiscovery> {
        let context = request_context(ctx);
        let found = context
            .use_cases
            .discover_page(&context.viewer()?, &url)
            .await?;
        Ok(VendorPageDiscovery {
            found: Some(found),
            rejected: Vec::new(),
        })
    }

    /// Checks JSON URLs that you enter by hand. Keeps those with components, incidents or
    /// maintenance, and returns a reason for each other one. Stores nothing.
    async fn validate_vendor_page_urls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The URLs, 1 to 10.")] urls: Vec<String>,
    ) -> Result<VendorPageDiscovery> {
        let context = request_context(ctx);
        let (found, rejected) = context
            .use_cases
            .validate_page_urls(&context.viewer()?, &urls)
            .await?;
        Ok(VendorPageDiscovery { found, rejected })
    }
}
