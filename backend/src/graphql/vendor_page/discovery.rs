//! Results of looking for a vendor page.

use super::component::DiscoveredComponent;
use super::link::safe_link;
use crate::graphql::limits::page;
use async_graphql::{Object, SimpleObject};
use std::sync::Arc;
use vendor_pages::{Discovery, Rejected};

/// A vendor page that was found, with the components that can be followed.
#[derive(Debug)]
pub(crate) struct VendorPageDiscovery {
    pub(super) found: Option<Arc<Discovery>>,
    pub(super) rejected: Vec<Rejected>,
}

/// A vendor page that was found, with the components that can be followed.
#[Object]
impl VendorPageDiscovery {
    /// JSON URLs of the page, to be passed to `createService`; empty if nothing was found.
    async fn api_urls(&self) -> Vec<String> {
        self.found
            .as_ref()
            .map(|found| found.api_urls.clone())
            .unwrap_or_default()
    }

    /// The vendor's name for the page.
    async fn page_name(&self) -> Option<&str> {
        self.found.as_ref()?.page.name.as_deref()
    }

    /// URL of the page for people, as the page itself gives it.
    async fn page_url(&self) -> Option<String> {
        safe_link(self.found.as_ref()?.page.url.as_deref())
    }

    /// Software that publishes the page, such as `Atlassian Statuspage`.
    async fn provider(&self) -> Option<&str> {
        self.found.as_ref().map(|found| found.page.provider)
    }

    /// Components that can be followed, in the vendor's order.
    #[graphql(complexity = "page(100, child_complexity)")]
    async fn components(&self) -> Vec<DiscoveredComponent> {
        let components = self
            .found
            .as_ref()
            .map(|found| found.page.components.as_slice())
            .unwrap_or_default();
        components.iter().map(DiscoveredComponent::from).collect()
    }

    /// URLs entered by hand that do not contribute, each with the reason.
    async fn rejected(&self) -> Vec<RejectedUrl> {
        self.rejected.iter().map(RejectedUrl::from).collect()
    }
}

/// A URL entered by hand that does not contribute.
#[derive(SimpleObject, Debug)]
pub(crate) struct RejectedUrl {
    /// The URL as it was entered.
    url: String,
    /// The reason, in one sentence.
    reason: String,
}

impl From<&Rejected> for RejectedUrl {
    fn from(rejected: &Rejected) -> Self {
        Self {
            url: rejected.url.clone(),
            reason: rejected.reason.clone(),
        }
    }
}
