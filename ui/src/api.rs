//! The GraphQL API as the dashboard uses it: its operations, and how a request is sent.
//!
//! Knows no component and no store: it returns the server's data or a [`Problem`]. A new operation
//! is its result type with a line in `operations!` beside it, and its document in `ui/documents`.

mod account;
mod check;
mod incident;
pub(crate) mod json;
mod operation;
mod problem;
mod request;
mod schema;
mod service;
mod system;
mod values;
mod vendor;

pub use account::*;
pub use check::Check;
pub use incident::*;
pub use json::{FromJson, JsonNode, JsonValue};
pub use operation::Operation;
pub use problem::{Problem, ProblemKind};
#[cfg(target_arch = "wasm32")]
pub(crate) use request::clear_in_flight;
pub use request::{cached_since, execute, request, sign_out};
pub(crate) use request::{request_body, send_on_unload};
pub use service::*;
pub use system::*;
pub use values::*;
pub use vendor::*;
