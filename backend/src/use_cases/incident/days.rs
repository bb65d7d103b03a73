//! How many incidents each day saw.

use crate::use_cases::{Ops, Result};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::incident::{Column, Entity};
use entity::sql::among;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

impl Ops {
    /// How many incidents of each service touched each of the last `days` calendar days in UTC, oldest first, the day of
    /// `now` last, in one statement. Services without any are missing.
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
        // Put together by day where they are: a service may have had very many.
        let sqlite = self.db.get_database_backend() == DbBackend::Sqlite;
        let day = |column: &str| match sqlite {
            true => Expr::cust(format!("substr({column}, 1, 10)")),
            false => Expr::cust(format!(
                "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
            )),
        };
        let begins = first.and_time(NaiveTime::MIN).and_utc();
        let rows: Vec<(Uuid, String, Option<String>, i64)> = Entity::find()
            .select_only()
            .column(Column::ServiceId)
            .column_as(day("started_at"), "began")
            .column_as(day("resolved_at"), "ended")
            .column_as(Expr::cust("count(*)"), "incidents")
            .filter(among(&self.db, Column::ServiceId, services.iter().copied()))
            .filter(
                Condition::any()
                    .add(Column::ResolvedAt.is_null())
                    .add(Column::ResolvedAt.gte(begins)),
            )
            .group_by(Column::ServiceId)
            .group_by(day("started_at"))
            .group_by(day("resolved_at"))
            .into_tuple()
            .all(&self.db)
            .await?;
        let place = |day: &str| {
            day.parse::<NaiveDate>()
                .map_or(0, |day| (day - first).num_days())
        };
        let length = usize::try_from(days.max(1)).unwrap_or(1);
        let mut of_each: HashMap<Uuid, Vec<u32>> = HashMap::new();
        for (service, began, ended, incidents) in rows {
            let counts = of_each.entry(service).or_insert_with(|| vec![0; length]);
            let from = usize::try_from(place(&began)).unwrap_or(0);
            let until = ended.map_or(length, |ended| {
                usize::try_from(place(&ended) + 1).unwrap_or(0).min(length)
            });
            for count in counts.get_mut(from..until).unwrap_or_default() {
                *count = count.saturating_add(u32::try_from(incidents).unwrap_or(u32::MAX));
            }
        }
        Ok(of_each)
    }
}
