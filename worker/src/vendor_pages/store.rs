//! The statements on pages and on the snapshots of their followers. Decides nothing.

use super::content::{Changes, INCIDENT_RETENTION, StoredPage};
use super::follower::{ComponentSnapshot, Follower, SnapshotUpdate};
use crate::check::CheckedService;
use chrono::{DateTime, TimeDelta, Utc};
use entity::multi_row::{MultiRowInsert, on_conflict_update};
use entity::sql::Sql;
use entity::{service, vendor_incident, vendor_maintenance, vendor_page, vendor_page_component};
use monitors::MonitorKind;
use sea_orm::sea_query::{Expr, LockType, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend,
    DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryResult, QuerySelect, Value,
};
use std::sync::Arc;
use uuid::Uuid;
use vendor_pages::page::{OVERDUE_IN_PROGRESS, OVERDUE_SCHEDULED};

/// Number of followers that are checked in one transaction.
pub(crate) const FOLLOWER_BATCH: usize = 500;
/// Maximum number of incidents of one page that are read, open ones first.
const MAX_INCIDENTS: u64 = 1000;

const COMPONENT_COLUMNS: [&str; 9] = [
    "vendor_page_id",
    "component_id",
    "name",
    "group_name",
    "position",
    "status",
    "vendor_status",
    "missing",
    "updated_at",
];

const INCIDENT_COLUMNS: [&str; 11] = [
    "vendor_page_id",
    "incident_id",
    "name",
    "impact",
    "status",
    "started_at",
    "resolved_at",
    "url",
    "component_ids",
    "updates",
    "updated_at",
];

const MAINTENANCE_COLUMNS: [&str; 9] = [
    "vendor_page_id",
    "maintenance_id",
    "name",
    "status",
    "scheduled_for",
    "scheduled_until",
    "url",
    "component_ids",
    "updated_at",
];

/// The tables that only vendor pages touch.
#[derive(Debug)]
pub(crate) struct PageStore {
    pub(crate) db: DatabaseConnection,
    backend: DbBackend,
    components: MultiRowInsert,
    incidents: MultiRowInsert,
    maintenances: MultiRowInsert,
}

