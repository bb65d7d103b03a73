//! Signs people in and out: by a one-time link, by a provider (OAuth 2 with PKCE), and by rotating
//! refresh tokens.

use super::authenticator::Auth;
use super::provider::AuthorizationResponse;
use super::refresh_token::RefreshToken;
use super::refusal::Refusal;
use super::session::{self, Device, NewSession, RefreshOutcome};
use super::{access_token, identity, local, login_state};
use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

/// Maximum number of characters of a provider's error code that are logged.
const MAX_LOGGED_ERROR: usize = 60;

/// The cookies of a browser that has just signed in.
pub(crate) struct SignedIn {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// Sends a browser to a provider.
pub(crate) struct AuthorizationRequest {
    /// Where to redirect the browser.
    pub(crate) url: String,
    /// The `state` that it comes back with.
    pub(crate) state: String,
    /// The signed login state, which the browser keeps meanwhile.
    pub(crate) cookie: String,
}

/// What a browser comes back with from a provider.
pub(crate) struct CallbackParams<'a> {
    pub(crate) provider: &'a str,
    pub(crate) response: AuthorizationResponse,
    /// The login state that was set before.
    pub(crate) cookie: Option<&'a str>,
    /// The access token of the session that the browser has until now, which ends.
    pub(crate) access_token: Option<&'a str>,
    pub(crate) device: Device,
}

/// Answers the attempt to refresh a session.
pub(crate) enum RefreshResponse {
    /// An access token and the next refresh token.
    Granted {
        access_token: String,
        expires_at: DateTime<Utc>,
        refresh_token: String,
    },
    /// The session has ended; the user has to sign in again.
    Ended,
    /// The refresh token belongs to another session than the access token, so somebody else has set
    /// it in this browser.
    Foreign,
}

