//! The way in.

use crate::{
    Route,
    api::{self, GetSignInOptions, SignInOptions},
    browser,
    components::{Go, ProblemBox, RowSkeletons, Shape, icon},
    format,
    hooks::use_asked,
    routes::encoded_path,
    store::{Session, use_store},
};
use dioxus::prelude::*;
use std::fmt;

/// Why a sign-in failed, as it stands in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignInQuery {
    /// The code of what went wrong.
    pub error: Option<String>,
    /// The provider that it went wrong with.
    pub provider: Option<String>,
}

impl From<&str> for SignInQuery {
    fn from(text: &str) -> Self {
        let part = |name: &str| {
            let value = text
                .split('&')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            error: part("error"),
            provider: part("provider"),
        }
    }
}

impl fmt::Display for SignInQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("error", &self.error), ("provider", &self.provider)];
        let given = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        f.write_str(&given.collect::<Vec<_>>().join("&"))
    }
}

/// What a code means and what to do; the name of the provider stands for `{}`. The words are only here: anybody can make
/// a link to this page.
fn sentence(code: &str, provider: &str) -> String {
    let sentence = match code {
        "denied" => "You said no at {}. Nothing was done; you can sign in whenever you like.",
        "expired" => "That took longer than ten minutes. Begin again.",
        "used" => "This sign-in was completed already. If you are not signed in, begin again.",
        "browser" => {
            "This sign-in was not begun in this browser, or the browser keeps no cookies. Allow cookies for this site and begin again."
        }
        "mismatch" => {
            "What came back does not belong to the sign-in that was begun here. Begin again."
        }
        "provider" => {
            "{} does not answer, or not so that it can be trusted. Try again in a while; if that does not help, tell the operator."
        }
        "no_email" => "{} gave no e-mail address, and PulseCheck needs one.",
        "unverified_email" => {
            "{} knows no verified e-mail address of yours. Verify your primary one there, then sign in again."
        }
        "email_taken" => {
            "Somebody who signs in another way has this e-mail address, and not both are verified. Sign in the way that you did before."
        }
        "unknown_provider" => "This way of signing in is not set up here.",
        "link_used" => {
            "This link was used already, or is too old. Run `pulsecheck login-link` for another one."
        }
        "links_off" => "Sign-in links are switched off on this server.",
        "rate_limited" => "Those were too many attempts. Wait a minute, then try again.",
        _ => "PulseCheck could not do it at the moment. Try again.",
    };
    format::sentence(&sentence.replace("{}", provider))
}

/// Where a provider's button leads: back to `here`, a path of this dashboard, when it is done.
fn begin(url: &str, here: &str) -> String {
    format!("{url}?return={}", encoded_path(here))
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
        SignIn { query, here: "/" }
    }
}

/// What PulseCheck does, and how to get in. Whoever does comes to `here`.
#[component]
pub fn SignIn(query: SignInQuery, here: String) -> Element {
    let options = use_asked((), |()| async {
        api::request::<GetSignInOptions>(())
            .await
            .map(|answer| answer.sign_in_options)
    });
    let known = options.data.read().clone();
    rsx! {
        main { class: "alone sign-in",
            p { class: "brand", {icon(Shape::Brand)} "PulseCheck" }
            h1 { "Know what is broken, since when, and why" }
            ul { class: "promises",
                li { "Checks your own addresses as often as every few seconds, and tells slow from down." }
                li { "Follows the vendor pages of the services that you depend on, with their incidents and maintenance." }
                li { "Shows every change as it happens, and keeps the history." }
            }
            Ways { query, here, options: known,
                match &*options.problem.read() {
                    Some(problem) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| options.again() } },
                    None => rsx! { RowSkeletons { rows: 2 } },
                }
            }
        }
    }
}

