//! The GraphQL API: the schema, split by domain. Use cases do the work; this module knows how they
//! are asked for. The HTTP side puts an `Option<Viewer>`, a [`RequestId`] and a [`ResponseBudget`]
//! into the data of each request.
//!
//! A new domain gets a module with its objects, inputs, queries and mutations. A root field that
//! takes an id also needs a case in the isolation test.

mod account;
mod batch_queue;
mod batched;
mod calendar;
mod check;
mod error;
mod history;
mod incident;
mod limits;
mod loaders;
mod node;
mod page_info;
mod permission;
mod request_context;
mod request_guard;
mod response_budget;
mod scalar;
mod service;
mod status;
mod subscription;
mod system;
mod user;
mod vendor_page;
mod workspace;

pub use error::RequestId;
pub(crate) use error::{RETRY_AFTER, code_of};
pub(crate) use limits::find_operation_type;
pub(crate) use response_budget::ResponseBudget;
pub use subscription::Subscription;

use crate::use_cases::UseCases;
use account::{AccountMutation, AccountQuery};
use async_graphql::{MergedObject, SchemaBuilder};
use calendar::{CalendarMutation, CalendarQuery};
use incident::{IncidentMutation, IncidentQuery};
use request_guard::RequestGuardFactory;
use service::{ServiceMutation, ServiceQuery};
use std::sync::Arc;
use system::SystemQuery;
use user::{UserMutation, UserQuery};
use vendor_page::{VendorPageMutation, VendorPageQuery};

/// The executable schema. Clones share it.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Queries. Without a valid session or token, every field but `me` and `signInOptions` fails with
/// UNAUTHENTICATED.
///
/// Every error has an `extensions.code`: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, BAD_INPUT (with the
/// invalid `field`, and if there are several, all invalid `fields` with a message each), CONFLICT,
/// RATE_LIMITED (with `retryAfterSeconds`), UPSTREAM, or INTERNAL (with a `requestId` for the
/// operator). Messages are meant for people.
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

/// Mutations. Read-only tokens and members whose role is VIEWER get FORBIDDEN.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ServiceMutation,
    IncidentMutation,
    VendorPageMutation,
    CalendarMutation,
    UserMutation,
    AccountMutation,
);

/// Creates the schema over the given use cases.
#[must_use]
pub fn schema(use_cases: UseCases) -> Schema {
    let use_cases = Arc::new(use_cases);
    builder()
        .data(use_cases.clone())
        .extension(RequestGuardFactory { use_cases })
        .finish()
}

/// The schema as text, for clients that compile against it.
#[must_use]
pub fn sdl() -> String {
    let schema = builder().finish().sdl();
    schema.trim().to_owned() + "\n"
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // The request guard bounds the size of the expanded document before these limits apply.
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_complexity(limits::MAX_COMPLEXITY)
        .limit_recursive_depth(100)
}
