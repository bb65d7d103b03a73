//! Sends outgoing requests to addresses that users chose, and guards every one of them.
//!
//! Owns the guard on addresses, name lookups, TLS and its roots, and the HTTP clients. Knows
//! nothing of services, schedules or the database.

#![warn(missing_docs)]

pub mod challenge;
mod chunks;
pub mod client;
mod connection;
mod connector;
pub mod cookies;
pub mod exchange;
pub mod fault;
pub mod fetch;
pub mod guard;
pub mod head;
pub mod redirect;
pub mod resolver;
mod response_body;
pub mod tls;

pub use client::{ClientError, ClientSettings, HttpClient, RequestError};
pub use cookies::CookieJar;
pub use fetch::{FetchError, FetchFailure, Fetched, Fetcher, FetcherSettings, Redirects};
pub use guard::{Guard, Refused};
pub use resolver::{GuardedResolver, LookupError, LookupSource};
pub use response_body::ResponseBody;
pub use tls::Roots;
