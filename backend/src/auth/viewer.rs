//! Who sends a request, for which workspace, and what they may do there. Everything that reads or
//! changes data takes a [`Viewer`]; how somebody proved who they are stays outside.

use entity::column::Role;
use uuid::Uuid;

/// A member of a workspace who has proved who they are, by a session or an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Whose account it is.
    pub user_id: Uuid,
    /// The workspace that the request is about.
    pub workspace_id: Uuid,
    /// The user's role in that workspace.
    pub role: Role,
    /// What the token that came with the request allows; a session allows everything.
    pub scope: TokenScope,
    /// The session, if the request came with one.
    pub session: Option<Uuid>,
    /// The API token, if the request came with one.
    pub token: Option<Uuid>,
}

/// What a token allows, within the role of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenScope {
    /// Everything that the role allows.
    Full,
    /// Queries and subscriptions only.
    ReadOnly,
}

impl TokenScope {
    /// The scope of a token with this setting.
    #[must_use]
    pub const fn of_token(read_only: bool) -> Self {
        if read_only {
            Self::ReadOnly
        } else {
            Self::Full
        }
    }
}
