//! The state of this installation, for its operators.

mod object;
mod query;

pub(super) use query::SystemQuery;
