//! What tests stand on: real servers in throw-away directories. Used in tests only.
//!
//! A server that is not installed is a panic with the remedy, never a skipped test.

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
