//! The worker from outside: rows and targets on one side, checks, states, incidents and events on the other. Over SQLite
//! with the live state in memory, and over PostgreSQL with Redis.
#![allow(clippy::unwrap_used)]

mod changes;
mod clock;
mod faults;
mod ledger;
mod load;
mod script;
mod sharing;
mod stage;
mod statuses;
mod vendor_pages;
