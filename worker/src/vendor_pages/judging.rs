//! What a page means to each of its followers: a check, with the sentences that people read. Pure.

use super::store::{Follower, Remembered};
use crate::check::{Check, MAX_MESSAGE, VendorWord};
use chrono::{DateTime, Utc};
use domain::vendor_page::Standing;
use domain::{Cause, Outcome, Phases, Status};
use std::cmp::Reverse;
use std::sync::Arc;
use uuid::Uuid;
use vendor_pages::page::following::{Index, Sight, worst};
use vendor_pages::page::{Component, Incident, Page};

/// How many components a sentence names.
const NAMED: usize = 3;

/// What is known of a page at one moment.
#[derive(Debug)]
pub(crate) struct View {
    /// What it said when it was read last; `None` if it never was.
    pub(crate) page: Option<Page>,
    /// When that was.
    pub(crate) read_at: Option<DateTime<Utc>>,
    /// What that is worth now.
    pub(crate) standing: Standing,
    /// Why the last attempts failed; `None` when the last one did not.
    pub(crate) failed: Option<String>,
}

/// A followed component that is to be remembered otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Remember {
    pub(crate) service_id: Uuid,
    pub(crate) component_id: String,
    pub(crate) name: String,
    pub(crate) group_name: Option<String>,
    pub(crate) missing: bool,
}

/// What `follower` learns at `now` of the page that `index` is of, and what it has to remember of its components; `None` when it learns nothing.
pub(crate) fn judge(
    view: &View,
    index: Option<&Index<'_>>,
    follower: &Follower,
    now: DateTime<Utc>,
) -> Option<(Check, Vec<Remember>)> {
    // Since it was defined nobody has told it anything: what is known is better than nothing.
    let new = follower
        .last_slot
        .is_none_or(|slot| slot < follower.subject.updated_at);
    let check = |outcome, vendor| Check {
        subject: Arc::clone(&follower.subject),
        slot: now,
        at: now,
        outcome,
        vendor,
    };
    let (page, failed) = match (index, view.standing) {
        (Some(page), Standing::Fresh | Standing::Stale) => (page, view.failed.as_deref()),
        (None, _) | (_, Standing::Lost) => {
            return Some((check(unread(view), VendorWord::default()), Vec::new()));
        }
    };
    match (view.standing, failed) {
        (Standing::Fresh, Some(_)) if !new => None,
        (Standing::Stale, _) if !new => {
            let vendor = VendorWord {
                held: true,
                remark: Some(stale(view)),
                ..VendorWord::default()
            };
            Some((check(unread(view), vendor), Vec::new()))
        }
        (standing, _) => {
            let (outcome, mut vendor, remember) = said(page, follower);
            if standing == Standing::Stale {
                vendor.remark = Some(stale(view));
            } else if outcome.status == Status::Up && !vendor.notes.is_empty() {
                vendor.remark = Some(vendor.notes.join("; "));
            }
            Some((check(outcome, vendor), remember))
        }
    }
}

