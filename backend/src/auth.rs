//! Identifies who sends a request: sessions of browsers, API tokens of programs, and sign-in by a
//! one-time link (`local`) or a provider. Every way to sign in ends in [`session::create`].
//!
//! Knows the database and the providers, but neither HTTP nor GraphQL. Time is always an argument.

mod access_token;
pub(crate) mod api_token;
pub(crate) mod avatar;
pub(crate) mod browser;
pub(crate) mod calendar;
pub(crate) mod cookie;
mod identification;
mod identity;
pub mod local;
pub(crate) mod login_state;
pub mod provider;
mod refresh_token;
pub(crate) mod refusal;
pub(crate) mod return_path;
mod revocation;
mod secret;
pub(crate) mod session;
mod sign_in;
mod signature;
mod ttl_cache;
pub mod viewer;
mod workspace;

pub(crate) use identification::IdentifyError;
pub(crate) use revocation::Revocation;
pub(crate) use sign_in::{CallbackParams, RefreshResponse, SignedIn};
pub use viewer::{TokenScope, Viewer};

use access_token::Signer;
use chrono::{DateTime, Duration, Utc};
use entity::column::Role;
use login_state::LoginStates;
use provider::Providers;
use refresh_token::RefreshTokens;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::broadcast;
use ttl_cache::TtlCache;
use uuid::Uuid;

/// How long a session, a token or a membership is cached. Ending one takes effect at once in the
/// process that ends it, and within this time in the others.
const SESSION_CACHE_TTL: Duration = Duration::seconds(5);

/// Maximum number of entries in each cache; an entry takes about 150 bytes.
const SESSION_CACHE_CAPACITY: usize = 20_000;

/// Identifies viewers and signs people in.
pub struct Auth {
    db: DatabaseConnection,
    signer: Signer,
    refresh_tokens: RefreshTokens,
    login_states: LoginStates,
    providers: Providers,
    local_links: bool,
    sessions: TtlCache<Uuid, CachedSession>,
    tokens: TtlCache<secret::Hash, CachedToken>,
    /// State of tokens by id, for connections that presented theirs long ago.
    tokens_by_id: TtlCache<Uuid, TokenState>,
    /// Roles by workspace and user.
    roles: TtlCache<(Uuid, Uuid), Role>,
    revocations: broadcast::Sender<Revocation>,
}

#[derive(Clone, Copy)]
struct CachedSession {
    user: Uuid,
    expires_at: DateTime<Utc>,
}

#[derive(Clone, Copy)]
struct CachedToken {
    viewer: Viewer,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy)]
struct TokenState {
    expires_at: Option<DateTime<Utc>>,
    role: Role,
}

impl Auth {
    /// # Errors
    /// When the HTTP client for sign-in providers cannot be created.
    pub(crate) fn new(
        db: DatabaseConnection,
        settings: &crate::Settings,
    ) -> Result<Self, provider::Fault> {
        let issuer = settings.public_url.origin().ascii_serialization();
        let secret = settings.secret_key.as_str();
        let previous = settings.previous_secret_key.as_deref();
        Ok(Self {
            db,
            signer: Signer::new(issuer.clone(), secret, previous),
            refresh_tokens: RefreshTokens::new(secret, previous),
            login_states: LoginStates::new(issuer, secret, previous),
            providers: Providers::new(settings.providers.clone(), &settings.public_url)?,
            local_links: settings.local_login,
            sessions: TtlCache::new(SESSION_CACHE_TTL, SESSION_CACHE_CAPACITY),
            tokens: TtlCache::new(SESSION_CACHE_TTL, SESSION_CACHE_CAPACITY),
            tokens_by_id: TtlCache::new(SESSION_CACHE_TTL, SESSION_CACHE_CAPACITY),
            roles: TtlCache::new(SESSION_CACHE_TTL, SESSION_CACHE_CAPACITY),
            revocations: broadcast::Sender::new(256),
        })
    }

    /// The configured sign-in providers.
    pub(crate) const fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Whether one-time links are enabled.
    pub(crate) const fn local_links(&self) -> bool {
        self.local_links
    }

    /// Deletes expired sessions, unused links and consumed login states.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn purge(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        session::purge(&self.db, now).await?;
        login_state::purge(&self.db, now).await?;
        local::purge(&self.db, now).await
    }
}

/// Begins a transaction that may write. SQLite takes its lock at once: a transaction that begins by
/// reading may not be able to write later.
async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let options = TransactionOptions {
        sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}

#[cfg(test)]
mod tests;
