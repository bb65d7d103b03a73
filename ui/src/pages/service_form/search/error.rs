//! The messages about searches that failed.

use super::super::draft::Draft;
use super::super::page::Endpoint;
use crate::api::{Problem, ProblemKind};
use crate::format;
use crate::store::Store;
use dioxus::prelude::*;

/// Returns the message about a failed search. Where no page was found, the user may know its
/// endpoints.
pub(super) fn error_text(
    store: Store,
    mut draft: Signal<Draft>,
    problem: &Problem,
) -> Option<String> {
    match problem.kind {
        ProblemKind::SignedOut => {
            store.session.end();
            return None;
        }
        ProblemKind::BadInput | ProblemKind::Server => {
            let mut draft = draft.write();
            if draft.page.endpoints.is_empty() {
                draft.page.endpoints.push(Endpoint::default());
            }
        }
        _ => {}
    }
    let message = problem
        .fields
        .first()
        .map_or(&problem.message, |(_, message)| message);
    Some(format::capitalise(message))
}
