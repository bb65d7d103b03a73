//! Pages of incidents.

use crate::graphql::node::Incident;
use crate::graphql::page_info::PageInfo;
use crate::graphql::request_context::{RequestContext, request_context};
use crate::use_cases::Result as UseCaseResult;
use crate::use_cases::incident::{IncidentCriteria, cursor};
use crate::use_cases::pagination::{Cursor, RowPage, validate_page_size};
use async_graphql::{Context, Object, Result, SimpleObject};
use entity::incident;
use std::sync::Arc;
use uuid::Uuid;

/// A page of incidents, newest first.
#[derive(Debug)]
pub(crate) struct IncidentConnection {
    page: RowPage<Arc<incident::Model>>,
    source: ConnectionSource,
}

/// Where the page was read from, which decides how its total is counted.
#[derive(Debug)]
enum ConnectionSource {
    Filtered(IncidentCriteria),
    Service(Uuid),
}

impl IncidentConnection {
    /// A page of the incidents that match `filter`.
    pub(super) const fn filtered(
        page: RowPage<Arc<incident::Model>>,
        filter: IncidentCriteria,
    ) -> Self {
        Self {
            page,
            source: ConnectionSource::Filtered(filter),
        }
    }
}

/// A page of incidents, newest first.
#[Object]
impl IncidentConnection {
    /// The incidents, each with its cursor.
    async fn edges(&self) -> Vec<IncidentEdge> {
        let edge = |row: &Arc<incident::Model>| IncidentEdge {
            cursor: cursor(row).encode(),
            node: Incident::from(row.clone()),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// Whether there are more incidents after this page.
    async fn page_info(&self) -> PageInfo {
        let end_cursor = self.page.rows.last().map(|row| cursor(row).encode());
        PageInfo {
            has_next_page: self.page.more,
            end_cursor,
        }
    }

    /// Number of incidents on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        let context = request_context(ctx);
        Ok(match &self.source {
            ConnectionSource::Filtered(filter) => {
                context
                    .use_cases
                    .count_incidents(&context.viewer()?, filter, context.now)
                    .await?
            }
            ConnectionSource::Service(id) => context
                .loaders
                .incident_count
                .load(*id)
                .await?
                .unwrap_or_default(),
        })
    }
}

/// An incident on a page.
#[derive(SimpleObject, Debug)]
pub(crate) struct IncidentEdge {
    /// Position of the incident, for the argument `after`.
    cursor: String,
    /// The incident.
    node: Incident,
}

/// Loads a page of the incidents of one of the viewer's services.
pub(in crate::graphql) async fn load_page(
    context: &RequestContext,
    id: Uuid,
    first: i32,
    after: Option<&str>,
) -> UseCaseResult<IncidentConnection> {
    let page = (
        validate_page_size(first)?,
        after.map(Cursor::decode).transpose()?,
    );
    let page = context
        .loaders
        .incidents
        .load((id, page))
        .await?
        .unwrap_or_default();
    Ok(IncidentConnection {
        page,
        source: ConnectionSource::Service(id),
    })
}
