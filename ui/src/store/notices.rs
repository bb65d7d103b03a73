//! Short messages that stand for a moment.

use super::Store;
use crate::{api::Problem, browser};
use dioxus::{core::spawn_forever, prelude::*};

const SHOWN_MS: u32 = 6000;

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something could not be done.
    Failed,
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
}

impl Store {
    /// Says that something was done.
    pub fn say(self, text: impl Into<String>) {
        self.notice(Tone::Done, text.into());
    }

    /// Says that `what` could not be done, and why.
    pub fn say_failed(self, what: &str, problem: &Problem) {
        self.notice(Tone::Failed, format!("{what}: {}", problem.message));
    }

    /// Takes a message away.
    pub fn dismiss(mut self, number: u32) {
        self.notices.write().retain(|notice| notice.number != number);
    }

    fn notice(mut self, tone: Tone, text: String) {
        let number = self.notices.peek().last().map_or(0, |last| last.number + 1);
        self.notices.write().push(Notice { number, tone, text });
        spawn_forever(async move {
            browser::sleep(SHOWN_MS).await;
            self.dismiss(number);
        });
    }
}
