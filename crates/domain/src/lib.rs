//! Domain rules: statuses, causes, slots, transitions, uptime and validation.
//!
//! Pure: no I/O, no clock, no randomness (both are arguments), and it builds for WASM, so that the server and
//! the browser apply the same rules.

#![warn(missing_docs)]

pub mod cause;
pub mod expected_status;
pub mod field;
pub mod hidden_text;
pub mod histogram;
pub mod local_host;
pub mod outcome;
pub mod rollup;
pub mod service;
pub mod slot;
pub mod status;
pub mod transition;
pub mod uptime;
pub mod vendor_page;
pub mod window;

pub use cause::Cause;
pub use expected_status::ExpectedStatus;
pub use hidden_text::is_hidden;
pub use histogram::LatencyHistogram;
pub use outcome::{Details, Outcome, Phases};
pub use status::{IncidentType, Status};
pub use transition::{Effect, Observation, Policy, State, advance};
pub use window::Window;
