//! The sign-in page.

use crate::{
    Route,
    api::{self, GetSignInOptions, SignInOptions},
    browser,
    components::{Icon, Link, ProblemBox, RowSkeletons, icon},
    format,
    hooks::use_query,
    router::{SignInQuery, encode_path},
    store::{Session, use_store},
};
use dioxus::prelude::*;

/// Returns what an error code means and what to do. The URL carries only a code, because anybody
/// can create a link to this page. `{}` is replaced by the name of the provider.
fn error_message(code: &str, provider: &str) -> String {
    let message = match code {
        "denied" => "You cancelled the sign-in at {}. You can try again at any time.",
        "expired" => "The sign-in took longer than ten minutes. Start again.",
        "used" => "This sign-in was already completed. If you are not signed in, start again.",
        "browser" => {
            "This sign-in was started in another browser, or this browser blocks cookies. Allow cookies for this site and start again."
        }
        "mismatch" => {
            "The response does not belong to the sign-in that was started here. Start again."
        }
        "provider" => {
            "{} does not respond, or its response cannot be verified. Try again later. If that does not help, tell the operator of this server."
        }
        "no_email" => "{} provided no e-mail address, which PulseCheck needs.",
        "unverified_email" => {
            "{} has no verified e-mail address of yours. Verify your primary address there, then sign in again."
        }
        "sign_up_closed" => {
            "You have no account here, and this server does not let everybody create one. Ask its operator to allow your e-mail address, then sign in again."
        }
        "email_taken" => {
            "An account with this e-mail address exists, and the address is not verified. Sign in the way you did before."
        }
        "unknown_provider" => "This way of signing in is not set up here.",
        "link_used" => {
            "This link was already used, or has expired. Run pulsecheck login-link for a new one."
        }
        "links_off" => "Sign-in links are disabled on this server.",
        "rate_limited" => "Too many attempts. Wait a minute, then try again.",
        _ => "PulseCheck could not sign you in. Try again.",
    };
    format::capitalise(&message.replace("{}", provider))
}

/// Returns the URL that starts the sign-in with a provider and returns to `return_to`, a path of
/// the dashboard.
fn start_url(url: &str, return_to: &str) -> String {
    format!("{url}?return={}", encode_path(return_to))
}

/// The page at `/sign-in`, to which the server redirects after a failed sign-in.
#[component]
pub fn SignInPage(query: SignInQuery) -> Element {
    let store = use_store();
    if let Session::SignedIn(me) = &*store.session.state.read() {
        return rsx! {
            main { class: "alone",
                h1 { "You are signed in" }
                p { "As {me.name}." }
                Link { class: "button primary", to: Route::home(), "Go to the dashboard" }
            }
        };
    }
    rsx! {
        SignIn { query, return_to: "/" }
    }
}

/// What PulseCheck does, and the ways to sign in. Afterwards the user comes to `return_to`.
#[component]
pub fn SignIn(query: SignInQuery, return_to: String) -> Element {
    let options = use_query((), |()| async {
        api::request::<GetSignInOptions>(())
            .await
            .map(|answer| answer.sign_in_options)
    });
    let known = options.data.read().clone();
    rsx! {
        main { class: "alone sign-in",
            p { class: "brand", {icon(Icon::Brand)} "PulseCheck" }
            h1 { "Know what is broken, since when, and why" }
            ul { class: "promises",
                li { "Checks your own URLs as often as every few seconds, and distinguishes slow from down." }
                li { "Follows the vendor pages of the services you depend on, with their incidents and maintenance." }
                li { "Shows every change as it happens, and keeps the history." }
            }
            SignInCard { query, return_to, options: known,
                match &*options.problem.read() {
                    Some(problem) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| options.refetch() } },
                    None => rsx! { RowSkeletons { rows: 2 } },
                }
            }
        }
    }
}

/// The providers and the sign-in link.
#[component]
fn SignInCard(
    query: SignInQuery,
    return_to: String,
    #[props(!optional)] options: Option<SignInOptions>,
    /// Shown until the options are loaded.
    children: Element,
) -> Element {
    let providers = options
        .as_ref()
        .map(|options| options.providers.as_slice())
        .unwrap_or_default();
    let failed_id = query.provider.as_deref();
    let failed_provider = providers
        .iter()
        .find(|provider| failed_id == Some(&provider.id))
        .map_or("the provider", |known| &known.name);
    rsx! {
        section { class: "card", "aria-labelledby": "sign-in-title",
            h2 { id: "sign-in-title", "Sign in" }
            if let Some(code) = &query.error {
                div { class: "refused", role: "alert",
                    b { "Sign-in failed" }
                    p { {error_message(code, failed_provider)} }
                }
            }
            match &options {
                None => children,
                Some(options) => rsx! {
                    for provider in &options.providers {
                        // Not a `Link`, because it leaves the dashboard for the provider's page.
                        a { key: "{provider.id}", class: "button primary provider", href: start_url(&provider.url, &return_to), "Continue with {provider.name}" }
                    }
                    if options.local {
                        div { class: "local",
                            p {
                                if options.providers.is_empty() { "Open" } else { "Or open" }
                                " the sign-in link that PulseCheck prints when it starts:"
                            }
                            pre { code { "Sign in: {browser::origin()}/api/auth/local?…" } }
                            p { "It works once. For a new one, run " code { "pulsecheck login-link" } " where PulseCheck is installed." }
                        }
                    }
                    if options.providers.is_empty() && !options.local {
                        p { "This server has no way to sign in yet. Its operator can set up Google, GitHub or any OpenID Connect provider." }
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

    const CODES: [&str; 15] = [
        "denied",
        "expired",
        "used",
        "browser",
        "mismatch",
        "provider",
        "no_email",
        "unverified_email",
        "sign_up_closed",
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
            SignInCard { query, return_to: "/services/7?q=a b&x=ü", options: Some(options) }
        })
    }

    #[test]
    fn every_code_has_its_own_message() {
        let messages: std::collections::BTreeSet<String> = CODES
            .iter()
            .map(|code| error_message(code, "GitHub"))
            .collect();
        assert_eq!(messages.len(), CODES.len());
        assert!(
            messages.iter().all(|text| !text.contains("{}")),
            "{messages:?}"
        );
        assert_eq!(
            error_message("no such code", "x"),
            error_message("failed", "x")
        );
        assert_eq!(
            error_message("no_email", "the provider"),
            "The provider provided no e-mail address, which PulseCheck needs."
        );
    }

    #[test]
    fn text_from_the_url_is_never_shown() {
        let html = shown(
            "error=<b>call +1 555</b>&provider=<i>",
            &[("github", "GitHub")],
            false,
        );
        assert!(
            html.contains("Sign-in failed") && !html.contains("555") && !html.contains("<i>"),
            "{html}"
        );
        let html = shown(
            "error=unverified_email&provider=github",
            &[("github", "GitHub")],
            false,
        );
        assert!(html.contains("GitHub has no verified e-mail"), "{html}");
    }

    #[test]
    fn configured_providers_are_offered_and_lead_back() {
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
            html.contains("login-link") && !html.contains("Sign-in failed"),
            "{html}"
        );
        let html = shown("", &[("google", "Google")], false);
        assert!(!html.contains("login-link"), "{html}");
        assert!(shown("", &[], false).contains("This server has no way to sign in"));
    }
}
