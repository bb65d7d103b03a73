//! Pages of services.

use crate::graphql::node::Service;
use crate::graphql::page_info::PageInfo;
use crate::use_cases::{Error, Result};
use async_graphql::SimpleObject;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::service;
use std::sync::Arc;
use uuid::Uuid;

/// Maximum length of a cursor in characters; a name has up to 100 characters of 4 bytes.
const MAX_CURSOR: usize = 2048;

/// A page of services, by name.
#[derive(SimpleObject, Debug)]
pub(crate) struct ServiceConnection {
    /// The services, each with its cursor.
    edges: Vec<ServiceEdge>,
    /// Whether there are more services after this page.
    page_info: PageInfo,
    /// Number of services on all pages.
    total_count: usize,
}

/// A service on a page.
#[derive(SimpleObject, Debug)]
pub(crate) struct ServiceEdge {
    /// Position of the service, for the argument `after`.
    cursor: String,
    /// The service.
    node: Service,
}

impl ServiceConnection {
    /// Takes the first `first` of `services`, which are in order, after the cursor.
    pub(super) fn new(
        services: Vec<Arc<service::Model>>,
        first: u32,
        after: Option<&ServiceCursor>,
    ) -> Self {
        let total_count = services.len();
        let start = after.map_or(0, |after| {
            services.partition_point(|row| ServiceCursor::from(&**row) <= *after)
        });
        let end = start
            .saturating_add(usize::try_from(first).unwrap_or(usize::MAX))
            .min(total_count);
        let edges: Vec<_> = services
            .into_iter()
            .take(end)
            .skip(start)
            .map(|row| ServiceEdge {
                cursor: ServiceCursor::from(&*row).encode(),
                node: row.into(),
            })
            .collect();
        Self {
            page_info: PageInfo {
                has_next_page: end < total_count,
                end_cursor: edges.last().map(|edge| edge.cursor.clone()),
            },
            edges,
            total_count,
        }
    }
}

/// Position of a service in a list ordered by name and id. It stays valid when the service that it
/// was made from is renamed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceCursor {
    name: String,
    id: Uuid,
}

impl From<&service::Model> for ServiceCursor {
    fn from(row: &service::Model) -> Self {
        Self {
            name: row.name.to_lowercase(),
            id: row.id,
        }
    }
}

impl ServiceCursor {
    /// Writes the opaque text that clients send back.
    fn encode(&self) -> String {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend(self.name.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`Error::BadInput`] for the field `after` if the text is not a cursor of this list.
    pub(super) fn decode(text: &str) -> Result<Self> {
        let decoded = (text.len() <= MAX_CURSOR)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten();
        let cursor = decoded.as_deref().and_then(|bytes| {
            let (id, name) = bytes.split_at_checked(16)?;
            Some(Self {
                name: String::from_utf8(name.to_vec()).ok()?,
                id: Uuid::from_slice(id).ok()?,
            })
        });
        cursor.ok_or_else(|| {
            let message = "is not a cursor of this list: use an endCursor or cursor that it gave";
            Error::field("after", message)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        let cursor = ServiceCursor {
            name: "zürich \u{1F600}".into(),
            id: Uuid::now_v7(),
        };
        assert_eq!(ServiceCursor::decode(&cursor.encode()).unwrap(), cursor);
        let not_text = [&[0; 16][..], &[0xff]].concat();
        for wrong in [
            "",
            "x",
            "////",
            &"A".repeat(3000),
            &URL_SAFE_NO_PAD.encode(not_text),
        ] {
            assert!(ServiceCursor::decode(wrong).is_err(), "{wrong}");
        }
    }
}
