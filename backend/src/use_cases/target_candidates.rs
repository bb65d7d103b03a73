//! Decides what a target means that can be read in several ways, such as an address without a scheme.
//! The only place that decides it, for people and programs alike.

use super::{Result, UseCases};
use domain::{Cause, Outcome};
use monitors::{Monitor, MonitorKind, SettingsMap, Target};
use std::time::Duration;

/// The timeout of each attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

impl UseCases {
    /// Returns the first of `candidates` whose target answers, whatever the answer is, or else the first
    /// one; `None` if there are none.
    pub(super) async fn first_that_answers(&self, candidates: Vec<Monitor>) -> Option<Monitor> {
        for monitor in &candidates {
            let target = Target {
                monitor: monitor.clone(),
                timeout: ATTEMPT_TIMEOUT,
                degraded_threshold: ATTEMPT_TIMEOUT,
            };
            let outcome = self.prober.check(&target).await;
            if outcome.status_code.is_some() || outcome.response_time_ms.is_some() {
                return Some(monitor.clone());
            }
            if is_about_the_name(&outcome) {
                break;
            }
        }
        candidates.into_iter().next()
    }

    /// Returns changed `settings` of a kind with what they mean. Settings that can be read in one way
    /// only, and those that are invalid, stay as they are.
    ///
    /// # Errors
    /// When the settings do not fit their kind.
    pub async fn resolve_settings(
        &self,
        kind: MonitorKind,
        mut settings: SettingsMap,
    ) -> Result<SettingsMap> {
        let candidates = kind.empty().merge(settings.clone())?.candidates();
        if let Some(chosen) = self.first_that_answers(candidates).await {
            let mut chosen = chosen.settings();
            for (name, value) in &mut settings {
                if let Some(read) = chosen.remove(name).filter(|_| !value.is_null()) {
                    *value = read;
                }
            }
        }
        Ok(settings)
    }
}

/// Returns whether every other candidate would end the same way, because they have the same host.
const fn is_about_the_name(outcome: &Outcome) -> bool {
    matches!(
        outcome.cause,
        Some(
            Cause::NameNotFound { .. }
                | Cause::NameLookupFailed { .. }
                | Cause::NameRefused { .. }
                | Cause::AddressRefused { .. }
        )
    )
}
