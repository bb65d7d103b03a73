//! Reads history: uptime, days, response times and single checks, for many services at once.
//!
//! History is the worker's rollups plus the unrolled tail, the checks after the last rollup. Each
//! request is one statement, however many services it is about: a rollup that grew between two
//! statements would count some time twice. Services are only numbers here (`services.seq`): whether
//! somebody may see them is decided before.

mod checks;
mod checks_near;
mod latency;
mod query;
mod statement;
mod tail;
mod uptime;
mod window;

pub use checks::checks;
pub use checks_near::{CHECKS_AFTER, CHECKS_BEFORE, NearbyCheckKey, checks_near};
pub use latency::{HOURS, LatencyBucket, LatencyWindow, hourly_medians, latency};
pub use query::{MAX_DAYS, UptimeQuery, UptimeResult, fetch};
pub use uptime::{DailyUptime, UptimeTally};
pub use window::window_start;
