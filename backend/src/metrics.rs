//! What the API tells whoever collects metrics: the names, and when which number changes. Costs next to nothing where nobody
//! collects. No label is ever of a user's making.

use async_graphql::Response;
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
const MISSED: &str = "pulsecheck_subscriptions_missed_total";
const LIMITED: &str = "pulsecheck_rate_limited_total";

/// Says what each is.
pub fn describe() {
    describe_counter!(REQUESTS, "HTTP requests answered, by class of status");
    describe_histogram!(
        REQUEST_TIME,
        Unit::Seconds,
        "Time from a request's head to its answer's"
    );
    describe_counter!(
        OPERATIONS,
        "GraphQL operations, by kind and by the code of their first error, or ok"
    );
    describe_histogram!(
        OPERATION_TIME,
        Unit::Seconds,
        "Duration of one GraphQL operation, by kind; of subscriptions that of each update"
    );
    describe_gauge!(WEBSOCKETS, "Open WebSockets");
    describe_gauge!(SUBSCRIPTIONS, "Operations that run over WebSockets");
    describe_counter!(
        MISSED,
        "Subscriptions that were ended because their client read too slowly"
    );
    describe_counter!(
        LIMITED,
        "Requests and operations that were refused because they came too often"
    );
    // From the beginning, because what has never happened is otherwise not there, and no alert sees its first time.
    for class in ["ok", "limited", "refused", "failed"] {
        counter!(REQUESTS, "class" => class).increment(0);
    }
    for name in [MISSED, LIMITED] {
        counter!(name).increment(0);
    }
    for name in [WEBSOCKETS, SUBSCRIPTIONS] {
        gauge!(name).set(0.0);
    }
}

/// A request was answered.
pub(crate) fn answered(status: u16, took: Duration) {
    let class = match status {
        ..400 => "ok",
        429 => "limited",
        400..500 => "refused",
        _ => "failed",
    };
    counter!(REQUESTS, "class" => class).increment(1);
    histogram!(REQUEST_TIME).record(took);
}

/// An operation was carried out or refused. Its kind is not known where nobody got so far as to read it.
pub(crate) fn operated(kind: Option<OperationType>, response: &Response, took: Duration) {
    let code = response
        .errors
        .first()
        .map_or("ok", crate::graphql::code_of);
    counter!(OPERATIONS, "kind" => word(kind), "code" => code).increment(1);
    histogram!(OPERATION_TIME, "kind" => word(kind)).record(took);
}

/// A subscription began, or was refused with this code.
pub(crate) fn subscribed(code: &'static str) {
    counter!(OPERATIONS, "kind" => word(Some(OperationType::Subscription)), "code" => code)
        .increment(1);
}

/// An update of a subscription was made.
pub(crate) fn updated(took: Duration) {
    histogram!(OPERATION_TIME, "kind" => word(Some(OperationType::Subscription))).record(took);
}

/// A kind as labels and spans say it.
pub(crate) const fn word(kind: Option<OperationType>) -> &'static str {
    match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => "subscription",
        None => "unknown",
    }
}

/// Somebody asked too often.
pub(crate) fn limited() {
    counter!(LIMITED).increment(1);
}

/// A subscription's client missed something, and was told so.
pub(crate) fn missed() {
    counter!(MISSED).increment(1);
}

/// One more of what is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(&'static str);

impl Open {
    pub(crate) fn websocket() -> Self {
        Self::one(WEBSOCKETS)
    }

    pub(crate) fn subscription() -> Self {
        Self::one(SUBSCRIPTIONS)
    }

    fn one(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}
