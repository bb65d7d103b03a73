//! What people do to services: shown at once, taken back when the server refuses, and undone when it was a mistake.

use super::{Listed, Offer, Store, Tone, wish::Wish};
use crate::{
    api::{
        self, ById, ByIds, CheckNow, DeleteServices, PauseServices, Problem, RecategoriseServices,
        RecategoriseVariables, ResumeServices,
    },
    browser, format,
};
use dioxus::{core::spawn_forever, prelude::*};
use std::{collections::BTreeMap, pin::Pin};
use uuid::Uuid;

/// The server takes so many ids at a time.
const MAX_IDS: usize = 2000;
/// How long a deletion can be taken back: it is asked of the server only after that.
pub(super) const REGRET_MS: u32 = 7000;

/// What can be done to services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Stop checking them.
    Pause(Vec<Uuid>),
    /// Go on checking them.
    Resume(Vec<Uuid>),
    /// Put them into a category, or into none.
    Recategorise(Vec<Uuid>, Option<String>),
    /// Delete them with all their history.
    Delete(Vec<Uuid>),
    /// Put each back into the category that it was in.
    Restore(Vec<(Option<String>, Vec<Uuid>)>),
    /// Delete nothing after all: the deletion with this number has not happened yet.
    Keep(u32),
}

/// Checks `id` at once; the result arrives over the live connection.
pub async fn check_now(store: Store, id: Uuid) {
    match api::request::<CheckNow>(ById { id }).await {
        Ok(checked) => store.upsert(checked.check_service),
        Err(problem) => store.say_failed("Could not check", &problem),
    }
}

impl Store {
    /// Does it: shown at once, taken back if the server refuses. What can be undone is offered to be.
    pub fn carry_out(self, deed: Deed) {
        match deed {
            Deed::Pause(ids) => {
                let ids = self.those(ids, |service| !service.paused);
                let undo = Offer::Undo(Deed::Resume(ids.clone()));
                self.change(ids, Wish::Paused(true), "paused", Some(undo));
            }
            Deed::Resume(ids) => {
                let ids = self.those(ids, |service| service.paused);
                self.change(ids, Wish::Paused(false), "resumed", None);
            }
            Deed::Recategorise(ids, category) => {
                let ids = self.those(ids, |service| service.category != category);
                let mut before: BTreeMap<Option<String>, Vec<Uuid>> = BTreeMap::new();
                for id in &ids {
                    let category = self
                        .listed
                        .peek()
                        .get(id)
                        .and_then(|service| service.category.clone());
                    before.entry(category).or_default().push(*id);
                }
                let moved = match &category {
                    Some(category) => format!("moved to {category}"),
                    None => "moved out of their category".to_owned(),
                };
                let undo = Offer::Undo(Deed::Restore(before.into_iter().collect()));
                self.change(ids, Wish::Category(category), &moved, Some(undo));
            }
            Deed::Restore(before) => {
                for (category, ids) in before {
                    self.change(ids, Wish::Category(category), "moved back", None);
                }
            }
            Deed::Delete(ids) => self.delete(self.those(ids, |_| true)),
            Deed::Keep(number) => {
                if let Some(ids) = self.no_longer_regrettable(number) {
                    self.withdraw(number, &ids);
                }
            }
        }
    }

    /// Deletes after a while in which that can be taken back.
    fn delete(mut self, ids: Vec<Uuid>) {
        if ids.is_empty() {
            return;
        }
        let number = self.next_number();
        let notice = self.offer(self.told("deleted", &ids), Offer::Undo(Deed::Keep(number)));
        self.wish(number, &ids, &Wish::Gone);
        self.regrets.write().push((number, ids));
        spawn_forever(async move {
            browser::sleep(REGRET_MS).await;
            if let Some(ids) = self.no_longer_regrettable(number) {
                self.in_turn(self.ask_for(number, ids, Wish::Gone, notice));
            }
        });
    }

    /// What deletion `number` is about, if it was not settled before.
    fn no_longer_regrettable(mut self, number: u32) -> Option<Vec<Uuid>> {
        let place = self
            .regrets
            .peek()
            .iter()
            .position(|(known, _)| *known == number)?;
        Some(self.regrets.write().swap_remove(place).1)
    }

    /// The page goes away: what was deleted is deleted now.
    pub(crate) fn settle_deletions(mut self) {
        for (_, ids) in std::mem::take(&mut *self.regrets.write()) {
            api::request_at_the_end::<DeleteServices>(ByIds { ids });
        }
    }

    /// Those of `ids` that are known and need it.
    fn those(self, mut ids: Vec<Uuid>, needs: impl Fn(&Listed) -> bool) -> Vec<Uuid> {
        let listed = self.listed.peek();
        ids.retain(|id| listed.get(id).is_some_and(&needs));
        ids
    }

    /// `Web shop was paused`, `7 services were paused`.
    fn told(self, done: &str, ids: &[Uuid]) -> String {
        let listed = self.listed.peek();
        match ids {
            [id] => format!(
                "{} was {done}",
                listed.get(id).map_or("It", |service| &service.name)
            ),
            _ => format!("{} were {done}", format::count(ids.len(), "service")),
        }
    }

    /// Shows what is wished of `ids`, says that it was `done`, and asks it of the server.
    fn change(self, ids: Vec<Uuid>, wish: Wish, done: &str, undo: Option<Offer>) {
        if ids.is_empty() {
            return;
        }
        let notice = self.notice(Tone::Done, self.told(done, &ids), undo);
        let number = self.next_number();
        self.wish(number, &ids, &wish);
        self.in_turn(self.ask_for(number, ids, wish, notice));
    }

    async fn ask_for(self, number: u32, ids: Vec<Uuid>, wish: Wish, notice: u32) {
        for ids in ids.chunks(MAX_IDS) {
            match ask(ids.to_vec(), &wish).await {
                Ok(()) => self.fulfil(number, ids),
                Err(problem) => {
                    self.withdraw(number, ids);
                    // It was not done after all.
                    self.dismiss(notice);
                    self.say_failed(wish.failed(), &problem);
                }
            }
        }
    }
}

/// One request for all of them.
fn ask(ids: Vec<Uuid>, wish: &Wish) -> Pin<Box<dyn Future<Output = Result<(), Problem>>>> {
    match wish {
        Wish::Paused(true) => api::tell::<PauseServices>(ByIds { ids }),
        Wish::Paused(false) => api::tell::<ResumeServices>(ByIds { ids }),
        Wish::Category(category) => {
            let variables = RecategoriseVariables {
                ids,
                category: category.clone(),
            };
            api::tell::<RecategoriseServices>(variables)
        }
        Wish::Gone => api::tell::<DeleteServices>(ByIds { ids }),
    }
}
