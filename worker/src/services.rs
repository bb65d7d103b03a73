//! What is to be checked: the services' definitions, kept in memory and loaded in batches. Knows nothing of their state.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ExpectedStatus;
use entity::column::MonitorKind;
use probe::HttpTarget;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// How many definitions one statement loads at most.
const BATCH: usize = 1000;

/// A service that PulseCheck itself requests, as it is defined at one time.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) id: Uuid,
    /// The key of its checks.
    pub(crate) number: i32,
    pub(crate) user_id: Uuid,
    pub(crate) target: HttpTarget,
    /// The name or address in the target, by which the cap of running checks goes.
    pub(crate) host: Arc<str>,
    pub(crate) interval: TimeDelta,
    pub(crate) confirmations: u32,
    /// Tells one definition from another.
    pub(crate) updated_at: DateTime<Utc>,
}

impl Service {
    /// How often it is checked, in seconds.
    pub(crate) fn interval_seconds(&self) -> i32 {
        i32::try_from(self.interval.num_seconds()).unwrap_or(i32::MAX)
    }
}

/// The definitions known. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    db: DatabaseConnection,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    services: HashMap<Uuid, Arc<Service>>,
    /// Grows with each change: what was loaded before a change must not be kept after it.
    changes: u64,
}

impl Services {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        Self { db, known: Arc::default() }
    }

    /// The definitions of `ids`, in their order; `None` where there is nothing to request: the service is gone, paused,
    /// or of another kind.
    pub(crate) async fn get(&self, ids: &[Uuid]) -> Result<Vec<Option<Arc<Service>>>, DbErr> {
        let mut found: Vec<_> = {
            let known = self.known();
            ids.iter().map(|id| known.services.get(id).cloned()).collect()
        };
        let missing: Vec<_> = (0..ids.len()).filter(|i| found[*i].is_none()).collect();
        for some in missing.chunks(BATCH) {
            let wanted: Vec<_> = some.iter().map(|i| ids[*i]).collect();
            let loaded = self.load(&wanted).await?;
            for i in some {
                found[*i] = loaded.get(&ids[*i]).cloned();
            }
        }
        Ok(found)
    }

    /// Drops one definition: the next check uses what the database says then.
    pub(crate) fn drop_one(&self, id: Uuid) {
        let mut known = self.known();
        known.changes += 1;
        known.services.remove(&id);
    }

    /// Drops every definition.
    pub(crate) fn drop_all(&self) {
        let mut known = self.known();
        known.changes += 1;
        known.services.clear();
    }

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Arc<Service>>, DbErr> {
        let changes = self.known().changes;
        let rows = self.db.query_all_raw(select(self.db.get_database_backend(), ids)).await?;
        let services = rows.iter().filter_map(|row| read(row).transpose()).collect::<Result<Vec<_>, _>>()?;
        let services: HashMap<_, _> = services.into_iter().map(|service| (service.id, Arc::new(service))).collect();
        let mut known = self.known();
        if known.changes == changes {
            known.services.extend(services.iter().map(|(id, service)| (*id, Arc::clone(service))));
        }
        Ok(services)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds the lock")
    }
}

const COLUMNS: &str = "SELECT id, number, user_id, url, check_interval_seconds, timeout_ms, degraded_threshold_ms, \
     expected_status, confirmations, updated_at, kind FROM services WHERE NOT paused AND id IN ";

/// One text for any number of ids, so that the statement is prepared once.
fn select(backend: DbBackend, ids: &[Uuid]) -> Statement {
    match backend {
        DbBackend::Postgres => {
            let ids: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
            let ids = Value::Array(sea_orm::sea_query::ArrayType::Uuid, Some(Box::new(ids)));
            Statement::from_sql_and_values(backend, format!("{COLUMNS} (SELECT unnest($1))"), [ids])
        }
        _ => {
            let ids: Vec<_> = ids.iter().map(|id| id.simple().to_string()).collect();
            let ids = serde_json::to_string(&ids).expect("a list of texts is valid JSON");
            let sql = format!("{COLUMNS} (SELECT unhex(value) FROM json_each(?))");
            Statement::from_sql_and_values(backend, sql, [ids.into()])
        }
    }
}

fn read(row: &QueryResult) -> Result<Option<Service>, DbErr> {
    if row.try_get_by_index::<MonitorKind>(10)? != MonitorKind::Http {
        return Ok(None);
    }
    let id: Uuid = row.try_get_by_index(0)?;
    let url: Option<String> = row.try_get_by_index(3)?;
    let Some(url) = url.as_deref().and_then(|url| url::Url::parse(url).ok()) else {
        tracing::error!(service = %id, "a service has no address that can be requested; it is not checked");
        return Ok(None);
    };
    let expected: String = row.try_get_by_index(7)?;
    let host = url.host_str().unwrap_or_default().into();
    let interval: i32 = row.try_get_by_index(4)?;
    let confirmations: i32 = row.try_get_by_index(8)?;
    Ok(Some(Service {
        id,
        number: row.try_get_by_index(1)?,
        user_id: row.try_get_by_index(2)?,
        host,
        interval: TimeDelta::seconds(i64::from(interval.max(1))),
        confirmations: u32::try_from(confirmations).unwrap_or(1),
        updated_at: row.try_get_by_index(9)?,
        target: HttpTarget {
            url,
            timeout: milliseconds(row.try_get_by_index(5)?),
            degraded_threshold: milliseconds(row.try_get_by_index(6)?),
            expected: expected.parse::<ExpectedStatus>().unwrap_or_default(),
        },
    }))
}

fn milliseconds(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(1).max(1))
}
