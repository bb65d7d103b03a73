//! What vendors say now, above the list: their incidents, and maintenance that goes on or is near.

use crate::{
    Route,
    api::{self, ListNotices, Maintenance, Moment, Notices, Schedule, Status, VendorIncident},
    browser,
    components::{Go, MaintenanceNote, VendorIncidentNote},
    format,
    hooks::use_asked,
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

/// How often it is asked for: a vendor's page is read once a minute, and only changes of status are streamed.
const AGAIN_AFTER_MS: u32 = 60_000;
/// Maintenance that begins within this time is near, in milliseconds.
const NEAR: i64 = 7 * 86_400_000;
/// So many stand there at first.
const FEW: usize = 4;

/// Something that a vendor says.
#[derive(Debug, Clone, PartialEq)]
enum What {
    Incident(VendorIncident),
    Maintenance(Maintenance),
}

impl What {
    /// What tells it from other reports: ids are those of the vendor, and so not enough.
    fn key(&self) -> String {
        match self {
            Self::Incident(one) => format!("i {} {}", one.id, one.name),
            Self::Maintenance(one) => format!("m {} {}", one.id, one.name),
        }
    }

    /// Incidents first, the newest of them before the others; then maintenance, the soonest first.
    fn place(&self) -> (bool, i64) {
        match self {
            Self::Incident(one) => (false, -one.started_at.unwrap_or_default().0),
            Self::Maintenance(one) => (true, one.scheduled_for.unwrap_or_default().0),
        }
    }

    /// Whether it goes on at `now` or begins soon.
    fn is_near(&self, now: Moment) -> bool {
        match self {
            Self::Incident(_) => true,
            Self::Maintenance(one) => one.scheduled_for.is_none_or(|from| from.since(now) < NEAR),
        }
    }
}

/// A report with the services that it touches.
#[derive(Debug, Clone, PartialEq)]
struct Report {
    key: String,
    what: What,
    services: Vec<(Uuid, String)>,
}

/// Each report once, however many services it touches.
fn reports(notices: &[Notices], now: Moment) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for service in notices.iter().filter(|service| !service.paused) {
        let incidents = service.vendor_incidents.iter().cloned().map(What::Incident);
        let maintenances = service.maintenances.iter().cloned().map(What::Maintenance);
        for what in incidents
            .chain(maintenances)
            .filter(|what| what.is_near(now))
        {
            let (key, about) = (what.key(), (service.id, service.name.clone()));
            match reports.iter_mut().find(|report| report.key == key) {
                Some(report) => report.services.push(about),
                None => reports.push(Report {
                    key,
                    what,
                    services: vec![about],
                }),
            }
        }
    }
    reports.sort_by_key(|report| report.what.place());
    reports
}

/// Everything that vendors say now; nothing where nobody follows one.
#[component]
pub(crate) fn VendorNotices() -> Element {
    let store = use_store();
    // Asked for again when the status of one that follows a page changes, and from time to time.
    let followers = use_memo(move || {
        let listed = store.listed.read();
        let follows = |id: &Uuid| {
            store
                .entry(*id)
                .is_some_and(|entry| entry.service.peek().schedule == Schedule::Shared)
        };
        listed
            .iter()
            .filter(|(id, _)| follows(id))
            .map(|(id, one)| (*id, one.status))
            .collect::<Vec<(Uuid, Status)>>()
    });
    let asked = use_asked(followers(), |followers| async move {
        if followers.is_empty() {
            return Ok(Vec::new());
        }
        api::request::<ListNotices>(())
            .await
            .map(|answer| answer.services)
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            asked.again();
        }
    });
    let mut all = use_signal(|| false);
    let known = asked.data.read();
    let mut reports = reports(known.as_deref().unwrap_or_default(), *store.clock.peek());
    let hidden = if all() {
        0
    } else {
        reports.len().saturating_sub(FEW)
    };
    reports.truncate(reports.len() - hidden);
    if reports.is_empty() {
        return VNode::empty();
    }
    rsx! {
        section { class: "vendors-now", "aria-label": "What vendors say",
            for Report { key , what , services } in reports {
                match what {
                    What::Incident(incident) => rsx! {
                        VendorIncidentNote { key: "{key}", incident, Whose { services } }
                    },
                    What::Maintenance(maintenance) => rsx! {
                        MaintenanceNote { key: "{key}", maintenance, Whose { services } }
                    },
                }
            }
            if hidden > 0 {
                button { class: "plain more", r#type: "button", onclick: move |_| all.set(true), {format::count(hidden, "more report")} }
            }
        }
    }
}

/// The services that a report touches.
#[component]
fn Whose(services: Vec<(Uuid, String)>) -> Element {
    rsx! {
        p { class: "dim whose",
            "Touches "
            for (place , (id , name)) in services.into_iter().enumerate() {
                if place > 0 { ", " }
                Go { to: Route::service(id), "{name}" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_356_190_000);

    fn incident(id: &str, started: i64) -> VendorIncident {
        VendorIncident {
            id: id.into(),
            name: format!("incident {id}"),
            impact: "minor".into(),
            status: "investigating".into(),
            started_at: Some(Moment(started)),
            url: None,
            components: Vec::new(),
            updates: Vec::new(),
        }
    }

    fn maintenance(id: &str, from: i64) -> Maintenance {
        Maintenance {
            id: id.into(),
            name: format!("maintenance {id}"),
            status: "scheduled".into(),
            scheduled_for: Some(Moment(NOW.0 + from)),
            scheduled_until: None,
            url: None,
            components: Vec::new(),
        }
    }

    fn service(
        name: &str,
        incidents: Vec<VendorIncident>,
        maintenances: Vec<Maintenance>,
    ) -> Notices {
        let id = Uuid::from_u128(u128::from(name.as_bytes()[0]));
        Notices {
            id,
            name: name.into(),
            paused: false,
            vendor_incidents: incidents,
            maintenances,
        }
    }

    fn shape(notices: &[Notices]) -> Vec<(String, usize)> {
        reports(notices, NOW)
            .into_iter()
            .map(|report| (report.key, report.services.len()))
            .collect()
    }

    #[test]
    fn a_report_that_touches_several_services_stands_there_once() {
        let mut paused = service("C", vec![incident("3", 9)], Vec::new());
        paused.paused = true;
        let notices = [
            service("A", vec![incident("1", 5)], Vec::new()),
            service("B", vec![incident("1", 5), incident("2", 7)], Vec::new()),
            paused,
        ];
        assert_eq!(
            shape(&notices),
            [
                ("i 2 incident 2".to_owned(), 1),
                ("i 1 incident 1".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn maintenance_stands_there_once_it_is_near() {
        let soon = [
            maintenance("far", NEAR),
            maintenance("near", 3_600_000),
            maintenance("now", -60_000),
        ];
        let told = shape(&[service("A", vec![incident("1", 5)], soon.into())]);
        let keys: Vec<_> = told.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "i 1 incident 1",
                "m now maintenance now",
                "m near maintenance near"
            ]
        );
    }
}
