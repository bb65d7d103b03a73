//! Looks at one target once, and guards every address that users may send this server to.
//!
//! A target is an HTTP address, or a vendor's status page. A failed check is an [`Outcome`](domain::Outcome); errors
//! are only for what cannot be set up. Knows nothing of services, schedules or the database, and never decides
//! whether a failure counts.

pub mod catalogue;
mod client;
pub mod discovery;
mod exchange;
mod fault;
pub mod fetch;
pub mod guard;
mod http;
mod redirect;
pub mod resolver;
pub mod status_page;
pub mod tls;

pub use discovery::{Discovery, DiscoveryError, Rejected, discover, validate_urls};
pub use fetch::{FetchError, Fetched, Fetcher, FetcherSettings};
pub use guard::{Guard, Refused};
pub use http::{HttpTarget, ProbeError, Prober, ProberSettings};
pub use resolver::{GuardedResolver, LookupError, Names};
pub use tls::Roots;
