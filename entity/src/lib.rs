//! The tables, one file each, shared by the API and the worker. The schema itself, its indexes and cascades are the
//! business of the `migration` crate; what rows mean together is the business of those who read and write them.

pub mod account_removal;
pub mod allowed_address;
pub mod api_token;
pub mod calendar_feed;
pub mod check;
pub mod check_rollup;
pub mod column;
pub mod consumed_login_state;
pub mod followers;
pub mod identity;
pub mod incident;
pub mod incident_acknowledgement;
pub mod incident_event;
pub mod incident_note;
pub mod login_link;
pub mod membership;
pub mod multi_row;
pub mod rollup_progress;
pub mod scheduler_minute;
pub mod service;
pub mod service_component;
pub mod service_state;
pub mod service_tag;
pub mod session;
pub mod sql;
pub mod user;
pub mod vendor_incident;
pub mod vendor_maintenance;
pub mod vendor_page;
pub mod vendor_page_component;
pub mod workspace;
