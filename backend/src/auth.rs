//! Identifies who sends a request: sessions of browsers, API tokens of programs, and sign-in by a
//! one-time link (`local`) or a provider. Every way to sign in ends in [`session::create`].
//!
//! Knows the database and the providers, but neither HTTP nor GraphQL. Time is always an argument.

mod access_token;
pub(crate) mod api_token;
mod authenticator;
pub(crate) mod avatar;
pub(crate) mod browser;
pub(crate) mod calendar;
pub(crate) mod cookie;
mod identification;
mod identity;
pub mod local;
pub(crate) mod login_state;
pub mod provider;
mod refresh_token;
pub(crate) mod refusal;
pub(crate) mod return_path;
pub(crate) mod revocation;
mod secret;
pub(crate) mod session;
mod sign_in;
pub mod sign_up;
mod signature;
pub mod viewer;
mod workspace;

pub use authenticator::Auth;
pub(crate) use identification::IdentifyError;
pub(crate) use revocation::Revocation;
pub(crate) use sign_in::{CallbackParams, RefreshResponse, SignedIn};
pub use sign_up::SignUp;
pub use viewer::{TokenScope, Viewer};

#[cfg(test)]
mod tests;
