//! A vendor page as the owner of a service may see it: nothing that was read for others before the
//! service was created.

use chrono::{DateTime, Duration, Utc};
use domain::vendor_page::{Freshness, freshness};
use entity::column::ListCoverage;
use entity::{service, vendor_page};
use std::sync::Arc;
use vendor_pages::Discovery;

/// Maximum number of components in a result: the cost of a query is checked before their number is
/// known.
pub(super) const MAX_COMPONENTS: usize = 50_000;

/// The limit of a statement: one row more shows that there are too many.
pub(super) const ROW_LIMIT: u64 = MAX_COMPONENTS as u64 + 1;

/// Within this time a page is read for a new service. A change until then may have been known to
/// other users before, so it is dated to the creation of the service.
const FIRST_READ_WITHIN: Duration = Duration::minutes(2);

/// The page that a service follows.
#[derive(Debug, Clone)]
pub struct PageView {
    pub(super) row: Arc<vendor_page::Model>,
    /// When it was last read, at the earliest when the service was created.
    pub read_at: DateTime<Utc>,
    /// When the service began to follow it.
    pub(super) since: DateTime<Utc>,
    pub(super) source: PageSource,
}

/// Where the contents of a page come from.
#[derive(Debug, Clone)]
pub(super) enum PageSource {
    /// The database: it was read since the service began to follow it.
    Stored,
    /// The owner's own discovery: it was not read since.
    Discovered(Arc<Discovery>),
    /// Nowhere: that is not cached any more.
    Unknown,
}

impl PageView {
    pub(super) fn of(
        row: &Arc<vendor_page::Model>,
        service: &service::Model,
        own: impl FnOnce() -> Option<Arc<Discovery>>,
    ) -> Self {
        // The owner must not see what was read for others before.
        let since = service.created_at;
        let read_at = row.fetched_at.map_or(since, |at| std::cmp::max(at, since));
        let source = match row.fetched_at {
            Some(at) if at >= since => PageSource::Stored,
            _ => own().map_or(PageSource::Unknown, PageSource::Discovered),
        };
        Self {
            row: Arc::clone(row),
            read_at,
            since,
            source,
        }
    }

    fn text<'a>(
        &'a self,
        stored: impl FnOnce(&'a vendor_page::Model) -> Option<&'a str>,
        own: impl FnOnce(&'a vendor_pages::page::Page) -> Option<&'a str>,
    ) -> Option<&'a str> {
        match &self.source {
            PageSource::Stored => stored(&self.row),
            PageSource::Discovered(found) => own(&found.page),
            PageSource::Unknown => None,
        }
    }

    /// The vendor's name for it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text(|row| row.name.as_deref(), |page| page.name.as_deref())
    }

    /// The address of the page for people, as the page says: any text.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.text(|row| row.url.as_deref(), |page| page.url.as_deref())
    }

    /// The provider of the page's software.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.text(|row| row.provider.as_deref(), |page| Some(page.provider))
    }

    /// Whether it was not read recently.
    #[must_use]
    pub fn stale(&self, now: DateTime<Utc>) -> bool {
        freshness(Some(self.read_at), now) != Freshness::Fresh
    }

    /// Why the last attempt to read it failed, one sentence; `None` if it succeeded, or if there was
    /// none since the service follows it.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let tried = self.row.attempted_at.is_some_and(|at| at >= self.since);
        (tried && self.row.failures > 0).then(|| {
            self.row
                .message
                .as_deref()
                .unwrap_or("it could not be read")
        })
    }

    /// Whether it lists all of its components.
    pub(super) fn lists_all(&self) -> bool {
        match &self.source {
            PageSource::Stored => self.row.listing == ListCoverage::All,
            PageSource::Discovered(found) => {
                found.page.listing == vendor_pages::page::ListCoverage::All
            }
            PageSource::Unknown => false,
        }
    }

    /// The API addresses that are read.
    #[must_use]
    pub fn api_urls(&self) -> Vec<String> {
        let urls = self
            .row
            .api_urls
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut urls: Vec<_> = urls
            .iter()
            .filter_map(|url| url.as_str().map(str::to_owned))
            .collect();
        // Hides the order in which the first follower gave them.
        urls.sort_unstable();
        urls
    }
}

/// Returns when those who follow a page since `since` could know of a change at `changed_at`.
pub(super) fn known_at(changed_at: DateTime<Utc>, since: DateTime<Utc>) -> DateTime<Utc> {
    if changed_at < since + FIRST_READ_WITHIN {
        since
    } else {
        changed_at
    }
}
