//! What resolvers of one execution share: use cases, viewer, one point in time, and loaders whose
//! caches end with the execution. Every event of a subscription is an execution of its own.

use super::batch_queue::BatchQueue;
use super::loaders::Loaders;
use crate::auth::Viewer;
use crate::use_cases::{self, Error, Result, UseCases};
use async_graphql::ContextBase;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// State of one execution.
pub(super) struct RequestContext {
    pub(super) use_cases: Arc<UseCases>,
    viewer: Option<Viewer>,
    pub(super) now: DateTime<Utc>,
    pub(super) loaders: Loaders,
}

impl RequestContext {
    pub(super) fn new(
        use_cases: &Arc<UseCases>,
        viewer: Option<Viewer>,
        queue: &BatchQueue,
    ) -> Self {
        let now = use_cases::now();
        Self {
            use_cases: use_cases.clone(),
            viewer,
            now,
            loaders: Loaders::new(use_cases, viewer, now, queue),
        }
    }

    /// The signed-in viewer.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub(super) fn viewer(&self) -> Result<Viewer> {
        self.viewer.ok_or(Error::Unauthenticated)
    }

    /// The viewer, if somebody is signed in.
    pub(super) const fn optional_viewer(&self) -> Option<Viewer> {
        self.viewer
    }
}

/// The context of the execution that `ctx` belongs to.
pub(super) fn request_context<'a, T>(ctx: &ContextBase<'a, T>) -> &'a RequestContext {
    ctx.data_unchecked::<RequestContext>()
}
