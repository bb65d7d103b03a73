//! Revokes sessions, tokens, accounts and workspaces in this process: drops them from the caches and
//! notifies open connections. Other processes notice within the caches' TTL.

use super::viewer::Viewer;
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
