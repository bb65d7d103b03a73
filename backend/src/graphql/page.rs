//! Pages: what every connection has.

use async_graphql::SimpleObject;

/// Where a page ends.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct PageInfo {
    /// Whether there are more behind it.
    pub(super) has_next_page: bool,
    /// The cursor of its last row, for the argument `after` of the next page; null when it is empty.
    pub(super) end_cursor: Option<String>,
}