impl PageStore {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        let table = |name, columns: &[&str]| {
            let (key, others) = columns.split_at(2);
            MultiRowInsert::new(backend, name, columns, &on_conflict_update(key, others))
        };
        Self {
            db,
            backend,
            components: table("vendor_page_components", &COMPONENT_COLUMNS),
            incidents: table("vendor_incidents", &INCIDENT_COLUMNS),
            maintenances: table("vendor_maintenances", &MAINTENANCE_COLUMNS),
        }
    }

    /// Returns the page if it exists and a service that is not paused follows it.
    pub(crate) async fn followed(&self, id: Uuid) -> Result<Option<vendor_page::Model>, DbErr> {
        let sql = self
            .sql("SELECT 1 FROM services WHERE vendor_page_id = ")
            .value(id)
            .text(" AND NOT paused LIMIT 1");
        if self.db.query_one_raw(sql.finish()).await?.is_none() {
            return Ok(None);
        }
        vendor_page::Entity::find_by_id(id).one(&self.db).await
    }

    /// Notes a fetch of the page at `now`. Returns `false` if another worker noted one since `before`.
    pub(crate) async fn begin_fetch(
        &self,
        id: Uuid,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        self.replace_time(id, vendor_page::Column::AttemptedAt, before, now)
            .await
    }

    /// Notes a rediscovery of the page at `now`. Returns `false` if another worker noted one since
    /// `before`.
    pub(crate) async fn begin_rediscovery(
        &self,
        id: Uuid,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        self.replace_time(id, vendor_page::Column::DetectedAt, before, now)
            .await
    }

    /// Compare-and-swap of a time of the page.
    async fn replace_time(
        &self,
        id: Uuid,
        column: vendor_page::Column,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let is_unchanged: SimpleExpr = match before {
            Some(before) => column.eq(before),
            None => column.is_null(),
        };
        let updated = vendor_page::Entity::update_many()
            .col_expr(column, Expr::value(now))
            .filter(vendor_page::Column::Id.eq(id))
            .filter(is_unchanged)
            .exec(&self.db)
            .await?;
        Ok(updated.rows_affected > 0)
    }

    /// Reads and locks the row of the page until the transaction ends.
    pub(crate) async fn lock(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<vendor_page::Model>, DbErr> {
        vendor_page::Entity::find_by_id(id)
            .lock(LockType::NoKeyUpdate)
            .one(db)
            .await
    }

    /// Returns the components that identify the page, by id and name: those that it had, and those that
    /// are followed.
    pub(crate) async fn known_components(&self, id: Uuid) -> Result<Vec<(String, String)>, DbErr> {
        let sql = self
            .sql("SELECT component_id, name FROM vendor_page_components WHERE vendor_page_id = ")
            .value(id)
            .text(
                " UNION SELECT c.component_id, c.name FROM services s JOIN service_components c ON c.service_id = s.id \
                 WHERE s.vendor_page_id = ",
            )
            .value(id);
        let rows = self.db.query_all_raw(sql.finish()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "component_id")?, row.try_get("", "name")?)))
            .collect()
    }

    /// Returns the page with this `key`, which its addresses make up.
    pub(crate) async fn find_by_key(
        &self,
        db: &impl ConnectionTrait,
        key: &str,
    ) -> Result<Option<Uuid>, DbErr> {
        let row = vendor_page::Entity::find()
            .filter(vendor_page::Column::Key.eq(key))
            .one(db)
            .await?;
        Ok(row.map(|row| row.id))
    }

    /// Whether a maintenance was to begin or to end since `read_at`, or is overdue for too long since
    /// then. Its stage may depend on the time alone, and a 304 does not tell.
    pub(crate) async fn maintenance_boundary_passed(
        &self,
        id: Uuid,
        read_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        use vendor_maintenance::Column;
        let has_passed = |boundary: Column, wait: TimeDelta| {
            Condition::all()
                .add(boundary.gt(read_at - wait))
                .add(boundary.lte(now - wait))
        };
        let passed = vendor_maintenance::Entity::find()
            .filter(Column::VendorPageId.eq(id))
            .filter(
                Condition::any()
                    .add(has_passed(Column::ScheduledFor, TimeDelta::zero()))
                    .add(has_passed(Column::ScheduledFor, OVERDUE_IN_PROGRESS))
                    .add(has_passed(Column::ScheduledUntil, TimeDelta::zero()))
                    .add(has_passed(Column::ScheduledUntil, OVERDUE_SCHEDULED))
                    .add(has_passed(Column::ScheduledUntil, OVERDUE_IN_PROGRESS)),
            )
            .one(&self.db)
            .await?;
        Ok(passed.is_some())
    }

    /// Marks the followed components of `page` as missing that are not `listed`.
    pub(crate) async fn mark_missing(
        &self,
        db: &impl ConnectionTrait,
        page: Uuid,
        listed: &[String],
    ) -> Result<(), DbErr> {
        let sql = self.sql("UPDATE service_components SET missing = true WHERE service_id IN ");
        let sql = sql
            .text("(SELECT id FROM services WHERE vendor_page_id = ")
            .value(page);
        db.execute_raw(one_of(sql.text(") AND component_id NOT "), listed).finish())
            .await?;
        Ok(())
    }

    /// Makes all followers of `from` follow `to`.
    pub(crate) async fn move_followers(
        &self,
        db: &impl ConnectionTrait,
        from: Uuid,
        to: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        service::Entity::update_many()
            .col_expr(service::Column::VendorPageId, Expr::value(to))
            .col_expr(service::Column::UpdatedAt, Expr::value(now))
            .filter(service::Column::VendorPageId.eq(from))
            .exec(db)
            .await?;
        Ok(())
    }

    /// Writes the row of the page itself.
    pub(crate) async fn write_row(
        &self,
        db: &impl ConnectionTrait,
        row: vendor_page::Model,
    ) -> Result<(), DbErr> {
        row.into_active_model().reset_all().update(db).await?;
        Ok(())
    }

    /// Reads the page with its components, incidents and maintenances.
    pub(crate) async fn stored(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<StoredPage, DbErr> {
        let components = vendor_page_component::Entity::find()
            .filter(vendor_page_component::Column::VendorPageId.eq(id))
            .order_by_asc(vendor_page_component::Column::Position)
            .all(db)
            .await?;
        // NULL sorts last in PostgreSQL and first in SQLite, so open incidents are sorted explicitly.
        let incidents = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::VendorPageId.eq(id))
            .order_by_desc(vendor_incident::Column::ResolvedAt.is_null())
            .order_by_desc(vendor_incident::Column::ResolvedAt)
            .limit(MAX_INCIDENTS)
            .all(db)
            .await?;
        let maintenances = vendor_maintenance::Entity::find()
            .filter(vendor_maintenance::Column::VendorPageId.eq(id))
            .all(db)
            .await?;
        Ok(StoredPage {
            components,
            incidents,
            maintenances,
        })
    }

    /// Writes the changes of the page's components, incidents and maintenances.
    pub(crate) async fn write(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        changes: Changes,
    ) -> Result<(), DbErr> {
        if !changes.removed_components.is_empty() {
            self.remove_components(db, id, &changes.removed_components)
                .await?;
        }
        if !changes.ended_maintenances.is_empty() {
            let sql = self
                .sql("DELETE FROM vendor_maintenances WHERE vendor_page_id = ")
                .value(id);
            db.execute_raw(
                one_of(
                    sql.text(" AND maintenance_id "),
                    &changes.ended_maintenances,
                )
                .finish(),
            )
            .await?;
        }
        self.components
            .write(
                db,
                changes
                    .components
                    .into_iter()
                    .flat_map(component_values)
                    .collect(),
            )
            .await?;
        self.incidents
            .write(
                db,
                changes
                    .incidents
                    .into_iter()
                    .flat_map(incident_values)
                    .collect(),
            )
            .await?;
        self.maintenances
            .write(
                db,
                changes
                    .maintenances
                    .into_iter()
                    .flat_map(maintenance_values)
                    .collect(),
            )
            .await
    }

    /// Deletes components that the page does not list any more, or marks them as missing if a service
    /// follows them.
    async fn remove_components(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        removed: &[String],
    ) -> Result<(), DbErr> {
        let sql = self
            .sql("DELETE FROM vendor_page_components WHERE vendor_page_id = ")
            .value(id);
        let sql = one_of(sql.text(" AND component_id "), removed).text(
            " AND NOT EXISTS (SELECT 1 FROM services s JOIN service_components c ON c.service_id = s.id \
             WHERE s.vendor_page_id = vendor_page_components.vendor_page_id \
             AND c.component_id = vendor_page_components.component_id)",
        );
        db.execute_raw(sql.finish()).await?;
        let sql = self.sql("UPDATE vendor_page_components SET missing = true, status = ");
        let sql = sql
            .value(entity::column::Status::Unknown)
            .text(" WHERE vendor_page_id = ")
            .value(id);
        db.execute_raw(one_of(sql.text(" AND component_id "), removed).finish())
            .await?;
        Ok(())
    }

    /// Returns up to [`FOLLOWER_BATCH`] services that follow the page and are not paused, by `seq`, after
    /// `after`.
    pub(crate) async fn followers(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        after: i32,
    ) -> Result<Vec<Follower>, DbErr> {
        let sql = self
            .sql(
                "SELECT s.id, s.seq, s.workspace_id, s.updated_at, st.last_slot, c.component_id, c.name, \
                 c.group_name, c.missing, s.kind, s.recoveries \
                 FROM (SELECT id, seq, workspace_id, updated_at, kind, recoveries FROM services WHERE vendor_page_id = ",
            )
            .value(id)
            .text(" AND NOT paused AND seq > ")
            .value(after)
            .text(" ORDER BY seq LIMIT ")
            .value(i64::try_from(FOLLOWER_BATCH).unwrap_or(i64::MAX))
            .text(
                ") s LEFT JOIN service_state st ON st.service_id = s.id \
                 LEFT JOIN service_components c ON c.service_id = s.id ORDER BY s.seq, c.position",
            );
        let mut followers: Vec<Follower> = Vec::new();
        for row in db.query_all_raw(sql.finish()).await? {
            let seq = row.try_get("", "seq")?;
            if followers.last().is_none_or(|last| last.service.seq != seq) {
                // A kind that this version does not know is left to one that does.
                let Some(follower) = follower(&row, seq)? else {
                    continue;
                };
                followers.push(follower);
            }
            let last = followers
                .last_mut()
                .expect("one was just pushed if there was none");
            last.components.extend(component_snapshot(&row)?);
        }
        Ok(followers)
    }

    /// Writes changed snapshots of components that are still followed.
    pub(crate) async fn update_snapshots(
        &self,
        db: &impl ConnectionTrait,
        changes: &[SnapshotUpdate],
    ) -> Result<(), DbErr> {
        if changes.is_empty() {
            return Ok(());
        }
        let list = serde_json::to_value(changes).expect("texts and truth values are valid JSON");
        let sql = self
            .sql("UPDATE service_components SET name = ")
            .by_backend(
                "v.name, group_name = v.group_name, missing = v.missing FROM jsonb_to_recordset(",
                "v.value ->> 'name', group_name = v.value ->> 'group_name', missing = v.value ->> 'missing' \
                 FROM json_each(",
            )
            .value(list)
            .by_backend(
                ") AS v (service_id uuid, component_id text, name text, group_name text, missing boolean) \
                 WHERE service_components.service_id = v.service_id AND service_components.component_id = v.component_id",
                ") v WHERE service_id = unhex(replace(v.value ->> 'service_id', '-', '')) \
                 AND component_id = v.value ->> 'component_id'",
            );
        db.execute_raw(sql.finish()).await?;
        Ok(())
    }

    /// Deletes incidents that ended long ago, and those of each page beyond [`MAX_INCIDENTS`].
    pub(crate) async fn delete_old_incidents(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        vendor_incident::Entity::delete_many()
            .filter(vendor_incident::Column::ResolvedAt.lt(now - INCIDENT_RETENTION * 2))
            .exec(&self.db)
            .await?;
        let sql = self
            .sql(
                "DELETE FROM vendor_incidents WHERE resolved_at IS NOT NULL AND (vendor_page_id, incident_id) IN ( \
                 SELECT vendor_page_id, incident_id FROM (SELECT vendor_page_id, incident_id, row_number() OVER ( \
                 PARTITION BY vendor_page_id ORDER BY (resolved_at IS NULL) DESC, resolved_at DESC) AS place \
                 FROM vendor_incidents) placed WHERE place > ",
            )
            .value(i64::try_from(MAX_INCIDENTS).unwrap_or(i64::MAX))
            .text(")");
        self.db.execute_raw(sql.finish()).await?;
        Ok(())
    }

    fn sql(&self, text: &str) -> Sql {
        Sql::new(self.backend).text(text)
    }
}

