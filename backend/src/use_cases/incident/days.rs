//! Counts incidents per day.

use crate::use_cases::{Result, UseCases};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::incident::{Column, Entity};
use entity::sql::{in_ids, utc_day};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

/// How many incidents of a service began on one day and ended on another.
#[derive(FromQueryResult)]
struct IncidentsOfDays {
    service_id: Uuid,
    first_day: String,
    /// `None` for open ones.
    last_day: Option<String>,
    incidents: i64,
}

impl UseCases {
    /// Counts, for each service, the incidents that were open on each of the last `days` calendar days
    /// in UTC, oldest first, the day of `now` last, in one statement. Services without any are missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_days(
        &self,
        services: &[Uuid],
        days: u32,
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Vec<u32>>> {
        let today = now.date_naive();
        let first = today - TimeDelta::days(i64::from(days.max(1)) - 1);
        // Counted by the database: a service may have had very many.
        let backend = self.db.get_database_backend();
        let day = |column: &str| utc_day(backend, column);
        let begins = first.and_time(NaiveTime::MIN).and_utc();
        let rows: Vec<IncidentsOfDays> = Entity::find()
            .select_only()
            .column(Column::ServiceId)
            .column_as(day("started_at"), "first_day")
            .column_as(day("resolved_at"), "last_day")
            .column_as(Expr::cust("count(*)"), "incidents")
            .filter(in_ids(
                &self.db,
                Column::ServiceId,
                services.iter().copied(),
            ))
            .filter(
                Condition::any()
                    .add(Column::ResolvedAt.is_null())
                    .add(Column::ResolvedAt.gte(begins)),
            )
            .group_by(Column::ServiceId)
            .group_by(day("started_at"))
            .group_by(day("resolved_at"))
            .into_model()
            .all(&self.db)
            .await?;
        let index = |day: &str| {
            day.parse::<NaiveDate>()
                .map_or(0, |day| (day - first).num_days())
        };
        let length = usize::try_from(days.max(1)).unwrap_or(1);
        let mut counts_by_service: HashMap<Uuid, Vec<u32>> = HashMap::new();
        for row in rows {
            let counts = counts_by_service
                .entry(row.service_id)
                .or_insert_with(|| vec![0; length]);
            let from = usize::try_from(index(&row.first_day)).unwrap_or(0);
            let until = row.last_day.map_or(length, |day| {
                usize::try_from(index(&day) + 1).unwrap_or(0).min(length)
            });
            for count in counts.get_mut(from..until).unwrap_or_default() {
                *count = count.saturating_add(u32::try_from(row.incidents).unwrap_or(u32::MAX));
            }
        }
        Ok(counts_by_service)
    }
}
