//! Announces changes of status: to screen readers, and as desktop notifications if they are
//! switched on.

use super::{Store, loading::reload_histories, root_signal};
use crate::{api::Status, browser, format};
use dioxus::{core::spawn_forever, prelude::*};
use uuid::Uuid;

/// Changes within this time are announced in one sentence.
const DEBOUNCE_MS: u32 = 1500;
/// Maximum number of services that are named; the others are counted.
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
            let text = self.announcement(&changes);
            if browser::load_setting(DESKTOP_NOTIFICATIONS).is_some() && !text.is_empty() {
                let worst = self.services.summary.peek().worst();
                browser::notify(worst.word(), &text);
            }
            self.announcer.text.set(text);
            let mut changed: Vec<Uuid> = changes.into_iter().map(|(id, _)| id).collect();
            changed.sort_unstable();
            changed.dedup();
            reload_histories(self, changed).await;
        });
    }

    /// Returns a sentence with the last status of each service.
    fn announcement(self, changes: &[(Uuid, Status)]) -> String {
        let listed = self.services.listed.peek();
        let is_last =
            |index: usize, id: &Uuid| !changes[index + 1..].iter().any(|(later, _)| later == id);
        let parts: Vec<String> = changes
            .iter()
            .enumerate()
            .filter(|(index, (id, _))| is_last(*index, id))
            .filter_map(|(_, (id, status))| {
                Some(format!("{} is {}", listed.get(id)?.name, status.word()))
            })
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        format::names(&parts, MAX_NAMES)
    }
}
