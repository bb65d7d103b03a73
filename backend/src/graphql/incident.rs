//! Incidents: the object, its pages, the queries and the mutations.

mod connection;
mod input;
mod mutation;
mod object;
mod query;

pub(super) use connection::{IncidentConnection, load_page};
pub(super) use mutation::IncidentMutation;
pub(super) use query::IncidentQuery;
