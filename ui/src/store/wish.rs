//! What was asked of the server and is shown before it answers.
//!
//! What the server last said of a service stays beside what is wished of it, and what is shown is always the one with the
//! other applied. So a refusal takes back exactly what was wished, and news that arrive meanwhile are not lost.

use super::Store;
use crate::api::Service;
use dioxus::{core::spawn_forever, prelude::*};
use futures_channel::mpsc;
use futures_util::StreamExt;
use std::{cell::RefCell, pin::Pin, rc::Rc};
use uuid::Uuid;

/// What is wished of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// That it is paused, or not.
    Paused(bool),
    /// That it stands in this category.
    Category(Option<String>),
    /// That it is no more.
    Gone,
}

impl Wish {
    /// What to say when it was refused.
    pub(super) const fn failed(&self) -> &'static str {
        match self {
            Self::Paused(true) => "Could not pause",
            Self::Paused(false) => "Could not resume",
            Self::Category(_) => "Could not move",
            Self::Gone => "Could not delete",
        }
    }
}

/// A service of which something is wished.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wished {
    /// As the server last said it.
    told: Service,
    /// What is wished, by number, in this order.
    wishes: Vec<(u32, Wish)>,
}

impl Wished {
    /// As it is shown; `None` when it is wished away.
    fn shown(&self) -> Option<Service> {
        let mut shown = self.told.clone();
        for (_, wish) in &self.wishes {
            match wish {
                Wish::Paused(paused) => shown.paused = *paused,
                Wish::Category(category) => shown.category.clone_from(category),
                Wish::Gone => return None,
            }
        }
        Some(shown)
    }
}

/// What waits for its turn: changes are sent one after the other, because a pause that overtakes its own undoing
/// would win.
#[derive(Clone, Default)]
pub(super) struct Turns(Rc<RefCell<Option<mpsc::UnboundedSender<Task>>>>);

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Store {
    /// Shows `wish` of each of `ids` that is known, under `number`.
    pub(super) fn wish(mut self, number: u32, ids: &[Uuid], wish: &Wish) {
        for id in ids {
            let Some(entry) = self
                .entry(*id)
                .filter(|_| self.listed.peek().contains_key(id))
            else {
                continue;
            };
            let mut told = (**entry.service.peek()).clone();
            told.open_incident = self.open.peek().get(id).cloned();
            let mut wishes = self.wishes.write();
            let wished = wishes.entry(*id).or_insert_with(|| Wished {
                told,
                wishes: Vec::new(),
            });
            wished.wishes.push((number, wish.clone()));
        }
        self.show_wished(ids);
    }

    /// The server did what was wished: it is the truth from now on.
    pub(super) fn fulfil(mut self, number: u32, ids: &[Uuid]) {
        for id in ids {
            if let Some(wished) = self.wishes.write().get_mut(id) {
                let (mine, others): (Vec<_>, Vec<_>) = wished
                    .wishes
                    .drain(..)
                    .partition(|(known, _)| *known == number);
                let done = Wished {
                    told: wished.told.clone(),
                    wishes: mine,
                }
                .shown();
                wished.wishes = others;
                match done {
                    Some(told) => wished.told = told,
                    // Gone: nothing that is wished of it matters any more.
                    None => wished.wishes = vec![(number, Wish::Gone)],
                }
            }
        }
        self.forget_wished(ids);
    }

    /// The server refused, or the wish was withdrawn: what it said last holds.
    pub(super) fn withdraw(mut self, number: u32, ids: &[Uuid]) {
        for id in ids {
            if let Some(wished) = self.wishes.write().get_mut(id) {
                wished.wishes.retain(|(known, _)| *known != number);
            }
        }
        self.show_wished(ids);
        self.forget_wished(ids);
    }

    /// `service` as it is to be shown: what is wished of it wins over what the server says. `None` when it is wished away.
    pub(super) fn as_wished(mut self, service: Service) -> Option<Service> {
        if !self.wishes.peek().contains_key(&service.id) {
            return Some(service);
        }
        let mut wishes = self.wishes.write();
        let wished = wishes.get_mut(&service.id)?;
        wished.told = service;
        wished.shown()
    }

    fn show_wished(self, ids: &[Uuid]) {
        let wishes = self.wishes.peek();
        let shown: Vec<_> = ids
            .iter()
            .filter_map(|id| Some((*id, wishes.get(id)?.shown())))
            .collect();
        drop(wishes);
        self.show_all(shown);
    }

    /// Services of which nothing is wished any more are like all others. One that is gone stays wished away: an older
    /// answer may be on its way.
    fn forget_wished(mut self, ids: &[Uuid]) {
        self.wishes
            .write()
            .retain(|id, wished| !ids.contains(id) || !wished.wishes.is_empty());
    }

    /// Lets `task` run when those before it are done.
    pub(super) fn in_turn(self, task: impl Future<Output = ()> + 'static) {
        let turns = self.turns.peek().0.clone();
        let mut sender = turns.borrow_mut();
        let sender = sender.get_or_insert_with(|| {
            let (sender, mut tasks) = mpsc::unbounded::<Task>();
            spawn_forever(async move {
                while let Some(task) = tasks.next().await {
                    task.await;
                }
            });
            sender
        });
        // The task that receives lives as long as the program.
        let _ = sender.unbounded_send(Box::pin(task));
    }
}
