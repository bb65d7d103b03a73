//! Bounds the size of a response while it is built: a document of 1 KB could otherwise ask for
//! hundreds of megabytes.

use super::limits::query_error;
use crate::use_cases::Error;
use async_graphql::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// Maximum size of the responses to one HTTP request, batched or not, in bytes of JSON.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Number of bytes that the responses to one request may still take. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ResponseBudget {
    remaining: Arc<AtomicUsize>,
    exhausted: CancellationToken,
}

impl Default for ResponseBudget {
    fn default() -> Self {
        Self::with_bytes(MAX_RESPONSE_BYTES)
    }
}

impl ResponseBudget {
    fn with_bytes(bytes: usize) -> Self {
        Self {
            remaining: Arc::new(AtomicUsize::new(bytes)),
            exhausted: CancellationToken::new(),
        }
    }

    /// Takes `bytes` from what remains. Returns false once there is not enough, and from then on.
    pub(super) fn charge(&self, bytes: usize) -> bool {
        let charged = self
            .remaining
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |remaining| {
                remaining.checked_sub(bytes)
            })
            .is_ok();
        if !charged {
            self.exhausted.cancel();
        }
        charged && !self.is_exhausted()
    }

    /// Whether a charge was refused.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.is_cancelled()
    }

    /// Resolves once a charge was refused.
    pub(super) async fn exhausted(&self) {
        self.exhausted.cancelled().await;
    }

    /// The error that replaces a response that would be too large.
    pub(super) fn error() -> Error {
        query_error(format!(
            "the response would be larger than {} MiB: ask for fewer fields, or page by page",
            MAX_RESPONSE_BYTES / 1024 / 1024
        ))
    }
}

/// Size of `value` as JSON, in bytes. Numbers count as 8.
pub(super) fn json_size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Boolean(_) => 5,
        Value::Number(_) => 8,
        Value::Enum(name) => name.len() + 2,
        Value::String(text) => {
            let escaped = text
                .bytes()
                .filter(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
            text.len() + 5 * escaped.count() + 2
        }
        Value::Binary(bytes) => bytes.len() * 4,
        Value::List(items) => 2 + items.iter().map(|item| json_size(item) + 1).sum::<usize>(),
        Value::Object(fields) => {
            let field =
                |(name, value): (&async_graphql::Name, &Value)| name.len() + 4 + json_size(value);
            2 + fields.iter().map(field).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    #[test]
    fn a_budget_is_exhausted_for_good_by_the_first_charge_that_does_not_fit() {
        let budget = ResponseBudget::with_bytes(100);
        assert!(budget.charge(60));
        assert!(!budget.is_exhausted());
        assert!(!budget.charge(41), "more than remains");
        assert!(budget.is_exhausted());
        assert!(!budget.charge(1), "small charges are refused as well");
    }

    #[test]
    fn the_size_of_a_value_is_never_below_that_of_its_json() {
        let value = value!({ "a": [1, true, null, "quoted \" \n"], "b": { "c": "é" } });
        assert!(json_size(&value) >= serde_json::to_string(&value).map_or(0, |json| json.len()));
    }
}
