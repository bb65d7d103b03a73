//! What stands in the address of a service's page: what its chart shows, and how the list beside it is filtered.

use crate::{
    api::{Moment, Window},
    list::ListQuery,
};
use std::fmt;

/// The windows that the chart offers.
pub(super) const WINDOWS: [Window; 3] = [Window::Day, Window::Week, Window::Month];
/// The closest look, in milliseconds.
const CLOSEST: i64 = 10 * 60_000;
/// The longest stretch that is told at once, in milliseconds.
const LONGEST: i64 = 180 * 86_400_000;

/// What the chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A window that ends now.
    Last(Window),
    /// What lies between two times.
    Between(Moment, Moment),
}

impl Default for Shown {
    fn default() -> Self {
        Self::Last(Window::Day)
    }
}

impl Shown {
    /// A closer look at what lies between two times, neither closer than makes sense nor later than `now`.
    #[must_use]
    pub fn closer(from: Moment, until: Moment, now: Moment) -> Self {
        let wanting = (CLOSEST - until.since(from)).max(0) / 2;
        let until = Moment((until.0 + wanting).min(now.0) / 1000 * 1000);
        Self::Between(
            Moment((from.0 - wanting).min(until.0 - CLOSEST) / 1000 * 1000),
            until,
        )
    }

    /// A step back: the shortest window that holds it.
    #[must_use]
    pub fn wider(self, now: Moment) -> Self {
        match self {
            Self::Last(_) => self,
            Self::Between(from, _) => {
                let holds = |window: &Window| now.since(from) <= window.millis();
                Self::Last(WINDOWS.into_iter().find(holds).unwrap_or(Window::Month))
            }
        }
    }

    /// From when until when, at `now`.
    #[must_use]
    pub const fn times(self, now: Moment) -> (Moment, Moment) {
        match self {
            Self::Last(window) => (Moment(now.0 - window.millis()), now),
            Self::Between(from, until) => (from, until),
        }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(window) = WINDOWS.into_iter().find(|window| key(*window) == text) {
            return Some(Self::Last(window));
        }
        let (from, until) = text.split_once('-')?;
        let seconds = |text: &str| {
            text.parse()
                .ok()
                .filter(|seconds| (0..=253_402_300_799).contains(seconds))
        };
        let (from, until): (i64, i64) = (seconds(from)?, seconds(until)?);
        let length = (until - from) * 1000;
        (CLOSEST..=LONGEST)
            .contains(&length)
            .then(|| Self::Between(Moment(from * 1000), Moment(until * 1000)))
    }
}

/// As it stands in the address.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(window) => f.write_str(&key(*window)),
            Self::Between(from, until) => write!(f, "{}-{}", from.0 / 1000, until.0 / 1000),
        }
    }
}

fn key(window: Window) -> String {
    window.label().replace(' ', "")
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceQuery {
    /// What the chart shows.
    pub shown: Shown,
    /// The list beside it.
    pub list: ListQuery,
}

impl fmt::Display for ServiceQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list.to_string();
        if self.shown != Shown::default() {
            // First, because what the list is searched for may hold anything.
            write!(
                f,
                "range={}{}",
                self.shown,
                if list.is_empty() { "" } else { "&" }
            )?;
        }
        f.write_str(&list)
    }
}

impl From<&str> for ServiceQuery {
    fn from(text: &str) -> Self {
        let range = text
            .strip_prefix("range=")
            .map(|rest| rest.split('&').next().unwrap_or_default());
        Self {
            shown: range.and_then(Shown::read).unwrap_or_default(),
            list: ListQuery::from(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_356_190_000);

    const fn ago(minutes: i64) -> Moment {
        Moment(NOW.0 - minutes * 60_000)
    }

    #[test]
    fn the_address_says_what_is_shown_beside_the_list() {
        let list = ListQuery {
            text: "a&range=7d".into(),
            flat: true,
            ..Default::default()
        };
        for shown in [
            Shown::default(),
            Shown::Last(Window::Month),
            Shown::Between(ago(90), ago(30)),
        ] {
            for list in [ListQuery::default(), list.clone()] {
                let query = ServiceQuery { shown, list };
                assert_eq!(
                    ServiceQuery::from(query.to_string().as_str()),
                    query,
                    "{query}"
                );
            }
        }
        assert_eq!(
            Shown::Between(ago(90), ago(30)).to_string(),
            "1795350790-1795354390"
        );
    }

    #[test]
    fn what_is_no_range_is_the_usual_one() {
        for text in [
            "",
            "range=",
            "range=90d",
            "range=5-1",
            "range=1-2",
            "range=0-99999999999",
            "range=x-y",
            "range=-1-900",
        ] {
            assert_eq!(ServiceQuery::from(text), ServiceQuery::default(), "{text}");
        }
    }

    #[test]
    fn a_closer_look_is_no_closer_than_ten_minutes_and_ends_by_now() {
        assert_eq!(
            Shown::closer(ago(60), ago(30), NOW),
            Shown::Between(ago(60), ago(30))
        );
        assert_eq!(
            Shown::closer(ago(31), ago(29), NOW),
            Shown::Between(ago(35), ago(25))
        );
        assert_eq!(
            Shown::closer(ago(1), ago(0), NOW),
            Shown::Between(ago(10), ago(0))
        );
    }

    #[test]
    fn a_step_back_is_the_shortest_window_that_holds_it() {
        let back = |minutes| Shown::Between(ago(minutes), ago(minutes - 30)).wider(NOW);
        assert_eq!(back(60), Shown::Last(Window::Day));
        assert_eq!(back(26 * 60), Shown::Last(Window::Week));
        assert_eq!(back(60 * 24 * 60), Shown::Last(Window::Month));
        assert_eq!(
            Shown::Last(Window::Week).wider(NOW),
            Shown::Last(Window::Week)
        );
    }
}