impl Auth {
    /// Signs in by a one-time link. The session of `access_token`, which the browser has until now,
    /// ends: a browser has one session.
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
        let session = local::sign_in(&self.db, &self.refresh_tokens, token, device, now)
            .await
            .map_err(|error| refuse_after_database_error(&error))?
            .ok_or(Refusal::LinkUsed)?;
        tracing::info!(session = %session.id, user = %session.user, "signed in by a one-time link");
        Ok(self.issue_tokens(session, access_token, now).await)
    }

    /// Begins a sign-in by a provider. Afterwards the browser goes to `return_path`, a path on this
    /// server.
    ///
    /// # Errors
    /// Why the provider cannot be used.
    pub(crate) async fn begin_sign_in(
        &self,
        provider: &str,
        return_path: &str,
        now: DateTime<Utc>,
    ) -> Result<AuthorizationRequest, Refusal> {
        let provider = self
            .providers
            .get(provider)
            .ok_or(Refusal::UnknownProvider)?;
        let (state, cookie) = self.login_states.create(provider.id(), return_path, now);
        let url = provider
            .authorization_url(&state)
            .await
            .map_err(|fault| {
                tracing::error!(provider = provider.id(), error = %fault, "failed to use a sign-in provider");
                fault.refusal()
            })?;
        Ok(AuthorizationRequest {
            url,
            state: state.state,
            cookie,
        })
    }

    /// Completes a sign-in by a provider. Returns the path that the browser goes to.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub(crate) async fn complete_sign_in(
        &self,
        params: CallbackParams<'_>,
        now: DateTime<Utc>,
    ) -> Result<(SignedIn, String), Refusal> {
        let CallbackParams {
            provider,
            response,
            cookie,
            access_token,
            device,
        } = params;
        let provider = self
            .providers
            .get(provider)
            .ok_or(Refusal::UnknownProvider)?;
        let state = response.state.as_deref();
        let state = self.login_states.read(cookie, provider.id(), state, now)?;
        if !login_state::consume(&self.db, &state, now)
            .await
            .map_err(|error| refuse_after_database_error(&error))?
        {
            return Err(Refusal::Used);
        }
        if let Some(error) = response.error {
            return Err(refuse_after_provider_error(provider.id(), &error));
        }
        let code = response.code.ok_or(Refusal::Mismatch)?;
        let profile = provider
            .fetch_profile(&state, &code, response.iss.as_deref())
            .await
            .map_err(|fault| {
                tracing::warn!(provider = provider.id(), error = %fault, "failed to get a profile from a sign-in provider");
                fault.refusal()
            })?;
        let session = async {
            let transaction = entity::sql::begin_write(&self.db).await?;
            let user =
                match identity::find_or_create_user(&transaction, &profile, &self.sign_up, now)
                    .await?
                {
                    Ok(user) => user,
                    Err(refusal) => return Ok(Err(refusal)),
                };
            let session =
                session::create(&transaction, &self.refresh_tokens, user, device, now).await?;
            transaction.commit().await?;
            Ok(Ok(session))
        };
        let session = session
            .await
            .map_err(|error| refuse_after_database_error(&error))??;
        tracing::info!(
            session = %session.id,
            user = %session.user,
            provider = provider.id(),
            "signed in by a provider"
        );
        let signed_in = self.issue_tokens(session, access_token, now).await;
        Ok((signed_in, state.return_path))
    }

    async fn issue_tokens(
        &self,
        session: NewSession,
        previous_access_token: Option<&str>,
        now: DateTime<Utc>,
    ) -> SignedIn {
        if let Some(token) = previous_access_token
            && let Err(error) = self.sign_out(token).await
        {
            tracing::warn!(%error, "failed to end the session that a browser had before");
        }
        SignedIn {
            access_token: self.signer.issue(session.user, session.id, now),
            refresh_token: session.refresh_token,
        }
    }

    /// Rotates a refresh token. `access_token` is the one that came with it, if any; it may have
    /// expired, but must belong to the same session.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn refresh(
        &self,
        token: &str,
        access_token: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<RefreshResponse, DbErr> {
        let Some(token) = RefreshToken::parse(token) else {
            return Ok(RefreshResponse::Ended);
        };
        let claims = access_token.and_then(|token| self.signer.read(token));
        if claims.is_some_and(|claims| claims.sid != token.session()) {
            return Ok(RefreshResponse::Foreign);
        }
        match session::rotate(&self.db, &self.refresh_tokens, &token, now).await? {
            RefreshOutcome::Rotated {
                session,
                user,
                refresh_token,
            } => Ok(RefreshResponse::Granted {
                access_token: self.signer.issue(user, session, now),
                expires_at: now + access_token::LIFETIME,
                refresh_token,
            }),
            RefreshOutcome::Replayed { session, user } => {
                tracing::warn!(%session, %user, "a refresh token was replayed: ended its session");
                self.on_session_ended(session);
                Ok(RefreshResponse::Ended)
            }
            RefreshOutcome::Unknown => Ok(RefreshResponse::Ended),
        }
    }

    /// Ends the session of an access token, even of an expired one.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sign_out(&self, access_token: &str) -> Result<(), DbErr> {
        let Some(claims) = self.signer.read(access_token) else {
            return Ok(());
        };
        self.end_session(claims.sub, claims.sid).await
    }

    /// Ends the session of a refresh token.
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
        match session::find_by_refresh_token(&self.db, &self.refresh_tokens, &token, now).await? {
            Some(session) => self.end_session(session.user_id, session.id).await,
            None => Ok(()),
        }
    }

    pub(super) async fn end_session(&self, user: Uuid, session: Uuid) -> Result<(), DbErr> {
        session::end(&self.db, user, session).await?;
        self.on_session_ended(session);
        Ok(())
    }
}

fn refuse_after_database_error(error: &DbErr) -> Refusal {
    tracing::error!(%error, "the database failed a sign-in");
    Refusal::Failed
}

fn refuse_after_provider_error(provider: &str, error: &str) -> Refusal {
    let printable = error.chars().filter(|c| !c.is_control());
    let error: String = printable.take(MAX_LOGGED_ERROR).collect();
    tracing::info!(provider, error, "a provider refused a sign-in");
    if error == "access_denied" {
        Refusal::Denied
    } else {
        Refusal::Provider
    }
}
