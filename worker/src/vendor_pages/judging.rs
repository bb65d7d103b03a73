//! Makes a check for each follower of a page, with the sentences that people read. Pure.

use super::follower::{ComponentSnapshot, Follower, SnapshotUpdate};
use crate::check::{Check, VendorReport};
use chrono::{DateTime, Utc};
use domain::vendor_page::Freshness;
use domain::{Cause, Outcome, Phases, Status};
use incidents::MAX_MESSAGE_CHARS;
use std::cmp::Reverse;
use std::sync::Arc;
use vendor_pages::page::following::{ComponentPresence, Index, worst};
use vendor_pages::page::{Component, Incident, Page};

/// Maximum number of components that a sentence names.
const MAX_NAMED: usize = 3;

/// What is known of a page at one moment.
#[derive(Debug)]
pub(crate) struct PageSnapshot {
    /// The last reading; `None` if the page was never read.
    pub(crate) page: Option<Page>,
    /// The time of that reading.
    pub(crate) read_at: Option<DateTime<Utc>>,
    /// How fresh that reading is.
    pub(crate) freshness: Freshness,
    /// Why the last fetch failed; `None` if it did not.
    pub(crate) failure: Option<String>,
}

/// Returns the check of `follower` at `now` and the changed snapshots of its components; `None` if there
/// is nothing new. `index` is of the page in `snapshot`.
pub(crate) fn judge(
    snapshot: &PageSnapshot,
    index: Option<&Index<'_>>,
    follower: &Follower,
    now: DateTime<Utc>,
) -> Option<(Check, Vec<SnapshotUpdate>)> {
    // A follower without a check since its definition changed gets the old reading, if there is one.
    let is_new = follower
        .last_slot
        .is_none_or(|slot| slot < follower.service.updated_at);
    let check = |outcome, vendor| Check {
        service: Arc::clone(&follower.service),
        slot: now,
        at: now,
        outcome,
        vendor,
    };
    let page = match (index, snapshot.freshness) {
        (Some(page), Freshness::Fresh | Freshness::Stale) => page,
        (None, _) | (_, Freshness::Lost) => {
            return Some((
                check(unknown(snapshot), VendorReport::default()),
                Vec::new(),
            ));
        }
    };
    match (snapshot.freshness, &snapshot.failure) {
        (Freshness::Fresh, Some(_)) if !is_new => None,
        (Freshness::Stale, _) if !is_new => {
            let vendor = VendorReport {
                carry_forward: true,
                message: Some(stale_message(snapshot)),
                ..VendorReport::default()
            };
            Some((check(unknown(snapshot), vendor), Vec::new()))
        }
        (freshness, _) => {
            let (outcome, mut vendor, updates) = read_components(page, follower);
            if freshness == Freshness::Stale {
                vendor.message = Some(stale_message(snapshot));
            } else if outcome.status == Status::Up && !vendor.notes.is_empty() {
                vendor.message = Some(vendor.notes.join("; "));
            }
            Some((check(outcome, vendor), updates))
        }
    }
}

/// Reads the components that `follower` follows.
fn read_components(
    page: &Index<'_>,
    follower: &Follower,
) -> (Outcome, VendorReport, Vec<SnapshotUpdate>) {
    let ids: Vec<&str> = follower
        .components
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let mut updates = Vec::new();
    let mut notes = Vec::new();
    let mut statuses = Vec::new();
    let mut troubled: Vec<&Component> = Vec::new();
    let mut missing: Vec<&ComponentSnapshot> = Vec::new();
    for one in &follower.components {
        let sight = match page.sight(&one.id) {
            // A missing component was on a list of all before: not being mentioned means nothing.
            ComponentPresence::Unmentioned if one.missing => ComponentPresence::Missing,
            sight => sight,
        };
        statuses.push(sight.status());
        let (name, group) = match sight {
            ComponentPresence::Present(component) => {
                if component.status != Status::Up {
                    troubled.push(component);
                }
                notes.extend(rename_note(one, component));
                (&component.name, &component.group)
            }
            ComponentPresence::Unmentioned => (&one.name, &one.group),
            ComponentPresence::Missing => {
                missing.push(one);
                (&one.name, &one.group)
            }
        };
        let is_missing = sight == ComponentPresence::Missing;
        if (name, group, is_missing) != (&one.name, &one.group, one.missing) {
            updates.push(SnapshotUpdate {
                service_id: follower.service.id,
                component_id: one.id.clone(),
                name: name.clone(),
                group_name: group.clone(),
                missing: is_missing,
            });
        }
    }
    let has_unknown_components = statuses.contains(&Status::Unknown);
    let status = worst(statuses);
    let mut incidents = page.incidents(&ids);
    incidents.sort_by_key(|incident| {
        (
            incident.started_at.is_none(),
            incident.started_at,
            incident.id.clone(),
        )
    });
    // An incident that concerns the page as a whole is mentioned, but is not known to be the cause.
    let (page_wide, incidents): (Vec<_>, Vec<_>) = incidents
        .into_iter()
        .partition(|incident| page.named(&incident.component_ids).is_empty());
    let incidents: Vec<String> = incidents.into_iter().map(incident_name).collect();
    let cause = (status != Status::Up).then(|| {
        let mentioned = incidents.first().cloned();
        let mentioned = mentioned.or_else(|| page_wide.first().copied().map(incident_name));
        Cause::Vendor {
            report: report(troubled, &missing, mentioned),
        }
    });
    (
        outcome(status, cause),
        VendorReport {
            carry_forward: false,
            has_unknown_components,
            message: None,
            incidents,
            notes,
        },
        updates,
    )
}

