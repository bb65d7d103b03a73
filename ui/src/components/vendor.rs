//! Incidents and maintenance of vendors. Their text is never interpreted as HTML.

use crate::api::{Maintenance, Moment, Status, VendorIncident};
use crate::browser::{self, TimeStyle};
use crate::components::icon::{Icon, icon};
use crate::components::link::ExternalLink;
use crate::components::status::status_mark;
use crate::components::time::{Elapsed, TimeAgo, Timestamp};
use crate::format;
use crate::store::use_store;
use dioxus::prelude::*;

/// The components that an incident or maintenance affects.
#[component]
pub fn AffectedComponents(components: Vec<String>, page_wide: bool) -> Element {
    if page_wide {
        return rsx! { p { class: "dim", "The vendor names no component. It may concern any of them." } };
    }
    let names: Vec<_> = components.iter().map(String::as_str).collect();
    if names.is_empty() {
        return VNode::empty();
    }
    rsx! { p { class: "dim", "Affects {format::names(&names, 8)}" } }
}

/// Maps a vendor's impact to a status. The vendor's own word is shown beside it.
const fn impact_status(impact: &str) -> Status {
    match impact.as_bytes() {
        b"critical" | b"major" | b"major_outage" | b"partial_outage" | b"full_outage"
        | b"downtime" => Status::Down,
        b"maintenance" | b"under_maintenance" => Status::Maintenance,
        _ => Status::Degraded,
    }
}

/// A line that expands.
#[component]
fn VendorNote(
    status: Status,
    name: String,
    facts: Element,
    open: bool,
    url: Option<String>,
    children: Element,
) -> Element {
    rsx! {
        details { class: "note", open,
            summary {
                {status_mark(status, false)}
                span { class: "name", "{name}" }
                span { class: "facts dim number", {facts} }
                {icon(Icon::Chevron)}
            }
            {children}
            if let Some(to) = url {
                p { ExternalLink { to, "View on the vendor page " {icon(Icon::Out)} } }
            }
        }
    }
}

/// A vendor's incident, which expands to its updates.
#[component]
pub fn VendorIncidentNote(
    incident: VendorIncident,
    /// Whether it is expanded initially.
    #[props(default)]
    open: bool,
    /// What it affects.
    children: Element,
) -> Element {
    let VendorIncident {
        name,
        impact,
        status,
        started_at,
        url,
        updates,
        ..
    } = incident;
    let words = [format::vendor_word(&status), format_impact(&impact)];
    let words = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    let facts = rsx! {
        "{words}"
        if let Some(from) = started_at {
            " · for "
            Elapsed { from, until: None }
        }
    };
    rsx! {
        VendorNote { status: impact_status(&impact), name, facts, open, url,
            {children}
            ol { class: "updates",
                for (index , update) in updates.iter().enumerate() {
                    li { key: "{index}",
                        p { class: "dim",
                            b { {format::vendor_word(&update.status)} }
                            " "
                            Timestamp { at: update.at }
                        }
                        p { class: "body", "{update.body}" }
                    }
                }
            }
        }
    }
}

/// Formats an impact as `impact: minor`; empty if there is none.
fn format_impact(word: &str) -> String {
    if word.is_empty() || word == "none" {
        String::new()
    } else {
        format!("impact: {}", format::vendor_word(word))
    }
}

/// A vendor's maintenance.
#[component]
pub fn VendorMaintenanceNote(
    maintenance: Maintenance,
    /// Whether it is expanded initially.
    #[props(default)]
    open: bool,
    /// What it affects.
    children: Element,
) -> Element {
    let now = use_store().clock;
    let Maintenance {
        name,
        status,
        scheduled_for,
        scheduled_until,
        url,
        overdue,
        ..
    } = maintenance;
    // In minutes, so that it renders once a minute.
    let minutes_ahead =
        use_memo(move || scheduled_for.map(|from| from.since(now()).div_euclid(60_000)))();
    let until = scheduled_until.map(|until| {
        let style = if scheduled_for.is_some_and(|from| is_same_day(from, until)) {
            TimeStyle::ShortTime
        } else {
            TimeStyle::DayTime
        };
        rsx! { " until " Timestamp { at: until, style } }
    });
    let facts = rsx! {
        {format::vendor_word(&status)}
        if let Some(at) = scheduled_for {
            " · " Timestamp { at }
        }
        {until}
        if overdue {
            ", overdue"
        }
        match minutes_ahead {
            Some(minutes @ 0..) => rsx! { ", in {format::duration((minutes + 1) * 60_000)}" },
            _ => VNode::empty(),
        }
    };
    rsx! {
        VendorNote { status: Status::Maintenance, name, facts, open, url, {children} }
    }
}

