//! What a fold of new checks comes to, between reading and writing.

use domain::rollup::Fold;
use entity::rollup_progress;

/// The new checks of one service, folded.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) service_seq: i32,
    /// The progress that the fold continues.
    pub(super) before: Option<rollup_progress::Model>,
    pub(super) fold: Fold,
    pub(super) checks: u64,
}