/// Says why a service is not up, in one sentence: the worst components first, then the vendor's incident.
fn report(
    mut troubled: Vec<&Component>,
    missing: &[&ComponentSnapshot],
    incident: Option<String>,
) -> String {
    troubled.sort_by_key(|component| Reverse(component.status.severity()));
    let mut parts: Vec<String> = troubled
        .iter()
        .take(MAX_NAMED)
        .map(|component| component_state(component))
        .collect();
    if troubled.len() > MAX_NAMED {
        parts.push(format!("and {} more", troubled.len() - MAX_NAMED));
    }
    match missing {
        [] => {}
        [one] => parts.push(format!(
            "\"{}\" is no longer on the vendor page: choose the components again",
            one.name
        )),
        [one, others @ ..] => parts.push(format!(
            "\"{}\" and {} more are no longer on the vendor page: choose the components again",
            one.name,
            others.len()
        )),
    }
    parts.extend(incident);
    if parts.is_empty() {
        // The followed components were deleted.
        parts.push("no component is followed: choose the components again".into());
    }
    parts.join("; ")
}

/// Formats a component with the vendor's own word for its status.
fn component_state(component: &Component) -> String {
    let name = match &component.group {
        Some(group) => format!("{} ({group})", component.name),
        None => component.name.clone(),
    };
    let word = component.vendor_status.replace('_', " ");
    // A number means something to programs only.
    let word = if word.bytes().all(|byte| byte.is_ascii_digit()) {
        String::new()
    } else {
        word
    };
    match (component.status, word.is_empty()) {
        (Status::Unknown, true) => format!("{name}: the vendor gives no status"),
        (Status::Unknown, false) => format!("{name}: \"{word}\", a status that is not known"),
        (status, true) => format!("{name}: {}", status.word()),
        (_, false) => format!("{name}: {word}"),
    }
}

/// Formats a vendor's incident by name and link; without the link if both are too long, because a part of
/// a link is useless. Leaves some room for the text before it.
fn incident_name(incident: &Incident) -> String {
    let both = incident
        .url
        .as_ref()
        .map(|url| format!("{}: {url}", incident.name));
    both.filter(|both| both.chars().count() <= MAX_MESSAGE_CHARS - 100)
        .unwrap_or_else(|| incident.name.clone())
}

fn rename_note(known: &ComponentSnapshot, component: &Component) -> Option<String> {
    if known.name != component.name {
        return Some(format!(
            "the vendor renamed \"{}\" to \"{}\"",
            known.name, component.name
        ));
    }
    (known.group != component.group).then(|| match &component.group {
        Some(group) => format!(
            "the vendor moved \"{}\" to the group \"{group}\"",
            component.name
        ),
        None => format!("the vendor took \"{}\" out of its group", component.name),
    })
}

