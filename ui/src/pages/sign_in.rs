//! The way in.

use crate::{
    Route,
    components::{Go, Icon, Shape},
    store::{Session, use_store},
};
use dioxus::prelude::*;
use std::fmt;

/// What the server says when a sign-in failed, as it stands in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignInQuery {
    /// A sentence for people, or the name of what went wrong.
    pub error: Option<String>,
}

impl From<&str> for SignInQuery {
    fn from(text: &str) -> Self {
        let error = text.split('&').find_map(|part| part.strip_prefix("error=")).map(|error| error.replace('+', " "));
        Self { error: error.filter(|error| !error.is_empty()) }
    }
}

impl fmt::Display for SignInQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.as_ref().map_or(Ok(()), |error| write!(f, "error={error}"))
    }
}

/// The page at its own address, where the server sends those whose sign-in failed.
#[component]
pub fn SignInPage(query: SignInQuery) -> Element {
    let store = use_store();
    if let Session::SignedIn(me) = &*store.session.read() {
        return rsx! {
            main { class: "alone",
                h1 { "You are signed in" }
                p { "As {me.name}." }
                Go { class: "button primary", to: Route::home(), "Go to the dashboard" }
            }
        };
    }
    rsx! {
        SignIn { error: query.error }
    }
}

/// What PulseCheck does, and how to get in.
#[component]
pub fn SignIn(#[props(!optional)] error: Option<String>) -> Element {
    rsx! {
        main { class: "alone sign-in",
            p { class: "brand", Icon { shape: Shape::Brand } "PulseCheck" }
            h1 { "Know what is broken, since when, and why" }
            if let Some(error) = error {
                p { class: "error", role: "alert", "Signing in did not work: {error}" }
            }
            ul { class: "promises",
                li { "Checks your own addresses as often as every few seconds, and tells slow from down." }
                li { "Says why in a sentence, and confirms a failure before it counts." }
                li { "Shows every change as it happens, and keeps the history." }
            }
            section { class: "card",
                h2 { "Sign in" }
                p { "Open the sign-in link that PulseCheck prints when it starts:" }
                pre { code { "Sign in: {crate::browser::origin()}/api/auth/local?…" } }
                p { "It works once. For another one run " code { "pulsecheck login-link" } " where PulseCheck is installed." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_error_is_shown_as_text() {
        let query = SignInQuery::from("error=the link <b>expired</b>&x=1");
        assert_eq!(query.error.as_deref(), Some("the link <b>expired</b>"));
        let html = dioxus_ssr::render_element(rsx! { SignIn { error: query.error } });
        assert!(html.contains("expired") && !html.contains("<b>"), "{html}");
    }
}