/// The ways in, as far as they are known.
#[component]
fn Ways(
    query: SignInQuery,
    here: String,
    #[props(!optional)] options: Option<SignInOptions>,
    /// What stands in their place while they are not.
    children: Element,
) -> Element {
    let providers = options
        .as_ref()
        .map(|options| options.providers.as_slice())
        .unwrap_or_default();
    let at = query.provider.as_deref();
    let provider = providers
        .iter()
        .find(|provider| at == Some(&provider.id))
        .map_or("the provider", |known| &known.name);
    rsx! {
        section { class: "card", "aria-labelledby": "sign-in-title",
            h2 { id: "sign-in-title", "Sign in" }
            if let Some(code) = &query.error {
                div { class: "refused", role: "alert",
                    b { "Signing in did not work" }
                    p { {sentence(code, provider)} }
                }
            }
            match &options {
                None => children,
                Some(options) => rsx! {
                    for provider in &options.providers {
                        // A full navigation: the provider's own page comes next.
                        a { key: "{provider.id}", class: "button primary provider", href: begin(&provider.url, &here), "Continue with {provider.name}" }
                    }
                    if options.local {
                        div { class: "local",
                            p {
                                if options.providers.is_empty() { "Open" } else { "Or open" }
                                " the sign-in link that PulseCheck prints when it starts:"
                            }
                            pre { code { "Sign in: {browser::origin()}/api/auth/local?…" } }
                            p { "It works once. For another one run " code { "pulsecheck login-link" } " where PulseCheck is installed." }
                        }
                    }
                    if options.providers.is_empty() && !options.local {
                        p { "No way of signing in is set up on this server yet. Its operator can set up Google, GitHub or any OpenID Connect provider." }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::SignInProvider;

    const CODES: [&str; 14] = [
        "denied",
        "expired",
        "used",
        "browser",
        "mismatch",
        "provider",
        "no_email",
        "unverified_email",
        "email_taken",
        "unknown_provider",
        "link_used",
        "links_off",
        "rate_limited",
        "failed",
    ];

    fn shown(query: &str, providers: &[(&str, &str)], local: bool) -> String {
        let providers = providers.iter().map(|(id, name)| SignInProvider {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            url: format!("/api/auth/{id}"),
        });
        let options = SignInOptions {
            providers: providers.collect(),
            local,
        };
        let query = SignInQuery::from(query);
        dioxus_ssr::render_element(rsx! {
            Ways { query, here: "/services/7?q=a b&x=ü", options: Some(options) }
        })
    }

    #[test]
    fn every_code_has_a_sentence_of_its_own_and_an_unknown_one_is_a_failure() {
        let sentences: std::collections::BTreeSet<String> =
            CODES.iter().map(|code| sentence(code, "GitHub")).collect();
        assert_eq!(sentences.len(), CODES.len());
        assert!(
            sentences.iter().all(|text| !text.contains("{}")),
            "{sentences:?}"
        );
        assert_eq!(sentence("no such code", "x"), sentence("failed", "x"));
        assert_eq!(
            sentence("no_email", "the provider"),
            "The provider gave no e-mail address, and PulseCheck needs one."
        );
    }

    #[test]
    fn what_stands_in_the_address_is_never_shown() {
        let html = shown(
            "error=<b>call +1 555</b>&provider=<i>",
            &[("github", "GitHub")],
            false,
        );
        assert!(
            html.contains("Signing in did not work")
                && !html.contains("555")
                && !html.contains("<i>"),
            "{html}"
        );
        let html = shown(
            "error=unverified_email&provider=github",
            &[("github", "GitHub")],
            false,
        );
        assert!(html.contains("GitHub knows no verified e-mail"), "{html}");
    }

    #[test]
    fn only_what_is_set_up_is_offered_and_it_leads_back() {
        let html = shown("", &[("google", "Google"), ("oidc", "Company login")], true);
        assert!(
            html.contains("Continue with Google") && html.contains("Continue with Company login"),
            "{html}"
        );
        assert!(
            html.contains("/api/auth/google?return=/services/7%3Fq%3Da%20b%26x%3D%C3%BC"),
            "{html}"
        );
        assert!(
            html.contains("login-link") && !html.contains("did not work"),
            "{html}"
        );
        let html = shown("", &[("google", "Google")], false);
        assert!(!html.contains("login-link"), "{html}");
        assert!(shown("", &[], false).contains("No way of signing in is set up"));
    }

    #[test]
    fn the_address_is_read_as_it_is_written() {
        for text in ["", "error=denied", "error=denied&provider=github"] {
            assert_eq!(SignInQuery::from(text).to_string(), text);
        }
    }
}
