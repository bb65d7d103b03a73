//! Sessions, tokens and accounts that were ended in this process.

use super::viewer::Viewer;
use uuid::Uuid;

/// What has just been ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Session(Uuid),
    Token(Uuid),
    /// Everything of this user.
    Account(Uuid),
}

impl Ended {
    /// Returns whether the viewer was authenticated by what has ended.
    pub(crate) fn concerns(self, viewer: &Viewer) -> bool {
        match self {
            Self::Session(session) => viewer.session == Some(session),
            Self::Token(token) => viewer.token == Some(token),
            Self::Account(user) => viewer.user_id == user,
        }
    }
}
