//! Schema migrations for PostgreSQL and SQLite, and opening databases.
//!
//! Never edit a released migration: add a new one.

mod connect;
mod migrator;
mod run;
mod statement_timeout;

pub use connect::{ConnectError, Pool, connect, redacted};
pub use run::{MigrationError, keep_for_this_process, run, run_first, sqlite_file, verify};
