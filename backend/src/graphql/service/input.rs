//! What is sent to choose, add or change services.

use crate::graphql::scalar::Id;
use crate::graphql::status::{MonitorKind, Status};
use crate::use_cases::service::{Definition, Filter, Page};
use async_graphql::{InputObject, MaybeUndefined};
use domain::service::{FieldError, ServiceDraft};

/// Which services are wanted; what is not given does not matter.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ServiceFilter {
    /// Those of exactly this category; the empty text for those without one.
    category: Option<String>,
    /// Those that are in this status now.
    pub(super) status: Option<Status>,
    /// Those that are looked at in this way.
    kind: Option<MonitorKind>,
    /// Those with this text in the name or in an address, however it is capitalised.
    search: Option<String>,
    /// Those with one of these ids; others have no effect.
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

/// A service to add, or to try out.
#[derive(InputObject, Debug)]
pub(crate) struct CreateServiceInput {
    /// What to call it, up to 100 characters.
    name: String,
    /// Your own grouping, up to 60 characters.
    category: Option<String>,
    /// How to look at it.
    #[graphql(default_with = "MonitorKind::Http")]
    kind: MonitorKind,
    /// HTTP: the address to request.
    url: Option<String>,
    /// The vendor page for people; for VENDOR_PAGE by default what the page itself says.
    vendor_page_url: Option<String>,
    /// VENDOR_PAGE: the JSON addresses that were discovered, the `apiUrls` of `discoverVendorPage` ...
    vendor_page_api_urls: Option<Vec<String>>,
    /// ... or those given by hand, the `apiUrls` of `validateVendorPageUrls`; never both.
    user_defined_urls: Option<Vec<String>>,
    /// VENDOR_PAGE: the ids of the components to follow, 1 to 500.
    component_ids: Option<Vec<String>>,
    /// Seconds between two checks; 30 by default, at most a day. Vendor pages are read once a minute at most, and less is
    /// taken as that.
    check_interval_seconds: Option<i32>,
    /// Milliseconds that a check may take as a whole, 100 to 30000; 5000 by default.
    timeout_ms: Option<i32>,
    /// Milliseconds above which an answer is slow, at most the timeout; 1000 by default.
    degraded_threshold_ms: Option<i32>,
    /// The HTTP status codes that count as an answer, such as `200-299,301`; `200-299` by default.
    expected_status: Option<String>,
    /// How many checks in a row must fail before it counts, 1 to 10; by default 2, and 1 for VENDOR_PAGE.
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
            // A vendor's own word needs no second look.
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

/// What to change of a service; what is not given stays. `null` takes away the category or the vendor page, and is an
/// error for anything else.
#[derive(InputObject, Debug)]
pub(crate) struct UpdateServiceInput {
    /// What to call it, up to 100 characters.
    name: MaybeUndefined<String>,
    /// Your own grouping, up to 60 characters.
    category: MaybeUndefined<String>,
    /// HTTP: the address to request.
    url: MaybeUndefined<String>,
    /// The vendor page for people.
    vendor_page_url: MaybeUndefined<String>,
    /// VENDOR_PAGE: the ids of the components to follow, 1 to 500, of the same page.
    component_ids: MaybeUndefined<Vec<String>>,
    /// Seconds between two checks.
    check_interval_seconds: MaybeUndefined<i32>,
    /// Milliseconds that a check may take as a whole, 100 to 30000.
    timeout_ms: MaybeUndefined<i32>,
    /// Milliseconds above which an answer is slow, at most the timeout.
    degraded_threshold_ms: MaybeUndefined<i32>,
    /// The HTTP status codes that count as an answer, such as `200-299,301`.
    expected_status: MaybeUndefined<String>,
    /// How many checks in a row must fail before it counts, 1 to 10.
    confirmations: MaybeUndefined<i32>,
}

impl UpdateServiceInput {
    /// Changes a definition, and returns what cannot be changed so.
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
