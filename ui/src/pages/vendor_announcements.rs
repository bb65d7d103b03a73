//! Vendors' announcements above the list: their incidents, and maintenance in progress or soon.

use crate::{
    Route,
    api::{
        self, ListVendorAnnouncements, Maintenance, Moment, Schedule, Status, VendorAnnouncements,
        VendorIncident,
    },
    components::{Link, VendorIncidentNote, VendorMaintenanceNote},
    hooks::{QueryState, use_polling, use_query},
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

/// How often the announcements are refetched. Vendor pages are read once a minute, and only changes
/// of status are streamed.
const POLL_MS: u32 = 60_000;
/// Maintenance that begins within this time is shown, in milliseconds.
const MAINTENANCE_HORIZON_MS: i64 = 7 * 86_400_000;
/// The number of announcements that are shown initially.
const INITIAL_COUNT: usize = 4;

#[derive(Debug, Clone, PartialEq)]
enum Announcement {
    Incident(VendorIncident),
    Maintenance(Maintenance),
}

impl Announcement {
    /// Identifies it. The vendor's id alone is not enough, because vendors choose their ids
    /// independently.
    fn key(&self) -> String {
        match self {
            Self::Incident(one) => format!("i {} {}", one.id, one.name),
            Self::Maintenance(one) => format!("m {} {}", one.id, one.name),
        }
    }

    /// Sorts incidents before maintenance, newest incidents first, soonest maintenance first.
    fn sort_key(&self) -> (bool, i64) {
        match self {
            Self::Incident(one) => (false, -one.started_at.unwrap_or_default().0),
            Self::Maintenance(one) => (true, one.scheduled_for.unwrap_or_default().0),
        }
    }

    /// Returns whether it names no component of its page.
    const fn is_page_wide(&self) -> bool {
        match self {
            Self::Incident(one) => one.page_wide,
            Self::Maintenance(one) => one.page_wide,
        }
    }

    /// Returns whether it is in progress at `now` or begins soon.
    fn is_current(&self, now: Moment) -> bool {
        match self {
            Self::Incident(_) => true,
            Self::Maintenance(one) => one
                .scheduled_for
                .is_none_or(|from| from.since(now) < MAINTENANCE_HORIZON_MS),
        }
    }
}

/// An announcement with the services that it affects.
#[derive(Debug, Clone, PartialEq)]
struct Notice {
    key: String,
    announcement: Announcement,
    /// Whether it names no component of its page.
    page_wide: bool,
    services: Vec<(Uuid, String)>,
}

/// Returns each announcement once, however many services it affects.
fn merge(announcements: &[VendorAnnouncements], now: Moment) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    for service in announcements.iter().filter(|service| !service.paused) {
        let incidents = service
            .vendor_incidents
            .iter()
            .cloned()
            .map(Announcement::Incident);
        let maintenances = service
            .maintenances
            .iter()
            .cloned()
            .map(Announcement::Maintenance);
        for announcement in incidents
            .chain(maintenances)
            .filter(|announcement| announcement.is_current(now))
        {
            let key = announcement.key();
            let affected = (service.id, service.name.clone());
            match notices.iter_mut().find(|notice| notice.key == key) {
                Some(notice) => notice.services.push(affected),
                None => notices.push(Notice {
                    key,
                    page_wide: announcement.is_page_wide(),
                    announcement,
                    services: vec![affected],
                }),
            }
        }
    }
    notices.sort_by_key(|notice| notice.announcement.sort_key());
    notices
}

/// Loads the announcements now, when the status of a service that follows a vendor page changes,
/// and from time to time.
fn use_announcements() -> QueryState<Vec<VendorAnnouncements>> {
    let store = use_store();
    let followers = use_memo(move || {
        let listed = store.services.listed.read();
        let follows_vendor = |id: &Uuid| {
            store
                .services
                .entry(*id)
                .is_some_and(|entry| entry.service.peek().schedule == Schedule::Shared)
        };
        listed
            .iter()
            .filter(|(id, _)| follows_vendor(id))
            .map(|(id, service)| (*id, service.status))
            .collect::<Vec<(Uuid, Status)>>()
    });
    let query = use_query(followers(), |followers| async move {
        if followers.is_empty() {
            return Ok(Vec::new());
        }
        let response = api::request::<ListVendorAnnouncements>(()).await?;
        Ok(response.services)
    });
    use_polling(query, POLL_MS);
    query
}

#[component]
pub(crate) fn VendorAnnouncementList() -> Element {
    let store = use_store();
    let query = use_announcements();
    let mut show_all = use_signal(|| false);
    let data = query.data.read();
    let mut notices = merge(data.as_deref().unwrap_or_default(), *store.clock.peek());
    let hidden = if show_all() {
        0
    } else {
        notices.len().saturating_sub(INITIAL_COUNT)
    };
    notices.truncate(notices.len() - hidden);
    if notices.is_empty() {
        return VNode::empty();
    }
    rsx! {
        section { class: "vendors-now", "aria-label": "Vendor announcements",
            for Notice { key , announcement , page_wide , services } in notices {
                match announcement {
                    Announcement::Incident(incident) => rsx! {
                        VendorIncidentNote { key: "{key}", incident, AffectedServices { services, page_wide } }
                    },
                    Announcement::Maintenance(maintenance) => rsx! {
                        VendorMaintenanceNote { key: "{key}", maintenance, AffectedServices { services, page_wide } }
                    },
                }
            }
            if hidden > 0 {
                button { class: "plain more", r#type: "button", onclick: move |_| show_all.set(true), "Show {hidden} more" }
            }
        }
    }
}

#[component]
fn AffectedServices(services: Vec<(Uuid, String)>, page_wide: bool) -> Element {
    let label = if page_wide {
        "Names no component. May affect "
    } else {
        "Affects "
    };
    rsx! {
        p { class: "dim whose",
            "{label}"
            for (index , (id , name)) in services.into_iter().enumerate() {
                if index > 0 { ", " }
                Link { to: Route::service(id), "{name}" }
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
            page_wide: false,
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
            page_wide: false,
            overdue: false,
        }
    }

    fn service(
        name: &str,
        incidents: Vec<VendorIncident>,
        maintenances: Vec<Maintenance>,
    ) -> VendorAnnouncements {
        let id = Uuid::from_u128(u128::from(name.as_bytes()[0]));
        VendorAnnouncements {
            id,
            name: name.into(),
            paused: false,
            vendor_incidents: incidents,
            maintenances,
        }
    }

    fn keys_and_counts(announcements: &[VendorAnnouncements]) -> Vec<(String, usize)> {
        merge(announcements, NOW)
            .into_iter()
            .map(|notice| (notice.key, notice.services.len()))
            .collect()
    }

    #[test]
    fn an_announcement_for_several_services_is_shown_once() {
        let mut paused = service("C", vec![incident("3", 9)], Vec::new());
        paused.paused = true;
        let announcements = [
            service("A", vec![incident("1", 5)], Vec::new()),
            service("B", vec![incident("1", 5), incident("2", 7)], Vec::new()),
            paused,
        ];
        assert_eq!(
            keys_and_counts(&announcements),
            [
                ("i 2 incident 2".to_owned(), 1),
                ("i 1 incident 1".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn maintenance_is_shown_when_it_is_soon() {
        let soon = [
            maintenance("far", MAINTENANCE_HORIZON_MS),
            maintenance("near", 3_600_000),
            maintenance("now", -60_000),
        ];
        let notices = keys_and_counts(&[service("A", vec![incident("1", 5)], soon.into())]);
        let keys: Vec<_> = notices.iter().map(|(key, _)| key.as_str()).collect();
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
