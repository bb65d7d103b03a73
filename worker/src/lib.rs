//! Schedules, runs and records checks, and maintains their history.
//!
//! The `scheduler` claims due services from the due queue, the `runner` probes one, the `recorder`
//! commits the result with everything that follows from it, and the `announcer` publishes it. Vendor
//! pages are in the same queue and are polled by `vendor_pages`. Any number of workers share the work
//! through the due queue alone; the database is the truth, and its locks decide.
//!
//! Knows nothing of the API, and reads no environment.

mod announcer;
mod catch_up;
mod changes;
mod check;
mod check_threads;
mod clock;
mod heartbeat;
pub mod history;
mod host_limit;
pub mod metrics;
mod poll_stagger;
mod presence;
mod process_pause;
mod reconcile;
mod recorder;
mod retry_backoff;
mod run;
mod runner;
mod scheduler;
mod scheduler_stats;
mod services;
mod stats;
mod vendor_pages;
mod worker;

pub use run::run;
pub use runner::Probe;
pub use stats::{LATENESS_BOUNDS_MS, PageStats, Stats};
pub use worker::{Settings, Worker};
