//! Announces changes of status: to screen readers, and as desktop notifications if they are
//! switched on.

use super::{Store, loading::reload_histories, root_signal};
use crate::{
    Route,
    api::{Incident, Status},
    browser::{self, Notification},
    format,
};
use dioxus::{core::spawn_forever, prelude::*};
use uuid::Uuid;

/// Changes within this time are announced in one sentence.
const DEBOUNCE_MS: u32 = 1500;
/// Maximum number of services that are named, or have a notification of their own; the others are
/// counted.
const MAX_NAMES: usize = 3;

/// The key of the setting in the browser's storage.
pub(crate) const DESKTOP_NOTIFICATIONS: &str = "notify";

#[derive(Clone, Copy)]
pub struct Announcer {
    /// The last announcement.
    pub text: Signal<String>,
    pending: Signal<Vec<(Uuid, Status)>>,
}

impl Announcer {
    pub(super) fn new() -> Self {
        Self {
            text: root_signal(String::new()),
            pending: root_signal(Vec::new()),
        }
    }
}

impl Store {
    /// Announces a change of status, together with others that follow shortly.
    pub(super) fn announce(mut self, id: Uuid, status: Status) {
        let is_first = self.announcer.pending.peek().is_empty();
        self.announcer.pending.write().push((id, status));
        if !is_first {
            return;
        }
        spawn_forever(async move {
            browser::sleep(DEBOUNCE_MS).await;
            let changes = std::mem::take(&mut *self.announcer.pending.write());
            let changes = last_changes(changes);
            let text = self.announcement(&changes);
            if browser::load_setting(DESKTOP_NOTIFICATIONS).is_some() {
                for notification in self.notifications(&changes) {
                    browser::notify(notification);
                }
            }
            self.announcer.text.set(text);
            let changed = changes.into_iter().map(|(id, _)| id).collect();
            reload_histories(self, changed).await;
        });
    }

    /// Returns a notification for each service, up to [`MAX_NAMES`], and one about the others.
    fn notifications(self, changes: &[(Uuid, Status)]) -> Vec<Notification> {
        let listed = self.services.listed.peek();
        // That a new service is up is no news; a recovery is, and has an incident.
        let is_news =
            |id: &Uuid, status: Status| status != Status::Up || self.last_incident(*id).is_some();
        let known: Vec<_> = changes
            .iter()
            .filter(|(id, status)| is_news(id, *status))
            .filter_map(|(id, status)| Some((*id, *status, listed.get(id)?.name.clone())))
            .collect();
        let mut notifications: Vec<_> = known
            .iter()
            .take(MAX_NAMES)
            .map(|(id, status, name)| self.notification(*id, *status, name))
            .collect();
        if let Some(others) = known.len().checked_sub(MAX_NAMES).filter(|more| *more > 0) {
            let services = format::count(others, "more service");
            notifications.push(Notification {
                tag: "others".to_owned(),
                title: format!("{services} changed status"),
                body: self.services.summary.peek().headline(),
                status: self.services.summary.peek().worst().word(),
                url: Route::home().url(),
            });
        }
        notifications
    }

    fn notification(self, id: Uuid, status: Status, name: &str) -> Notification {
        let open = self.incidents.open.peek().get(&id).cloned();
        let last = self.last_incident(id);
        let incident_id = open.as_ref().map(|open| open.id);
        let incident_id = incident_id.or_else(|| last.as_ref().map(|incident| incident.id));
        let body = if status == Status::Up {
            last.and_then(|incident| Some(incident.resolved_at?.since(incident.started_at)))
                .map(|lasted| format!("Recovered after {}.", format::duration(lasted)))
        } else {
            let entry = self.services.entry(id);
            let message = entry.and_then(|entry| entry.current.peek().clone()?.message);
            open.and_then(|open| open.cause).or(message)
        };
        Notification {
            tag: format!("service-{id}"),
            title: format!("{name} is {}", status.word()),
            body: body.map_or_else(String::new, |body| {
                format::capitalise(format::split_cause(&body).0)
            }),
            status: status.word(),
            url: incident_id
                .map_or_else(|| Route::service(id), |id| Route::Incident { id })
                .url(),
        }
    }

    /// Returns the incident of a service that began last, as far as incidents are loaded.
    fn last_incident(self, service_id: Uuid) -> Option<Incident> {
        let by_id = self.incidents.by_id.peek();
        by_id
            .values()
            .filter(|incident| incident.service.id == service_id)
            .max_by_key(|incident| incident.started_at)
            .cloned()
    }

    /// Returns a sentence with the status of each service.
    fn announcement(self, changes: &[(Uuid, Status)]) -> String {
        let listed = self.services.listed.peek();
        let parts: Vec<String> = changes
            .iter()
            .filter_map(|(id, status)| {
                Some(format!("{} is {}", listed.get(id)?.name, status.word()))
            })
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        format::names(&parts, MAX_NAMES)
    }
}

/// Returns the last change of each service.
fn last_changes(changes: Vec<(Uuid, Status)>) -> Vec<(Uuid, Status)> {
    let mut last: Vec<(Uuid, Status)> = Vec::new();
    for (id, status) in changes {
        last.retain(|(other, _)| *other != id);
        last.push((id, status));
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::IncidentState,
        store::tests::{incident, service, with_store},
    };

    #[test]
    fn each_service_has_a_notification_with_its_cause_and_a_page_to_open() {
        with_store(|store| {
            store.replace_services(vec![service(1, "Web shop"), service(2, "Blog")]);
            let ids = [1, 2].map(Uuid::from_u128);
            let mut open = incident(10, 1, IncidentState::Open);
            open.cause = Some("answered 503, expected 200-299".into());
            store.apply_incident(&open);
            let changes = [(ids[0], Status::Down), (ids[1], Status::Degraded)];
            let shown = store.notifications(&changes);
            assert_eq!(
                shown[0],
                Notification {
                    tag: format!("service-{}", ids[0]),
                    title: "Web shop is down".into(),
                    body: "Answered 503, expected 200-299".into(),
                    status: "down",
                    url: format!("/incidents/{}", Uuid::from_u128(10)),
                }
            );
            assert_ne!(shown[0].tag, shown[1].tag);
            assert_eq!(shown[1].url, format!("/services/{}", ids[1]));
            let mut over = incident(10, 1, IncidentState::Resolved);
            over.resolved_at = Some(crate::api::Moment(over.started_at.0 + 90_000));
            store.apply_incident(&over);
            let up = store.notifications(&[(ids[0], Status::Up), (ids[1], Status::Up)]);
            assert_eq!(up.len(), 1, "the other one was never down");
            assert_eq!(up[0].body, "Recovered after 1 min 30 s.");
            assert_eq!(up[0].url, format!("/incidents/{}", Uuid::from_u128(10)));
        });
    }

    #[test]
    fn many_changes_have_few_notifications() {
        with_store(|store| {
            let services = (0..30).map(|number| service(number, &format!("S{number}")));
            store.replace_services(services.collect());
            let changes: Vec<_> = (0..30)
                .map(|number| (Uuid::from_u128(number), Status::Down))
                .collect();
            let shown = store.notifications(&changes);
            assert_eq!(shown.len(), MAX_NAMES + 1);
            assert_eq!(shown[MAX_NAMES].title, "27 more services changed status");
            let again = vec![changes[0], (changes[0].0, Status::Up)];
            assert_eq!(last_changes(again), [(changes[0].0, Status::Up)]);
        });
    }
}
