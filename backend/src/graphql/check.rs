//! Recorded checks and their pages.

use super::loaders::ByService;
use super::page_info::PageInfo;
use super::request_context::RequestContext;
use super::scalar::Time;
use super::status::Status;
use crate::use_cases::Result as UseCaseResult;
use crate::use_cases::pagination::{RowPage, decode_time, encode_time, validate_page_size};
use async_graphql::{Object, SimpleObject};
use chrono::Duration;
use entity::check::{self, instant};

/// A recorded check.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Check {
    /// Time that the check was scheduled for.
    slot: Time,
    /// When it was made.
    checked_at: Time,
    /// Status that it found, confirmed or not.
    status: Status,
    /// HTTP status code; null without a response.
    status_code: Option<i16>,
    /// Response time in milliseconds; null without a response.
    response_time_ms: Option<i32>,
    /// Why the service was not up, in one sentence.
    message: Option<String>,
}

impl From<&check::Model> for Check {
    fn from(row: &check::Model) -> Self {
        let slot = instant(row.slot);
        Self {
            slot: slot.into(),
            checked_at: (slot + Duration::milliseconds(row.lateness_ms.into())).into(),
            status: domain::Status::from(row.status).into(),
            status_code: row.status_code,
            response_time_ms: row.response_time_ms,
            message: row.message.clone(),
        }
    }
}

/// A page of checks, newest first.
#[derive(Debug)]
pub(crate) struct CheckConnection(RowPage<check::Model>);

/// A page of checks, newest first.
#[Object]
impl CheckConnection {
    /// The checks, each with its cursor.
    async fn edges(&self) -> Vec<CheckEdge> {
        self.0
            .rows
            .iter()
            .map(|row| CheckEdge {
                cursor: cursor(row),
                node: row.into(),
            })
            .collect()
    }

    /// Whether there are more checks after this page.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.0.more,
            end_cursor: self.0.rows.last().map(cursor),
        }
    }
}

/// A check on a page.
#[derive(SimpleObject, Debug)]
pub(crate) struct CheckEdge {
    /// Position of the check, for the argument `after`.
    cursor: String,
    /// The check.
    node: Check,
}

fn cursor(row: &check::Model) -> String {
    encode_time(instant(row.slot))
}

/// Loads a page of the checks of one of the viewer's services.
pub(super) async fn load_page(
    context: &RequestContext,
    service: ByService,
    first: i32,
    after: Option<&str>,
) -> UseCaseResult<CheckConnection> {
    let after = after
        .map(decode_time)
        .transpose()?
        .map(|slot| slot.timestamp_millis());
    let page = context
        .loaders
        .checks
        .load((service, (validate_page_size(first)?, after)))
        .await?;
    Ok(CheckConnection(page.unwrap_or_default()))
}
