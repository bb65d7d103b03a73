//! The kinds of monitors, one module a kind: what is checked, how, and what a good answer is.
//!
//! A failed check is an [`Outcome`](domain::Outcome); errors are only for what cannot be set up.
//! Knows nothing of schedules or the database, and never decides whether a failure counts.

#![warn(missing_docs)]

mod http;

pub use http::{HttpTarget, Prober};
