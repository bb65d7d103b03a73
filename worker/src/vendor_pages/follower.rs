//! A service that follows components of a vendor page, and what it remembers of them.

use crate::check::CheckedService;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// A service that follows components of a page.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) service: Arc<CheckedService>,
    pub(crate) last_slot: Option<DateTime<Utc>>,
    pub(crate) components: Vec<ComponentSnapshot>,
}

/// A followed component as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComponentSnapshot {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    pub(crate) missing: bool,
}

/// A changed snapshot, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct SnapshotUpdate {
    pub(crate) service_id: Uuid,
    pub(crate) component_id: String,
    pub(crate) name: String,
    pub(crate) group_name: Option<String>,
    pub(crate) missing: bool,
}
