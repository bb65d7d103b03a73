//! Services and incidents as other objects refer to them: by id, or with the row that is known.
//! Their fields are in the modules of their domains, which refer to each other only through here.

use super::request_context::request_context;
use crate::use_cases::{Error, Result};
use async_graphql::Context;
use entity::{incident, service};
use std::sync::Arc;
use uuid::Uuid;

/// A monitored service; its row is loaded only when a field needs it.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(super) id: Uuid,
    row: Option<Arc<service::Model>>,
    /// Status that the check reported which this service is part of.
    pub(super) checked: Option<coordination::CurrentStatus>,
}

impl Service {
    pub(super) const fn by_id(id: Uuid) -> Self {
        Self {
            id,
            row: None,
            checked: None,
        }
    }

    /// A service that was just checked.
    pub(super) const fn after_check(id: Uuid, checked: coordination::CurrentStatus) -> Self {
        Self {
            id,
            row: None,
            checked: Some(checked),
        }
    }

    /// Returns the row. Only the viewer's own are found, so every field that loads more begins
    /// with it.
    pub(super) async fn row(&self, ctx: &Context<'_>) -> Result<Arc<service::Model>> {
        match &self.row {
            Some(row) => Ok(row.clone()),
            None => request_context(ctx)
                .loaders
                .service
                .load(self.id)
                .await?
                .ok_or(Error::NotFound("service")),
        }
    }
}

impl From<Arc<service::Model>> for Service {
    fn from(row: Arc<service::Model>) -> Self {
        Self {
            id: row.id,
            row: Some(row),
            checked: None,
        }
    }
}

/// An incident; its row is loaded only when a field needs it.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(super) id: Uuid,
    row: Option<Arc<incident::Model>>,
}

impl Incident {
    pub(super) const fn by_id(id: Uuid) -> Self {
        Self { id, row: None }
    }

    /// Returns the row. Only the viewer's own are found, so every field that loads more begins
    /// with it.
    pub(super) async fn row(&self, ctx: &Context<'_>) -> Result<Arc<incident::Model>> {
        match &self.row {
            Some(row) => Ok(row.clone()),
            None => request_context(ctx)
                .loaders
                .incident
                .load(self.id)
                .await?
                .ok_or(Error::NotFound("incident")),
        }
    }
}

impl From<Arc<incident::Model>> for Incident {
    fn from(row: Arc<incident::Model>) -> Self {
        Self {
            id: row.id,
            row: Some(row),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_graphql::resolver_utils::ContainerType;
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    /// Maximum size of the future of one field, in bytes.
    const MAX_FIELD_FUTURE: usize = 1024;

    struct Probe;

    #[Object]
    impl Probe {
        /// Sizes of the futures of a service's and an incident's field.
        async fn sizes(&self, ctx: &Context<'_>) -> Vec<usize> {
            let (service, incident) = (Service::by_id(Uuid::nil()), Incident::by_id(Uuid::nil()));
            let service = size_of_val(&service.resolve_field(ctx));
            vec![service, size_of_val(&incident.resolve_field(ctx))]
        }
    }

    // Every field of an object has a future as large as the largest of them, and a list of a
    // thousand services has twenty thousand at a time: what loads must be boxed.
    #[tokio::test]
    async fn the_future_of_a_field_is_small() {
        let schema = Schema::new(Probe, EmptyMutation, EmptySubscription);
        let response = schema.execute("{ sizes }").await;
        let sizes = response.data.into_json().unwrap();
        for size in sizes["sizes"].as_array().unwrap() {
            let size = size.as_u64().unwrap();
            assert!(size <= MAX_FIELD_FUTURE as u64, "{sizes}");
        }
    }
}
