//! The kinds of monitors, one module a kind: its settings and their fields, and how it is checked.
//!
//! A kind is added by its module and its line in the list below; forms, API, worker and
//! documentation take everything else from what the module says. A failed check is an
//! [`Outcome`](domain::Outcome); errors are only for what cannot be set up. Knows nothing of the
//! due queue or the database, and never decides whether a failure counts.

#![warn(missing_docs)]

mod connections;
#[cfg(feature = "graphql")]
pub mod graphql;
mod kind;
mod list;
mod prober;
mod settings;
mod shared_page;

pub use connections::Net;
pub use kind::{Deadline, Kind, KindInfo, Schedule};
pub use prober::{Prober, Target};
pub use settings::{SettingsError, SettingsMap, StoredSettings, secret_context};
pub use shared_page::SharedPage;

list::monitors![
    http: Http,
    vendor_page: VendorPage,
];
