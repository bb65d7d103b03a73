//! What users found some minutes ago, in bounded memory.

use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
use vendor_pages::Discovery;

/// How long somebody may take over choosing components without the page being asked again.
const KEEP: Duration = Duration::minutes(5);
/// What all pages together may weigh, in bytes, and those of one user.
const ALL: usize = 32 << 20;
const OF_ONE: usize = 4 << 20;
/// What a page weighs at least, so that many small ones are not many entries.
const LEAST: usize = 4 << 10;
/// What a component weighs besides its texts.
const COMPONENT: usize = 200;

/// What was found, by its finder and the key of its addresses.
type Pages = HashMap<(Uuid, String), Kept>;

#[derive(Debug)]
struct Kept {
    at: DateTime<Utc>,
    weight: usize,
    found: Arc<Discovery>,
}

/// The pages that users found, each for its finder alone: whether a page is known must tell nobody that somebody else
/// looked at it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pages: Mutex<Pages>,
}

impl Recent {
    /// Remembers what `user` found. Incidents and maintenance are not what is chosen from, and dropped. Whoever finds much
    /// forgets their own first.
    pub(super) fn keep(
        &self,
        user: Uuid,
        mut found: Discovery,
        now: DateTime<Utc>,
    ) -> Arc<Discovery> {
        found.page.incidents = Vec::new();
        found.page.maintenances = Vec::new();
        let (weight, key) = (weight(&found), (user, found.key()));
        let found = Arc::new(found);
        let mut pages = self.lock();
        pages.remove(&key);
        pages.retain(|_, kept| fresh(kept.at, now));
        if weight <= OF_ONE {
            make_room(&mut pages, OF_ONE - weight, |of| *of == user);
            make_room(&mut pages, ALL - weight, |_| true);
            pages.insert(
                key,
                Kept {
                    at: now,
                    weight,
                    found: Arc::clone(&found),
                },
            );
        }
        found
    }

    /// What `user` found lately that has this key.
    pub(super) fn by_key(
        &self,
        user: Uuid,
        key: &str,
        now: DateTime<Utc>,
    ) -> Option<Arc<Discovery>> {
        let pages = self.lock();
        let kept = pages.get(&(user, key.to_owned()))?;
        fresh(kept.at, now).then(|| Arc::clone(&kept.found))
    }

    /// What `user` found at exactly these addresses.
    pub(super) fn find(
        &self,
        user: Uuid,
        api_urls: &[String],
        now: DateTime<Utc>,
    ) -> Option<Arc<Discovery>> {
        self.by_key(user, &vendor_pages::discovery::key(api_urls), now)
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // Whole between any two statements, whoever panics.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the oldest of some users' pages until they weigh no more than `most`.
fn make_room(pages: &mut Pages, most: usize, whose: impl Fn(&Uuid) -> bool) {
    let mut those: Vec<_> = pages.iter().filter(|((user, _), _)| whose(user)).collect();
    let mut total: usize = those.iter().map(|(_, kept)| kept.weight).sum();
    if total <= most {
        return;
    }
    those.sort_unstable_by_key(|(_, kept)| kept.at);
    let mut dropped = Vec::new();
    for (key, kept) in those {
        if total <= most {
            break;
        }
        total -= kept.weight;
        dropped.push(key.clone());
    }
    for key in dropped {
        pages.remove(&key);
    }
}

/// About how many bytes it takes.
fn weight(found: &Discovery) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let component = |one: &vendor_pages::page::Component| {
        one.id.len() + one.name.len() + text(&one.group) + one.vendor_status.len() + COMPONENT
    };
    let components: usize = found.page.components.iter().map(component).sum();
    let urls: usize = found.api_urls.iter().map(String::len).sum();
    (components + 2 * urls + text(&found.page.name) + text(&found.page.url)).max(LEAST)
}

/// A clock that was set back must not keep anything alive.
fn fresh(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (at..at + KEEP).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vendor_pages::page::{Identity, Listing, Page};

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
        Discovery {
            api_urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            page,
        }
    }

    #[test]
    fn what_was_found_is_known_to_its_finder_alone_for_some_minutes_whatever_the_order() {
        let (recent, ada, ben) = (Recent::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        recent.keep(ada, page(&["b", "a"]), at(0));
        let urls = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        for (user, seconds, known) in [
            (ada, 0, true),
            (ada, 299, true),
            (ada, 300, false),
            (ada, -1, false),
            (ben, 0, false),
        ] {
            assert_eq!(
                recent.find(user, &urls, at(seconds)).is_some(),
                known,
                "{user} {seconds}"
            );
        }
        assert!(
            recent.find(ada, &urls[..1], at(0)).is_none(),
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

    fn held(recent: &Recent) -> usize {
        recent.lock().values().map(|kept| kept.weight).sum()
    }

    #[test]
    fn who_finds_much_forgets_their_own_oldest_first() {
        let (recent, ada, ben) = (Recent::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        recent.keep(ben, heavy("ben's"), at(0));
        for n in 0..100 {
            recent.keep(ada, heavy(&n.to_string()), at(n));
            assert!(held(&recent) <= 2 * OF_ONE);
        }
        let known: Vec<_> = (0..100)
            .filter(|n: &i64| recent.find(ada, &[n.to_string()], at(99)).is_some())
            .collect();
        assert_eq!(known, [97, 98, 99]);
        assert!(
            recent.find(ben, &["ben's".to_owned()], at(99)).is_some(),
            "others forget nothing"
        );
        let mut huge = heavy("huge");
        huge.page.name = Some("x".repeat(OF_ONE));
        recent.keep(ada, huge, at(100));
        assert!(recent.find(ada, &["huge".to_owned()], at(100)).is_none());
    }

    #[test]
    fn all_together_it_is_bounded_and_the_oldest_go() {
        let recent = Recent::default();
        for n in 0..100u32 {
            recent.keep(Uuid::from_u128(n.into()), heavy("a"), at(n.into()));
            assert!(held(&recent) <= ALL);
        }
        let known = |n: u32| {
            recent
                .find(Uuid::from_u128(n.into()), &["a".to_owned()], at(100))
                .is_some()
        };
        assert_eq!(
            (0..100).filter(|n| known(*n)).collect::<Vec<_>>(),
            (69..100).collect::<Vec<_>>()
        );
    }
}
