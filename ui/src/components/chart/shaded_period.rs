//! A period that the chart shades: an incident or a maintenance.

use crate::api::{Moment, Status};

/// A period that is shaded in the colour of a status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShadedPeriod {
    pub from: Moment,
    /// `None` while it lasts.
    pub until: Option<Moment>,
    pub status: Status,
}
