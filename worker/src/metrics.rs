//! The worker's metrics: their names, and functions that record them. Costs next to nothing where
//! nobody collects. No label comes from a user, so the number of series is bounded.

use chrono::{DateTime, Utc};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::time::Duration;
use vendor_pages::page::providers;

const CHECKS: &str = "pulsecheck_checks_total";
const RESPONSE: &str = "pulsecheck_response_seconds";
const LATENESS: &str = "pulsecheck_check_lateness_seconds";
const INCIDENTS: &str = "pulsecheck_incidents_total";
const BATCH_TIME: &str = "pulsecheck_record_seconds";
/// Number of results in one transaction of the recorder.
pub const BATCH_SIZE: &str = "pulsecheck_record_results";
const RECORDED_AT: &str = "pulsecheck_last_record_timestamp_seconds";
const ACCEPTING: &str = "pulsecheck_worker_accepting";
const FETCHES: &str = "pulsecheck_page_fetches_total";
const FETCH_TIME: &str = "pulsecheck_page_fetch_seconds";

/// The results of a fetch of a vendor page.
const FETCH_RESULTS: [&str; 5] = ["read", "unchanged", "unreachable", "limited", "unreadable"];
/// Label of pages whose provider is not known yet.
const NO_PROVIDER: &str = "unknown";

/// Describes all metrics and sets those to zero that should exist before they are first counted.
pub fn describe() {
    describe_counter!(
        CHECKS,
        "Checks recorded, by kind of service and by what was found"
    );
    describe_histogram!(
        RESPONSE,
        Unit::Seconds,
        "Response time of services that PulseCheck requests itself"
    );
    describe_histogram!(
        LATENESS,
        Unit::Seconds,
        "How long after its slot a check began"
    );
    describe_counter!(INCIDENTS, "Incidents that were opened and resolved");
    describe_histogram!(
        BATCH_TIME,
        Unit::Seconds,
        "Duration of one transaction of the recorder"
    );
    describe_histogram!(BATCH_SIZE, "Results in one transaction of the recorder");
    describe_gauge!(
        RECORDED_AT,
        Unit::Seconds,
        "When results were last recorded"
    );
    describe_gauge!(
        ACCEPTING,
        "1 while results can be recorded; at 0 the worker claims nothing"
    );
    describe_counter!(
        FETCHES,
        "Fetches of vendor pages, by whose software makes the page and by result"
    );
    describe_histogram!(
        FETCH_TIME,
        Unit::Seconds,
        "Duration of one fetch of a vendor page"
    );
    for (name, description) in STATS_COUNTERS {
        describe_counter!(name, description);
    }
    set_accepting(true);
    // From the start: a series that does not exist yet hides its first increment from alerts.
    for event in ["opened", "resolved"] {
        count_incidents(event, 0);
    }
    for provider in providers().chain([NO_PROVIDER]) {
        for result in FETCH_RESULTS {
            counter!(FETCHES, "provider" => provider, "result" => result).increment(0);
        }
    }
    gauge!(RECORDED_AT).set(0.0);
}

pub(crate) const MISSED: &str = "pulsecheck_slots_missed_total";
pub(crate) const STARTED: &str = "pulsecheck_probes_started_total";
pub(crate) const DISCARDED: &str = "pulsecheck_results_discarded_total";
pub(crate) const LOST: &str = "pulsecheck_results_lost_total";
pub(crate) const INTERRUPTED: &str = "pulsecheck_checks_interrupted_total";
pub(crate) const PANICS: &str = "pulsecheck_probe_panics_total";
pub(crate) const DEFERRED: &str = "pulsecheck_claims_deferred_total";
pub(crate) const RECORD_FAILURES: &str = "pulsecheck_record_failures_total";

/// The counters that are kept in [`Stats`](crate::Stats), with their descriptions.
const STATS_COUNTERS: [(&str, &str); 8] = [
    (
        MISSED,
        "Slots at which a service was due and nobody checked it",
    ),
    (STARTED, "Probes begun, confirmations included"),
    (
        DISCARDED,
        "Results dropped because a later one was recorded or the service had changed",
    ),
    (
        LOST,
        "Results lost because the database refused them or was away for too long",
    ),
    (
        INTERRUPTED,
        "Checks that are made again because the worker itself did not run during them",
    ),
    (PANICS, "Probes that ended by a fault of the program"),
    (
        DEFERRED,
        "Claims given back because their host had enough checks running",
    ),
    (
        RECORD_FAILURES,
        "Transactions of the recorder that failed and were tried again",
    ),
];

/// Records that a check began `lateness` after its slot.
pub(crate) fn record_lateness(lateness: Duration) {
    histogram!(LATENESS).record(lateness);
}

/// Records a fetch of a page of `provider` that took `took` and ended with one of
/// [`FETCH_RESULTS`].
pub(crate) fn record_fetch(provider: Option<&str>, result: &'static str, took: Duration) {
    histogram!(FETCH_TIME).record(took);
    // The label comes from the program's own list, because the database may have been written by
    // another version.
    let provider = providers()
        .find(|known| provider == Some(*known))
        .unwrap_or(NO_PROVIDER);
    counter!(FETCHES, "provider" => provider, "result" => result).increment(1);
}

/// Sets whether results can be recorded.
pub(crate) fn set_accepting(accepting: bool) {
    gauge!(ACCEPTING).set(if accepting { 1.0 } else { 0.0 });
}

/// Counts recorded checks of one kind and status.
pub(crate) fn count_checks(kind: &'static str, status: &'static str, checks: u64) {
    counter!(CHECKS, "kind" => kind, "status" => status).increment(checks);
}

/// Records the response time of a recorded check.
pub(crate) fn record_response_time(time: Duration) {
    histogram!(RESPONSE).record(time);
}

/// Counts incidents that were opened or resolved.
pub(crate) fn count_incidents(event: &'static str, incidents: u64) {
    counter!(INCIDENTS, "event" => event).increment(incidents);
}

/// Records a transaction of the recorder that was committed at `at`.
#[allow(
    clippy::cast_precision_loss,
    reason = "a batch has some hundred results, and milliseconds fit for ever"
)]
pub(crate) fn record_batch(results: usize, took: Duration, at: DateTime<Utc>) {
    histogram!(BATCH_TIME).record(took);
    histogram!(BATCH_SIZE).record(results as f64);
    gauge!(RECORDED_AT).set(at.timestamp_millis() as f64 / 1000.0);
}
