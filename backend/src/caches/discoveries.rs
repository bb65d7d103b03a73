//! The vendor pages that workspaces looked at some minutes ago, so that adding the service does not
//! ask the vendor again.

use super::ttl_cache::TtlCache;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use uuid::Uuid;
use vendor_pages::Discovery;

/// How long somebody may take over choosing components without the page being read again.
const DISCOVERY_CACHE_TTL: Duration = Duration::minutes(5);
/// Maximum size of all cached pages together, in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// Maximum size of one workspace's cached pages, in bytes.
const MAX_BYTES_PER_WORKSPACE: u32 = 4 << 20;
/// What a page counts as at least, so that small ones cannot be very many.
const MIN_PAGE_BYTES: usize = 4 << 10;
/// What a component takes besides its texts.
const COMPONENT_BYTES: usize = 200;

/// Caches discovered vendor pages per workspace and page key, for that workspace alone: whether a
/// page is cached must not tell anybody that somebody else looked at it.
pub(crate) struct DiscoveryCache(TtlCache<(Uuid, String), Arc<Discovery>>);

impl Default for DiscoveryCache {
    fn default() -> Self {
        Self(TtlCache::new(DISCOVERY_CACHE_TTL, MAX_BYTES))
    }
}

impl DiscoveryCache {
    /// Stores what `workspace` found, without incidents and maintenance: nothing is chosen from
    /// them. Makes room among the workspace's own pages first.
    pub(crate) fn insert(
        &self,
        workspace: Uuid,
        mut found: Discovery,
        now: DateTime<Utc>,
    ) -> Arc<Discovery> {
        found.page.incidents = Vec::new();
        found.page.maintenances = Vec::new();
        let key = (workspace, found.key());
        let bytes = u32::try_from(approximate_bytes(&found)).unwrap_or(u32::MAX);
        let found = Arc::new(found);
        self.0.remove(&key);
        if bytes <= MAX_BYTES_PER_WORKSPACE {
            let room = MAX_BYTES_PER_WORKSPACE - bytes;
            self.0
                .shrink_group(room.into(), |(owner, _)| *owner == workspace);
            self.0
                .insert_many(self.0.begin_load(), [(key, found.clone(), bytes)], now);
        }
        found
    }

    /// Returns what `workspace` found lately under the key of a page.
    pub(crate) fn get_by_key(
        &self,
        workspace: Uuid,
        key: &str,
        now: DateTime<Utc>,
    ) -> Option<Arc<Discovery>> {
        self.0.get(&(workspace, key.to_owned()), now)
    }

    /// Returns what `workspace` found lately at exactly these addresses, in any order.
    pub(crate) fn get_by_urls(
        &self,
        workspace: Uuid,
        api_urls: &[String],
        now: DateTime<Utc>,
    ) -> Option<Arc<Discovery>> {
        self.get_by_key(workspace, &vendor_pages::discovery::key(api_urls), now)
    }

    pub(super) fn invalidate(&self, workspace: Uuid) {
        self.0.invalidate_if(|(owner, _), _| *owner == workspace);
    }
}

fn approximate_bytes(found: &Discovery) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let component = |one: &vendor_pages::page::Component| {
        one.id.len() + one.name.len() + text(&one.group) + one.vendor_status.len() + COMPONENT_BYTES
    };
    let components: usize = found.page.components.iter().map(component).sum();
    let urls: usize = found.api_urls.iter().map(String::len).sum();
    (components + 2 * urls + text(&found.page.name) + text(&found.page.url)).max(MIN_PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vendor_pages::page::{Identity, ListCoverage, Page};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000 + seconds, 0).unwrap()
    }

    fn page(urls: &[&str]) -> Discovery {
        let page = Page {
            provider: "Statuspage",
            name: None,
            url: None,
            components: Vec::new(),
            incidents: Vec::new(),
            maintenances: Vec::new(),
            identity: Identity::Id,
            listing: ListCoverage::All,
        };
        Discovery {
            api_urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            page,
        }
    }

    #[test]
    fn a_page_is_cached_for_its_finder_alone_for_some_minutes() {
        let (cache, ada, ben) = (
            DiscoveryCache::default(),
            Uuid::from_u128(1),
            Uuid::from_u128(2),
        );
        cache.insert(ada, page(&["b", "a"]), at(0));
        let urls = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        for (user, seconds, cached) in [
            (ada, 0, true),
            (ada, 299, true),
            (ada, 300, false),
            (ada, -1, false),
            (ben, 0, false),
        ] {
            assert_eq!(
                cache.get_by_urls(user, &urls, at(seconds)).is_some(),
                cached,
                "{user} {seconds}"
            );
        }
        assert!(
            cache.get_by_urls(ada, &urls[..1], at(0)).is_none(),
            "half a page is another page"
        );
    }

    /// A page that weighs a MiB and a little.
    fn heavy(url: &str) -> Discovery {
        Discovery {
            page: Page {
                name: Some("x".repeat(1 << 20)),
                ..page(&[url]).page
            },
            ..page(&[url])
        }
    }

    #[test]
    fn a_user_who_finds_much_loses_their_own_oldest_first() {
        let (cache, ada, ben) = (
            DiscoveryCache::default(),
            Uuid::from_u128(1),
            Uuid::from_u128(2),
        );
        cache.insert(ben, heavy("ben's"), at(0));
        for n in 0..100 {
            cache.insert(ada, heavy(&n.to_string()), at(n));
            assert!(cache.0.weight() <= 2 * u64::from(MAX_BYTES_PER_WORKSPACE));
        }
        let cached: Vec<_> = (0..100)
            .filter(|n: &i64| cache.get_by_urls(ada, &[n.to_string()], at(99)).is_some())
            .collect();
        assert_eq!(cached, [97, 98, 99]);
        assert!(
            cache
                .get_by_urls(ben, &["ben's".to_owned()], at(99))
                .is_some(),
            "others lose nothing"
        );
        let mut huge = heavy("huge");
        huge.page.name = Some("x".repeat(4 << 20));
        cache.insert(ada, huge, at(100));
        assert!(
            cache
                .get_by_urls(ada, &["huge".to_owned()], at(100))
                .is_none()
        );
    }

    #[test]
    fn all_pages_together_are_bounded_and_the_oldest_go() {
        let cache = DiscoveryCache::default();
        for n in 0..100u32 {
            cache.insert(Uuid::from_u128(n.into()), heavy("a"), at(n.into()));
            assert!(cache.0.weight() <= MAX_BYTES);
        }
        let cached = |n: u32| {
            cache
                .get_by_urls(Uuid::from_u128(n.into()), &["a".to_owned()], at(100))
                .is_some()
        };
        assert_eq!(
            (0..100).filter(|n| cached(*n)).collect::<Vec<_>>(),
            (69..100).collect::<Vec<_>>()
        );
    }
}
