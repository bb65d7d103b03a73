//! Links: within the dashboard, and out of it.

use crate::Route;
use dioxus::prelude::*;

/// A link to a page of the dashboard. Unlike the router's own it does not draw itself anew at each navigation, which in a
/// list of thousands would cost more than the page that was asked for.
#[component]
pub fn Go(
    to: Route,
    class: Option<String>,
    /// Name for those who do not see the children.
    label: Option<String>,
    /// Reachable by the keys that move through rows.
    #[props(default)]
    row: bool,
    /// Whether this page is the present one.
    #[props(default)]
    current: bool,
    onclick: Option<EventHandler<()>>,
    children: Element,
) -> Element {
    let href = to.address();
    rsx! {
        a {
            class,
            href,
            "aria-label": label,
            "data-row": row.then_some("true"),
            "aria-current": current.then_some("page"),
            onclick: move |event| {
                // Other buttons and modified clicks are the browser's: they open tabs and windows.
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

/// A link to another site, in a window of its own. Anything but http and https is shown as text: addresses come from people
/// and vendors.
#[component]
pub fn Elsewhere(
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
    fn only_http_and_https_lead_out() {
        for (to, leads) in [
            ("https://example.com", true),
            ("HTTP://example.com", true),
            ("javascript:alert(1)//://", false),
            ("javascript://%0aalert(1)", false),
            ("data:text/html,x", false),
            ("/relative", false),
        ] {
            let html = dioxus_ssr::render_element(rsx! { Elsewhere { to, "there" } });
            assert_eq!(html.contains("href"), leads, "{html}");
            assert_eq!(html.contains("noopener noreferrer"), leads, "{html}");
        }
    }
}
