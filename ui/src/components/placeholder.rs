//! Placeholders for data that is loading, missing or failed to load.

use crate::api::{Problem, ProblemKind};
use dioxus::prelude::*;

/// Rows that are loading.
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

/// A failed request, with what to do.
#[component]
pub fn ProblemBox(problem: Problem, onretry: Option<EventHandler<()>>) -> Element {
    let title = match problem.kind {
        ProblemKind::Unreachable => "No connection",
        ProblemKind::NotFound => "Not found",
        ProblemKind::RateLimited => "Too many requests",
        ProblemKind::SignedOut => "Signed out",
        ProblemKind::BadInput => "Invalid input",
        ProblemKind::Server => "Something went wrong",
    };
    rsx! {
        div { class: "problem", role: "alert",
            h2 { {title} }
            p { "{problem.message}" }
            if let Some(id) = &problem.request_id {
                p { class: "dim", "Request id in the server's log: " code { "{id}" } }
            }
            if let Some(retry) = onretry {
                button { class: "button", r#type: "button", onclick: move |_| retry.call(()), "Try again" }
            }
        }
    }
}

/// A list without entries.
#[component]
pub fn EmptyState(
    title: String,
    /// Whether it is the page's only heading.
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
