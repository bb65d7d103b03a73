//! Vendor pages: the state of those that services follow, and the search for others.

use super::operation::operations;
use super::schema;
use super::values::{ById, ByIdFields, Moment, Status};
use ui_derive::query_fragment;
use uuid::Uuid;

/// A component of a vendor page that a service follows.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedComponent {
    pub id: String,
    pub name: String,
    pub group_name: Option<String>,
    pub status: Status,
    pub vendor_status: String,
    pub missing: bool,
    pub successors: Vec<Component>,
}

/// A component of a vendor page.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
#[cynic(graphql_type = "DiscoveredComponent")]
pub struct Component {
    pub id: String,
    pub name: String,
    pub group_name: Option<String>,
    pub status: Status,
    pub vendor_status: String,
}

/// An active incident on a vendor page.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct VendorIncident {
    pub id: String,
    pub name: String,
    pub impact: String,
    pub status: String,
    pub started_at: Option<Moment>,
    pub url: Option<String>,
    pub components: Vec<String>,
    /// Whether it names no component, and so concerns the page as a whole.
    pub page_wide: bool,
    pub updates: Vec<VendorUpdate>,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct VendorUpdate {
    pub at: Moment,
    pub status: String,
    pub body: String,
}

/// Maintenance that a vendor has announced.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct Maintenance {
    pub id: String,
    pub name: String,
    pub status: String,
    pub scheduled_for: Option<Moment>,
    pub scheduled_until: Option<Moment>,
    pub url: Option<String>,
    pub components: Vec<String>,
    /// Whether it names no component, and so concerns the page as a whole.
    pub page_wide: bool,
    /// Whether its window has ended although the vendor does not say that it is over.
    pub overdue: bool,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "VendorPage")]
pub struct VendorPage {
    pub name: Option<String>,
    pub url: Option<String>,
    pub last_read_at: Moment,
    pub stale: bool,
    pub failure: Option<String>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetVendor {
    /// `None` when it does not exist.
    #[arguments(id: $id)]
    pub service: Option<Vendor>,
}

/// The part of a vendor page that concerns one service.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct Vendor {
    pub monitor_input: String,
    pub vendor_page: Option<VendorPage>,
    pub components: Vec<FollowedComponent>,
    pub vendor_incidents: Vec<VendorIncident>,
    pub maintenances: Vec<Maintenance>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct ListVendorAnnouncements {
    /// The services that follow a vendor page, by name.
    #[arguments(filter: { schedule: SHARED })]
    pub services: Vec<VendorAnnouncements>,
}

/// The incidents and maintenance that a vendor announces and that touch one service.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct VendorAnnouncements {
    pub id: Uuid,
    pub name: String,
    pub paused: bool,
    pub vendor_incidents: Vec<VendorIncident>,
    pub maintenances: Vec<Maintenance>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct SearchVariables {
    /// The beginning of a name.
    pub search: String,
}

/// Well-known services that match a search, best match first.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "SearchVariables")]
pub struct SearchCatalogue {
    #[arguments(search: $search, first: 8)]
    pub vendor_page_catalogue: Vec<CatalogueEntry>,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    pub name: String,
    pub url: String,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct DiscoverVariables {
    /// Any address of the page or of its vendor.
    pub url: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "DiscoverVariables")]
pub struct DiscoverVendorPage {
    #[arguments(url: $url)]
    pub discover_vendor_page: Discovery,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct ValidateVariables {
    /// Addresses of JSON responses, given by hand.
    pub urls: Vec<String>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ValidateVariables")]
pub struct ValidateVendorPageUrls {
    #[arguments(urls: $urls)]
    pub validate_vendor_page_urls: Discovery,
}

/// A vendor page that was found.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "VendorPageDiscovery")]
pub struct Discovery {
    pub api_urls: Vec<String>,
    pub page_name: Option<String>,
    pub page_url: Option<String>,
    pub provider: Option<String>,
    pub components: Vec<Component>,
    pub rejected: Vec<RejectedUrl>,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedUrl {
    pub url: String,
    pub reason: String,
}

operations! {
    query GetVendor(ById);
    query ListVendorAnnouncements(());
    query SearchCatalogue(SearchVariables);
    mutation DiscoverVendorPage(DiscoverVariables);
    mutation ValidateVendorPageUrls(ValidateVariables);
}
