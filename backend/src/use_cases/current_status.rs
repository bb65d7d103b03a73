//! The current status of services: from the live state, else from the database, and unknown when the
//! last check is too old. The one place that decides what is stale.

use super::{Result, UseCases};
use chrono::{DateTime, Duration, Utc};
use coordination::{CachedStatus, CurrentStatus};
use domain::slot::coverage_window;
use domain::vendor_page::UNKNOWN_AFTER;
use domain::{Details, Status};
use entity::column;
use entity::sql::in_ids;
use entity::{service, service_state};
use sea_orm::prelude::Json;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The message of a paused service.
pub const PAUSED: &str = "paused";

impl UseCases {
    /// Returns the status of each of `services` at `now`; those that were never checked are missing.
    ///
    /// # Errors
    /// Returns an error when the database fails. Without the live state it is only slower.
    pub async fn current(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, CurrentStatus>> {
        let ids: Vec<_> = services.iter().map(|service| service.id).collect();
        let copies = self.live.cached_statuses(&ids).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to read the live state, reading statuses from the database");
            Vec::new()
        });
        let mut known: HashMap<Uuid, CurrentStatus> = copies
            .into_iter()
            .flatten()
            .map(
                |CachedStatus {
                     service_id,
                     current,
                     ..
                 }| (service_id, current),
            )
            .collect();
        let missing: Vec<_> = ids
            .into_iter()
            .filter(|id| !known.contains_key(id))
            .collect();
        if !missing.is_empty() {
            known.extend(load_recorded(self, &missing).await?);
        }
        let judged = services.iter().filter_map(|service| {
            let current = known.remove(&service.id)?;
            Some((service.id, judge(service, current, now)))
        });
        Ok(judged.collect())
    }

    /// Returns the details of the last check of each of `services` that was ever checked.
    ///
    /// # Errors
    /// Returns an error when the database fails.
    pub async fn details(&self, services: &[Uuid]) -> Result<HashMap<Uuid, Details>> {
        let of_these = in_ids(
            &self.db,
            service_state::Column::ServiceId,
            services.iter().copied(),
        );
        let rows: Vec<(Uuid, Json)> = service_state::Entity::find()
            .select_only()
            .columns([
                service_state::Column::ServiceId,
                service_state::Column::Details,
            ])
            .filter(of_these)
            .into_tuple()
            .all(&self.db)
            .await?;
        // What another version wrote and this one cannot read counts as absent.
        let details = |json| serde_json::from_value(json).unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|(id, json)| (id, details(json)))
            .collect())
    }
}

/// The status of a service as the database has it.
#[derive(FromQueryResult)]
struct RecordedStatus {
    service_id: Uuid,
    status: column::Status,
    status_since: DateTime<Utc>,
    checked_at: DateTime<Utc>,
    response_time_ms: Option<i32>,
    status_code: Option<i32>,
    message: Option<String>,
}

/// Reads the status of those of `services` that were ever checked from the database.
async fn load_recorded(
    use_cases: &UseCases,
    services: &[Uuid],
) -> Result<Vec<(Uuid, CurrentStatus)>> {
    use service_state::Column::{
        CheckedAt, Message, ResponseTimeMs, ServiceId, Status, StatusCode, StatusSince,
    };
    let rows: Vec<RecordedStatus> = service_state::Entity::find()
        .select_only()
        .columns([
            ServiceId,
            Status,
            StatusSince,
            CheckedAt,
            ResponseTimeMs,
            StatusCode,
            Message,
        ])
        .filter(in_ids(&use_cases.db, ServiceId, services.iter().copied()))
        .filter(CheckedAt.is_not_null())
        .into_model()
        .all(&use_cases.db)
        .await?;
    let current = |row: RecordedStatus| CurrentStatus {
        status: row.status.into(),
        since: row.status_since,
        checked_at: row.checked_at,
        response_time_ms: row.response_time_ms.and_then(|ms| ms.try_into().ok()),
        status_code: row.status_code.and_then(|code| code.try_into().ok()),
        message: row.message,
    };
    Ok(rows
        .into_iter()
        .map(|row| (row.service_id, current(row)))
        .collect())
}

/// Returns the status of a service at `now`, when `current` is what its last check found.
#[must_use]
pub fn judge(
    service: &service::Model,
    current: CurrentStatus,
    now: DateTime<Utc>,
) -> CurrentStatus {
    let unknown = |since: DateTime<Utc>, message: String| CurrentStatus {
        status: Status::Unknown,
        since,
        checked_at: current.checked_at,
        response_time_ms: None,
        status_code: None,
        message: Some(message),
    };
    let interval = Duration::seconds(service.check_interval_seconds.into());
    // A vendor page that does not answer keeps its last status for a while.
    let coverage_window = match service.vendor_page_id {
        None => coverage_window(interval),
        Some(_) => coverage_window(interval).max(UNKNOWN_AFTER),
    };
    if service.paused {
        let since = if current.status == Status::Unknown {
            current.since
        } else {
            service.updated_at
        };
        unknown(since, PAUSED.into())
    } else if now - current.checked_at > coverage_window {
        let message = format!(
            "not checked since {}",
            current.checked_at.format("%Y-%m-%d %H:%M:%S UTC")
        );
        unknown(current.checked_at + interval, message)
    } else {
        current
    }
}
