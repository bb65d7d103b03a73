//! The services of each workspace, as they are defined.

use super::ttl_cache::{LoadTicket, TtlCache};
use chrono::{DateTime, Duration, Utc};
use entity::service;
use sea_orm::FromQueryResult;
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of cached services of all workspaces together; each workspace counts as one more.
const SERVICE_CACHE_CAPACITY: u64 = 20_000;

/// Frees the memory of workspaces that nobody uses. What is cached does not age otherwise: its version is
/// compared with the database's on each read.
const SERVICE_CACHE_TTL: Duration = Duration::hours(1);

/// How long ago a service must have changed to be cached. A change is noticed by its time in
/// milliseconds, by the clock of the process that made it: within this time the service may change
/// again and have the same version.
const SETTLE_TIME: Duration = Duration::seconds(10);

/// Changes with every service of a workspace that is added, changed or deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromQueryResult)]
pub(crate) struct ServicesVersion {
    /// How many services there are.
    pub(crate) count: i64,
    /// The sum of the times of their last changes, epoch milliseconds.
    pub(crate) updated_ms: i64,
}

/// All services of a workspace by name, and their version.
type WorkspaceServices = (ServicesVersion, Arc<[Arc<service::Model>]>);

/// Caches services per workspace, for as long as their version is the database's.
pub(crate) struct ServiceCache(TtlCache<Uuid, WorkspaceServices>);

impl Default for ServiceCache {
    fn default() -> Self {
        Self(TtlCache::new(SERVICE_CACHE_TTL, SERVICE_CACHE_CAPACITY))
    }
}

impl ServiceCache {
    pub(crate) fn get(
        &self,
        workspace: Uuid,
        version: ServicesVersion,
        now: DateTime<Utc>,
    ) -> Option<Arc<[Arc<service::Model>]>> {
        let (cached, services) = self.0.get(&workspace, now)?;
        (cached == version).then_some(services)
    }

    /// Call before loading services that are then inserted.
    pub(crate) fn begin_load(&self) -> LoadTicket {
        self.0.begin_load()
    }

    /// Stores services that were read after `version` was. If they changed in between, their version
    /// is another one at the next read.
    pub(crate) fn insert(
        &self,
        ticket: LoadTicket,
        workspace: Uuid,
        version: ServicesVersion,
        services: &Arc<[Arc<service::Model>]>,
        now: DateTime<Utc>,
    ) {
        let settled_before = now - SETTLE_TIME;
        if services
            .iter()
            .all(|service| service.updated_at < settled_before)
        {
            let weight = u32::try_from(services.len() + 1).unwrap_or(u32::MAX);
            let entry = (version, services.clone());
            self.0
                .insert_many(ticket, [(workspace, entry, weight)], now);
        }
    }

    pub(super) fn invalidate(&self, workspace: Uuid) {
        self.0.invalidate_if(|key, _| *key == workspace);
    }
}
