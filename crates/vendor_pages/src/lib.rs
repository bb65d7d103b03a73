//! Reads vendors' official vendor pages: one module a provider, discovery of a page from any of its
//! addresses, and the catalogue of well-known pages.
//!
//! Knows nothing of services, schedules or the database.

pub mod catalogue;
pub mod discovery;
pub mod page;
pub mod reader;

pub use discovery::{Discovery, DiscoveryError, Rejected, discover, rediscover, validate_urls};
