//! Explains why a search found no page, by the response that says most about it.

use super::DiscoveryError;
use super::refusals::Refusals;
use super::search::Round;
use crate::page::Unreadable;
use net::fetch::FetchError;
use url::Url;

/// Returns the most specific error: the one closest to a vendor page.
pub(super) fn explain(given: &Url, rounds: &[&Round]) -> DiscoveryError {
    let host = given.host_str().unwrap_or_default().to_owned();
    if let Some(url) = rounds.iter().find_map(|round| round.without_components()) {
        return DiscoveryError::NoComponents(url.to_string());
    }
    let unreadable = rounds
        .iter()
        .flat_map(|round| &round.unreadable)
        .find(|(_, reason)| *reason != Unreadable::Empty);
    if let Some((url, reason)) = unreadable {
        return DiscoveryError::Unreadable {
            url: url.to_string(),
            reason: reason.clone(),
        };
    }
    let failures = || rounds.iter().flat_map(|round| &round.failed);
    let own = failures().find(|(url, _)| url == given);
    if let Some((_, failure)) = own
        && let FetchError::Refused(refused) = &failure.error
    {
        return DiscoveryError::Refused(refused.clone());
    }
    let mut refusals = Refusals::default();
    for (requested, failure) in failures() {
        refusals.add_failure(failure, requested.host() == given.host());
    }
    for (url, title) in rounds.iter().flat_map(|round| round.challenges()) {
        refusals.add_challenge(url, &title);
    }
    match own {
        Some((_, failure)) if !matches!(failure.error, FetchError::Status { .. }) => {
            DiscoveryError::Unreachable {
                host,
                reason: failure.to_string(),
            }
        }
        _ if !refusals.is_empty() => DiscoveryError::Blocked(refusals),
        _ => DiscoveryError::NotFound(host),
    }
}