/// The outcome if the page has no valid reading.
fn unknown(snapshot: &PageSnapshot) -> Outcome {
    let since = snapshot
        .read_at
        .map(|at| format!(" since {}", at.format("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    let why = snapshot.failure.as_deref().unwrap_or("it was not asked");
    let detail = format!("the vendor page could not be read{since}: {why}");
    outcome(Status::Unknown, Some(Cause::NotChecked { detail }))
}

/// The message if the reading is stale.
fn stale_message(snapshot: &PageSnapshot) -> String {
    let since = snapshot
        .read_at
        .map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default();
    let why = snapshot.failure.as_deref().unwrap_or("it was not asked");
    format!("stale: the vendor page could not be read since {since}: {why}")
}

fn outcome(status: Status, cause: Option<Cause>) -> Outcome {
    Outcome {
        status,
        status_code: None,
        response_time_ms: None,
        phases: Phases::default(),
        certificate_expires_at: None,
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckedService;
    use uuid::Uuid;
    use vendor_pages::page::{Identity, ListCoverage};

    fn component(name: &str, group: Option<&str>, status: Status, word: &str) -> Component {
        Component {
            id: name.into(),
            name: name.into(),
            group: group.map(Into::into),
            status,
            vendor_status: word.into(),
            position: 0,
        }
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + 60 * minutes, 0).unwrap()
    }

    /// The check of a follower of the API: status, whether the state is carried forward, and message.
    fn learns(view: &PageSnapshot, new: bool) -> Option<(Status, bool, Option<String>)> {
        let service = Arc::new(CheckedService::followed(
            Uuid::from_u128(7),
            1,
            Uuid::from_u128(8),
            monitors::MonitorKind::ALL[0],
            1,
            at(0),
        ));
        let components = vec![ComponentSnapshot {
            id: "API".into(),
            name: "API".into(),
            group: None,
            missing: false,
        }];
        let follower = Follower {
            service,
            last_slot: (!new).then(|| at(1)),
            components,
        };
        let (check, updates) = judge(
            view,
            view.page.as_ref().map(Index::new).as_ref(),
            &follower,
            at(30),
        )?;
        assert_eq!((check.slot, check.at, updates), (at(30), at(30), vec![]));
        let message = check.vendor.message.or_else(|| check.outcome.message());
        Some((check.outcome.status, check.vendor.carry_forward, message))
    }

    #[test]
    fn a_check_depends_on_age_on_failures_and_on_being_new() {
        let page = || Page {
            provider: "",
            name: None,
            url: None,
            components: vec![component("API", None, Status::Up, "operational")],
            incidents: Vec::new(),
            maintenances: Vec::new(),
            identity: Identity::Id,
            listing: ListCoverage::All,
        };
        let view = |freshness, failure: Option<&str>| PageSnapshot {
            page: Some(page()),
            read_at: Some(at(0)),
            freshness,
            failure: failure.map(Into::into),
        };
        let up = Some((Status::Up, false, None));
        let fresh = view(Freshness::Fresh, None);
        assert_eq!(
            [learns(&fresh, false), learns(&fresh, true)],
            [up.clone(), up.clone()]
        );
        let failing = view(Freshness::Fresh, Some("answered 503"));
        assert_eq!(
            [learns(&failing, false), learns(&failing, true)],
            [None, up]
        );

        let stale = view(Freshness::Stale, Some("answered 503"));
        let message = Some(
            "stale: the vendor page could not be read since 2023-11-14 22:13 UTC: answered 503"
                .to_owned(),
        );
        assert_eq!(
            learns(&stale, false),
            Some((Status::Unknown, true, message.clone()))
        );
        assert_eq!(learns(&stale, true), Some((Status::Up, false, message)));

        let why = "not checked: the vendor page could not be read since 2023-11-14 22:13 UTC: answered 503".to_owned();
        let lost = view(Freshness::Lost, Some("answered 503"));
        assert_eq!(
            learns(&lost, false),
            Some((Status::Unknown, false, Some(why)))
        );
        assert_eq!(learns(&lost, false), learns(&lost, true));
        let never = PageSnapshot {
            page: None,
            read_at: None,
            ..view(Freshness::Lost, Some("answered 503"))
        };
        let why = "not checked: the vendor page could not be read: answered 503".to_owned();
        assert_eq!(
            learns(&never, true),
            Some((Status::Unknown, false, Some(why)))
        );
    }

    #[test]
    fn an_incident_has_its_whole_link_or_none() {
        let slow = |length: usize| {
            incident_name(&Incident {
                id: "1".into(),
                name: "Slow".into(),
                impact: String::new(),
                status: String::new(),
                open: true,
                started_at: None,
                resolved_at: None,
                url: Some(format!("https://a.example/{}", "1".repeat(length))),
                component_ids: Vec::new(),
                updates: Vec::new(),
            })
        };
        assert_eq!(slow(1), "Slow: https://a.example/1");
        assert_eq!(slow(376).chars().count(), MAX_MESSAGE_CHARS - 100);
        assert_eq!(slow(377), "Slow");
    }

    #[test]
    fn a_report_names_the_worst_components_first() {
        let all = [
            component("Mail", None, Status::Degraded, "degraded_performance"),
            component("API", Some("Europe"), Status::Down, "major_outage"),
            component("Search", None, Status::Unknown, "wobbly"),
            component("EC2", None, Status::Down, "3"),
            component("Push", None, Status::Unknown, ""),
        ];
        let gone = |name: &str| ComponentSnapshot {
            id: name.into(),
            name: name.into(),
            group: None,
            missing: false,
        };
        let (old, older) = (gone("Old"), gone("Older"));
        let incident = Some("Trouble: https://a.example/1".to_owned());
        assert_eq!(
            report(all.iter().collect(), &[&old], incident),
            "API (Europe): major outage; EC2: down; Mail: degraded performance; and 2 more; \
             \"Old\" is no longer on the vendor page: choose the components again; Trouble: https://a.example/1"
        );
        assert_eq!(
            report(vec![&all[2]], &[], None),
            "Search: \"wobbly\", a status that is not known"
        );
        assert_eq!(
            report(vec![&all[4]], &[], None),
            "Push: the vendor gives no status"
        );
        assert_eq!(
            report(Vec::new(), &[&old, &older], None),
            "\"Old\" and 1 more are no longer on the vendor page: choose the components again"
        );
        assert_eq!(
            report(Vec::new(), &[], None),
            "no component is followed: choose the components again"
        );
    }
}
