//! Desktop notifications.

/// A notification about one thing. A later one with the same tag takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) tag: String,
    pub(crate) title: String,
    pub(crate) body: String,
    /// The word of the status whose icon is shown.
    pub(crate) status: &'static str,
    /// The page that a click opens, from its path on.
    pub(crate) url: String,
}
