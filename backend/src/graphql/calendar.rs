//! The secret address of the calendar feed. The feed itself is served by `http::calendar`.

mod mutation;
mod object;
mod query;

pub(super) use mutation::CalendarMutation;
pub(super) use query::CalendarQuery;
