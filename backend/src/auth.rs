//! Who is asking, and how they proved it: sessions of browsers, API tokens of programs, and the ways to sign in, by a
//! one-time link (`local`) or by a provider. Whichever is used, it ends in [`session::begin`].
//!
//! Knows the database and asks providers, but knows nothing of the requests to this server, nor of GraphQL. Time is always
//! an argument.

mod access_token;
pub(crate) mod api_token;
pub(crate) mod avatar;
pub(crate) mod browser;
pub(crate) mod calendar;
pub(crate) mod cookie;
pub(crate) mod ended;
pub(crate) mod flow;
mod identity;
pub mod local;
pub mod provider;
mod refresh_token;
pub(crate) mod refusal;
pub(crate) mod return_path;
mod secret;
pub(crate) mod session;
mod signature;
pub mod viewer;

pub(crate) use ended::Ended;
pub use viewer::Viewer;

use crate::caches::{CachedSession, CachedToken, Caches};
use access_token::Signer;
use chrono::{DateTime, Utc};
use entity::sql::begin_write;
use flow::Flows;
use provider::{Answer, Providers};
use refresh_token::{RefreshToken, RefreshTokens};
use refusal::Refusal;
use sea_orm::{DatabaseConnection, DbErr};
use session::{Begun, Device, Exchange};
use std::sync::Arc;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Decides who is asking.
pub struct Auth {
    db: DatabaseConnection,
    signer: Signer,
    refresh_tokens: RefreshTokens,
    flows: Flows,
    providers: Providers,
    local_links: bool,
    caches: Arc<Caches>,
    ended: broadcast::Sender<Ended>,
}

/// What a browser gets for a refresh token.
pub(crate) enum Refreshed {
    /// An access token and the next refresh token.
    Granted {
        access_token: String,
        expires_at: DateTime<Utc>,
        refresh_token: String,
    },
    /// Nothing: they have to sign in again.
    Ended,
    /// Nothing, because it is another session's than the browser's own: somebody else has put it there.
    Foreign,
}

/// What a browser gets for signing in.
pub(crate) struct SignedIn {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// A browser on its way to a provider.
pub(crate) struct Departure {
    /// Where it goes.
    pub(crate) address: String,
    /// What it comes back with.
    pub(crate) state: String,
    /// What it keeps meanwhile.
    pub(crate) cookie: String,
}

/// What a browser brought: from which provider, what that answered, what it had kept, and its session until now.
pub(crate) struct Arrival<'a> {
    pub(crate) provider: &'a str,
    pub(crate) answer: Answer,
    pub(crate) cookie: Option<&'a str>,
    pub(crate) access_token: Option<&'a str>,
    pub(crate) device: Device,
}

impl Auth {
    /// # Errors
    /// When the client for sign-in providers cannot be made.
    pub(crate) fn new(
        db: DatabaseConnection,
        settings: &crate::Settings,
        caches: Arc<Caches>,
    ) -> Result<Self, provider::Fault> {
        let issuer = settings.public_url.origin().ascii_serialization();
        let (secret, previous) = (
            settings.secret_key.as_str(),
            settings.previous_secret_key.as_deref(),
        );
        Ok(Self {
            db,
            signer: Signer::new(issuer.clone(), secret, previous),
            refresh_tokens: RefreshTokens::new(secret, previous),
            flows: Flows::new(issuer, secret, previous),
            providers: Providers::new(settings.providers.clone(), &settings.public_url)?,
            local_links: settings.local_login,
            caches,
            ended: broadcast::Sender::new(256),
        })
    }

    /// The providers that people sign in by.
    pub(crate) const fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Whether one-time links work.
    pub(crate) const fn local_links(&self) -> bool {
        self.local_links
    }

