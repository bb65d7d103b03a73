//! Single checks and their pages.

use super::page::PageInfo;
use super::scalar::Time;
use super::scope::{ByService, Scope};
use super::status::Status;
use crate::use_cases::Result as OpsResult;
use crate::use_cases::page::{Page, decode_time, encode_time, size};
use async_graphql::{Object, SimpleObject};
use chrono::Duration;
use entity::check::{self, instant};

/// One recorded check.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Check {
    /// The time that it stands for.
    slot: Time,
    /// When it was really made.
    checked_at: Time,
    /// What it found, confirmed or not.
    status: Status,
    /// The HTTP status code, when an answer came.
    status_code: Option<i16>,
    /// How long it took, in milliseconds, when an answer came.
    response_time_ms: Option<i32>,
    /// Why it did not find the service up, one sentence for people.
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
pub(crate) struct CheckConnection(Page<check::Model>);

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

    /// Where the page ends.
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
    /// Its place, for the argument `after`.
    cursor: String,
    /// The check.
    node: Check,
}

fn cursor(row: &check::Model) -> String {
    encode_time(instant(row.slot))
}

/// A page of the checks of a service, which is the viewer's.
pub(super) async fn of_service(
    scope: &Scope,
    service: ByService,
    first: i32,
    after: Option<&str>,
) -> OpsResult<CheckConnection> {
    let after = after
        .map(decode_time)
        .transpose()?
        .map(|slot| slot.timestamp_millis());
    let page = scope
        .loaders
        .checks
        .load((service, (size(first)?, after)))
        .await?;
    Ok(CheckConnection(page.unwrap_or_default()))
}
