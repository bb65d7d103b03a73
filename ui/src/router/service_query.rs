//! The query string of a service's page: the range of its chart, and the filter of the list beside
//! it.

use crate::{
    api::{Moment, Window},
    list::ListQuery,
};
use std::fmt;

/// The windows that the chart offers.
pub const CHART_WINDOWS: [Window; 3] = [Window::Day, Window::Week, Window::Month];
/// The shortest range, in milliseconds.
const MIN_RANGE_MS: i64 = 10 * 60_000;
/// The longest range that the API returns, in milliseconds.
const MAX_RANGE_MS: i64 = 180 * 86_400_000;

/// The range of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartRange {
    /// A window that ends now.
    Last(Window),
    Between(Moment, Moment),
}

impl Default for ChartRange {
    fn default() -> Self {
        Self::Last(Window::Day)
    }
}

impl ChartRange {
    /// Zooms in to a range, but not below the shortest one and not beyond `now`.
    #[must_use]
    pub fn zoom_in(from: Moment, until: Moment, now: Moment) -> Self {
        let missing = (MIN_RANGE_MS - until.since(from)).max(0) / 2;
        let until = Moment((until.0 + missing).min(now.0) / 1000 * 1000);
        Self::Between(
            Moment((from.0 - missing).min(until.0 - MIN_RANGE_MS) / 1000 * 1000),
            until,
        )
    }

    /// Zooms out to the shortest window that contains the range.
    #[must_use]
    pub fn zoom_out(self, now: Moment) -> Self {
        match self {
            Self::Last(_) => self,
            Self::Between(from, _) => {
                let contains = |window: &Window| now.since(from) <= window.millis();
                Self::Last(
                    CHART_WINDOWS
                        .into_iter()
                        .find(contains)
                        .unwrap_or(Window::Month),
                )
            }
        }
    }

    /// Returns the beginning and the end, at `now`.
    #[must_use]
    pub const fn bounds(self, now: Moment) -> (Moment, Moment) {
        match self {
            Self::Last(window) => (Moment(now.0 - window.millis()), now),
            Self::Between(from, until) => (from, until),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(window) = CHART_WINDOWS
            .into_iter()
            .find(|window| key(*window) == text)
        {
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
        (MIN_RANGE_MS..=MAX_RANGE_MS)
            .contains(&length)
            .then(|| Self::Between(Moment(from * 1000), Moment(until * 1000)))
    }
}

impl fmt::Display for ChartRange {
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

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceQuery {
    pub chart_range: ChartRange,
    /// The filter of the list beside the page.
    pub list: ListQuery,
}

impl fmt::Display for ServiceQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list.to_string();
        if self.chart_range != ChartRange::default() {
            // First, because the text of the filter may contain any character.
            write!(
                f,
                "range={}{}",
                self.chart_range,
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
            chart_range: range.and_then(ChartRange::parse).unwrap_or_default(),
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
    fn the_query_string_round_trips() {
        let list = ListQuery {
            text: "a&range=7d".into(),
            flat: true,
            ..Default::default()
        };
        for chart_range in [
            ChartRange::default(),
            ChartRange::Last(Window::Month),
            ChartRange::Between(ago(90), ago(30)),
        ] {
            for list in [ListQuery::default(), list.clone()] {
                let query = ServiceQuery { chart_range, list };
                assert_eq!(
                    ServiceQuery::from(query.to_string().as_str()),
                    query,
                    "{query}"
                );
            }
        }
        assert_eq!(
            ChartRange::Between(ago(90), ago(30)).to_string(),
            "1795350790-1795354390"
        );
    }

    #[test]
    fn an_invalid_range_is_the_default() {
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
    fn zooming_in_stops_at_ten_minutes_and_at_now() {
        assert_eq!(
            ChartRange::zoom_in(ago(60), ago(30), NOW),
            ChartRange::Between(ago(60), ago(30))
        );
        assert_eq!(
            ChartRange::zoom_in(ago(31), ago(29), NOW),
            ChartRange::Between(ago(35), ago(25))
        );
        assert_eq!(
            ChartRange::zoom_in(ago(1), ago(0), NOW),
            ChartRange::Between(ago(10), ago(0))
        );
    }

    #[test]
    fn zooming_out_finds_the_shortest_window() {
        let back = |minutes| ChartRange::Between(ago(minutes), ago(minutes - 30)).zoom_out(NOW);
        assert_eq!(back(60), ChartRange::Last(Window::Day));
        assert_eq!(back(26 * 60), ChartRange::Last(Window::Week));
        assert_eq!(back(60 * 24 * 60), ChartRange::Last(Window::Month));
        assert_eq!(
            ChartRange::Last(Window::Week).zoom_out(NOW),
            ChartRange::Last(Window::Week)
        );
    }
}
