//! The pages: they fetch, compose components, and dispatch actions.

mod account;
mod app;
mod incident;
mod incidents;
mod new_service;
mod not_found;
mod palette;
mod preferences;
mod service;
mod service_form;
mod service_list;
mod session;
mod settings;
mod shell;
mod shortcuts;
mod sign_in;
mod split;
mod system;
mod vendor_announcements;

pub use app::App;
