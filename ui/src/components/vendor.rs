//! What vendors say: their incidents with updates, and maintenance. Vendors' text is only ever text.

use crate::{
    api::{Maintenance, Moment, Status, VendorIncident},
    browser::{self, TimeStyle},
    components::{Ago, At, Elsewhere, Shape, Since, icon, status_mark},
    format,
    store::use_store,
};
use dioxus::prelude::*;

/// The components that a report is about.
#[component]
pub fn Touches(components: Vec<String>) -> Element {
    let names: Vec<_> = components.iter().map(String::as_str).collect();
    if names.is_empty() {
        return VNode::empty();
    }
    rsx! { p { class: "dim", "Touches {format::names(&names, 8)}" } }
}

/// How bad an incident is by the vendor's word for it. The word itself stands beside it.
const fn severity(impact: &str) -> Status {
    match impact.as_bytes() {
        b"critical" | b"major" | b"major_outage" | b"partial_outage" | b"full_outage"
        | b"downtime" => Status::Down,
        b"maintenance" | b"under_maintenance" => Status::Maintenance,
        _ => Status::Degraded,
    }
}

/// Something that a vendor says: a line that unfolds.
#[component]
fn Note(
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
                {icon(Shape::Chevron)}
            }
            {children}
            if let Some(to) = url {
                p { Elsewhere { to, "On the vendor's page " {icon(Shape::Out)} } }
            }
        }
    }
}

/// An incident of a vendor, with everything that they wrote about it when it is unfolded.
#[component]
pub fn VendorIncidentNote(
    incident: VendorIncident,
    /// Whether it is unfolded at first.
    #[props(default)]
    open: bool,
    /// Whom it touches.
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
    let words = [format::vendor_word(&status), impact_of(&impact)];
    let words = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    let facts = rsx! {
        "{words}"
        if let Some(from) = started_at {
            " · for "
            Since { from, until: None }
        }
    };
    rsx! {
        Note { status: severity(&impact), name, facts, open, url,
            {children}
            ol { class: "updates",
                for (number , update) in updates.iter().enumerate() {
                    li { key: "{number}",
                        p { class: "dim",
                            b { {format::vendor_word(&update.status)} }
                            " "
                            At { at: update.at }
                        }
                        p { class: "body", "{update.body}" }
                    }
                }
            }
        }
    }
}

/// `impact: minor`, where the vendor says anything.
fn impact_of(word: &str) -> String {
    if word.is_empty() || word == "none" {
        String::new()
    } else {
        format!("impact: {}", format::vendor_word(word))
    }
}

/// Maintenance of a vendor: what, when, and whom it touches.
#[component]
pub fn MaintenanceNote(
    maintenance: Maintenance,
    /// Whether it is unfolded at first.
    #[props(default)]
    open: bool,
    /// Whom it touches.
    children: Element,
) -> Element {
    let now = use_store().clock;
    let Maintenance {
        name,
        status,
        scheduled_for,
        scheduled_until,
        url,
        ..
    } = maintenance;
    // To the minute, so that it is drawn anew once a minute.
    let ahead = use_memo(move || scheduled_for.map(|from| from.since(now()).div_euclid(60_000)))();
    let until = scheduled_until.map(|until| {
        let style = if scheduled_for.is_some_and(|from| same_day(from, until)) {
            TimeStyle::ShortTime
        } else {
            TimeStyle::DayTime
        };
        rsx! { " until " At { at: until, style } }
    });
    let facts = rsx! {
        {format::vendor_word(&status)}
        if let Some(at) = scheduled_for {
            " · " At { at }
        }
        {until}
        match ahead {
            Some(minutes @ 0..) => rsx! { ", in {format::duration((minutes + 1) * 60_000)}" },
            _ => VNode::empty(),
        }
    };
    rsx! {
        Note { status: Status::Maintenance, name, facts, open, url, {children} }
    }
}

fn same_day(a: Moment, b: Moment) -> bool {
    browser::local_time(a, TimeStyle::LongDay) == browser::local_time(b, TimeStyle::LongDay)
}

/// When a vendor's page was read, and whether that can be relied on.
#[component]
pub fn ReadAt(at: Moment, stale: bool, #[props(!optional)] failure: Option<String>) -> Element {
    let failure = failure
        .map(|failure| format!(": {failure}"))
        .unwrap_or_default();
    rsx! {
        p { class: if stale { "read-at stale" } else { "read-at dim" }, role: stale.then_some("status"),
            if stale {
                "The vendor's page was last read " Ago { at } ", so this may be old{failure}"
            } else {
                "Read from the vendor's page " Ago { at } "{failure}"
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
    fn what_a_vendor_wrote_is_text_and_its_address_leads_only_to_the_web() {
        fn page() -> Element {
            use_context_provider(Store::new);
            rsx! { VendorIncidentNote { incident: incident(), Touches { components: vec!["Web shop".to_owned()] } } }
        }
        let html = rendered(page);
        assert!(
            !html.contains("<script") && !html.contains("<b>errors"),
            "{html}"
        );
        assert!(
            html.contains("We look.") && html.contains("Touches Web shop"),
            "{html}"
        );
        assert!(html.contains("identified · impact: major"), "{html}");
        assert!(html.contains("for <time") && html.contains("2 h"), "{html}");
        assert!(!html.contains("javascript:"), "{html}");
    }

    #[test]
    fn maintenance_says_when_it_begins_and_ends() {
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
            };
            rsx! { MaintenanceNote { maintenance } }
        }
        let html = rendered(page);
        for part in [
            "Database upgrade",
            "scheduled",
            "in 1 h",
            "until",
            "16:03",
            "noopener noreferrer",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_page_that_was_read_long_ago_says_so_and_why() {
        fn page() -> Element {
            use_context_provider(Store::new);
            let at = Moment(1_795_356_190_000 - 480_000);
            rsx! { ReadAt { at, stale: true, failure: Some("it answers with 503".to_owned()) } }
        }
        let html = rendered(page);
        assert!(
            html.contains("8 min ago") && html.contains("may be old: it answers with 503"),
            "{html}"
        );
    }
}
