//! Reads vendors' official vendor pages: one module a provider, discovery of a page from any of its
//! addresses, and the catalogue of well-known pages.
//!
//! Knows nothing of services, schedules or the database.

pub mod catalogue;
pub mod discovery;
pub mod page;

pub use discovery::{Discovery, DiscoveryError, Rejected, discover, validate_urls};
