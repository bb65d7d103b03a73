//! Inputs for filtering, creating and updating services.

use super::kinds::MonitorSchedule;
use crate::graphql::scalar::Id;
use crate::graphql::status::Status;
use crate::use_cases::service::{Change, Definition, ServiceCriteria};
use crate::use_cases::{Result, UseCases};
use async_graphql::{InputObject, MaybeUndefined};
use domain::service::{
    DEFAULT_INTERVAL_SECONDS, DEFAULT_RECOVERIES, FieldError, ServiceDraft,
    default_degraded_threshold_ms, default_timeout_ms,
};
use monitors::graphql::MonitorInput;
use monitors::{MonitorKind, SettingsMap};

/// Filter of services; conditions that are absent match every service.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ServiceFilter {
    /// Services of exactly this category; an empty string for those without one.
    category: Option<String>,
    /// Services with this tag.
    tag: Option<String>,
    /// Services that have this status now.
    pub(super) status: Option<Status>,
    /// Services of this kind.
    kind: Option<MonitorKind>,
    /// Services whose kind has this schedule.
    schedule: Option<MonitorSchedule>,
    /// Services with this text in their name, their target or the vendor page's URL, ignoring case.
    search: Option<String>,
    /// Services with one of these ids; unknown ids are ignored.
    ids: Option<Vec<Id>>,
}

