//! Caches the definitions of what may be due: services that PulseCheck probes, and vendor pages that
//! services follow. Loads them in batches. Knows nothing of their state.

use crate::check::{CheckedService, Thresholds};
use chrono::TimeDelta;
use domain::Cause;
use entity::sql::in_ids;
use entity::{followers, service, vendor_page};
use monitors::{Monitor, MonitorKind, Schedule, SettingsError, StoredSettings, Target};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryResult,
    QuerySelect, QueryTrait,
};
use secrets::Sealer;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// Maximum number of definitions that one statement loads.
const LOAD_BATCH: usize = 1000;

/// An entry of the due queue.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A service that PulseCheck probes itself.
    Service(Arc<Service>),
    /// A vendor page that services follow.
    Page(Arc<FollowedPage>),
}

/// A service that PulseCheck probes itself, as it was defined when it was loaded.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) checked: Arc<CheckedService>,
    /// What is checked, or why it cannot be.
    pub(crate) target: Result<Target, Cause>,
    /// The host name or address that the limit of running checks counts.
    pub(crate) host: Arc<str>,
}

/// A vendor page that at least one service followed when this was loaded.
#[derive(Debug)]
pub(crate) struct FollowedPage {
    pub(crate) id: Uuid,
    /// The host of its first address, which the limit of running polls counts.
    pub(crate) host: Arc<str>,
    /// The owners of the hosts of all its addresses, each once; limited as well.
    pub(crate) owners: Vec<Arc<str>>,
}

/// A cache of definitions. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    db: DatabaseConnection,
    sealer: Arc<Sealer>,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Debug, Default)]
struct Cache {
    all: HashMap<Uuid, Due>,
    /// Grows with each invalidation: what was loaded before one must not be cached after it.
    generation: u64,
}

impl Services {
    pub(crate) fn new(db: DatabaseConnection, sealer: Arc<Sealer>) -> Self {
        Self {
            db,
            sealer,
            cache: Arc::default(),
        }
    }

    /// Returns the definitions of `ids`, in their order; `None` if the service is gone or paused, or if
    /// nobody follows the page.
    pub(crate) async fn get(&self, ids: &[Uuid]) -> Result<Vec<Option<Due>>, DbErr> {
        let mut found: Vec<_> = {
            let cache = self.lock();
            ids.iter().map(|id| cache.all.get(id).cloned()).collect()
        };
        let missing: Vec<_> = (0..ids.len()).filter(|i| found[*i].is_none()).collect();
        for chunk in missing.chunks(LOAD_BATCH) {
            let wanted: Vec<_> = chunk.iter().map(|i| ids[*i]).collect();
            let loaded = self.load(&wanted).await?;
            for i in chunk {
                found[*i] = loaded.get(&ids[*i]).cloned();
            }
        }
        Ok(found)
    }

    /// Drops one definition, so that the next check reads it anew.
    pub(crate) fn invalidate(&self, id: Uuid) {
        let mut cache = self.lock();
        cache.generation += 1;
        cache.all.remove(&id);
    }

    /// Drops every definition.
    pub(crate) fn invalidate_all(&self) {
        let mut cache = self.lock();
        cache.generation += 1;
        cache.all.clear();
    }

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Due>, DbErr> {
        let generation = self.lock().generation;
        let rows = self.db.query_all(&select_services(&self.db, ids)).await?;
        let services = rows
            .iter()
            .filter_map(|row| service_from(row, &self.sealer).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let mut loaded: HashMap<_, _> = services
            .into_iter()
            .map(|service| (service.checked.id, Due::Service(Arc::new(service))))
            .collect();
        let others: Vec<_> = ids
            .iter()
            .filter(|id| !loaded.contains_key(id))
            .copied()
            .collect();
        if !others.is_empty() {
            for row in self.db.query_all(&select_pages(&self.db, &others)).await? {
                let page = page_from(&row)?;
                loaded.insert(page.id, Due::Page(Arc::new(page)));
            }
        }
        let mut cache = self.lock();
        if cache.generation == generation {
            cache
                .all
                .extend(loaded.iter().map(|(id, due)| (*id, due.clone())));
        }
        Ok(loaded)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

fn select_services(db: &impl ConnectionTrait, ids: &[Uuid]) -> SelectStatement {
    use sea_orm::sea_query::ExprTrait as _;
    use service::Column;
    service::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Seq,
            Column::WorkspaceId,
            Column::Kind,
            Column::Settings,
            Column::Secrets,
            Column::CheckIntervalSeconds,
            Column::TimeoutMs,
            Column::DegradedThresholdMs,
            Column::Confirmations,
            Column::Recoveries,
            Column::UpdatedAt,
        ])
        .filter(Column::Paused.into_expr().not())
        .filter(in_ids(db, Column::Id, ids.iter().copied()))
        .into_query()
}

/// Selects those of the pages that a service follows which is not paused.
fn select_pages(db: &impl ConnectionTrait, ids: &[Uuid]) -> SelectStatement {
    vendor_page::Entity::find()
        .select_only()
        .columns([vendor_page::Column::Id, vendor_page::Column::ApiUrls])
        .filter(followers::is_followed())
        .filter(in_ids(db, vendor_page::Column::Id, ids.iter().copied()))
        .into_query()
}

fn page_from(row: &QueryResult) -> Result<FollowedPage, DbErr> {
    let urls: serde_json::Value = row.try_get("", "api_urls")?;
    let first = urls
        .get(0)
        .and_then(serde_json::Value::as_str)
        .and_then(|url| url::Url::parse(url).ok());
    let host = first
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or_default()
        .into();
    let all = urls
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|url| url::Url::parse(url.as_str()?).ok());
    let owners: BTreeSet<Arc<str>> = all
        .filter_map(|url| Some(owner(&url.host()?).into()))
        .collect();
    Ok(FollowedPage {
        id: row.try_get("", "id")?,
        host,
        owners: owners.into_iter().collect(),
    })
}