    /// Who presents this access token; `None` when it or its session has ended, or was never issued here.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn by_access_token(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Viewer>, DbErr> {
        let Some(claims) = self
            .signer
            .read(token)
            .filter(|claims| !claims.expired(now))
        else {
            return Ok(None);
        };
        let viewer = Viewer {
            user_id: claims.sub,
            session: Some(claims.sid),
            token: None,
            read_only: false,
        };
        Ok(self
            .session_lives(claims.sid, claims.sub, now)
            .await?
            .then_some(viewer))
    }

    /// Who presents this API token; `None` when it was revoked, has expired, or never existed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn by_api_token(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Viewer>, DbErr> {
        let Some(hash) = api_token::token_hash(token) else {
            return Ok(None);
        };
        if let Some(token) = self.caches.tokens.get(&hash, now) {
            return Ok(api_token::works(token.expires_at, now).then_some(token.viewer));
        }
        // Tokens that do not exist are not cached: made-up ones would evict the real ones.
        let ticket = self.caches.tokens.begin_load();
        let Some(row) = api_token::find(&self.db, &hash, now).await? else {
            return Ok(None);
        };
        let viewer = Viewer {
            user_id: row.user_id,
            session: None,
            token: Some(row.id),
            read_only: row.read_only,
        };
        let token = CachedToken {
            viewer,
            expires_at: row.expires_at,
        };
        self.caches.tokens.insert(ticket, hash, token, now);
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
    pub(crate) async fn still_lives(
        &self,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
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

    /// Begins a session by a one-time link. `access_token` is that of the browser's session until now, which ends: a
    /// browser has one.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub(crate) async fn sign_in_locally(
        &self,
        token: &str,
        access_token: Option<&str>,
        device: Device,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, Refusal> {
        if !self.local_links {
            return Err(Refusal::LinksOff);
        }
        let begun = local::sign_in(&self.db, &self.refresh_tokens, token, device, now)
            .await
            .map_err(|error| failed(&error))?
            .ok_or(Refusal::LinkUsed)?;
        tracing::info!(session = %begun.session, user = %begun.user, "somebody signed in by a one-time link");
        Ok(self.signed_in(begun, access_token, now).await)
    }

    /// Sends a browser to a provider; afterwards it goes `back`, a path on this server.
    ///
    /// # Errors
    /// Why it cannot go there.
    pub(crate) async fn depart(
        &self,
        provider: &str,
        back: &str,
        now: DateTime<Utc>,
    ) -> Result<Departure, Refusal> {
        let provider = self
            .providers
            .get(provider)
            .ok_or(Refusal::UnknownProvider)?;
        let (flow, cookie) = self.flows.begin(provider.id(), back, now);
        let address = provider.address(&flow).await.map_err(|fault| {
            tracing::error!(provider = provider.id(), error = %fault, "a sign-in provider cannot be used at the moment");
            fault.refusal()
        })?;
        Ok(Departure {
            address,
            state: flow.state,
            cookie,
        })
    }

    /// Begins a session for somebody who comes back from a provider, and says where they wanted to go.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub(crate) async fn arrive(
        &self,
        arrival: Arrival<'_>,
        now: DateTime<Utc>,
    ) -> Result<(SignedIn, String), Refusal> {
        let Arrival {
            provider,
            answer,
            cookie,
            access_token,
            device,
        } = arrival;
        let provider = self
            .providers
            .get(provider)
            .ok_or(Refusal::UnknownProvider)?;
        let flow = self
            .flows
            .read(cookie, provider.id(), answer.state.as_deref(), now)?;
        if !flow::consume(&self.db, &flow, now)
            .await
            .map_err(|error| failed(&error))?
        {
            return Err(Refusal::Used);
        }
        if let Some(error) = answer.error {
            let error: String = error.chars().filter(|c| !c.is_control()).take(60).collect();
            tracing::info!(
                provider = provider.id(),
                error,
                "a sign-in ended at the provider"
            );
            return Err(if error == "access_denied" {
                Refusal::Denied
            } else {
                Refusal::Provider
            });
        }
        let code = answer.code.ok_or(Refusal::Mismatch)?;
        let profile = provider.profile(&flow, &code, answer.iss.as_deref()).await.map_err(|fault| {
            tracing::warn!(provider = provider.id(), error = %fault, "a sign-in provider did not say who somebody is");
            fault.refusal()
        })?;
        let begun = async {
            let transaction = begin_write(&self.db).await?;
            let begun = match identity::user_of(&transaction, &profile, now).await? {
                Ok(user) => session::begin(&transaction, &self.refresh_tokens, user, device, now)
                    .await
                    .map(Ok)?,
                Err(refusal) => return Ok(Err(refusal)),
            };
            transaction.commit().await?;
            Ok(begun)
        };
        let begun = begun.await.map_err(|error| failed(&error))??;
        let (session, user) = (begun.session, begun.user);
        tracing::info!(%session, %user, provider = provider.id(), "somebody signed in by a provider");
        Ok((self.signed_in(begun, access_token, now).await, flow.back))
    }

    async fn signed_in(&self, begun: Begun, before: Option<&str>, now: DateTime<Utc>) -> SignedIn {
        if let Some(token) = before
            && let Err(error) = self.sign_out(token).await
        {
            tracing::warn!(%error, "the session that a browser had before could not be ended");
        }
        let access_token = self.signer.issue(begun.user, begun.session, now);
        SignedIn {
            access_token,
            refresh_token: begun.refresh_token,
        }
    }

    /// Exchanges a refresh token. `access_token` is the one that came with it, if any; it may have expired, but it has to
    /// be of the same session.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn refresh(
        &self,
        token: &str,
        access_token: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, DbErr> {
        let Some(token) = RefreshToken::parse(token) else {
            return Ok(Refreshed::Ended);
        };
        let own = access_token.and_then(|token| self.signer.read(token));
        if own.is_some_and(|own| own.sid != token.session()) {
            return Ok(Refreshed::Foreign);
        }
        let (session, user, refresh_token) = match session::exchange(
            &self.db,
            &self.refresh_tokens,
            &token,
            now,
        )
        .await?
        {
            Exchange::Rotated {
                session,
                user,
                refresh_token,
            } => (session, user, refresh_token),
            Exchange::Replayed { session, user } => {
                tracing::warn!(%session, %user, "a refresh token was used a second time: its session has been ended");
                self.session_ended(session);
                return Ok(Refreshed::Ended);
            }
            Exchange::Unknown => return Ok(Refreshed::Ended),
        };
        let access_token = self.signer.issue(user, session, now);
        Ok(Refreshed::Granted {
            access_token,
            expires_at: now + access_token::LIFETIME,
            refresh_token,
        })
    }

    /// Ends the session that an access token names, even when the token has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sign_out(&self, access_token: &str) -> Result<(), DbErr> {
        let Some(claims) = self.signer.read(access_token) else {
            return Ok(());
        };
        self.end_session(claims.sub, claims.sid).await
    }

    /// Ends the session that a refresh token belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sign_out_by_refresh_token(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let Some(token) = RefreshToken::parse(token) else {
            return Ok(());
        };
        match session::of_token(&self.db, &self.refresh_tokens, &token, now).await? {
            Some(session) => self.end_session(session.user_id, session.id).await,
            None => Ok(()),
        }
    }

    /// Ends one of a user's sessions, here at once and in other processes within seconds.
    async fn end_session(&self, user: Uuid, session: Uuid) -> Result<(), DbErr> {
        session::end(&self.db, user, session).await?;
        self.session_ended(session);
        Ok(())
    }

    /// To be called when a session was ended, so that it is over in this process at once.
    pub(crate) fn session_ended(&self, session: Uuid) {
        self.end(Ended::Session(session));
    }

    /// To be called when an account was deleted, so that whoever acts for it stops in this process at once.
    pub(crate) fn account_deleted(&self, user: Uuid) {
        self.end(Ended::Account(user));
    }

    /// To be called when an API token was revoked, so that it stops working in this process at once.
    pub fn token_revoked(&self, token: Uuid) {
        self.end(Ended::Token(token));
    }

    /// Removes what has expired: sessions, links that nobody used, and what is remembered of completed sign-ins.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn purge(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        session::purge(&self.db, now).await?;
        flow::purge(&self.db, now).await?;
        local::purge(&self.db, now).await
    }

    async fn session_lives(&self, id: Uuid, user: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let session = match self.caches.sessions.get(&id, now) {
            Some(session) => Some(session),
            None => {
                let ticket = self.caches.sessions.begin_load();
                let row = session::find(&self.db, id, now).await?;
                if let Some(row) = row
                    .as_ref()
                    .filter(|row| session::use_is_worth_noting(row, now))
                {
                    // It lives all the same.
                    if let Err(error) = session::note_use(&self.db, row.id, now).await {
                        tracing::warn!(%error, session = %row.id, "the last use of a session could not be noted");
                    }
                }
                let session = row.map(|row| CachedSession {
                    user_id: row.user_id,
                    expires_at: row.expires_at,
                });
                if let Some(session) = session {
                    self.caches.sessions.insert(ticket, id, session, now);
                }
                session
            }
        };
        Ok(session.is_some_and(|session| session.user_id == user && now < session.expires_at))
    }

    async fn token_lives(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let end = match self.caches.token_expiries.get(&id, now) {
            Some(end) => Some(end),
            None => {
                let ticket = self.caches.token_expiries.begin_load();
                let end = api_token::find_by_id(&self.db, id, now)
                    .await?
                    .map(|row| row.expires_at);
                if let Some(end) = end {
                    self.caches.token_expiries.insert(ticket, id, end, now);
                }
                end
            }
        };
        Ok(end.is_some_and(|end| api_token::works(end, now)))
    }

    fn end(&self, ended: Ended) {
        self.caches.invalidate(ended);
        // It fails when nobody is subscribed, which is no error.
        let _ = self.ended.send(ended);
    }
}

fn failed(error: &DbErr) -> Refusal {
    tracing::error!(%error, "the database failed a sign-in");
    Refusal::Failed
}

#[cfg(test)]
mod tests;
