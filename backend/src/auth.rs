//! Who is asking, and how they proved it: sessions of browsers, API tokens of programs, and the ways to sign in.
//! Sign-in providers get modules beside `local`: whichever is used, it ends in [`session::begin`].
//!
//! Knows the database, but neither HTTP nor GraphQL. Time is always an argument.

mod access_token;
pub(crate) mod api_token;
pub(crate) mod calendar;
pub(crate) mod cookie;
pub mod local;
mod recent;
mod secret;
pub(crate) mod session;
pub mod viewer;

pub use viewer::Viewer;

use access_token::Signer;
use chrono::{DateTime, Duration, Utc};
use recent::Recent;
use sea_orm::{DatabaseConnection, DbErr};
use session::{Begun, Device, Exchange};
use tokio::sync::broadcast;
use uuid::Uuid;

/// How long the answer "this session or token exists" is believed without asking the database again. An ended session or
/// a revoked token stops working at once in the process that ended it, and within this time in the others.
const BELIEVED_FOR: Duration = Duration::seconds(5);

/// How many sessions, and how many tokens, are remembered at once; each takes about 150 bytes.
const REMEMBERED: usize = 20_000;

/// Decides who is asking.
pub struct Auth {
    db: DatabaseConnection,
    signer: Signer,
    sessions: Recent<Uuid, Session>,
    tokens: Recent<secret::Hash, Token>,
    /// When tokens end, by their ids: for those who showed theirs long ago and are still here.
    token_ends: Recent<Uuid, Option<DateTime<Utc>>>,
    ended: broadcast::Sender<Ended>,
}

/// What has just been ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Session(Uuid),
    Token(Uuid),
}

impl Ended {
    /// Whether it was by this that somebody was let in.
    pub(crate) fn concerns(self, viewer: &Viewer) -> bool {
        match self {
            Self::Session(session) => viewer.session == Some(session),
            Self::Token(token) => viewer.token == Some(token),
        }
    }
}

#[derive(Clone, Copy)]
struct Session {
    user: Uuid,
    expires_at: DateTime<Utc>,
}

#[derive(Clone, Copy)]
struct Token {
    viewer: Viewer,
    expires_at: Option<DateTime<Utc>>,
}

/// What a browser gets for a refresh token.
pub(crate) enum Refreshed {
    /// An access token and, unless another tab just got it, the next refresh token.
    Granted { access_token: String, expires_at: DateTime<Utc>, refresh_token: Option<String> },
    /// Nothing: they have to sign in again.
    Refused,
}

/// What a browser gets for signing in.
pub(crate) struct SignedIn {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Auth {
    pub(crate) fn new(db: DatabaseConnection, issuer: String, secret_key: &str, previous: Option<&str>) -> Self {
        Self {
            db,
            signer: Signer::new(issuer, secret_key, previous),
            sessions: Recent::new(BELIEVED_FOR, REMEMBERED),
            tokens: Recent::new(BELIEVED_FOR, REMEMBERED),
            token_ends: Recent::new(BELIEVED_FOR, REMEMBERED),
            ended: broadcast::Sender::new(256),
        }
    }

    /// Who presents this access token; `None` when it or its session has ended, or was never issued here.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn by_access_token(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Viewer>, DbErr> {
        let Some(claims) = self.signer.read(token).filter(|claims| !claims.expired(now)) else { return Ok(None) };
        let viewer = Viewer { user_id: claims.sub, session: Some(claims.sid), token: None, read_only: false };
        Ok(self.session_lives(claims.sid, claims.sub, now).await?.then_some(viewer))
    }

