//! What is sent to choose, add or change services.

use super::kinds::MonitorSchedule;
use crate::graphql::scalar::Id;
use crate::graphql::status::Status;
use crate::use_cases::service::{Change, Definition, Filter};
use crate::use_cases::{Error, Result};
use async_graphql::{InputObject, MaybeUndefined};
use domain::service::{
    DEFAULT_INTERVAL_SECONDS, DEFAULT_RECOVERIES, FieldError, ServiceDraft,
    default_degraded_threshold_ms, default_timeout_ms,
};
use monitors::graphql::MonitorInput;
use monitors::{MonitorKind, SettingsMap};
use sea_orm::DbErr;

/// Which services are wanted; what is not given does not matter.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ServiceFilter {
    /// Those of exactly this category; the empty text for those without one.
    category: Option<String>,
    /// Those with this tag.
    tag: Option<String>,
    /// Those that are in this status now.
    pub(super) status: Option<Status>,
    /// Those of this kind.
    kind: Option<MonitorKind>,
    /// Those of the kinds with this schedule.
    schedule: Option<MonitorSchedule>,
    /// Those with this text in the name, in what is checked or in the vendor page's address, in any case.
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
            tag: filter.tag,
            kind: filter.kind,
            schedule: filter.schedule.map(Into::into),
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
    /// Your own labels, at most 20 of 1 to 40 characters.
    tags: Option<Vec<String>>,
    /// Free text about it, up to 2000 characters.
    description: Option<String>,
    /// What is monitored, and how.
    monitor: MonitorInput,
    /// The vendor's page for people; where one is followed, by default what the page itself says.
    vendor_page_url: Option<String>,
    /// Seconds between two checks; 30 by default, at most a day. Vendor pages are read once a minute at most, and less is
    /// taken as that.
    check_interval_seconds: Option<i32>,
    /// Milliseconds that a check may take as a whole, 100 to 30000; 5000 by default, or the interval if that is shorter.
    timeout_ms: Option<i32>,
    /// Milliseconds above which an answer is slow, at most the timeout; 1000 by default, or the timeout if that is shorter.
    degraded_threshold_ms: Option<i32>,
    /// How many checks in a row must fail before it counts, 1 to 10; the default is that of the kind.
    confirmations: Option<i32>,
    /// How many checks in a row must be good before an incident is over, 1 to 10; 1 by default.
    recoveries: Option<i32>,
}

impl CreateServiceInput {
    /// The definition, with the defaults of its kind where nothing is given.
    pub(super) fn into_definition(self) -> Result<Definition> {
        let MonitorInput { kind, settings } = self.monitor;
        let given = settings.into_iter().filter(|(_, value)| !value.is_null());
        let monitor = kind.empty().merge(given.collect());
        let monitor = monitor.map_err(|error| Error::from(DbErr::Custom(error.to_string())))?;
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

/// What to change of a service; what is not given stays. `null` takes away the category, the tags, the description or the
/// vendor page, and is an error for anything else.
#[derive(InputObject, Debug)]
pub(crate) struct UpdateServiceInput {
    /// What to call it, up to 100 characters.
    name: MaybeUndefined<String>,
    /// Your own grouping, up to 60 characters.
    category: MaybeUndefined<String>,
    /// Your own labels, at most 20 of 1 to 40 characters.
    tags: MaybeUndefined<Vec<String>>,
    /// Free text about it, up to 2000 characters.
    description: MaybeUndefined<String>,
    /// What changes of its settings: of the same kind, and only the fields given.
    monitor: MaybeUndefined<MonitorInput>,
    /// The vendor's page for people.
    vendor_page_url: MaybeUndefined<String>,
    /// Seconds between two checks.
    check_interval_seconds: MaybeUndefined<i32>,
    /// Milliseconds that a check may take as a whole, 100 to 30000.
    timeout_ms: MaybeUndefined<i32>,
    /// Milliseconds above which an answer is slow, at most the timeout.
    degraded_threshold_ms: MaybeUndefined<i32>,
    /// How many checks in a row must fail before it counts, 1 to 10.
    confirmations: MaybeUndefined<i32>,
    /// How many checks in a row must be good before an incident is over, 1 to 10.
    recoveries: MaybeUndefined<i32>,
}

impl UpdateServiceInput {
    /// Changes a definition, and returns what cannot be changed so.
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

/// What is wrong with null in a change: what must be given or has a default is never absent.
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

/// What is wrong with null where something must stay.
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
