//! The list of services: which of them, in which order, in which groups, and which lines of it are drawn. Plain functions
//! over what the store lists.

mod arrange;
mod lines;
mod query;

pub use arrange::{Group, arrange};
pub use lines::{Heading, Line, Sight, at_first, lines, seen, step, with_neighbours};
pub use query::{ListQuery, Sort};
