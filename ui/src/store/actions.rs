//! The commands that users give on services.

use uuid::Uuid;

/// How long an action can be undone. A deletion is sent to the server only after that.
pub(super) const UNDO_WINDOW_MS: u32 = 7000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceAction {
    Pause(Vec<Uuid>),
    Resume(Vec<Uuid>),
    /// Undo a pause: the status and the open incident are as before.
    UndoPause(Vec<Uuid>),
    /// Move to a category, or out of any.
    Recategorise(Vec<Uuid>, Option<String>),
    /// Delete with all history.
    Delete(Vec<Uuid>),
    /// Move back to the previous categories.
    RestoreCategories(Vec<(Option<String>, Vec<Uuid>)>),
    /// Cancel the pending deletion with this change id.
    CancelDeletion(u32),
}