fn is_same_day(a: Moment, b: Moment) -> bool {
    browser::local_time(a, TimeStyle::LongDay) == browser::local_time(b, TimeStyle::LongDay)
}

/// When a vendor page was read last, and whether that is too long ago.
#[component]
pub fn LastRead(at: Moment, stale: bool, #[props(!optional)] failure: Option<String>) -> Element {
    let failure = failure
        .map(|failure| format!(": {failure}"))
        .unwrap_or_default();
    rsx! {
        p { class: if stale { "read-at stale" } else { "read-at dim" }, role: stale.then_some("status"),
            if stale {
                "The vendor page was last read " TimeAgo { at } ", so this may be out of date{failure}"
            } else {
                "Read from the vendor page " TimeAgo { at } "{failure}"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::VendorUpdate, store::Store};

    fn incident() -> VendorIncident {
        VendorIncident {
            id: "i1".into(),
            name: "Elevated <b>errors</b>".into(),
            impact: "major".into(),
            status: "identified".into(),
            started_at: Some(Moment(1_795_356_190_000 - 7_200_000)),
            url: Some("javascript:alert(1)".into()),
            components: Vec::new(),
            page_wide: false,
            updates: vec![VendorUpdate {
                at: Moment(1_795_356_190_000),
                status: "in_progress".into(),
                body: "<script>alert(1)</script> We look.".into(),
            }],
        }
    }

    fn rendered(page: fn() -> Element) -> String {
        let mut dom = VirtualDom::new(page);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    #[test]
    fn vendors_text_is_escaped_and_only_web_urls_are_links() {
        fn page() -> Element {
            use_context_provider(Store::new);
            rsx! { VendorIncidentNote { incident: incident(), AffectedComponents { components: vec!["Web shop".to_owned()], page_wide: false } } }
        }
        let html = rendered(page);
        assert!(
            !html.contains("<script") && !html.contains("<b>errors"),
            "{html}"
        );
        assert!(
            html.contains("We look.") && html.contains("Affects Web shop"),
            "{html}"
        );
        assert!(html.contains("identified · impact: major"), "{html}");
        assert!(html.contains("for <time") && html.contains("2 h"), "{html}");
        assert!(!html.contains("javascript:"), "{html}");
    }

    #[test]
    fn maintenance_shows_when_it_begins_and_ends() {
        fn page() -> Element {
            use_context_provider(Store::new);
            let maintenance = Maintenance {
                id: "m1".into(),
                name: "Database upgrade".into(),
                status: "scheduled".into(),
                scheduled_for: Some(Moment(1_795_356_190_000 + 3_600_000)),
                scheduled_until: Some(Moment(1_795_356_190_000 + 7_200_000)),
                url: Some("https://status.example.com/m1".into()),
                components: Vec::new(),
                page_wide: true,
                overdue: false,
            };
            rsx! {
                VendorMaintenanceNote { maintenance: maintenance.clone(),
                    AffectedComponents { components: maintenance.components, page_wide: maintenance.page_wide }
                }
            }
        }
        let html = rendered(page);
        for part in [
            "Database upgrade",
            "scheduled",
            "in 1 h",
            "until",
            "16:03",
            "noopener noreferrer",
            "The vendor names no component",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("overdue"), "{html}");
    }

    #[test]
    fn maintenance_whose_window_ended_is_called_overdue() {
        fn page() -> Element {
            use_context_provider(Store::new);
            let maintenance = Maintenance {
                id: "m1".into(),
                name: "Database upgrade".into(),
                status: "scheduled".into(),
                scheduled_for: Some(Moment(1_795_356_190_000 - 7_200_000)),
                scheduled_until: Some(Moment(1_795_356_190_000 - 3_600_000)),
                url: None,
                components: vec!["API".to_owned()],
                page_wide: false,
                overdue: true,
            };
            rsx! { VendorMaintenanceNote { maintenance } }
        }
        let html = rendered(page);
        assert!(html.contains(", overdue"), "{html}");
    }

    #[test]
    fn an_outdated_page_says_so_and_why() {
        fn page() -> Element {
            use_context_provider(Store::new);
            let at = Moment(1_795_356_190_000 - 480_000);
            rsx! { LastRead { at, stale: true, failure: Some("it answers with 503".to_owned()) } }
        }
        let html = rendered(page);
        assert!(
            html.contains("8 min ago") && html.contains("may be out of date: it answers with 503"),
            "{html}"
        );
    }
}
