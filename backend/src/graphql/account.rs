//! Sign-in options, the viewer's sessions and identities, and deleting the account. The exchange
//! with sign-in providers is plain HTTP, see `http::sign_in`.

mod mutation;
mod object;
mod query;

pub(super) use mutation::AccountMutation;
pub(super) use object::{Identity, Session, load_identities, load_sessions};
pub(super) use query::AccountQuery;
