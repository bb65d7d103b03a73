//! Checks targets of every kind, and marks slow responses as degraded.

use crate::Monitor;
use crate::connections::Net;
use crate::kind::Deadline;
use domain::{Cause, Outcome, Status};
use futures::future::BoxFuture;
use net::{ClientError, ClientSettings, HttpClient};
use std::time::Duration;

/// A monitor with the thresholds of its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The kind with its settings.
    pub monitor: Monitor,
    /// Timeout of the whole check: lookups, connections and the response.
    pub timeout: Duration,
    /// A good response that takes longer is degraded.
    pub degraded_threshold: Duration,
}

/// Runs checks. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Prober {
    net: Net,
}

impl Prober {
    /// Creates a prober. The first one of a process loads this machine's certificate authorities.
    ///
    /// # Errors
    /// Returns an error if the client cannot be built from the settings.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let (guard, max_body_bytes) = (settings.guard, settings.max_body_bytes);
        let net = Net {
            client: HttpClient::for_checks(settings)?,
            guard,
            max_body_bytes,
        };
        Ok(Self { net })
    }

    /// Checks `target` once.
    ///
    /// Boxed here, because the clients of all kinds would otherwise be compiled again into each crate
    /// that awaits a check.
    pub fn check<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Outcome> {
        let deadline = Deadline::after(target.timeout);
        Box::pin(async move {
            let outcome = target.monitor.check(&self.net, deadline).await;
            apply_threshold(outcome, target.degraded_threshold)
        })
    }
}

/// Marks a good response as degraded if it took longer than `threshold`.
fn apply_threshold(outcome: Outcome, threshold: Duration) -> Outcome {
    let threshold_ms = milliseconds(threshold);
    match outcome.response_time_ms {
        Some(response_time_ms)
            if outcome.status == Status::Up && response_time_ms > threshold_ms =>
        {
            Outcome {
                status: Status::Degraded,
                cause: Some(Cause::Slow {
                    response_time_ms,
                    threshold_ms,
                }),
                ..outcome
            }
        }
        _ => outcome,
    }
}

/// Converts to whole milliseconds, at most [`u32::MAX`].
pub(crate) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
