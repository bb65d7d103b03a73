//! State that sign-in and identification share: keys, caches, providers and revocations.

use super::access_token::Signer;
use super::login_state::LoginStates;
use super::provider::Providers;
use super::refresh_token::RefreshTokens;
use super::revocation::Revocation;
use super::sign_up::SignUp;
use super::{local, login_state, provider, session};
use crate::caches::Caches;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DbErr};
use std::sync::Arc;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Identifies viewers and signs people in.
pub struct Auth {
    pub(super) db: DatabaseConnection,
    pub(super) signer: Signer,
    pub(super) refresh_tokens: RefreshTokens,
    pub(super) login_states: LoginStates,
    pub(super) providers: Providers,
    pub(super) local_links: bool,
    pub(super) sign_up: SignUp,
    pub(super) caches: Arc<Caches>,
    pub(super) revocations: broadcast::Sender<Revocation>,
}

impl Auth {
    /// # Errors
    /// When the HTTP client for sign-in providers cannot be created.
    pub(crate) fn new(
        db: DatabaseConnection,
        settings: &crate::Settings,
        caches: Arc<Caches>,
    ) -> Result<Self, provider::Fault> {
        let issuer = settings.public_url.origin().ascii_serialization();
        let secret = settings.secret_key.as_str();
        let previous = settings.previous_secret_key.as_deref();
        Ok(Self {
            db,
            signer: Signer::new(issuer.clone(), secret, previous),
            refresh_tokens: RefreshTokens::new(secret, previous),
            login_states: LoginStates::new(issuer, secret, previous),
            providers: Providers::new(
                settings.providers.clone(),
                settings.sign_up.github_organisations(),
                &settings.public_url,
            )?,
            local_links: settings.local_login,
            sign_up: settings.sign_up.clone(),
            caches,
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

    /// Subscribes to what ends in this process.
    pub(crate) fn subscribe_to_revocations(&self) -> broadcast::Receiver<Revocation> {
        self.revocations.subscribe()
    }

    /// Call it when a session was ended.
    pub(crate) fn on_session_ended(&self, session: Uuid) {
        self.revoke(Revocation::Session(session));
    }

    /// Call it when an account was deleted.
    pub(crate) fn on_account_deleted(&self, user: Uuid) {
        self.revoke(Revocation::Account(user));
    }

    /// Call it when a workspace was deleted.
    pub(crate) fn on_workspace_deleted(&self, workspace: Uuid) {
        self.revoke(Revocation::Workspace(workspace));
    }

    /// Call it when an API token was revoked.
    pub fn on_token_revoked(&self, token: Uuid) {
        self.revoke(Revocation::Token(token));
    }

    pub(super) fn revoke(&self, revocation: Revocation) {
        self.caches.invalidate(revocation);
        // It fails when nobody is subscribed, which is no error.
        let _ = self.revocations.send(revocation);
    }
}
