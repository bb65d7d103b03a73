//! The result of testing a service before it is created.

use crate::graphql::scalar::Time;
use crate::graphql::status::{Phases, Status};
use async_graphql::SimpleObject;

/// Result of one check that was not stored.
#[derive(SimpleObject, Debug)]
pub(crate) struct TestResult {
    /// What was checked, with the scheme that was chosen for an address without one; null for kinds
    /// without a target.
    target: Option<String>,
    /// Status that the service would have if this result were confirmed.
    status: Status,
    /// HTTP status code; null without a response.
    status_code: Option<u16>,
    /// Response time in milliseconds; null without a response.
    response_time_ms: Option<u32>,
    /// Why it is not up, in one sentence.
    message: Option<String>,
    /// How long each part of the check took.
    phases: Phases,
    /// When the server's certificate expires; null without TLS.
    certificate_expires_at: Option<Time>,
}

impl TestResult {
    pub(super) fn new(target: Option<String>, outcome: &domain::Outcome) -> Self {
        Self {
            target,
            status: outcome.status.into(),
            status_code: outcome.status_code,
            response_time_ms: outcome.response_time_ms,
            message: outcome.message(),
            phases: (&outcome.phases).into(),
            certificate_expires_at: outcome.certificate_expires_at.map(Time),
        }
    }
}
