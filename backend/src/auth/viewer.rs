//! Who is asking. Everything that reads or changes data takes one; how somebody proved who they are stays outside.

use uuid::Uuid;

/// Somebody who has proved who they are, by a session or an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Whose data they see.
    pub user_id: Uuid,
    /// The session of their browser, when that is how they came.
    pub session: Option<Uuid>,
    /// The API token, when that is how they came.
    pub token: Option<Uuid>,
    /// Whether they may change nothing.
    pub read_only: bool,
}
