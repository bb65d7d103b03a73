//! Inputs for filtering, creating and updating services.

use crate::graphql::scalar::Id;
use crate::graphql::status::{MonitorKind, Status};
use crate::use_cases::service::{Definition, Filter, Page};
use async_graphql::{InputObject, MaybeUndefined};
use domain::service::{FieldError, ServiceDraft};

/// Filter of services; conditions that are absent match every service.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ServiceFilter {
    /// Services of exactly this category; an empty string for those without one.
    category: Option<String>,
    /// Services that have this status now.
    pub(super) status: Option<Status>,
    /// Services of this kind.
    kind: Option<MonitorKind>,
    /// Services with this text in their name or a URL, ignoring case.
    search: Option<String>,
    /// Services with one of these ids; unknown ids are ignored.
    ids: Option<Vec<Id>>,
}

impl From<ServiceFilter> for Filter {
    fn from(filter: ServiceFilter) -> Self {
        let ids = filter
            .ids
            .map(|ids| ids.into_iter().map(|id| id.0).collect());
        Self {
            category: filter.category,
            kind: filter.kind.map(Into::into),
            search: filter.search,
            ids,
        }
    }
}

/// A service to create or test.
#[derive(InputObject, Debug)]
pub(crate) struct CreateServiceInput {
    /// Name, up to 100 characters.
    name: String,
    /// Category, up to 60 characters.
    category: Option<String>,
    /// How to check it.
    #[graphql(default_with = "MonitorKind::Http")]
    kind: MonitorKind,
    /// HTTP: URL to request.
    url: Option<String>,
    /// The vendor's page for people; for VENDOR_PAGE it defaults to the URL that the page gives.
    vendor_page_url: Option<String>,
    /// VENDOR_PAGE: JSON URLs that were discovered, the `apiUrls` of `discoverVendorPage` ...
    vendor_page_api_urls: Option<Vec<String>>,
    /// ... or entered by hand, the `apiUrls` of `validateVendorPageUrls`; never both.
    user_defined_urls: Option<Vec<String>>,
    /// VENDOR_PAGE: ids of the components to follow, 1 to 500.
    component_ids: Option<Vec<String>>,
    /// Seconds between two checks; 30 by default, at most 86400. Vendor pages are read at most once
    /// a minute; a shorter interval is raised to that.
    check_interval_seconds: Option<i32>,
    /// Timeout of a whole check in milliseconds, 100 to 30000; 5000 by default.
    timeout_ms: Option<i32>,
    /// Response time in milliseconds above which the service is degraded, at most the timeout; 1000
    /// by default.
    degraded_threshold_ms: Option<i32>,
    /// HTTP status codes that count as success, such as `200-299,301`; `200-299` by default.
    expected_status: Option<String>,
    /// Number of consecutive failed checks that confirm a failure, 1 to 10; by default 2, and 1 for
    /// VENDOR_PAGE.
    confirmations: Option<i32>,
}

impl From<CreateServiceInput> for Definition {
    fn from(input: CreateServiceInput) -> Self {
        let (usual, kind) = (
            ServiceDraft::default(),
            domain::MonitorKind::from(input.kind),
        );
        let draft = ServiceDraft {
            name: input.name,
            category: input.category,
            kind,
            url: input.url,
            vendor_page_url: input.vendor_page_url,
            check_interval_seconds: input
                .check_interval_seconds
                .unwrap_or(usual.check_interval_seconds),
            timeout_ms: input.timeout_ms.unwrap_or(usual.timeout_ms),
            degraded_threshold_ms: input
                .degraded_threshold_ms
                .unwrap_or(usual.degraded_threshold_ms),
            expected_status: input.expected_status.unwrap_or(usual.expected_status),
            // What a vendor reports needs no confirmation.
            confirmations: input.confirmations.unwrap_or(match kind {
                domain::MonitorKind::Http => usual.confirmations,
                domain::MonitorKind::VendorPage => 1,
            }),
        };
        let page = Page {
            api_urls: input.vendor_page_api_urls.unwrap_or_default(),
            user_defined_urls: input.user_defined_urls.unwrap_or_default(),
            component_ids: input.component_ids,
        };
        Self { draft, page }
    }
}

/// Changes to a service; fields that are absent stay as they are. `null` removes the category or
/// the vendor page's URL and is an error for every other field.
#[derive(InputObject, Debug)]
pub(crate) struct UpdateServiceInput {
    /// Name, up to 100 characters.
    name: MaybeUndefined<String>,
    /// Category, up to 60 characters.
    category: MaybeUndefined<String>,
    /// HTTP: URL to request.
    url: MaybeUndefined<String>,
    /// The vendor's page for people.
    vendor_page_url: MaybeUndefined<String>,
    /// VENDOR_PAGE: ids of the components of the same page to follow, 1 to 500.
    component_ids: MaybeUndefined<Vec<String>>,
    /// Seconds between two checks.
    check_interval_seconds: MaybeUndefined<i32>,
    /// Timeout of a whole check in milliseconds, 100 to 30000.
    timeout_ms: MaybeUndefined<i32>,
    /// Response time in milliseconds above which the service is degraded, at most the timeout.
    degraded_threshold_ms: MaybeUndefined<i32>,
    /// HTTP status codes that count as success, such as `200-299,301`.
    expected_status: MaybeUndefined<String>,
    /// Number of consecutive failed checks that confirm a failure, 1 to 10.
    confirmations: MaybeUndefined<i32>,
}

impl UpdateServiceInput {
    /// Applies the changes to a definition and returns those that are not possible.
    pub(super) fn apply(self, to: &mut Definition) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let draft = &mut to.draft;
        let url = given(&mut errors, "url", self.url);
        clearable(&mut draft.category, self.category);
        clearable(&mut draft.vendor_page_url, self.vendor_page_url);
        replace(&mut draft.name, given(&mut errors, "name", self.name));
        if url.is_some() {
            draft.url = url;
        }
        to.page.component_ids = given(&mut errors, "componentIds", self.component_ids);
        let interval = given(
            &mut errors,
            "checkIntervalSeconds",
            self.check_interval_seconds,
        );
        replace(&mut draft.check_interval_seconds, interval);
        replace(
            &mut draft.timeout_ms,
            given(&mut errors, "timeoutMs", self.timeout_ms),
        );
        let threshold = given(
            &mut errors,
            "degradedThresholdMs",
            self.degraded_threshold_ms,
        );
        replace(&mut draft.degraded_threshold_ms, threshold);
        replace(
            &mut draft.expected_status,
            given(&mut errors, "expectedStatus", self.expected_status),
        );
        replace(
            &mut draft.confirmations,
            given(&mut errors, "confirmations", self.confirmations),
        );
        errors
    }
}

fn given<T>(errors: &mut Vec<FieldError>, field: &str, value: MaybeUndefined<T>) -> Option<T> {
    if value.is_null() {
        errors.push(FieldError::new(
            field,
            "must not be null: leave it out to keep it as it is",
        ));
    }
    value.take()
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn clearable(place: &mut Option<String>, value: MaybeUndefined<String>) {
    if !value.is_undefined() {
        *place = value.take();
    }
}
