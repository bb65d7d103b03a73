//! The reader of vendor pages: a fetcher with the limits of discoveries.

use super::limiter::{DiscoveryLimiter, DiscoveryPermit};
use crate::auth::Viewer;
use crate::use_cases::error::Result;
use net::Fetcher;
use std::time::Duration;

/// Timeout of each request to a vendor.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// Reads vendor pages on behalf of users. Clones share its limits.
#[derive(Debug, Clone)]
pub struct VendorPages {
    pub(super) fetcher: Fetcher,
    pub(super) limiter: DiscoveryLimiter,
}

impl VendorPages {
    /// Returns one that sends its requests through `fetcher`.
    #[must_use]
    pub fn new(fetcher: &Fetcher) -> Self {
        Self {
            fetcher: fetcher.within(REQUEST_TIMEOUT),
            limiter: DiscoveryLimiter::default(),
        }
    }

    /// Waits for a permit for a discovery that counts as `cost` addresses.
    pub(super) async fn acquire(&self, viewer: &Viewer, cost: u32) -> Result<DiscoveryPermit> {
        self.limiter.acquire(viewer.user_id, cost).await
    }
}
