//! Vendor pages: what is known of those that services follow, and finding others.

use super::{ByIdFields, Moment, Status, json, schema};
use uuid::Uuid;

/// A component of a vendor's page that a service follows.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct FollowedComponent {
    pub id: String,
    pub name: String,
    pub group_name: Option<String>,
    pub status: Status,
    pub vendor_status: String,
    pub missing: bool,
    pub successors: Vec<Component>,
}

/// A component that a vendor's page has.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[cynic(graphql_type = "DiscoveredComponent")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Component {
    pub id: String,
    pub name: String,
    pub group_name: Option<String>,
    pub status: Status,
    pub vendor_status: String,
}

/// An active incident of a vendor.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct VendorIncident {
    pub id: String,
    pub name: String,
    pub impact: String,
    pub status: String,
    pub started_at: Option<Moment>,
    pub url: Option<String>,
    pub components: Vec<String>,
    pub updates: Vec<VendorUpdate>,
}

/// What a vendor wrote about it.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct VendorUpdate {
    pub at: Moment,
    pub status: String,
    pub body: String,
}

/// Maintenance that a vendor has announced.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Maintenance {
    pub id: String,
    pub name: String,
    pub status: String,
    pub scheduled_for: Option<Moment>,
    pub scheduled_until: Option<Moment>,
    pub url: Option<String>,
    pub components: Vec<String>,
}

/// The page that a service follows.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "VendorPage")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct VendorPage {
    pub name: Option<String>,
    pub url: Option<String>,
    pub last_read_at: Moment,
    pub stale: bool,
    pub failure: Option<String>,
}

/// What a vendor says of what one service follows.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetVendor {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub service: Option<Vendor>,
}

/// What a vendor says of what one service follows.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Vendor {
    pub monitor_input: String,
    pub vendor_page: Option<VendorPage>,
    pub components: Vec<FollowedComponent>,
    pub vendor_incidents: Vec<VendorIncident>,
    pub maintenances: Vec<Maintenance>,
}

/// What vendors say now, of every service that follows one.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct ListNotices {
    /// By name.
    #[arguments(filter: { schedule: SHARED })]
    pub services: Vec<Notices>,
}

/// What a vendor says now about one service.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Notices {
    pub id: Uuid,
    pub name: String,
    pub paused: bool,
    pub vendor_incidents: Vec<VendorIncident>,
    pub maintenances: Vec<Maintenance>,
}

/// What was typed.
#[derive(cynic::QueryVariables, Debug)]
pub struct SearchVariables {
    /// The beginning of a name.
    pub search: String,
}

/// Well-known services.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SearchVariables")]
pub struct SearchCatalogue {
    /// The likeliest first.
    #[arguments(search: $search, first: 8)]
    pub vendor_page_catalogue: Vec<CatalogueEntry>,
}

/// A well-known service.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CatalogueEntry {
    pub name: String,
    pub url: String,
}

/// Where to look.
#[derive(cynic::QueryVariables, Debug)]
pub struct DiscoverVariables {
    /// Any address of the page or of its vendor.
    pub url: String,
}

/// Finds a vendor page.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DiscoverVariables")]
pub struct DiscoverVendorPage {
    /// What was found.
    #[arguments(url: $url)]
    pub discover_vendor_page: Discovery,
}

/// Addresses given by hand.
#[derive(cynic::QueryVariables, Debug)]
pub struct ValidateVariables {
    /// Of JSON answers.
    pub urls: Vec<String>,
}

/// Looks at addresses given by hand.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ValidateVariables")]
pub struct ValidateVendorPageUrls {
    /// What they have.
    #[arguments(urls: $urls)]
    pub validate_vendor_page_urls: Discovery,
}

/// A page that was found.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "VendorPageDiscovery")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Discovery {
    pub api_urls: Vec<String>,
    pub page_name: Option<String>,
    pub page_url: Option<String>,
    pub provider: Option<String>,
    pub components: Vec<Component>,
    pub rejected: Vec<RejectedUrl>,
}

/// An address that does not help.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct RejectedUrl {
    pub url: String,
    pub reason: String,
}

json::objects! {
    FollowedComponent { id, name, group_name, status, vendor_status, missing, successors }
    Component { id, name, group_name, status, vendor_status }
    VendorIncident { id, name, impact, status, started_at, url, components, updates }
    VendorUpdate { at, status, body }
    Maintenance { id, name, status, scheduled_for, scheduled_until, url, components }
    VendorPage { name, url, last_read_at, stale, failure }
    GetVendor { service }
    Vendor { monitor_input, vendor_page, components, vendor_incidents, maintenances }
    ListNotices { services }
    Notices { id, name, paused, vendor_incidents, maintenances }
    SearchCatalogue { vendor_page_catalogue }
    CatalogueEntry { name, url }
    DiscoverVendorPage { discover_vendor_page }
    ValidateVendorPageUrls { validate_vendor_page_urls }
    Discovery { api_urls, page_name, page_url, provider, components, rejected }
    RejectedUrl { url, reason }
}
