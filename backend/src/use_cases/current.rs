//! What is known about services now: the fast copy, else the database, and in either case no longer than a check speaks
//! for. The one place that judges staleness.

use super::{Ops, Result};
use chrono::{DateTime, Duration, Utc};
use coordination::{CachedStatus, CurrentStatus};
use domain::slot::horizon;
use domain::vendor_page::UNKNOWN_AFTER;
use domain::{Phases, Status};
use entity::column::{self, MonitorKind};
use entity::sql::among;
use entity::{service, service_state};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What is said about a paused service.
pub const PAUSED: &str = "paused";

/// The parts of the last check that only the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Details {
    /// Where the response time went.
    pub phases: Phases,
    /// When the certificate ends.
    pub certificate_expires_at: Option<DateTime<Utc>>,
}

impl Ops {
    /// What is known at `now` about each of `services`; those that were never checked are missing.
    ///
    /// # Errors
    /// When the database fails. That the live state fails only costs time.
    pub async fn current(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, CurrentStatus>> {
        let ids: Vec<_> = services.iter().map(|service| service.id).collect();
        let copies = self.live.cached_statuses(&ids).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the live state does not answer: statuses are read from the database");
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
            known.extend(recorded(self, &missing).await?);
        }
        let judged = services.iter().filter_map(|service| {
            let current = known.remove(&service.id)?;
            Some((service.id, judge(service, current, now)))
        });
        Ok(judged.collect())
    }

    /// The details of the last check of each of `services` that was ever checked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn details(&self, services: &[Uuid]) -> Result<HashMap<Uuid, Details>> {
        let of_these = among(
            &self.db,
            service_state::Column::ServiceId,
            services.iter().copied(),
        );
        let rows = service_state::Entity::find()
            .filter(of_these)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.service_id, details(&row)))
            .collect())
    }
}

/// What the database says of those of `services` that were checked.
async fn recorded(ops: &Ops, services: &[Uuid]) -> Result<Vec<(Uuid, CurrentStatus)>> {
    use service_state::Column::{
        CheckedAt, Message, ResponseTimeMs, ServiceId, Status, StatusCode, StatusSince,
    };
    type Row = (
        Uuid,
        column::Status,
        DateTime<Utc>,
        DateTime<Utc>,
        Option<i32>,
        Option<i32>,
        Option<String>,
    );
    let rows: Vec<Row> = service_state::Entity::find()
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
        .filter(among(&ops.db, ServiceId, services.iter().copied()))
        .filter(CheckedAt.is_not_null())
        .into_tuple()
        .all(&ops.db)
        .await?;
    let known = |(id, status, since, checked_at, response_time_ms, status_code, message): Row| {
        let status = status.into();
        let response_time_ms = response_time_ms.and_then(|ms| ms.try_into().ok());
        let status_code = status_code.and_then(|code| code.try_into().ok());
        (
            id,
            CurrentStatus {
                status,
                since,
                checked_at,
                response_time_ms,
                status_code,
                message,
            },
        )
    };
    Ok(rows.into_iter().map(known).collect())
}

fn details(row: &service_state::Model) -> Details {
    let ms = |ms: Option<i32>| ms.and_then(|ms| u32::try_from(ms).ok());
    Details {
        phases: Phases {
            dns_ms: ms(row.dns_ms),
            connect_ms: ms(row.connect_ms),
            tls_ms: ms(row.tls_ms),
            first_byte_ms: ms(row.first_byte_ms),
        },
        certificate_expires_at: row.certificate_expires_at,
    }
}

/// What may be said of a service at `now`, when `current` is the last that was learned.
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
    // A page that does not answer is asked again for a while before nothing is known of what it said.
    let horizon = match service.kind {
        MonitorKind::Http => horizon(interval),
        MonitorKind::VendorPage => horizon(interval).max(UNKNOWN_AFTER),
    };
    if service.paused {
        let since = if current.status == Status::Unknown {
            current.since
        } else {
            service.updated_at
        };
        unknown(since, PAUSED.into())
    } else if now - current.checked_at > horizon {
        let message = format!(
            "not checked since {}",
            current.checked_at.format("%Y-%m-%d %H:%M:%S UTC")
        );
        unknown(current.checked_at + interval, message)
    } else {
        current
    }
}
