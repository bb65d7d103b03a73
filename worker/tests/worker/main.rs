//! Tests the worker from outside: rows and targets go in; checks, states, incidents and events come out.
//! With SQLite and coordination in memory, and with PostgreSQL and Redis.
#![allow(clippy::unwrap_used)]

mod changes;
mod clock;
mod faults;
mod load;
mod scheduler_stats;
mod script;
mod sharing;
mod stage;
mod statuses;
mod vendor_pages;
