//! What stands where data will be, is missing, or could not be had.

use crate::api::{Problem, ProblemKind};
use dioxus::prelude::*;

/// Rows that are on their way.
#[component]
pub fn RowSkeletons(#[props(default = 8)] rows: usize) -> Element {
    rsx! {
        div { class: "skeletons", role: "status", "aria-label": "Loading",
            for row in 0..rows {
                div { key: "{row}", class: "skeleton w{row % 4}" }
            }
        }
    }
}

/// What happened and what to do.
#[component]
pub fn ProblemBox(problem: Problem, onretry: Option<EventHandler<()>>) -> Element {
    let title = match problem.kind {
        ProblemKind::Unreachable => "No connection",
        ProblemKind::NotFound => "Not found",
        ProblemKind::RateLimited => "Too many requests",
        ProblemKind::SignedOut => "Signed out",
        ProblemKind::BadInput => "That does not work",
        ProblemKind::Server => "Something went wrong",
    };
    rsx! {
        div { class: "problem", role: "alert",
            h2 { {title} }
            p { "{problem.message}" }
            if let Some(id) = &problem.request_id {
                p { class: "dim", "Request " code { "{id}" } " in the server's log." }
            }
            if let Some(retry) = onretry {
                button { class: "button", r#type: "button", onclick: move |_| retry.call(()), "Try again" }
            }
        }
    }
}

/// Nothing is there, and that is all right.
#[component]
pub fn Empty(
    title: String,
    /// Whether the page has no other heading.
    #[props(default)]
    alone: bool,
    children: Element,
) -> Element {
    rsx! {
        div { class: "empty",
            if alone {
                h1 { "{title}" }
            } else {
                h2 { "{title}" }
            }
            {children}
        }
    }
}
