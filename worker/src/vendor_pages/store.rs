//! The statements on pages and on what their followers remember. Decides nothing.

use super::content::{Changes, KEPT, Stored};
use super::judging::Remember;
use crate::check::Subject;
use crate::multi_row::MultiRow;
use chrono::{DateTime, Utc};
use entity::sql::Sql;
use entity::{vendor_incident, vendor_maintenance, vendor_page, vendor_page_component};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr,
    EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryResult, QuerySelect, Value,
};
use std::sync::Arc;
use uuid::Uuid;

/// How many followers are judged in one transaction.
pub(crate) const FOLLOWERS: usize = 500;
/// How many incidents of one page are read; the open ones first.
const MOST_INCIDENTS: u64 = 1000;

const COMPONENTS: [&str; 9] = [
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

const INCIDENTS: [&str; 11] = [
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

const MAINTENANCES: [&str; 9] = [
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

/// A service that follows components of the page.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) subject: Arc<Subject>,
    pub(crate) last_slot: Option<DateTime<Utc>>,
    pub(crate) components: Vec<Remembered>,
}

/// A followed component, as it was when it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    pub(crate) missing: bool,
}

/// The tables that only following touches.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) db: DatabaseConnection,
    backend: DbBackend,
    components: MultiRow,
    incidents: MultiRow,
    maintenances: MultiRow,
}

