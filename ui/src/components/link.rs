//! Links within the dashboard and to other sites.

use crate::Route;
use dioxus::prelude::*;

/// A link to a page of the dashboard. Unlike the router's own link it does not render again with
/// each navigation, which would be expensive in a list of thousands.
#[component]
pub fn Link(
    to: Route,
    class: Option<String>,
    /// The accessible name, if the children are not text.
    label: Option<String>,
    /// Whether it links to the current page.
    #[props(default)]
    current: bool,
    onclick: Option<EventHandler<()>>,
    children: Element,
) -> Element {
    let href = to.url();
    rsx! {
        a {
            class,
            href,
            "aria-label": label,
            "aria-current": current.then_some("page"),
            onclick: move |event| {
                // Modified clicks belong to the browser: they open tabs and windows.
                if !event.modifiers().is_empty() {
                    return;
                }
                event.prevent_default();
                if let Some(handler) = onclick {
                    handler.call(());
                }
                to.open();
            },
            {children}
        }
    }
}

/// A link to another site, in a new window. URLs come from users and vendors, so any scheme but
/// http and https is shown as text.
#[component]
pub fn ExternalLink(
    to: String,
    class: Option<String>,
    label: Option<String>,
    children: Element,
) -> Element {
    let scheme = to
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return rsx! { span { class, {children} } };
    }
    rsx! {
        a { class, href: to, target: "_blank", rel: "noopener noreferrer", "aria-label": label, {children} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_and_https_are_links() {
        for (to, is_link) in [
            ("https://example.com", true),
            ("HTTP://example.com", true),
            ("javascript:alert(1)//://", false),
            ("javascript://%0aalert(1)", false),
            ("data:text/html,x", false),
            ("/relative", false),
        ] {
            let html = dioxus_ssr::render_element(rsx! { ExternalLink { to, "there" } });
            assert_eq!(html.contains("href"), is_link, "{html}");
            assert_eq!(html.contains("noopener noreferrer"), is_link, "{html}");
        }
    }
}
