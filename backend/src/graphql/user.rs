//! The viewer: profile, API tokens, and the limits of this installation.

mod api_token;
mod input;
mod mutation;
mod object;
mod query;

pub(super) use mutation::UserMutation;
pub(super) use query::UserQuery;