    /// Who presents this API token; `None` when it was revoked, has expired, or never existed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn by_api_token(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Viewer>, DbErr> {
        let Some(hash) = api_token::token_hash(token) else { return Ok(None) };
        if let Some(token) = self.tokens.get(&hash, now) {
            return Ok(api_token::works(token.expires_at, now).then_some(token.viewer));
        }
        // What does not exist is not remembered: made-up tokens would push out the real ones.
        let Some(row) = api_token::find(&self.db, &hash, now).await? else { return Ok(None) };
        let viewer = Viewer { user_id: row.user_id, session: None, token: Some(row.id), read_only: row.read_only };
        self.tokens.put(hash, Token { viewer, expires_at: row.expires_at }, now);
        if api_token::use_is_worth_noting(&row, now) {
            let db = self.db.clone();
            tokio::spawn(async move {
                if let Err(error) = api_token::note_use(&db, row.id, now).await {
                    tracing::warn!(%error, token = %row.id, "the last use of an API token could not be noted");
                }
            });
        }
        Ok(Some(viewer))
    }

    /// Whether somebody who was let in earlier still would be.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn still_lives(&self, viewer: &Viewer, now: DateTime<Utc>) -> Result<bool, DbErr> {
        match (viewer.session, viewer.token) {
            (Some(session), _) => self.session_lives(session, viewer.user_id, now).await,
            (None, Some(token)) => self.token_lives(token, now).await,
            (None, None) => Ok(false),
        }
    }

    /// Tells of sessions and tokens that are ended in this process.
    pub(crate) fn endings(&self) -> broadcast::Receiver<Ended> {
        self.ended.subscribe()
    }

    /// Begins a session by a one-time link.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sign_in_locally(
        &self,
        token: &str,
        device: Device,
        now: DateTime<Utc>,
    ) -> Result<Option<SignedIn>, DbErr> {
        let begun = local::sign_in(&self.db, token, device, now).await?;
        Ok(begun.map(|Begun { session, user, refresh_token }| {
            tracing::info!(%session, %user, "somebody signed in by a one-time link");
            SignedIn { access_token: self.signer.issue(user, session, now), refresh_token }
        }))
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn refresh(&self, token: &str, now: DateTime<Utc>) -> Result<Refreshed, DbErr> {
        let (session, user, refresh_token) = match session::exchange(&self.db, token, now).await? {
            Exchange::Rotated { session, user, refresh_token } => (session, user, Some(refresh_token)),
            Exchange::JustRotated { session, user } => (session, user, None),
            Exchange::Replayed { session, user } => {
                tracing::warn!(%session, %user, "a refresh token was used a second time: its session has been ended");
                self.forget_session(session);
                return Ok(Refreshed::Refused);
            }
            Exchange::Unknown => return Ok(Refreshed::Refused),
        };
        let access_token = self.signer.issue(user, session, now);
        Ok(Refreshed::Granted { access_token, expires_at: now + access_token::LIFETIME, refresh_token })
    }

    /// Ends the session that an access token names, even when the token has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sign_out(&self, access_token: &str) -> Result<(), DbErr> {
        let Some(claims) = self.signer.read(access_token) else { return Ok(()) };
        self.end_session(claims.sub, claims.sid).await
    }

    /// A user's sessions, the one used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, user: Uuid, now: DateTime<Utc>) -> Result<Vec<entity::session::Model>, DbErr> {
        session::of_user(&self.db, user, now).await
    }

    /// Ends one of a user's sessions, here at once and in other processes within seconds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, user: Uuid, session: Uuid) -> Result<(), DbErr> {
        session::end(&self.db, user, session).await?;
        self.forget_session(session);
        Ok(())
    }

    /// To be called when an API token was revoked, so that it stops working in this process at once.
    pub fn token_revoked(&self, token: Uuid) {
        self.tokens.forget(|_, known| known.viewer.token == Some(token));
        self.token_ends.forget(|id, _| *id == token);
        self.tell(Ended::Token(token));
    }

    /// Removes what has expired: sessions and links that nobody used.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn purge(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        session::purge(&self.db, now).await?;
        local::purge(&self.db, now).await
    }

    async fn session_lives(&self, id: Uuid, user: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let session = match self.sessions.get(&id, now) {
            Some(session) => Some(session),
            None => {
                let row = session::find(&self.db, id, now).await?;
                let session = row.map(|row| Session { user: row.user_id, expires_at: row.expires_at });
                if let Some(session) = session {
                    self.sessions.put(id, session, now);
                }
                session
            }
        };
        Ok(session.is_some_and(|session| session.user == user && now < session.expires_at))
    }

    async fn token_lives(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let end = match self.token_ends.get(&id, now) {
            Some(end) => Some(end),
            None => {
                let end = api_token::find_by_id(&self.db, id, now).await?.map(|row| row.expires_at);
                if let Some(end) = end {
                    self.token_ends.put(id, end, now);
                }
                end
            }
        };
        Ok(end.is_some_and(|end| api_token::works(end, now)))
    }

    fn forget_session(&self, session: Uuid) {
        self.sessions.forget(|id, _| *id == session);
        self.tell(Ended::Session(session));
    }

    fn tell(&self, ended: Ended) {
        // It fails when nobody listens, which is no fault.
        let _ = self.ended.send(ended);
    }
}

#[cfg(test)]
mod tests;
