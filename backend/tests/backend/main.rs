//! Tests of the backend from outside: its HTTP routes, and its schema.
#![allow(clippy::unwrap_used)]

mod api;
mod bulk;
mod faults;
mod http;
mod incidents;
mod isolation;
mod limits;
mod monitors;
mod notes;
mod roles;
mod schema;
mod services;
mod services_page;
mod statements;
mod subscriptions;
mod system;
mod tokens;
mod vendor;
mod vendor_pages;
mod workspaces;
