//! Looks at one target once, and guards every address that users may send this server to.
//!
//! A failed look is an [`Outcome`](domain::Outcome); errors are only for what cannot be set up. Knows nothing of
//! services, schedules or the database, and never decides whether a failure counts.

mod client;
mod exchange;
mod fault;
pub mod guard;
mod http;
mod redirect;
pub mod resolver;
pub mod tls;

pub use guard::{Guard, Refused};
pub use http::{HttpTarget, ProbeError, Prober, ProberSettings};
pub use resolver::{GuardedResolver, LookupError, Names};
pub use tls::Roots;