/// Returns the owner of a host: the registered domain, by the public suffix list, or the address itself.
/// The owner of a domain can name any number of hosts.
fn owner(host: &url::Host<&str>) -> String {
    let url::Host::Domain(name) = host else {
        return host.to_string();
    };
    let name = name.trim_end_matches('.');
    psl::domain_str(name).unwrap_or(name).to_owned()
}

/// `None` for a service that is not checked by itself. One of a kind that this version does not
/// know, or with settings that do not fit it, is not checked either.
fn service_from(row: &QueryResult, sealer: &Sealer) -> Result<Option<Service>, DbErr> {
    let id: Uuid = row.try_get("", "id")?;
    let kind: String = row.try_get("", "kind")?;
    let unusable = |error: SettingsError| {
        tracing::error!(service = %id, %error, "a service is not checked, because its settings cannot be used");
        Ok(None)
    };
    let kind = match MonitorKind::from_id(&kind) {
        Ok(kind) if kind.info().schedule == Schedule::Every => kind,
        Ok(_) => return Ok(None),
        Err(error) => return unusable(error),
    };
    let stored = StoredSettings {
        settings: row.try_get("", "settings")?,
        secrets: row.try_get("", "secrets")?,
    };
    let monitor = match Monitor::open(kind.id(), id, stored, sealer) {
        Ok(monitor) => monitor,
        Err(error @ SettingsError::Sealed(_)) => {
            let cause = Cause::NotChecked {
                detail: error.to_string(),
            };
            return Ok(Some(probed_service(row, id, kind, "".into(), Err(cause))?));
        }
        Err(error) => return unusable(error),
    };
    let target = Target {
        timeout: milliseconds(row.try_get("", "timeout_ms")?),
        degraded_threshold: milliseconds(row.try_get("", "degraded_threshold_ms")?),
        monitor,
    };
    let host = target.monitor.host().into();
    Ok(Some(probed_service(row, id, kind, host, Ok(target))?))
}

fn probed_service(
    row: &QueryResult,
    id: Uuid,
    kind: MonitorKind,
    host: Arc<str>,
    target: Result<Target, Cause>,
) -> Result<Service, DbErr> {
    let interval: i32 = row.try_get("", "check_interval_seconds")?;
    let confirmations: i32 = row.try_get("", "confirmations")?;
    let recoveries: i32 = row.try_get("", "recoveries")?;
    let thresholds = Thresholds {
        confirmations: u32::try_from(confirmations).unwrap_or(1),
        recoveries: u32::try_from(recoveries).unwrap_or(1),
    };
    let checked = CheckedService::probed(
        id,
        row.try_get("", "seq")?,
        row.try_get("", "workspace_id")?,
        kind,
        TimeDelta::seconds(i64::from(interval.max(1))),
        thresholds,
        row.try_get("", "updated_at")?,
    );
    Ok(Service {
        checked: Arc::new(checked),
        host,
        target,
    })
}

fn milliseconds(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_below_one_registered_domain_have_one_owner() {
        let owner = |url: &str| owner(&url::Url::parse(url).unwrap().host().unwrap());
        assert_eq!(owner("https://a.status.example.com/"), "example.com");
        assert_eq!(owner("https://example.com./"), "example.com");
        assert_eq!(owner("https://status.vendor.co.uk/"), "vendor.co.uk");
        assert_eq!(
            owner("https://status.vendor.kawasaki.jp/"),
            "status.vendor.kawasaki.jp"
        );
        assert_eq!(owner("https://one.github.io/"), "one.github.io");
        assert_eq!(owner("https://x.ab.io/"), "ab.io");
        assert_eq!(owner("https://192.0.2.7/"), "192.0.2.7");
        assert_eq!(owner("https://[2001:db8::1]/"), "[2001:db8::1]");
        assert_eq!(owner("http://localhost/"), "localhost");
    }
}
