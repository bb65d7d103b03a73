//! Changes of status are told to those who do not see the list: to screen readers, and on the desktop for those who
//! switched that on.

use super::{Store, load::refresh_days};
use crate::{api::Status, browser, format};
use dioxus::{core::spawn_forever, prelude::*};
use uuid::Uuid;

/// Changes of status within this time are announced in one sentence.
const ANNOUNCE_AFTER_MS: u32 = 1500;
/// More than this are only counted.
const NAMED: usize = 3;

/// Under this name it is remembered that changes are to be told on the desktop.
pub(crate) const NOTIFY: &str = "notify";

impl Store {
    /// Tells a change of status; changes that come together are told together.
    pub(super) fn announce(mut self, id: Uuid, status: Status) {
        let first = self.unannounced.peek().is_empty();
        self.unannounced.write().push((id, status));
        if !first {
            return;
        }
        spawn_forever(async move {
            browser::sleep(ANNOUNCE_AFTER_MS).await;
            let changes = std::mem::take(&mut *self.unannounced.write());
            let told = self.sentence(&changes);
            if browser::remembered(NOTIFY).is_some() && !told.is_empty() {
                browser::notify(self.summary.peek().worst().word(), &told);
            }
            self.announcement.set(told);
            let mut changed: Vec<Uuid> = changes.into_iter().map(|(id, _)| id).collect();
            changed.sort_unstable();
            changed.dedup();
            refresh_days(self, changed).await;
        });
    }

    /// What became of each of the services, the last word about each.
    fn sentence(self, changes: &[(Uuid, Status)]) -> String {
        let listed = self.listed.peek();
        let last =
            |place: usize, id: &Uuid| !changes[place + 1..].iter().any(|(later, _)| later == id);
        let sentences: Vec<String> = changes
            .iter()
            .enumerate()
            .filter(|(place, (id, _))| last(*place, id))
            .filter_map(|(_, (id, status))| {
                Some(format!("{} is {}", listed.get(id)?.name, status.word()))
            })
            .collect();
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        format::names(&sentences, NAMED)
    }
}