impl From<ServiceFilter> for ServiceCriteria {
    fn from(filter: ServiceFilter) -> Self {
        let ids = filter
            .ids
            .map(|ids| ids.into_iter().map(|id| id.0).collect());
        Self {
            category: filter.category,
            tag: filter.tag,
            kind: filter.kind,
            schedule: filter.schedule.map(Into::into),
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
    /// Tags, at most 20 of 1 to 40 characters.
    tags: Option<Vec<String>>,
    /// Description, up to 2000 characters.
    description: Option<String>,
    /// What to check, and how.
    monitor: MonitorInput,
    /// The vendor's page for people; for a service that follows a page it defaults to the URL that
    /// the page gives.
    vendor_page_url: Option<String>,
    /// Seconds between two checks; 30 by default, at most 86400. Vendor pages are read at most once
    /// a minute; a shorter interval is raised to that.
    check_interval_seconds: Option<i32>,
    /// Timeout of a whole check in milliseconds, 100 to 30000; 5000 by default, or the interval if
    /// that is shorter.
    timeout_ms: Option<i32>,
    /// Response time in milliseconds above which the service is degraded, at most the timeout; 1000
    /// by default, or the timeout if that is shorter.
    degraded_threshold_ms: Option<i32>,
    /// Number of consecutive failed checks that confirm a failure, 1 to 10; the default depends on
    /// the kind.
    confirmations: Option<i32>,
    /// Number of consecutive good checks that resolve an incident, 1 to 10; 1 by default.
    recoveries: Option<i32>,
}

impl CreateServiceInput {
    /// Returns the definition; absent fields have the defaults of its kind.
    pub(super) fn into_definition(self) -> Result<Definition> {
        let MonitorInput { kind, settings } = self.monitor;
        let given = settings.into_iter().filter(|(_, value)| !value.is_null());
        let monitor = kind.empty().merge(given.collect())?;
        let interval = self
            .check_interval_seconds
            .unwrap_or(DEFAULT_INTERVAL_SECONDS);
        let timeout_ms = self
            .timeout_ms
            .unwrap_or_else(|| default_timeout_ms(interval));
        let draft = ServiceDraft {
            name: self.name,
            category: self.category,
            tags: self.tags.unwrap_or_default(),
            description: self.description,
            vendor_page_url: self.vendor_page_url,
            check_interval_seconds: interval,
            timeout_ms,
            degraded_threshold_ms: self
                .degraded_threshold_ms
                .unwrap_or_else(|| default_degraded_threshold_ms(timeout_ms)),
            confirmations: self.confirmations.unwrap_or(kind.info().confirmations),
            recoveries: self.recoveries.unwrap_or(DEFAULT_RECOVERIES),
        };
        Ok(Definition { draft, monitor })
    }
}

/// Changes to a service; fields that are absent stay as they are. `null` removes the category, the
/// tags, the description or the vendor page's URL and is an error for every other field.
#[derive(InputObject, Debug)]
pub(crate) struct UpdateServiceInput {
    /// Name, up to 100 characters.
    name: MaybeUndefined<String>,
    /// Category, up to 60 characters.
    category: MaybeUndefined<String>,
    /// Tags, at most 20 of 1 to 40 characters.
    tags: MaybeUndefined<Vec<String>>,
    /// Description, up to 2000 characters.
    description: MaybeUndefined<String>,
    /// Changes to its settings: of the same kind; fields that are absent stay as they are.
    monitor: MaybeUndefined<MonitorInput>,
    /// The vendor's page for people.
    vendor_page_url: MaybeUndefined<String>,
    /// Seconds between two checks.
    check_interval_seconds: MaybeUndefined<i32>,
    /// Timeout of a whole check in milliseconds, 100 to 30000.
    timeout_ms: MaybeUndefined<i32>,
    /// Response time in milliseconds above which the service is degraded, at most the timeout.
    degraded_threshold_ms: MaybeUndefined<i32>,
    /// Number of consecutive failed checks that confirm a failure, 1 to 10.
    confirmations: MaybeUndefined<i32>,
    /// Number of consecutive good checks that resolve an incident, 1 to 10.
    recoveries: MaybeUndefined<i32>,
}

impl UpdateServiceInput {
    /// Decides what an address without a scheme means.
    pub(super) async fn resolve(mut self, use_cases: &UseCases) -> Result<Self> {
        if let MaybeUndefined::Value(MonitorInput { kind, settings }) = &mut self.monitor {
            *settings = use_cases
                .resolve_settings(*kind, std::mem::take(settings))
                .await?;
        }
        Ok(self)
    }

    /// Applies the changes to a definition and returns those that are not possible.
    pub(super) fn apply(self, to: &mut Change) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let draft = &mut to.draft;
        let (old_interval, old_timeout) = (draft.check_interval_seconds, draft.timeout_ms);
        clearable(&mut draft.category, self.category);
        clearable(&mut draft.description, self.description);
        clearable(&mut draft.vendor_page_url, self.vendor_page_url);
        if !self.tags.is_undefined() {
            draft.tags = self.tags.take().unwrap_or_default();
        }
        replace(&mut draft.name, given(&mut errors, "name", self.name));
        if let Some(MonitorInput { kind, settings }) = given(&mut errors, "monitor", self.monitor) {
            errors.extend(not_clearable(kind, &settings));
            to.monitor = Some((kind, settings));
        }
        let interval = given(
            &mut errors,
            "checkIntervalSeconds",
            self.check_interval_seconds,
        );
        replace(&mut draft.check_interval_seconds, interval);
        // A default follows what it depends on.
        let timeout = given(&mut errors, "timeoutMs", self.timeout_ms);
        if timeout.is_some() || draft.timeout_ms == default_timeout_ms(old_interval) {
            draft.timeout_ms =
                timeout.unwrap_or_else(|| default_timeout_ms(draft.check_interval_seconds));
        }
        let threshold = given(
            &mut errors,
            "degradedThresholdMs",
            self.degraded_threshold_ms,
        );
        if threshold.is_some()
            || draft.degraded_threshold_ms == default_degraded_threshold_ms(old_timeout)
        {
            draft.degraded_threshold_ms =
                threshold.unwrap_or_else(|| default_degraded_threshold_ms(draft.timeout_ms));
        }
        replace(
            &mut draft.confirmations,
            given(&mut errors, "confirmations", self.confirmations),
        );
        replace(
            &mut draft.recoveries,
            given(&mut errors, "recoveries", self.recoveries),
        );
        errors
    }
}

/// Returns an error for each required or defaulted setting that is null.
fn not_clearable(kind: MonitorKind, settings: &SettingsMap) -> Vec<FieldError> {
    let fields = kind.info().fields.iter();
    fields
        .filter(|field| field.required || field.default.is_some())
        .filter(|field| {
            settings
                .get(field.name)
                .is_some_and(serde_json::Value::is_null)
        })
        .map(|field| FieldError::new(field.name, NOT_NULL))
        .collect()
}

/// The message for null in a field that cannot be removed.
const NOT_NULL: &str = "must not be null: leave it out to keep it as it is";

fn given<T>(errors: &mut Vec<FieldError>, field: &str, value: MaybeUndefined<T>) -> Option<T> {
    if value.is_null() {
        errors.push(FieldError::new(field, NOT_NULL));
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
