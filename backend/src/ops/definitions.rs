//! Services as they are defined, remembered until that changes: a list of a thousand services is asked for again and again,
//! and fetching all of their columns each time costs several times as much as asking which of them have changed.

use super::Result;
use chrono::{DateTime, TimeDelta, Utc};
use entity::service;
use entity::sql::{Sql, among};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How many services are remembered, of all users together.
const CAPACITY: usize = 20_000;

/// How long ago a definition must have changed to be remembered. When it changed is known in milliseconds, by the clock of
/// whoever changed it: so soon it may change once more and seem the same.
const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Definitions(Mutex<HashMap<Uuid, Arc<OfUser>>>);

/// What is remembered of one user's services.
type OfUser = HashMap<Uuid, Known>;

#[derive(Debug, Clone)]
struct Known {
    changed: Changed,
    service: Arc<service::Model>,
}

/// When a service was changed last, as the database writes it.
type Changed = Arc<str>;

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
        let before = self.lock().get(&user).cloned().unwrap_or_default();
        let (mut kept, mut wanted) = (OfUser::new(), HashMap::new());
        for (id, changed) in changes(db, user).await? {
            match before.get(&id).filter(|known| known.changed == changed) {
                Some(known) => _ = kept.insert(id, known.clone()),
                None => _ = wanted.insert(id, changed),
            }
        }
        let mut services: Vec<_> = kept.values().map(|known| known.service.clone()).collect();
        if wanted.is_empty() && kept.len() == before.len() {
            return Ok(services);
        }
        if !wanted.is_empty() {
            let read = service::Entity::find()
                .filter(service::Column::UserId.eq(user))
                .filter(among(db, service::Column::Id, wanted.keys().copied()))
                .all(db)
                .await?;
            for service in read.into_iter().map(Arc::new) {
                let settled = service.updated_at < now - SETTLED;
                if let Some(changed) = wanted.remove(&service.id).filter(|_| settled) {
                    kept.insert(service.id, Known { changed, service: service.clone() });
                }
                services.push(service);
            }
        }
        self.remember(user, kept);
        Ok(services)
    }

    fn remember(&self, user: Uuid, services: OfUser) {
        let forgotten = {
            let mut memory = self.lock();
            memory.insert(user, Arc::new(services));
            let full = memory.values().map(|services| services.len()).sum::<usize>() > CAPACITY;
            // Beginning again costs one long read of what is still asked for.
            full.then(|| mem::take(&mut *memory))
        };
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<OfUser>>> {
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
