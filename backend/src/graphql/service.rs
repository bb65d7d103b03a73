//! Services: the object, its pages, the queries and the mutations.

mod bulk;
mod connection;
mod input;
mod kinds;
mod mutation;
mod object;
mod query;
mod test_result;

pub(super) use mutation::ServiceMutation;
pub(super) use query::ServiceQuery;
