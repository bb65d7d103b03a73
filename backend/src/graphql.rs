//! The GraphQL API: its schema, split by domain. What is asked for is done by [`ops`](crate::use_cases); who asks is found
//! out by the server, which puts an
//! `Option<Viewer>` and a [`RequestId`] into the data of each request.
//!
//! A new object gets a module; a new root field also needs a case in the isolation test when it takes an id.

mod account;
mod calendar;
mod check;
mod error;
mod gate;
mod history;
mod incident;
mod limits;
mod loader;
mod page;
mod permission;
mod plain;
mod scalar;
mod scope;
mod service;
mod status;
mod subscription;
mod system;
mod user;
mod vendor;
mod vendor_page;
mod workspace;

pub use error::RequestId;
pub(crate) use error::{RETRY_AFTER, code_of};
pub use plain::put;

use crate::use_cases::Ops;
use account::{AccountMutation, AccountQuery};
use async_graphql::{Data, Executor, MergedObject, Request, Response, SchemaBuilder};
use calendar::{CalendarMutation, CalendarQuery};
use futures::stream::BoxStream;
use gate::Gates;
use incident::{IncidentMutation, IncidentQuery};
use service::ServiceQuery;
use service::mutation::ServiceMutation;
use std::sync::Arc;
pub use subscription::Subscription;
use system::SystemQuery;
use user::{UserMutation, UserQuery};
use vendor_page::{VendorPageMutation, VendorPageQuery};

/// What the API works with.
pub use crate::use_cases::Ops as Context;

/// The API. Clones share it.
#[derive(Clone)]
pub struct Schema {
    ops: Arc<Ops>,
    /// What answers once.
    asked: Root,
    /// What goes on answering.
    followed: Root,
}

type Root = async_graphql::Schema<Query, Mutation, Subscription>;

impl Schema {
    /// Executes a query or a mutation.
    pub async fn execute(&self, request: Request) -> Response {
        gate::execute(&self.asked, &self.ops, request).await
    }

    /// Executes any operation: a subscription answers any number of times, every other once.
    pub fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.followed.execute_stream(request)
    }
}

impl Executor for Schema {
    async fn execute(&self, request: Request) -> Response {
        Self::execute(self, request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        self.followed
            .execute_stream_with_session_data(request, session.unwrap_or_default())
    }
}

/// What can be asked for. Everything but `me` and `signInOptions` answers UNAUTHENTICATED without a valid session or
/// token.
///
/// Every error has an `extensions.code`: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, BAD_INPUT (with the wrong `field`, and all
/// wrong `fields` with a message each when they are several), CONFLICT, RATE_LIMITED, UPSTREAM, or INTERNAL (with a
/// `requestId` for the operator). Its message is for people.
#[derive(MergedObject, Default)]
pub struct Query(
    UserQuery,
    ServiceQuery,
    IncidentQuery,
    VendorPageQuery,
    CalendarQuery,
    AccountQuery,
    SystemQuery,
);

/// What can be done. Read-only tokens and members whose role is VIEWER are refused with FORBIDDEN.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ServiceMutation,
    IncidentMutation,
    VendorPageMutation,
    CalendarMutation,
    UserMutation,
    AccountMutation,
);

/// The API over the given database and live state.
#[must_use]
pub fn schema(context: Ops) -> Schema {
    let ops = Arc::new(context);
    let asked = builder().data(ops.clone()).finish();
    let followed = builder()
        .data(ops.clone())
        .extension(Gates { ops: ops.clone() })
        .finish();
    Schema {
        ops,
        asked,
        followed,
    }
}

/// The schema as text, for clients that compile against it.
#[must_use]
pub fn sdl() -> String {
    let schema = builder().finish().sdl();
    schema.trim().to_owned() + "\n"
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // What it costs to expand a document is bounded by the gate before these run.
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_complexity(limits::MAX_COMPLEXITY)
        .limit_recursive_depth(100)
}
