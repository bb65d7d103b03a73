//! Short messages that stand for a moment.

use super::{Deed, Store, deeds::REGRET_MS};
use crate::{api::Problem, browser};
use dioxus::{core::spawn_forever, prelude::*};

/// As long as a deletion can be taken back.
const SHOWN_MS: u32 = REGRET_MS;
/// Older ones make room for these.
const MOST: usize = 4;

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something could not be done.
    Failed,
}

/// What can be done about what a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Do this, which undoes it.
    Undo(Deed),
    /// Load the page again.
    Reload,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Tells it from the others.
    pub number: u32,
    /// How it is meant.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// What can be done about it.
    pub offer: Option<Offer>,
}

impl Store {
    /// Says that something was done.
    pub fn say(self, text: impl Into<String>) {
        self.notice(Tone::Done, text.into(), None);
    }

    /// Says that something was done, and what can be done about it. Returns the message's number.
    pub fn offer(self, text: impl Into<String>, offer: Offer) -> u32 {
        self.notice(Tone::Done, text.into(), Some(offer))
    }

    /// Says that `what` could not be done, and why.
    pub fn say_failed(self, what: &str, problem: &Problem) {
        self.notice(Tone::Failed, format!("{what}: {}", problem.message), None);
    }

    /// Says that something could not be done, in one sentence.
    pub fn say_refused(self, text: &str) {
        self.notice(Tone::Failed, text.to_owned(), None);
    }

    /// Takes a message away.
    pub fn dismiss(mut self, number: u32) {
        self.notices
            .write()
            .retain(|notice| notice.number != number);
    }

    pub(super) fn notice(mut self, tone: Tone, text: String, offer: Option<Offer>) -> u32 {
        let number = self.next_number();
        // That there is a newer version stays until something is done about it.
        let lasts = offer == Some(Offer::Reload);
        let mut notices = self.notices.write();
        notices.push(Notice {
            number,
            tone,
            text,
            offer,
        });
        let excess = notices.len().saturating_sub(MOST);
        notices.drain(..excess);
        drop(notices);
        if !lasts {
            spawn_forever(async move {
                browser::sleep(SHOWN_MS).await;
                self.dismiss(number);
            });
        }
        number
    }
}
