//! What users found some minutes ago, in bounded memory.

use chrono::{DateTime, Duration, Utc};
use probe::Discovery;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How long somebody may take over choosing components without the page being asked again.
const KEEP: Duration = Duration::minutes(5);
/// How many pages are remembered, and of how many components at most.
const CAPACITY: usize = 100;
const MAX_COMPONENTS: usize = 2_000;

/// When it was found and what, by its finder and its addresses.
type Pages = HashMap<(Uuid, String), (DateTime<Utc>, Arc<Discovery>)>;

/// The pages that users found, each for its finder alone: whether a page is known must tell nobody that somebody else
/// looked at it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pages: Mutex<Pages>,
}

impl Recent {
    /// Remembers what `user` found. Incidents and maintenance are not what is chosen from, and dropped.
    pub(super) fn keep(&self, user: Uuid, mut found: Discovery, now: DateTime<Utc>) -> Arc<Discovery> {
        found.page.incidents = Vec::new();
        found.page.maintenances = Vec::new();
        let found = Arc::new(found);
        if found.page.components.len() <= MAX_COMPONENTS {
            let mut pages = self.lock();
            if pages.len() >= CAPACITY {
                pages.retain(|_, (at, _)| fresh(*at, now));
                if pages.len() >= CAPACITY {
                    pages.clear();
                }
            }
            pages.insert((user, found.key()), (now, Arc::clone(&found)));
        }
        found
    }

    /// What `user` found at exactly these addresses.
    pub(super) fn find(&self, user: Uuid, api_urls: &[String], now: DateTime<Utc>) -> Option<Arc<Discovery>> {
        let mut urls: Vec<&str> = api_urls.iter().map(String::as_str).collect();
        urls.sort_unstable();
        urls.dedup();
        let pages = self.lock();
        let (at, found) = pages.get(&(user, urls.join("\n")))?;
        fresh(*at, now).then(|| Arc::clone(found))
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // Whole between any two statements, whoever panics.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back must not keep anything alive.
fn fresh(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (at..at + KEEP).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe::status_page::{Identity, Listing, Page};

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
            listing: Listing::All,
        };
        Discovery { api_urls: urls.iter().map(|url| (*url).to_owned()).collect(), page }
    }

    #[test]
    fn what_was_found_is_known_to_its_finder_alone_for_some_minutes_whatever_the_order() {
        let (recent, ada, ben) = (Recent::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        recent.keep(ada, page(&["b", "a"]), at(0));
        let urls = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        for (user, seconds, known) in
            [(ada, 0, true), (ada, 299, true), (ada, 300, false), (ada, -1, false), (ben, 0, false)]
        {
            assert_eq!(recent.find(user, &urls, at(seconds)).is_some(), known, "{user} {seconds}");
        }
        assert!(recent.find(ada, &urls[..1], at(0)).is_none(), "half a page is another page");
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let (recent, ada) = (Recent::default(), Uuid::from_u128(1));
        for n in 0..1_000 {
            recent.keep(ada, page(&[&n.to_string()]), at(0));
            assert!(recent.lock().len() <= CAPACITY);
            assert!(recent.find(ada, &[n.to_string()], at(0)).is_some());
        }
    }
}