/// What the page says to somebody who follows these components.
fn said(page: &Index<'_>, follower: &Follower) -> (Outcome, VendorWord, Vec<Remember>) {
    let ids: Vec<&str> = follower
        .components
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let (mut remember, mut notes, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    let (mut troubled, mut missing): (Vec<&Component>, Vec<&Remembered>) = (Vec::new(), Vec::new());
    for one in &follower.components {
        let sight = match page.sight(&one.id) {
            // It was on the list of all before: that this one does not mention it says nothing.
            Sight::Unmentioned if one.missing => Sight::Missing,
            sight => sight,
        };
        statuses.push(sight.status());
        let (name, group) = match sight {
            Sight::Present(component) => {
                if component.status != Status::Up {
                    troubled.push(component);
                }
                notes.extend(renamed(one, component));
                (&component.name, &component.group)
            }
            Sight::Unmentioned => (&one.name, &one.group),
            Sight::Missing => {
                missing.push(one);
                (&one.name, &one.group)
            }
        };
        let gone = sight == Sight::Missing;
        if (name, group, gone) != (&one.name, &one.group, one.missing) {
            remember.push(Remember {
                service_id: follower.subject.id,
                component_id: one.id.clone(),
                name: name.clone(),
                group_name: group.clone(),
                missing: gone,
            });
        }
    }
    let unsure = statuses.contains(&Status::Unknown);
    let status = worst(statuses);
    let mut incidents = page.incidents(&ids);
    incidents.sort_by_key(|incident| {
        (
            incident.started_at.is_none(),
            incident.started_at,
            incident.id.clone(),
        )
    });
    let incidents: Vec<String> = incidents.into_iter().map(named).collect();
    let cause = (status != Status::Up).then(|| Cause::Vendor {
        report: report(troubled, &missing, &incidents),
    });
    (
        outcome(status, cause),
        VendorWord {
            held: false,
            unsure,
            remark: None,
            incidents,
            notes,
        },
        remember,
    )
}

/// Why a service is not up, in one sentence: the worst components first, then the vendor's incident.
fn report(mut troubled: Vec<&Component>, missing: &[&Remembered], incidents: &[String]) -> String {
    troubled.sort_by_key(|component| Reverse(component.status.severity()));
    let mut parts: Vec<String> = troubled
        .iter()
        .take(NAMED)
        .map(|component| state(component))
        .collect();
    if troubled.len() > NAMED {
        parts.push(format!("and {} more", troubled.len() - NAMED));
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
    if let Some(incident) = incidents.first() {
        parts.push(incident.clone());
    }
    if parts.is_empty() {
        // Nothing is followed: what was chosen is gone with its choice.
        parts.push("no component is followed: choose the components again".into());
    }
    parts.join("; ")
}

/// A component with the vendor's own word, in the form that people write.
fn state(component: &Component) -> String {
    let name = match &component.group {
        Some(group) => format!("{} ({group})", component.name),
        None => component.name.clone(),
    };
    let word = component.vendor_status.replace('_', " ");
    // A number says something to programs only.
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

/// A vendor's incident by name and link; without the link where both are too long, because a part of it leads nowhere. Some
/// room is left for what people are told before it.
fn named(incident: &Incident) -> String {
    let both = incident
        .url
        .as_ref()
        .map(|url| format!("{}: {url}", incident.name));
    both.filter(|both| both.chars().count() <= MAX_MESSAGE - 100)
        .unwrap_or_else(|| incident.name.clone())
}

fn renamed(known: &Remembered, component: &Component) -> Option<String> {
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

/// Nothing is known of the page.
fn unread(view: &View) -> Outcome {
    let since = view
        .read_at
        .map(|at| format!(" since {}", at.format("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    let why = view.failed.as_deref().unwrap_or("it was not asked");
    let detail = format!("the vendor page could not be read{since}: {why}");
    outcome(Status::Unknown, Some(Cause::NotChecked { detail }))
}

/// What is known is old.
fn stale(view: &View) -> String {
    let since = view
        .read_at
        .map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default();
    let why = view.failed.as_deref().unwrap_or("it was not asked");
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
    use crate::check::Subject;
    use vendor_pages::page::{Identity, Listing};

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

    /// What somebody learns who follows the API: status, whether what is known stays, and the message.
    fn learns(view: &View, new: bool) -> Option<(Status, bool, Option<String>)> {
        let subject = Arc::new(Subject::followed(
            Uuid::from_u128(7),
            1,
            Uuid::from_u128(8),
            monitors::MonitorKind::ALL[0],
            1,
            at(0),
        ));
        let components = vec![Remembered {
            id: "API".into(),
            name: "API".into(),
            group: None,
            missing: false,
        }];
        let follower = Follower {
            subject,
            last_slot: (!new).then(|| at(1)),
            components,
        };
        let (check, remember) = judge(
            view,
            view.page.as_ref().map(Index::new).as_ref(),
            &follower,
            at(30),
        )?;
        assert_eq!((check.slot, check.at, remember), (at(30), at(30), vec![]));
        let message = check.vendor.remark.or_else(|| check.outcome.message());
        Some((check.outcome.status, check.vendor.held, message))
    }

    #[test]
    fn what_is_learned_depends_on_how_old_it_is_on_whether_it_failed_and_on_who_asks() {
        let page = || Page {
            provider: "",
            name: None,
            url: None,
            components: vec![component("API", None, Status::Up, "operational")],
            incidents: Vec::new(),
            maintenances: Vec::new(),
            identity: Identity::Id,
            listing: Listing::All,
        };
        let view = |standing, failed: Option<&str>| View {
            page: Some(page()),
            read_at: Some(at(0)),
            standing,
            failed: failed.map(Into::into),
        };
        let up = Some((Status::Up, false, None));
        let fresh = view(Standing::Fresh, None);
        assert_eq!(
            [learns(&fresh, false), learns(&fresh, true)],
            [up.clone(), up.clone()]
        );
        let failing = view(Standing::Fresh, Some("answered 503"));
        assert_eq!(
            [learns(&failing, false), learns(&failing, true)],
            [None, up]
        );

        let stale = view(Standing::Stale, Some("answered 503"));
        let told = Some(
            "stale: the vendor page could not be read since 2023-11-14 22:13 UTC: answered 503"
                .to_owned(),
        );
        assert_eq!(
            learns(&stale, false),
            Some((Status::Unknown, true, told.clone()))
        );
        assert_eq!(learns(&stale, true), Some((Status::Up, false, told)));

        let why = "not checked: the vendor page could not be read since 2023-11-14 22:13 UTC: answered 503".to_owned();
        let lost = view(Standing::Lost, Some("answered 503"));
        assert_eq!(
            learns(&lost, false),
            Some((Status::Unknown, false, Some(why)))
        );
        assert_eq!(learns(&lost, false), learns(&lost, true));
        let never = View {
            page: None,
            read_at: None,
            ..view(Standing::Lost, Some("answered 503"))
        };
        let why = "not checked: the vendor page could not be read: answered 503".to_owned();
        assert_eq!(
            learns(&never, true),
            Some((Status::Unknown, false, Some(why)))
        );
    }

    #[test]
    fn an_incident_is_named_with_its_whole_link_or_without_it() {
        let slow = |length: usize| {
            named(&Incident {
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
        assert_eq!(slow(376).chars().count(), MAX_MESSAGE - 100);
        assert_eq!(slow(377), "Slow");
    }

    #[test]
    fn a_report_names_the_worst_components_first_then_what_is_missing_then_the_incident() {
        let all = [
            component("Mail", None, Status::Degraded, "degraded_performance"),
            component("API", Some("Europe"), Status::Down, "major_outage"),
            component("Search", None, Status::Unknown, "wobbly"),
            component("EC2", None, Status::Down, "3"),
            component("Push", None, Status::Unknown, ""),
        ];
        let gone = |name: &str| Remembered {
            id: name.into(),
            name: name.into(),
            group: None,
            missing: false,
        };
        let (old, older) = (gone("Old"), gone("Older"));
        let incidents = ["Trouble: https://a.example/1".to_owned()];
        assert_eq!(
            report(all.iter().collect(), &[&old], &incidents),
            "API (Europe): major outage; EC2: down; Mail: degraded performance; and 2 more; \
             \"Old\" is no longer on the vendor page: choose the components again; Trouble: https://a.example/1"
        );
        assert_eq!(
            report(vec![&all[2]], &[], &[]),
            "Search: \"wobbly\", a status that is not known"
        );
        assert_eq!(
            report(vec![&all[4]], &[], &[]),
            "Push: the vendor gives no status"
        );
        assert_eq!(
            report(Vec::new(), &[&old, &older], &[]),
            "\"Old\" and 1 more are no longer on the vendor page: choose the components again"
        );
        assert_eq!(
            report(Vec::new(), &[], &[]),
            "no component is followed: choose the components again"
        );
    }
}
