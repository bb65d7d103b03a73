//! API tokens.

use crate::graphql::scalar::{Id, Time};
use crate::graphql::workspace::Workspace;
use async_graphql::SimpleObject;
use entity::{api_token, workspace};

/// An API token that a program uses on your behalf. The token itself is shown only once, when it is
/// created.
#[derive(SimpleObject, Debug)]
pub(crate) struct ApiToken {
    /// Unique id; it never changes.
    id: Id,
    /// Name that you gave it.
    name: String,
    /// The only workspace that it is valid in.
    workspace: Workspace,
    /// Whether it is read-only.
    read_only: bool,
    /// When it was created.
    created_at: Time,
    /// Roughly when it was last used; null if never.
    last_used_at: Option<Time>,
    /// When it expires; null if never.
    expires_at: Option<Time>,
}

impl From<(api_token::Model, workspace::Model)> for ApiToken {
    fn from((row, workspace): (api_token::Model, workspace::Model)) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            workspace: workspace.into(),
            read_only: row.read_only,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.map(Time),
            expires_at: row.expires_at.map(Time),
        }
    }
}

/// An API token that was just created.
#[derive(SimpleObject, Debug)]
pub(crate) struct CreatedApiToken {
    /// The token, shown only this once. Send it as `Authorization: Bearer pck_...`.
    pub(super) token: String,
    /// The stored part of it.
    pub(super) api_token: ApiToken,
}
