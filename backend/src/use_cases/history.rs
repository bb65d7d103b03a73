//! Reading history: uptime, days, response times and single checks, for many services at once.
//!
//! What the worker has summed up is read as sums; the few checks after that are read one by one. Each question is one
//! statement however many services it is about, and one snapshot: a sum that grew between two statements would count
//! some time twice. Whether somebody may see a service is decided before; here services are only numbers.

mod around;
mod checks;
mod days;
mod latency;
mod long;
mod past;
mod question;
mod rest;
mod story;
mod uptime;

pub use around::{AFTER, BEFORE, Moment, around};
pub use checks::checks;
pub use days::{MAX_DAYS, UptimeDay, UptimeDays};
pub use latency::{HOURS, LatencyPoint, Stretch, hourly_medians, latency};
pub use past::Past;
pub use question::{Answer, Question, ask};
pub use uptime::{Uptime, begins};
