//! The `PageInfo` type of all connections (cursor pagination).

use async_graphql::SimpleObject;

/// End of a page.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct PageInfo {
    /// Whether there are more items after this page.
    pub(super) has_next_page: bool,
    /// Cursor of the last item, for the argument `after` of the next page; null if the page is
    /// empty.
    pub(super) end_cursor: Option<String>,
}