impl Pages {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        let table =
            |name, columns: &[&str]| MultiRow::new(backend, name, columns, &upsert(columns));
        Self {
            db,
            backend,
            components: table("vendor_page_components", &COMPONENTS),
            incidents: table("vendor_incidents", &INCIDENTS),
            maintenances: table("vendor_maintenances", &MAINTENANCES),
        }
    }

    /// The page, if it is there and anybody follows it.
    pub(crate) async fn followed(&self, id: Uuid) -> Result<Option<vendor_page::Model>, DbErr> {
        let sql = self
            .sql("SELECT 1 FROM services WHERE vendor_page_id = ")
            .value(id)
            .text(" AND NOT paused AND kind = 'vendor_page' LIMIT 1");
        if self.db.query_one_raw(sql.finish()).await?.is_none() {
            return Ok(None);
        }
        vendor_page::Entity::find_by_id(id).one(&self.db).await
    }

    /// Notes that the page is asked at `now`; `false` when somebody else asked it since `before`.
    pub(crate) async fn attempt(
        &self,
        id: Uuid,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql = self
            .sql("UPDATE vendor_pages SET attempted_at = ")
            .value(now)
            .text(" WHERE id = ")
            .value(id);
        let sql = sql
            .by_backend(
                " AND attempted_at IS NOT DISTINCT FROM ",
                " AND attempted_at IS ",
            )
            .value(before);
        Ok(self.db.execute_raw(sql.finish()).await?.rows_affected() > 0)
    }

    /// Notes that the page's provider is looked for at `now`; `false` when that was done since `before`.
    pub(crate) async fn detect(
        &self,
        id: Uuid,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql = self
            .sql("UPDATE vendor_pages SET detected_at = ")
            .value(now)
            .text(" WHERE id = ")
            .value(id);
        let sql = sql
            .by_backend(
                " AND detected_at IS NOT DISTINCT FROM ",
                " AND detected_at IS ",
            )
            .value(before);
        Ok(self.db.execute_raw(sql.finish()).await?.rows_affected() > 0)
    }

    /// The page's row, which nobody else changes until the transaction ends.
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

    /// The components by which the page can be told from others, by id and name: those that it had, and those that
    /// somebody follows.
    pub(crate) async fn known(&self, id: Uuid) -> Result<Vec<(String, String)>, DbErr> {
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
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// The page that is read at the same addresses as `key` says.
    pub(crate) async fn by_key(
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

    /// Whether maintenance was to begin or to end since `read_at`: its window may be all that tells how far it is, and an
    /// answer that is the same as before does not say so.
    pub(crate) async fn turned(
        &self,
        id: Uuid,
        read_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql = self
            .sql("SELECT 1 FROM vendor_maintenances WHERE vendor_page_id = ")
            .value(id);
        let sql = sql
            .text(" AND ((scheduled_for > ")
            .value(read_at)
            .text(" AND scheduled_for <= ")
            .value(now);
        let sql = sql
            .text(") OR (scheduled_until > ")
            .value(read_at)
            .text(" AND scheduled_until <= ")
            .value(now);
        Ok(self
            .db
            .query_one_raw(sql.text(")) LIMIT 1").finish())
            .await?
            .is_some())
    }

    /// Marks as missing what followers of `page` follow and is not among `shown`.
    pub(crate) async fn miss(
        &self,
        db: &impl ConnectionTrait,
        page: Uuid,
        shown: &[String],
    ) -> Result<(), DbErr> {
        let sql = self.sql("UPDATE service_components SET missing = true WHERE service_id IN ");
        let sql = sql
            .text("(SELECT id FROM services WHERE vendor_page_id = ")
            .value(page);
        db.execute_raw(one_of(sql.text(") AND component_id NOT "), shown).finish())
            .await?;
        Ok(())
    }

    /// Has everybody who follows `from` follow `to` instead.
    pub(crate) async fn move_followers(
        &self,
        db: &impl ConnectionTrait,
        from: Uuid,
        to: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = self
            .sql("UPDATE services SET vendor_page_id = ")
            .value(to)
            .text(", updated_at = ")
            .value(now);
        db.execute_raw(sql.text(" WHERE vendor_page_id = ").value(from).finish())
            .await?;
        Ok(())
    }

    /// Writes what following learned about the page itself.
    pub(crate) async fn write_row(
        &self,
        db: &impl ConnectionTrait,
        row: vendor_page::Model,
    ) -> Result<(), DbErr> {
        row.into_active_model().reset_all().update(db).await?;
        Ok(())
    }

    /// What is stored of the page.
    pub(crate) async fn stored(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Stored, DbErr> {
        let components = vendor_page_component::Entity::find()
            .filter(vendor_page_component::Column::VendorPageId.eq(id))
            .order_by_asc(vendor_page_component::Column::Position)
            .all(db)
            .await?;
        // NULL is the greatest value in the one database and the smallest in the other.
        let incidents = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::VendorPageId.eq(id))
            .order_by_desc(vendor_incident::Column::ResolvedAt.is_null())
            .order_by_desc(vendor_incident::Column::ResolvedAt)
            .limit(MOST_INCIDENTS)
            .all(db)
            .await?;
        let maintenances = vendor_maintenance::Entity::find()
            .filter(vendor_maintenance::Column::VendorPageId.eq(id))
            .all(db)
            .await?;
        Ok(Stored {
            components,
            incidents,
            maintenances,
        })
    }

    /// Writes what changed on the page.
    pub(crate) async fn change(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        changes: Changes,
    ) -> Result<(), DbErr> {
        if !changes.gone.is_empty() {
            self.lose(db, id, &changes.gone).await?;
        }
        if !changes.over.is_empty() {
            let sql = self
                .sql("DELETE FROM vendor_maintenances WHERE vendor_page_id = ")
                .value(id);
            db.execute_raw(one_of(sql.text(" AND maintenance_id "), &changes.over).finish())
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

    /// Components that the page has no more: those that nobody follows are of no use to anybody.
    async fn lose(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        gone: &[String],
    ) -> Result<(), DbErr> {
        let sql = self
            .sql("DELETE FROM vendor_page_components WHERE vendor_page_id = ")
            .value(id);
        let sql = one_of(sql.text(" AND component_id "), gone).text(
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
        db.execute_raw(one_of(sql.text(" AND component_id "), gone).finish())
            .await?;
        Ok(())
    }

    /// Up to [`FOLLOWERS`] services that follow the page and are not paused, in the order of their numbers after `after`.
    pub(crate) async fn followers(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
        after: i32,
    ) -> Result<Vec<Follower>, DbErr> {
        let sql = self
            .sql(
                "SELECT s.id, s.seq, s.workspace_id, s.updated_at, st.last_slot, c.component_id, c.name, c.group_name, \
                 c.missing FROM (SELECT id, seq, workspace_id, updated_at FROM services WHERE vendor_page_id = ",
            )
            .value(id)
            .text(" AND NOT paused AND kind = 'vendor_page' AND seq > ")
            .value(after)
            .text(" ORDER BY seq LIMIT ")
            .value(i64::try_from(FOLLOWERS).unwrap_or(i64::MAX))
            .text(
                ") s LEFT JOIN service_state st ON st.service_id = s.id \
                 LEFT JOIN service_components c ON c.service_id = s.id ORDER BY s.seq, c.position",
            );
        let mut followers: Vec<Follower> = Vec::new();
        for row in db.query_all_raw(sql.finish()).await? {
            let seq = row.try_get_by_index(1)?;
            if followers.last().is_none_or(|last| last.subject.seq != seq) {
                followers.push(follower(&row, seq)?);
            }
            let last = followers
                .last_mut()
                .expect("one was just pushed if there was none");
            last.components.extend(remembered(&row)?);
        }
        Ok(followers)
    }

    /// Remembers components otherwise, where they are still followed.
    pub(crate) async fn remember(
        &self,
        db: &impl ConnectionTrait,
        changes: &[Remember],
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

    /// Deletes incidents that ended long ago, and those of each page beyond what is ever read.
    pub(crate) async fn forget_old_incidents(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        let sql = self
            .sql("DELETE FROM vendor_incidents WHERE resolved_at < ")
            .value(now - KEPT - KEPT);
        self.db.execute_raw(sql.finish()).await?;
        let sql = self
            .sql(
                "DELETE FROM vendor_incidents WHERE resolved_at IS NOT NULL AND (vendor_page_id, incident_id) IN ( \
                 SELECT vendor_page_id, incident_id FROM (SELECT vendor_page_id, incident_id, row_number() OVER ( \
                 PARTITION BY vendor_page_id ORDER BY (resolved_at IS NULL) DESC, resolved_at DESC) AS place \
                 FROM vendor_incidents) placed WHERE place > ",
            )
            .value(i64::try_from(MOST_INCIDENTS).unwrap_or(i64::MAX))
            .text(")");
        self.db.execute_raw(sql.finish()).await?;
        Ok(())
    }

    pub(crate) fn sql(&self, text: &str) -> Sql {
        Sql::new(self.backend).text(text)
    }
}

/// `sql` with a condition that what comes before is one of `texts`, which are one parameter.
fn one_of(sql: Sql, texts: &[String]) -> Sql {
    let list = serde_json::Value::from(texts);
    sql.by_backend(
        "IN (SELECT jsonb_array_elements_text(",
        "IN (SELECT value FROM json_each(",
    )
    .value(list)
    .text("))")
}

fn upsert(columns: &[&str]) -> String {
    let (key, others) = columns.split_at(2);
    let set: Vec<_> = others
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        set.join(", ")
    )
}

fn follower(row: &QueryResult, seq: i32) -> Result<Follower, DbErr> {
    let (id, workspace_id, updated_at) = (
        row.try_get_by_index(0)?,
        row.try_get_by_index(2)?,
        row.try_get_by_index(3)?,
    );
    Ok(Follower {
        subject: Arc::new(Subject::followed(id, seq, workspace_id, updated_at)),
        last_slot: row.try_get_by_index(4)?,
        components: Vec::new(),
    })
}

fn remembered(row: &QueryResult) -> Result<Option<Remembered>, DbErr> {
    let Some(id) = row.try_get_by_index::<Option<String>>(5)? else {
        return Ok(None);
    };
    let (name, group) = (row.try_get_by_index(6)?, row.try_get_by_index(7)?);
    Ok(Some(Remembered {
        id,
        name,
        group,
        missing: row.try_get_by_index(8)?,
    }))
}

fn component_values(row: vendor_page_component::Model) -> [Value; COMPONENTS.len()] {
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

fn incident_values(row: vendor_incident::Model) -> [Value; INCIDENTS.len()] {
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

fn maintenance_values(row: vendor_maintenance::Model) -> [Value; MAINTENANCES.len()] {
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
