//! Sends outgoing requests to addresses that users chose, and guards every one of them.
//!
//! Owns the guard on addresses, name lookups, TLS and its roots, and the HTTP clients. Knows
//! nothing of services, schedules or the database.

#![warn(missing_docs)]

pub mod challenge;
pub mod client;
pub mod exchange;
pub mod fault;
pub mod fetch;
pub mod guard;
pub mod redirect;
pub mod resolver;
pub mod tls;

pub use client::{ClientError, ClientSettings};
pub use fetch::{FetchError, FetchFailure, Fetched, Fetcher, FetcherSettings, Redirects};
pub use guard::{Guard, Refused};
pub use resolver::{GuardedResolver, LookupError, LookupSource};
pub use tls::Roots;
