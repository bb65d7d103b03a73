//! Ends sessions and tokens in this process at once: drops them from the caches and notifies open
//! connections. Other processes notice within the caches' TTL.

use super::Auth;
use super::viewer::Viewer;
use tokio::sync::broadcast;
use uuid::Uuid;

/// What has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revocation {
    Session(Uuid),
    Token(Uuid),
    /// Everything of this user.
    Account(Uuid),
    /// Everybody's access to this workspace.
    Workspace(Uuid),
}

impl Revocation {
    /// Whether it ends the access of `viewer`.
    pub(crate) fn affects(self, viewer: &Viewer) -> bool {
        match self {
            Self::Session(session) => viewer.session == Some(session),
            Self::Token(token) => viewer.token == Some(token),
            Self::Account(user) => viewer.user_id == user,
            Self::Workspace(workspace) => viewer.workspace_id == workspace,
        }
    }
}

impl Auth {
    /// Subscribes to what ends in this process.
    pub(crate) fn subscribe_to_revocations(&self) -> broadcast::Receiver<Revocation> {
        self.revocations.subscribe()
    }

    /// Call it when a session was ended.
    pub(crate) fn on_session_ended(&self, session: Uuid) {
        self.sessions.invalidate(|id, _| *id == session);
        self.notify(Revocation::Session(session));
    }

    /// Call it when an account was deleted.
    pub(crate) fn on_account_deleted(&self, user: Uuid) {
        self.sessions.invalidate(|_, cached| cached.user == user);
        self.tokens
            .invalidate(|_, cached| cached.viewer.user_id == user);
        self.tokens_by_id.invalidate(|_, _| true);
        self.roles.invalidate(|(_, member), _| *member == user);
        self.notify(Revocation::Account(user));
    }

    /// Call it when a workspace was deleted.
    pub(crate) fn on_workspace_deleted(&self, workspace: Uuid) {
        self.tokens
            .invalidate(|_, cached| cached.viewer.workspace_id == workspace);
        self.tokens_by_id.invalidate(|_, _| true);
        self.roles.invalidate(|(of, _), _| *of == workspace);
        self.notify(Revocation::Workspace(workspace));
    }

    /// Call it when an API token was revoked.
    pub fn on_token_revoked(&self, token: Uuid) {
        self.tokens
            .invalidate(|_, cached| cached.viewer.token == Some(token));
        self.tokens_by_id.invalidate(|id, _| *id == token);
        self.notify(Revocation::Token(token));
    }

    fn notify(&self, revocation: Revocation) {
        // It fails when nobody subscribes, which is fine.
        let _ = self.revocations.send(revocation);
    }
}
