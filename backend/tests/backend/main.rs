//! The backend from outside: what its addresses answer, and what its schema does.
#![allow(clippy::unwrap_used)]

mod api;
mod http;
mod schema;
mod services;
mod tokens;
