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

use crate::auth::revocation::Revocation;
use crate::auth::viewer::Viewer;
use chrono::{DateTime, Duration, Utc};
use entity::column::Role;
use std::fmt;
use uuid::Uuid;

/// How long a session, a token or a membership counts as valid without asking the database again.
/// Ending one takes effect at once in the process that ends it, and within this time in the others.
const SESSION_CACHE_TTL: Duration = Duration::seconds(5);

/// Maximum number of sessions, of tokens and of memberships; each takes about 150 bytes.
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

/// What decides whether a token that was presented earlier is still valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenState {
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// The role of its user in its workspace.
    pub(crate) role: Role,
}

/// SHA-256 of an API token.
type TokenHash = [u8; 32];

/// The caches of one process, shared by sign-in and use cases.
pub struct Caches {
    /// By id.
    pub(crate) sessions: TtlCache<Uuid, CachedSession>,
    pub(crate) tokens: TtlCache<TokenHash, CachedToken>,
    /// By id: for connections that presented their token long ago.
    pub(crate) token_states: TtlCache<Uuid, TokenState>,
    /// By workspace and user.
    pub(crate) roles: TtlCache<(Uuid, Uuid), Role>,
    /// The services of each workspace.
    pub(crate) services: ServiceCache,
    /// The vendor pages that each workspace looked at lately.
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
            token_states: TtlCache::new(ttl, capacity),
            roles: TtlCache::new(ttl, capacity),
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
    pub(crate) fn invalidate(&self, revocation: Revocation) {
        match revocation {
            Revocation::Session(session) => self.sessions.invalidate_if(|id, _| *id == session),
            Revocation::Token(token) => {
                self.tokens
                    .invalidate_if(|_, cached| cached.viewer.token == Some(token));
                self.token_states.invalidate_if(|id, _| *id == token);
            }
            Revocation::Account(user) => {
                self.sessions
                    .invalidate_if(|_, cached| cached.user_id == user);
                self.tokens
                    .invalidate_if(|_, cached| cached.viewer.user_id == user);
                // They do not name their user, and are few.
                self.token_states.invalidate_if(|_, _| true);
                self.roles.invalidate_if(|(_, member), _| *member == user);
            }
            Revocation::Workspace(workspace) => {
                self.tokens
                    .invalidate_if(|_, cached| cached.viewer.workspace_id == workspace);
                // They do not name their workspace, and are few.
                self.token_states.invalidate_if(|_, _| true);
                self.roles.invalidate_if(|(id, _), _| *id == workspace);
                self.services.invalidate(workspace);
                self.discoveries.invalidate(workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::viewer::TokenScope;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000, 0).unwrap()
    }

    /// Caches a session, a token and a membership of `user`, all with the same id.
    fn fill(caches: &Caches, user: Uuid) {
        let viewer = Viewer {
            user_id: user,
            workspace_id: user,
            role: Role::Owner,
            scope: TokenScope::Full,
            session: None,
            token: Some(user),
        };
        let session = CachedSession {
            user_id: user,
            expires_at: now(),
        };
        let token = CachedToken {
            viewer,
            expires_at: None,
        };
        let state = TokenState {
            expires_at: None,
            role: Role::Owner,
        };
        caches
            .sessions
            .insert(caches.sessions.begin_load(), user, session, now());
        caches
            .tokens
            .insert(caches.tokens.begin_load(), hash(user), token, now());
        caches
            .token_states
            .insert(caches.token_states.begin_load(), user, state, now());
        let membership = (user, user);
        caches
            .roles
            .insert(caches.roles.begin_load(), membership, Role::Owner, now());
    }

    fn hash(user: Uuid) -> TokenHash {
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(user.as_bytes());
        hash
    }

    /// Whether the session, the token, the token's state and the membership are cached.
    fn cached(caches: &Caches, user: Uuid) -> [bool; 4] {
        [
            caches.sessions.get(&user, now()).is_some(),
            caches.tokens.get(&hash(user), now()).is_some(),
            caches.token_states.get(&user, now()).is_some(),
            caches.roles.get(&(user, user), now()).is_some(),
        ]
    }

    #[test]
    fn each_event_invalidates_what_it_concerns_and_nothing_else() {
        let [ada, ben] = [1, 2].map(Uuid::from_u128);
        for (event, of_ada, of_ben) in [
            (
                Revocation::Session(ada),
                [false, true, true, true],
                [true; 4],
            ),
            (
                Revocation::Token(ada),
                [true, false, false, true],
                [true; 4],
            ),
            (
                Revocation::Account(ada),
                [false, false, false, false],
                [true, true, false, true],
            ),
            (
                Revocation::Workspace(ada),
                [true, false, false, false],
                [true, true, false, true],
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
