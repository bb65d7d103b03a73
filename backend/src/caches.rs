//! Every cache of this process, and what invalidates what.
//!
//! Nothing is wrong without them: each saves the database or a vendor a question that was answered
//! a moment ago. Knows neither how a value is loaded nor who asks for it.

mod aggregates;
mod discoveries;
mod services;
mod ttl_cache;

pub use aggregates::AggregateCache;
pub(crate) use aggregates::UptimeAggregate;
pub(crate) use discoveries::DiscoveryCache;
pub(crate) use services::{ServiceCache, ServicesVersion};
use ttl_cache::TtlCache;

use crate::auth::ended::Ended;
use crate::auth::viewer::Viewer;
use chrono::{DateTime, Duration, Utc};
use std::fmt;
use uuid::Uuid;

/// How long a session or token counts as valid without asking the database again. An ended session
/// or a revoked token stops working at once in the process that ended it, and within this time in
/// the others.
const SESSION_CACHE_TTL: Duration = Duration::seconds(5);

/// Maximum number of sessions, and of tokens, that are cached; each takes about 150 bytes.
const SESSION_CACHE_CAPACITY: u64 = 20_000;

/// A session that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedSession {
    pub(crate) user_id: Uuid,
    pub(crate) expires_at: DateTime<Utc>,
}

/// An API token that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedToken {
    pub(crate) viewer: Viewer,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// SHA-256 of an API token.
type TokenHash = [u8; 32];

/// The caches of one process, shared by sign-in and use cases.
pub struct Caches {
    /// By id.
    pub(crate) sessions: TtlCache<Uuid, CachedSession>,
    pub(crate) tokens: TtlCache<TokenHash, CachedToken>,
    /// When tokens expire, by id: for connections that presented theirs long ago.
    pub(crate) token_expiries: TtlCache<Uuid, Option<DateTime<Utc>>>,
    /// The services of each user.
    pub(crate) services: ServiceCache,
    /// The vendor pages that each user looked at lately.
    pub(crate) discoveries: DiscoveryCache,
    /// Sums of history.
    pub(crate) aggregates: AggregateCache,
}

impl Default for Caches {
    fn default() -> Self {
        let (ttl, capacity) = (SESSION_CACHE_TTL, SESSION_CACHE_CAPACITY);
        Self {
            sessions: TtlCache::new(ttl, capacity),
            tokens: TtlCache::new(ttl, capacity),
            token_expiries: TtlCache::new(ttl, capacity),
            services: ServiceCache::default(),
            discoveries: DiscoveryCache::default(),
            aggregates: AggregateCache::default(),
        }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").finish_non_exhaustive()
    }
}

impl Caches {
    /// Removes what is no longer valid. A value whose load began before this call is not stored
    /// after it.
    ///
    /// Changed services need no invalidation: [`ServiceCache`] compares their version in the
    /// database on each read, because other processes change them too. Nor does history: the days
    /// in [`AggregateCache`] are over, and the numbers of deleted services are not used again.
    pub(crate) fn invalidate(&self, ended: Ended) {
        match ended {
            Ended::Session(session) => self.sessions.invalidate_if(|id, _| *id == session),
            Ended::Token(token) => {
                self.tokens
                    .invalidate_if(|_, cached| cached.viewer.token == Some(token));
                self.token_expiries.invalidate_if(|id, _| *id == token);
            }
            Ended::Account(user) => {
                self.sessions
                    .invalidate_if(|_, cached| cached.user_id == user);
                self.tokens
                    .invalidate_if(|_, cached| cached.viewer.user_id == user);
                // They do not name their user, and are few.
                self.token_expiries.invalidate_if(|_, _| true);
                self.services.invalidate(user);
                self.discoveries.invalidate(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000, 0).unwrap()
    }

    fn fill(caches: &Caches, user: Uuid) {
        let viewer = Viewer {
            user_id: user,
            session: None,
            token: Some(user),
            read_only: false,
        };
        let session = CachedSession {
            user_id: user,
            expires_at: now(),
        };
        let token = CachedToken {
            viewer,
            expires_at: None,
        };
        caches
            .sessions
            .insert(caches.sessions.begin_load(), user, session, now());
        caches
            .tokens
            .insert(caches.tokens.begin_load(), hash(user), token, now());
        caches
            .token_expiries
            .insert(caches.token_expiries.begin_load(), user, None, now());
    }

    fn hash(user: Uuid) -> TokenHash {
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(user.as_bytes());
        hash
    }

    /// Whether the session, the token and the token's expiry are cached.
    fn cached(caches: &Caches, user: Uuid) -> [bool; 3] {
        [
            caches.sessions.get(&user, now()).is_some(),
            caches.tokens.get(&hash(user), now()).is_some(),
            caches.token_expiries.get(&user, now()).is_some(),
        ]
    }

    #[test]
    fn each_event_invalidates_what_it_concerns_and_nothing_else() {
        let [ada, ben] = [1, 2].map(Uuid::from_u128);
        for (event, of_ada, of_ben) in [
            (Ended::Session(ada), [false, true, true], [true, true, true]),
            (Ended::Token(ada), [true, false, false], [true, true, true]),
            (
                Ended::Account(ada),
                [false, false, false],
                [true, true, false],
            ),
        ] {
            let caches = Caches::default();
            fill(&caches, ada);
            fill(&caches, ben);
            caches.invalidate(event);
            assert_eq!(cached(&caches, ada), of_ada, "Ada's after {event:?}");
            assert_eq!(cached(&caches, ben), of_ben, "Ben's after {event:?}");
        }
    }
}
