//! Services as they are defined, remembered until that changes: a list of a thousand services is asked for again and again,
//! and fetching all of their columns each time costs several times as much as asking which of them have changed.

use super::Result;
use chrono::{DateTime, TimeDelta, Utc};
use entity::service;
use entity::sql::{Sql, among};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How many services are remembered.
const CAPACITY: usize = 100_000;

/// How long ago a definition must have changed to be remembered. When it changed is known in milliseconds, by the clock of
/// whoever changed it: so soon it may change once more and seem the same.
const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Definitions(Mutex<HashMap<Uuid, Known>>);

#[derive(Debug)]
struct Known {
    changed: Changed,
    service: Arc<service::Model>,
}

/// When a service was changed last, as the database writes it.
type Changed = Box<str>;

impl Definitions {
    /// All services of a user, in no order: those that have changed are read.
    ///
    /// # Errors
    /// What the database said.
    pub(super) async fn of(
        &self,
        db: &DatabaseConnection,
        user: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Vec<Arc<service::Model>>> {
        let (mut services, mut wanted) = (Vec::new(), HashMap::new());
        let changes = changes(db, user).await?;
        {
            let memory = self.lock();
            for (id, changed) in changes {
                match memory.get(&id).filter(|known| known.changed == changed) {
                    Some(known) => services.push(known.service.clone()),
                    None => _ = wanted.insert(id, changed),
                }
            }
        }
        if wanted.is_empty() {
            return Ok(services);
        }
        let read = service::Entity::find()
            .filter(service::Column::UserId.eq(user))
            .filter(among(db, service::Column::Id, wanted.keys().copied()))
            .all(db)
            .await?;
        let mut memory = self.lock();
        for service in read.into_iter().map(Arc::new) {
            let settled = service.updated_at < now - SETTLED;
            if let Some(changed) = wanted.remove(&service.id).filter(|_| settled) {
                memory.insert(service.id, Known { changed, service: service.clone() });
            }
            services.push(service);
        }
        // Beginning again costs one long read of what is still asked for; finding the oldest would cost every read.
        if memory.len() > CAPACITY {
            memory.clear();
        }
        Ok(services)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When each service of a user was changed last. In one text: handing over a row for each costs more than finding it.
async fn changes(db: &DatabaseConnection, user: Uuid) -> Result<Vec<(Uuid, Changed)>> {
    let sql = Sql::new(db.get_database_backend())
        .by_backend(
            "SELECT string_agg(id || ' ' || CAST(extract(epoch FROM updated_at) * 1000000 AS bigint), ',')",
            "SELECT group_concat(hex(id) || ' ' || updated_at, ',')",
        )
        .text(" FROM services WHERE user_id = ")
        .value(user);
    let Some(row) = db.query_one_raw(sql.finish()).await? else { return Ok(Vec::new()) };
    let Some(text) = row.try_get_by_index::<Option<String>>(0)? else { return Ok(Vec::new()) };
    let one = |one: &str| {
        let (id, changed) = one.split_once(' ')?;
        Some((Uuid::try_parse(id).ok()?, changed.into()))
    };
    let broken = |part: &str| DbErr::Type(format!("not a service and when it was changed: {part:?}"));
    text.split(',').map(|part| one(part).ok_or_else(|| broken(part).into())).collect()
}
