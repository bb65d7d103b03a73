//! Metrics of the API. Recording is nearly free if no recorder is installed. Labels never contain
//! values that users choose, so their number is bounded.

use async_graphql::parser::types::OperationType;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::time::Duration;

const REQUESTS: &str = "pulsecheck_http_requests_total";
const REQUEST_TIME: &str = "pulsecheck_http_request_seconds";
const OPERATIONS: &str = "pulsecheck_graphql_operations_total";
const OPERATION_TIME: &str = "pulsecheck_graphql_operation_seconds";
const WEBSOCKETS: &str = "pulsecheck_websockets";
const SUBSCRIPTIONS: &str = "pulsecheck_subscriptions";
const LOST_EVENTS: &str = "pulsecheck_subscriptions_missed_total";
const RATE_LIMITED: &str = "pulsecheck_rate_limited_total";

/// Registers the descriptions of all metrics.
pub fn describe() {
    describe_counter!(REQUESTS, "HTTP responses, by class of status");
    describe_histogram!(
        REQUEST_TIME,
        Unit::Seconds,
        "Time from a request's headers to its response's headers"
    );
    describe_counter!(
        OPERATIONS,
        "GraphQL operations, by kind and by the code of their first error, or ok"
    );
    describe_histogram!(
        OPERATION_TIME,
        Unit::Seconds,
        "Duration of a GraphQL operation, by kind; for subscriptions, of each event"
    );
    describe_gauge!(WEBSOCKETS, "Open WebSockets");
    describe_gauge!(SUBSCRIPTIONS, "Operations that run over WebSockets");
    describe_counter!(
        LOST_EVENTS,
        "Subscriptions that ended because events were lost"
    );
    describe_counter!(
        RATE_LIMITED,
        "Requests and operations that were refused by a rate limit"
    );
    // Start at 0: a counter that appears with its first increment has no increase to alert on.
    for class in ["ok", "limited", "refused", "failed"] {
        counter!(REQUESTS, "class" => class).increment(0);
    }
    for name in [LOST_EVENTS, RATE_LIMITED] {
        counter!(name).increment(0);
    }
    for name in [WEBSOCKETS, SUBSCRIPTIONS] {
        gauge!(name).set(0.0);
    }
}

/// Records an HTTP response.
pub(crate) fn record_response(status: u16, took: Duration) {
    let class = match status {
        ..400 => "ok",
        429 => "limited",
        400..500 => "refused",
        _ => "failed",
    };
    counter!(REQUESTS, "class" => class).increment(1);
    histogram!(REQUEST_TIME).record(took);
}

/// Records an operation that was executed or refused. Its kind is `None` if the document was not
/// read.
pub(crate) fn record_operation(kind: Option<OperationType>, code: &'static str, took: Duration) {
    counter!(OPERATIONS, "kind" => kind_label(kind), "code" => code).increment(1);
    histogram!(OPERATION_TIME, "kind" => kind_label(kind)).record(took);
}

/// Records the start of a subscription, or its refusal with an error code.
pub(crate) fn record_subscription(code: &'static str) {
    counter!(OPERATIONS, "kind" => kind_label(Some(OperationType::Subscription)), "code" => code)
        .increment(1);
}

/// Records an event of a subscription.
pub(crate) fn record_subscription_event(took: Duration) {
    histogram!(OPERATION_TIME, "kind" => kind_label(Some(OperationType::Subscription)))
        .record(took);
}

/// Kind of an operation as a label.
pub(crate) const fn kind_label(kind: Option<OperationType>) -> &'static str {
    match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => "subscription",
        None => "unknown",
    }
}

/// Records a refusal by a rate limit.
pub(crate) fn record_rate_limited() {
    counter!(RATE_LIMITED).increment(1);
}

/// Records a subscription that ended because events were lost.
pub(crate) fn record_lost_events() {
    counter!(LOST_EVENTS).increment(1);
}

/// Counts one open connection or subscription until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenGauge(&'static str);

impl OpenGauge {
    pub(crate) fn websocket() -> Self {
        Self::increment(WEBSOCKETS)
    }

    pub(crate) fn subscription() -> Self {
        Self::increment(SUBSCRIPTIONS)
    }

    fn increment(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for OpenGauge {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}
