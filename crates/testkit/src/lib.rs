//! Test infrastructure: real PostgreSQL and Redis servers, fake targets and vendors.
//!
//! If a server is not installed, tests panic with installation advice; they are never skipped.

#[cfg(feature = "database")]
pub mod builders;
#[cfg(feature = "database")]
pub mod database;
pub mod input;
pub mod postgres;
pub mod processor;
pub mod redis;
pub mod redis_sentinel;
mod server;
pub mod target;
pub mod vendor;

#[cfg(feature = "database")]
pub use database::TestDatabase;
pub use postgres::PostgresServer;
pub use redis::RedisServer;
pub use redis_sentinel::RedisSentinel;
pub use target::{Behaviour, Target};
pub use vendor::Vendor;
