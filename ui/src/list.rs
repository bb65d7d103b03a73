//! The list of services: which of them, in which order, in which groups. Plain functions over what the store lists.

mod arrange;
mod query;

pub use arrange::{Group, arrange};
pub use query::{ListQuery, Sort};
