//! Vendor pages: finding one, choosing from it, and what is known of the one that a service follows.

use super::limits::page;
use super::scalar::Time;
use super::scope::{ByService, scope};
use super::status::Status;
use crate::use_cases::Error;
use crate::use_cases::vendor::{PageComponent, PageView};
use async_graphql::{Context, Object, Result, SimpleObject};
use entity::service;
use std::sync::Arc;
use vendor_pages::catalogue::{Catalogue, Entry};
use vendor_pages::{Discovery, Rejected};

/// The most entries of the catalogue at a time.
const MAX_ENTRIES: i32 = 50;

/// `address`, if a browser may be sent there.
pub(super) fn link(address: Option<&str>) -> Option<String> {
    let url = url::Url::parse(address?).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.into())
}

/// The vendor page that a service follows.
#[derive(Debug)]
pub(crate) struct VendorPage {
    service: Arc<service::Model>,
    page: PageView,
}

impl VendorPage {
    /// The page of one of the viewer's services.
    pub(super) const fn of(service: Arc<service::Model>, page: PageView) -> Self {
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

    /// The page for people, as it says itself.
    async fn url(&self) -> Option<String> {
        link(self.page.url())
    }

    /// Whose software makes the page, such as `Atlassian Statuspage`.
    async fn provider(&self) -> Option<&str> {
        self.page.provider()
    }

    /// The addresses that are read.
    async fn api_urls(&self) -> Vec<String> {
        self.page.api_urls()
    }

    /// When it was last read.
    async fn last_read_at(&self) -> Time {
        self.page.read_at.into()
    }

    /// Whether that is so long ago, 5 minutes or more, that what it says is old. After 15 minutes nothing is known any more.
    async fn stale(&self, ctx: &Context<'_>) -> bool {
        self.page.stale(scope(ctx).now)
    }

    /// Why it could not be read at the last attempt since this service follows it, one sentence; null when it could.
    async fn failure(&self) -> Option<&str> {
        self.page.failure()
    }

    /// Everything on it that can be followed, in the vendor's order.
    #[graphql(complexity = "page(50, child_complexity)")]
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<DiscoveredComponent>> {
        let components = scope(ctx)
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

/// A component on a vendor page.
#[derive(SimpleObject, Debug)]
pub(crate) struct DiscoveredComponent {
    /// The vendor's id, to be chosen by.
    id: String,
    /// The vendor's name for it; not always unique.
    name: String,
    /// The vendor's group.
    group_name: Option<String>,
    /// What the vendor's word means.
    status: Status,
    /// The vendor's own word.
    vendor_status: String,
}

impl From<&PageComponent> for DiscoveredComponent {
    fn from(shown: &PageComponent) -> Self {
        Self {
            id: shown.component_id.clone(),
            name: shown.name.clone(),
            group_name: shown.group_name.clone(),
            status: domain::Status::from(shown.status).into(),
            vendor_status: shown.vendor_status.clone(),
        }
    }
}

impl From<&vendor_pages::page::Component> for DiscoveredComponent {
    fn from(component: &vendor_pages::page::Component) -> Self {
        Self {
            id: component.id.clone(),
            name: component.name.clone(),
            group_name: component.group.clone(),
            status: component.status.into(),
            vendor_status: component.vendor_status.clone(),
        }
    }
}

/// A vendor page that was found, and what can be followed on it.
#[derive(Debug)]
pub(crate) struct VendorPageDiscovery {
    found: Option<Arc<Discovery>>,
    rejected: Vec<Rejected>,
}

/// A vendor page that was found, and what can be followed on it.
#[Object]
impl VendorPageDiscovery {
    /// The addresses to read, to be handed to `createService`; none when nothing was found.
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

    /// The page for people, as it says itself.
    async fn page_url(&self) -> Option<String> {
        link(self.found.as_ref()?.page.url.as_deref())
    }

    /// Whose software makes the page, such as `Atlassian Statuspage`.
    async fn provider(&self) -> Option<&str> {
        self.found.as_ref().map(|found| found.page.provider)
    }

    /// What can be followed, in the vendor's order.
    #[graphql(complexity = "page(100, child_complexity)")]
    async fn components(&self) -> Vec<DiscoveredComponent> {
        let components = self
            .found
            .as_ref()
            .map(|found| found.page.components.as_slice())
            .unwrap_or_default();
        components.iter().map(DiscoveredComponent::from).collect()
    }

    /// The addresses given by hand that do not help, and why not.
    async fn rejected(&self) -> Vec<RejectedUrl> {
        self.rejected.iter().map(RejectedUrl::from).collect()
    }
}

/// An address given by hand that does not help.
#[derive(SimpleObject, Debug)]
pub(crate) struct RejectedUrl {
    /// As it was given.
    url: String,
    /// Why not, one sentence.
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

/// A well-known service.
#[derive(SimpleObject, Debug)]
pub(crate) struct CatalogueEntry {
    /// What it is called.
    name: String,
    /// What else it is called.
    aliases: Vec<String>,
    /// Its vendor page for people, to be handed to `discoverVendorPage`.
    url: String,
    /// Whose software makes the page, where that is known.
    provider: Option<String>,
}

impl From<&Entry> for CatalogueEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name.to_owned(),
            aliases: entry
                .aliases
                .iter()
                .map(|alias| (*alias).to_owned())
                .collect(),
            url: entry.url.to_owned(),
            provider: entry.provider.map(str::to_owned),
        }
    }
}

#[derive(Default)]
pub(crate) struct VendorPageQuery;

#[Object]
impl VendorPageQuery {
    /// Well-known services whose vendor page is known, as one types: the likeliest first; none for an empty text.
    #[graphql(complexity = "page(first.unwrap_or(10), child_complexity)")]
    async fn vendor_page_catalogue(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The beginning of a name, or of another word that the service is known by."
        )]
        search: String,
        #[graphql(desc = "How many, 1 to 50.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Result<Vec<CatalogueEntry>> {
        scope(ctx).viewer()?;
        let first = first.unwrap_or(10);
        let limit = usize::try_from(first)
            .ok()
            .filter(|_| (1..=MAX_ENTRIES).contains(&first));
        let out_of_range = || {
            Error::field(
                "first",
                format!("is {first}, must be between 1 and {MAX_ENTRIES}"),
            )
        };
        let found = Catalogue::built_in().search(&search, limit.ok_or_else(out_of_range)?);
        Ok(found.into_iter().map(CatalogueEntry::from).collect())
    }
}

#[derive(Default)]
pub(crate) struct VendorPageMutation;

#[Object]
impl VendorPageMutation {
    /// Finds a vendor page behind any address: the page itself, a deep link into it, the vendor's own site, or a
    /// bare host. Takes up to 11 seconds and stores nothing. BAD_INPUT when there is none, UPSTREAM when it cannot be read
    /// at the moment.
    async fn discover_vendor_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Any address of the page or of its vendor.")] url: String,
    ) -> Result<VendorPageDiscovery> {
        let scope = scope(ctx);
        let found = scope.ops.discover_page(&scope.viewer()?, &url).await?;
        Ok(VendorPageDiscovery {
            found: Some(found),
            rejected: Vec::new(),
        })
    }

    /// Looks at addresses of JSON answers that you give by hand: keeps those that have components, incidents or
    /// maintenance, and says of each other one why not. Stores nothing.
    async fn validate_vendor_page_urls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The addresses, 1 to 10.")] urls: Vec<String>,
    ) -> Result<VendorPageDiscovery> {
        let scope = scope(ctx);
        let (found, rejected) = scope
            .ops
            .validate_page_urls(&scope.viewer()?, &urls)
            .await?;
        Ok(VendorPageDiscovery { found, rejected })
    }
}
