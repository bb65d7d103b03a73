//! A check, as lists and incidents show it.

use super::schema;
use super::values::{Moment, Status};
use ui_derive::query_fragment;

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub slot: Moment,
    pub checked_at: Moment,
    pub status: Status,
    pub status_code: Option<i32>,
    pub response_time_ms: Option<i32>,
    pub message: Option<String>,
}
