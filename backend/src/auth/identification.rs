//! Turns the credentials of a request into a [`Viewer`]: the only place where one is made.

use super::authenticator::Auth;
use super::viewer::{TokenScope, Viewer};
use super::{api_token, session, workspace};
use crate::caches::{CachedSession, CachedToken, TokenState};
use chrono::{DateTime, Utc};
use entity::column::Role;
use sea_orm::DbErr;
use uuid::Uuid;

/// Why a viewer could not be made from credentials that are valid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentifyError {
    /// The requested workspace does not exist, or the user is not a member of it. Both look the
    /// same, so that nobody learns which workspaces exist.
    #[error("there is no such workspace")]
    UnknownWorkspace,
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Auth {
    /// Identifies a browser by its access token. `workspace` is the id of the requested workspace;
    /// without one it is the user's personal workspace.
    ///
    /// Returns `None` when the token or its session has ended, or was never issued here.
    ///
    /// # Errors
    /// [`IdentifyError::UnknownWorkspace`], or when the database fails.
    pub(crate) async fn identify_by_access_token(
        &self,
        token: &str,
        workspace: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<Viewer>, IdentifyError> {
        let claims = self.signer.read(token);
        let Some(claims) = claims.filter(|claims| !claims.expired(now)) else {
            return Ok(None);
        };
        if !self.is_session_valid(claims.sid, claims.sub, now).await? {
            return Ok(None);
        }
        let workspace_id = match workspace {
            Some(id) => parse_workspace(id)?,
            None => workspace::personal(claims.sub),
        };
        Ok(Some(Viewer {
            user_id: claims.sub,
            workspace_id,
            role: self.require_role(workspace_id, claims.sub, now).await?,
            scope: TokenScope::Full,
            session: Some(claims.sid),
            token: None,
        }))
    }

    /// Identifies a program by its API token, which belongs to one workspace.
    ///
    /// Returns `None` when the token was revoked, has expired, or never existed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn identify_by_api_token(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Viewer>, DbErr> {
        let Some(hash) = api_token::token_hash(token) else {
            return Ok(None);
        };
        if let Some(cached) = self.caches.tokens.get(&hash, now) {
            return Ok(api_token::is_valid(cached.expires_at, now).then_some(cached.viewer));
        }
        // Unknown tokens are not cached: made-up ones would push out the real ones.
        let ticket = self.caches.tokens.begin_load();
        let Some((row, role)) = api_token::find(&self.db, &hash, now).await? else {
            return Ok(None);
        };
        let viewer = Viewer {
            user_id: row.user_id,
            workspace_id: row.workspace_id,
            role,
            scope: TokenScope::of_token(row.read_only),
            session: None,
            token: Some(row.id),
        };
        let cached = CachedToken {
            viewer,
            expires_at: row.expires_at,
        };
        self.caches.tokens.insert(ticket, hash, cached, now);
        if api_token::is_last_used_stale(&row, now) {
            let db = self.db.clone();
            tokio::spawn(async move {
                if let Err(error) = api_token::touch(&db, row.id, now).await {
                    tracing::warn!(%error, token = %row.id, "failed to write the last use of an API token");
                }
            });
        }
        Ok(Some(viewer))
    }

    /// Moves a viewer with a session to another of the user's workspaces. A token belongs to one
    /// workspace and stays there.
    ///
    /// # Errors
    /// [`IdentifyError::UnknownWorkspace`], or when the database fails.
    pub(crate) async fn switch_workspace(
        &self,
        viewer: Viewer,
        workspace: &str,
        now: DateTime<Utc>,
    ) -> Result<Viewer, IdentifyError> {
        if viewer.token.is_some() {
            return Ok(viewer);
        }
        let workspace_id = parse_workspace(workspace)?;
        Ok(Viewer {
            workspace_id,
            role: self.require_role(workspace_id, viewer.user_id, now).await?,
            ..viewer
        })
    }

    /// Whether a viewer who was identified earlier would still be identified as the same: with a
    /// valid session or token, and the same role.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn is_still_valid(
        &self,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        match (viewer.session, viewer.token) {
            (Some(session), _) => {
                let user = viewer.user_id;
                Ok(self.is_session_valid(session, user, now).await?
                    && self.role(viewer.workspace_id, user, now).await? == Some(viewer.role))
            }
            (None, Some(token)) => self.is_token_valid(token, viewer.role, now).await,
            (None, None) => Ok(false),
        }
    }

    async fn is_session_valid(
        &self,
        id: Uuid,
        user: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let session = match self.caches.sessions.get(&id, now) {
            Some(session) => Some(session),
            None => self.load_session(id, now).await?,
        };
        Ok(session.is_some_and(|session| session.user_id == user && now < session.expires_at))
    }

    async fn load_session(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<CachedSession>, DbErr> {
        let ticket = self.caches.sessions.begin_load();
        let Some(row) = session::find(&self.db, id, now).await? else {
            return Ok(None);
        };
        if session::is_last_used_stale(&row, now)
            && let Err(error) = session::touch(&self.db, row.id, now).await
        {
            // The session is valid all the same.
            tracing::warn!(%error, session = %row.id, "failed to write the last use of a session");
        }
        let session = CachedSession {
            user_id: row.user_id,
            expires_at: row.expires_at,
        };
        self.caches.sessions.insert(ticket, id, session, now);
        Ok(Some(session))
    }

    async fn is_token_valid(
        &self,
        id: Uuid,
        role: Role,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let state = match self.caches.token_states.get(&id, now) {
            Some(state) => Some(state),
            None => {
                let ticket = self.caches.token_states.begin_load();
                let found = api_token::find_by_id(&self.db, id, now).await?;
                let state = found.map(|(row, role)| TokenState {
                    expires_at: row.expires_at,
                    role,
                });
                if let Some(state) = state {
                    self.caches.token_states.insert(ticket, id, state, now);
                }
                state
            }
        };
        Ok(state
            .is_some_and(|state| state.role == role && api_token::is_valid(state.expires_at, now)))
    }

    /// Returns the role of a member.
    async fn require_role(
        &self,
        workspace: Uuid,
        user: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Role, IdentifyError> {
        let role = self.role(workspace, user, now).await?;
        role.ok_or(IdentifyError::UnknownWorkspace)
    }

    async fn role(
        &self,
        workspace: Uuid,
        user: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Role>, DbErr> {
        let key = (workspace, user);
        if let Some(role) = self.caches.roles.get(&key, now) {
            return Ok(Some(role));
        }
        // Missing memberships are not cached, for the reason that unknown tokens are not.
        let ticket = self.caches.roles.begin_load();
        let role = workspace::find_role(&self.db, workspace, user).await?;
        if let Some(role) = role {
            self.caches.roles.insert(ticket, key, role, now);
        }
        Ok(role)
    }
}

fn parse_workspace(id: &str) -> Result<Uuid, IdentifyError> {
    id.parse().map_err(|_| IdentifyError::UnknownWorkspace)
}
