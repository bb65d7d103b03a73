//! Checks targets of every kind, and judges what holds for all of them.

use crate::Monitor;
use crate::connections::Net;
use crate::kind::Deadline;
use domain::{Cause, Outcome, Status};
use net::{ClientError, ClientSettings, client};
use std::time::Duration;

/// What is checked, and what every check has.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The kind with its settings.
    pub monitor: Monitor,
    /// The time for everything: lookups, connections, and the whole answer.
    pub timeout: Duration,
    /// A good answer that took longer makes the target degraded.
    pub degraded_threshold: Duration,
}

/// Makes checks. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Prober {
    net: Net,
}

impl Prober {
    /// A prober; the first one of a process reads this machine's certificate authorities.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let (guard, max_body_bytes) = (settings.guard, settings.max_body_bytes);
        let net = Net {
            client: client::build(settings)?,
            guard,
            max_body_bytes,
        };
        Ok(Self { net })
    }

    /// Checks `target` once.
    pub async fn check(&self, target: &Target) -> Outcome {
        let deadline = Deadline::after(target.timeout);
        let outcome = target.monitor.check(&self.net, deadline).await;
        judge_speed(outcome, target.degraded_threshold)
    }
}

/// A good answer that took longer than `threshold` is degraded.
fn judge_speed(outcome: Outcome, threshold: Duration) -> Outcome {
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

/// Whole milliseconds, at most [`u32::MAX`].
pub(crate) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