/// Appends the condition that the preceding column is one of `texts`, as one parameter.
fn one_of(sql: Sql, texts: &[String]) -> Sql {
    let list = serde_json::Value::from(texts);
    sql.by_backend(
        "IN (SELECT jsonb_array_elements_text(",
        "IN (SELECT value FROM json_each(",
    )
    .value(list)
    .text("))")
}

fn follower(row: &QueryResult, seq: i32) -> Result<Option<Follower>, DbErr> {
    let kind: String = row.try_get("", "kind")?;
    let Ok(kind) = MonitorKind::from_id(&kind) else {
        return Ok(None);
    };
    let recoveries: i32 = row.try_get("", "recoveries")?;
    let service = CheckedService::followed(
        row.try_get("", "id")?,
        seq,
        row.try_get("", "workspace_id")?,
        kind,
        u32::try_from(recoveries).unwrap_or(1),
        row.try_get("", "updated_at")?,
    );
    Ok(Some(Follower {
        service: Arc::new(service),
        last_slot: row.try_get("", "last_slot")?,
        components: Vec::new(),
    }))
}

fn component_snapshot(row: &QueryResult) -> Result<Option<ComponentSnapshot>, DbErr> {
    let Some(id) = row.try_get::<Option<String>>("", "component_id")? else {
        return Ok(None);
    };
    Ok(Some(ComponentSnapshot {
        id,
        name: row.try_get("", "name")?,
        group: row.try_get("", "group_name")?,
        missing: row.try_get("", "missing")?,
    }))
}

fn component_values(row: vendor_page_component::Model) -> [Value; COMPONENT_COLUMNS.len()] {
    [
        row.vendor_page_id.into(),
        row.component_id.into(),
        row.name.into(),
        row.group_name.into(),
        row.position.into(),
        row.status.into(),
        row.vendor_status.into(),
        row.missing.into(),
        row.updated_at.into(),
    ]
}

fn incident_values(row: vendor_incident::Model) -> [Value; INCIDENT_COLUMNS.len()] {
    [
        row.vendor_page_id.into(),
        row.incident_id.into(),
        row.name.into(),
        row.impact.into(),
        row.status.into(),
        row.started_at.into(),
        row.resolved_at.into(),
        row.url.into(),
        row.component_ids.into(),
        row.updates.into(),
        row.updated_at.into(),
    ]
}

fn maintenance_values(row: vendor_maintenance::Model) -> [Value; MAINTENANCE_COLUMNS.len()] {
    [
        row.vendor_page_id.into(),
        row.maintenance_id.into(),
        row.name.into(),
        row.status.into(),
        row.scheduled_for.into(),
        row.scheduled_until.into(),
        row.url.into(),
        row.component_ids.into(),
        row.updated_at.into(),
    ]
}
