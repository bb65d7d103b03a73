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

/// How many services are remembered, of all workspaces together; each workspace counts as one more.
const CAPACITY: usize = 20_000;

/// How long ago a definition must have changed to be remembered. When it changed is known in milliseconds, by the clock of
/// whoever changed it: so soon it may change once more and seem the same.
const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Definitions(Mutex<HashMap<Uuid, Arc<OfUser>>>);

/// What is remembered of one workspace's services.
#[derive(Debug, Default)]
struct OfUser {
    /// What [`told`] was when all services were remembered; empty when some were not.
    told: String,
    /// All of them then, in the order of every list.
    services: Arc<[Arc<service::Model>]>,
    known: HashMap<Uuid, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    changed: Changed,
    service: Arc<service::Model>,
}

/// When a service was changed last, as the database writes it.
type Changed = Arc<str>;

impl Definitions {
    /// All services of a workspace, by name: those that have changed are read.
    ///
    /// # Errors
    /// What the database said.
    pub(super) async fn of(
        &self,
        db: &DatabaseConnection,
        workspace: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Arc<[Arc<service::Model>]>> {
        let before = self.lock().get(&workspace).cloned().unwrap_or_default();
        let Some(told) = told(db, workspace).await? else {
            return Ok(Arc::default());
        };
        if told == before.told {
            return Ok(before.services.clone());
        }
        let (mut known, mut wanted) = (HashMap::new(), HashMap::new());
        for (id, changed) in changes(&told)? {
            match before
                .known
                .get(&id)
                .filter(|known| *known.changed == *changed)
            {
                Some(before) => _ = known.insert(id, before.clone()),
                None => _ = wanted.insert(id, changed.into()),
            }
        }
        let mut services: Vec<_> = known.values().map(|known| known.service.clone()).collect();
        let mut all_known = true;
        if !wanted.is_empty() {
            let read = service::Entity::find()
                .filter(service::Column::WorkspaceId.eq(workspace))
                .filter(among(db, service::Column::Id, wanted.keys().copied()))
                .all(db)
                .await?;
            for service in read.into_iter().map(Arc::new) {
                let settled = service.updated_at < now - SETTLED;
                if let Some(changed) = wanted.remove(&service.id).filter(|_| settled) {
                    known.insert(
                        service.id,
                        Known {
                            changed,
                            service: service.clone(),
                        },
                    );
                }
                services.push(service);
            }
            all_known = known.len() == services.len() && wanted.is_empty();
        }
        services.sort_by_cached_key(|service| (service.name.to_lowercase(), service.id));
        let services: Arc<[_]> = services.into();
        let (told, all) = if all_known {
            (told, services.clone())
        } else {
            Default::default()
        };
        self.remember(
            workspace,
            OfUser {
                told,
                services: all,
                known,
            },
        );
        Ok(services)
    }

    fn remember(&self, workspace: Uuid, services: OfUser) {
        let forgotten = {
            let mut memory = self.lock();
            memory.insert(workspace, Arc::new(services));
            let full = memory
                .values()
                .map(|services| services.known.len() + 1)
                .sum::<usize>()
                > CAPACITY;
            // Beginning again costs one long read of what is still asked for.
            full.then(|| mem::take(&mut *memory))
        };
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<OfUser>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of each service of a workspace, and when it was changed last; `None` for one without services. In one text: handing
/// over a row for each costs more than finding it.
async fn told(db: &DatabaseConnection, workspace: Uuid) -> Result<Option<String>> {
    let sql = Sql::new(db.get_database_backend())
        .by_backend(
            "SELECT string_agg(id || ' ' || CAST(extract(epoch FROM updated_at) * 1000000 AS bigint), ',')",
            "SELECT group_concat(hex(id) || ' ' || updated_at, ',')",
        )
        .text(" FROM services WHERE workspace_id = ")
        .value(workspace);
    let Some(row) = db.query_one_raw(sql.finish()).await? else {
        return Ok(None);
    };
    Ok(row.try_get_by_index(0)?)
}

/// The parts of what is [`told`].
fn changes(told: &str) -> Result<Vec<(Uuid, &str)>> {
    let broken =
        |part: &str| DbErr::Type(format!("not a service and when it was changed: {part:?}"));
    let parts = told.split(',').map(|part| {
        let (id, changed) = part.split_once(' ').ok_or_else(|| broken(part))?;
        Ok((Uuid::try_parse(id).map_err(|_| broken(part))?, changed))
    });
    parts.collect()
}
