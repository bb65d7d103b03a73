//! What tests stand on: real servers in throw-away directories. Used in tests only.
//!
//! A server that is not installed is a panic with the remedy, never a skipped test.

pub mod postgres;
pub mod redis;
mod server;

pub use postgres::PostgresServer;
pub use redis::RedisServer;
