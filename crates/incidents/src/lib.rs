//! Opens, changes and closes incidents and writes their timeline, for the worker and the API alike.
//! The only writer of the tables `incidents` and `incident_events`: everything that has to be
//! written together with a change of an incident belongs into the same statements here.
//!
//! Which effect follows from a check is decided by `domain::transition`. Reading incidents for
//! people is the API's business.

mod changes;
mod close;
mod edit;
mod event_kind;
mod progress;
mod reopen;
mod text;
mod timeline;
mod writer;

pub use changes::{Evidence, IncidentChanges, IncidentOwner};
pub use close::{close_on_pause, delete_of_services};
pub use edit::record_edit;
pub use event_kind::EventKind;
pub use progress::IncidentProgress;
pub use reopen::reopen_after_pause;
pub use text::{MAX_MESSAGE_CHARS, clean_message};
pub use writer::IncidentWriter;
