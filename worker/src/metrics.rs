//! What the worker tells whoever collects metrics: the names, and when which number grows. Costs next to nothing where
//! nobody collects. No label is ever of a user's making: there are as many series as there are kinds, not services.

use crate::recorder::Judgement;
use crate::stats::Stats;
use chrono::{DateTime, Utc};
use entity::column::MonitorKind;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use vendor_pages::page::providers;

const CHECKS: &str = "pulsecheck_checks_total";
const RESPONSE: &str = "pulsecheck_response_seconds";
const LATENESS: &str = "pulsecheck_check_lateness_seconds";
const INCIDENTS: &str = "pulsecheck_incidents_total";
const BATCH_TIME: &str = "pulsecheck_record_seconds";
/// How many results one transaction of the recorder held.
pub const BATCH_SIZE: &str = "pulsecheck_record_results";
const RECORDED_AT: &str = "pulsecheck_last_record_timestamp_seconds";
const ABLE: &str = "pulsecheck_worker_accepting";
const FETCHES: &str = "pulsecheck_page_fetches_total";
const FETCH_TIME: &str = "pulsecheck_page_fetch_seconds";

/// How a fetch of a page may end.
const RESULTS: [&str; 5] = ["read", "unchanged", "unreachable", "limited", "unreadable"];
/// Whose software makes a page that nobody recognised so far.
const NO_PROVIDER: &str = "unknown";

/// Says what each is.
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
        ABLE,
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
    for (name, what, _) in COUNTED {
        describe_counter!(name, what);
    }
    able(true);
    // From the beginning, because what has never happened is otherwise not there, and no alert sees its first time.
    for event in ["opened", "resolved"] {
        counter!(INCIDENTS, "event" => event).increment(0);
    }
    for provider in providers().chain([NO_PROVIDER]) {
        for result in RESULTS {
            counter!(FETCHES, "provider" => provider, "result" => result).increment(0);
        }
    }
    gauge!(RECORDED_AT).set(0.0);
}

/// A counter's name, what it says, and where it is kept.
type Counted = (&'static str, &'static str, fn(&Stats) -> &AtomicU64);

/// The counters of [`Stats`] that are told as they are.
const COUNTED: [Counted; 7] = [
    (
        "pulsecheck_slots_missed_total",
        "Slots at which a service was due and nobody checked it",
        |stats| &stats.missed,
    ),
    (
        "pulsecheck_probes_started_total",
        "Probes begun, confirmations included",
        |stats| &stats.started,
    ),
    (
        "pulsecheck_results_discarded_total",
        "Results dropped because a later one was recorded or the service had changed",
        |stats| &stats.discarded,
    ),
    (
        "pulsecheck_results_lost_total",
        "Results lost because the database refused them or was away for too long",
        |stats| &stats.lost,
    ),
    (
        "pulsecheck_probe_panics_total",
        "Probes that ended by a fault of the program",
        |stats| &stats.panics,
    ),
    (
        "pulsecheck_claims_deferred_total",
        "Claims given back because their host had enough checks running",
        |stats| &stats.deferred,
    ),
    (
        "pulsecheck_record_failures_total",
        "Transactions of the recorder that failed and were tried again",
        |stats| &stats.failed_batches,
    ),
];

impl Stats {
    /// Brings the counters that are kept here up to date where metrics are collected: to be called before they are read.
    pub fn publish(&self) {
        for (name, _, of) in COUNTED {
            counter!(name).absolute(of(self).load(Relaxed));
        }
    }
}

/// A check began `late` after its slot.
pub(crate) fn began(late: Duration) {
    histogram!(LATENESS).record(late);
}

/// A fetch of a page that `provider` makes took so long, with one of [`RESULTS`].
pub(crate) fn fetched(provider: Option<&str>, result: &'static str, took: Duration) {
    histogram!(FETCH_TIME).record(took);
    // By the program's own list: what stands in the database may be of another version.
    let provider = providers()
        .find(|known| provider == Some(*known))
        .unwrap_or(NO_PROVIDER);
    counter!(FETCHES, "provider" => provider, "result" => result).increment(1);
}

/// Whether results can be recorded.
pub(crate) fn able(able: bool) {
    gauge!(ABLE).set(if able { 1.0 } else { 0.0 });
}

/// Results were committed at `at`, in a transaction that took so long.
#[allow(
    clippy::cast_precision_loss,
    reason = "a batch has some hundred results, and milliseconds fit for ever"
)]
pub(crate) fn recorded(
    judgement: &Judgement<'_>,
    kind: MonitorKind,
    took: Duration,
    at: DateTime<Utc>,
) {
    let kind = match kind {
        MonitorKind::Http => "http",
        MonitorKind::VendorPage => "vendor_page",
    };
    let (response, mut found) = (histogram!(RESPONSE), HashMap::new());
    for check in judgement.recorded_checks() {
        *found.entry(check.outcome.status.word()).or_insert(0) += 1;
        if let Some(ms) = check.outcome.response_time_ms {
            response.record(Duration::from_millis(ms.into()));
        }
    }
    for (status, checks) in found {
        counter!(CHECKS, "kind" => kind, "status" => status).increment(checks);
    }
    for (event, count) in [
        ("opened", judgement.entries("opened")),
        ("resolved", judgement.entries("resolved")),
    ] {
        counter!(INCIDENTS, "event" => event).increment(count);
    }
    histogram!(BATCH_TIME).record(took);
    histogram!(BATCH_SIZE).record(judgement.fates.len() as f64);
    gauge!(RECORDED_AT).set(at.timestamp_millis() as f64 / 1000.0);
}
