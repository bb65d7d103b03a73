//! What may be due: services that PulseCheck requests, and vendor pages that others follow. Their definitions are
//! kept in memory and loaded in batches. Knows nothing of their state.

use crate::check::Subject;
use chrono::TimeDelta;
use domain::ExpectedStatus;
use entity::sql::Sql;
use monitors::HttpTarget;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// How many definitions one statement loads at most.
const BATCH: usize = 1000;

/// What the due queue holds.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A service that PulseCheck itself requests.
    Service(Arc<Service>),
    /// A vendor page that services follow.
    Page(Arc<FollowedPage>),
}

/// A service that PulseCheck itself requests, as it is defined at one time.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) subject: Arc<Subject>,
    pub(crate) target: HttpTarget,
    /// The name or address in the target, by which the cap of running checks goes.
    pub(crate) host: Arc<str>,
}

/// A vendor page that at least one service followed when this was loaded.
#[derive(Debug)]
pub(crate) struct FollowedPage {
    pub(crate) id: Uuid,
    /// The host of its first address, by which the cap of running polls goes.
    pub(crate) host: Arc<str>,
    /// The owners of the hosts of all its addresses, each once: they are capped as well.
    pub(crate) owners: Vec<Arc<str>>,
}

/// The definitions known. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    db: DatabaseConnection,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    all: HashMap<Uuid, Due>,
    /// Grows with each change: what was loaded before a change must not be kept after it.
    changes: u64,
}

impl Services {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        Self {
            db,
            known: Arc::default(),
        }
    }

    /// The definitions of `ids`, in their order; `None` where there is nothing to request: the service is gone or paused,
    /// or nobody follows the page.
    pub(crate) async fn get(&self, ids: &[Uuid]) -> Result<Vec<Option<Due>>, DbErr> {
        let mut found: Vec<_> = {
            let known = self.known();
            ids.iter().map(|id| known.all.get(id).cloned()).collect()
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
        known.all.remove(&id);
    }

    /// Drops every definition.
    pub(crate) fn drop_all(&self) {
        let mut known = self.known();
        known.changes += 1;
        known.all.clear();
    }

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Due>, DbErr> {
        let changes = self.known().changes;
        let select = |text: &str, ids: &[Uuid]| {
            Sql::new(self.db.get_database_backend())
                .text(text)
                .among(ids.iter().copied())
                .finish()
        };
        let rows = self.db.query_all_raw(select(SERVICES, ids)).await?;
        let services = rows
            .iter()
            .filter_map(|row| read(row).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let mut loaded: HashMap<_, _> = services
            .into_iter()
            .map(|service| (service.subject.id, Due::Service(Arc::new(service))))
            .collect();
        let others: Vec<_> = ids
            .iter()
            .filter(|id| !loaded.contains_key(id))
            .copied()
            .collect();
        if !others.is_empty() {
            for row in self.db.query_all_raw(select(PAGES, &others)).await? {
                let page = read_page(&row)?;
                loaded.insert(page.id, Due::Page(Arc::new(page)));
            }
        }
        let mut known = self.known();
        if known.changes == changes {
            known
                .all
                .extend(loaded.iter().map(|(id, due)| (*id, due.clone())));
        }
        Ok(loaded)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

const SERVICES: &str = "SELECT id, seq, workspace_id, url, check_interval_seconds, timeout_ms, degraded_threshold_ms, \
     expected_status, confirmations, updated_at FROM services WHERE NOT paused AND kind = 'http' AND id";

const PAGES: &str = "SELECT p.id, p.api_urls FROM vendor_pages p WHERE EXISTS (SELECT 1 FROM services s \
     WHERE s.vendor_page_id = p.id AND NOT s.paused AND s.kind = 'vendor_page') AND p.id";

fn read_page(row: &QueryResult) -> Result<FollowedPage, DbErr> {
    let urls: serde_json::Value = row.try_get_by_index(1)?;
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
        id: row.try_get_by_index(0)?,
        host,
        owners: owners.into_iter().collect(),
    })
}

/// Who can name hosts like this one: whoever registered the domain, by the public suffix list, or the address itself.
fn owner(host: &url::Host<&str>) -> String {
    let url::Host::Domain(name) = host else {
        return host.to_string();
    };
    let name = name.trim_end_matches('.');
    psl::domain_str(name).unwrap_or(name).to_owned()
}

fn read(row: &QueryResult) -> Result<Option<Service>, DbErr> {
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
    let subject = Subject::requested(
        id,
        row.try_get_by_index(1)?,
        row.try_get_by_index(2)?,
        TimeDelta::seconds(i64::from(interval.max(1))),
        u32::try_from(confirmations).unwrap_or(1),
        row.try_get_by_index(9)?,
    );
    Ok(Some(Service {
        subject: Arc::new(subject),
        host,
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
