//! The pages: they ask, compose components, and act.

mod account;
mod app;
mod incident;
mod incidents;
mod new_service;
mod not_found;
mod notices;
mod palette;
mod preferences;
mod service;
mod service_form;
pub(crate) mod service_list;
mod settings;
mod shell;
mod sign_in;
mod split;
mod system;

pub use app::App;
pub(crate) use incident::IncidentPage;
pub(crate) use incidents::IncidentsPage;
pub use incidents::IncidentsQuery;
pub use new_service::Prefill;
pub(crate) use new_service::{EditService, NewService};
pub(crate) use not_found::NotFound;
pub(crate) use palette::Palette;
pub(crate) use preferences::Preferences;
pub(crate) use service::ServicePage;
pub use service::{ServiceQuery, Shown};
pub use service_list::ListView;
pub(crate) use settings::SettingsPage;
pub(crate) use shell::Shell;
pub(crate) use sign_in::SignInPage;
pub use sign_in::SignInQuery;
pub(crate) use system::SystemPage;
