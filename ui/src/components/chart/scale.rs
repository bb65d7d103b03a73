//! Maps times and values to pixels, and chooses the ticks of the axes.

use crate::api::Moment;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) from: Moment,
    pub(super) until: Moment,
    /// The value at the upper edge.
    pub(super) highest: f64,
}

impl Scale {
    #[allow(
        clippy::cast_precision_loss,
        reason = "windows are far below 2^52 milliseconds"
    )]
    pub(super) fn x(&self, at: Moment) -> f64 {
        let share = at.since(self.from) as f64 / (self.until.since(self.from).max(1)) as f64;
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Returns the time at `x`.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "within the window"
    )]
    pub(super) fn at(&self, x: f64) -> Moment {
        let share = ((x - self.left) / (self.right - self.left).max(1.0)).clamp(0.0, 1.0);
        Moment(self.from.0 + (share * self.until.since(self.from) as f64) as i64)
    }

    /// Returns the times between two positions, in any order.
    pub(super) fn range(&self, start: f64, end: f64) -> (Moment, Moment) {
        (self.at(start.min(end)), self.at(start.max(end)))
    }

    /// Limits a position to the plot.
    pub(super) fn clamp(&self, x: f64) -> f64 {
        x.clamp(self.left, self.right)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - value / self.highest * (self.bottom - self.top)
    }
}

/// Returns the path of a line. A missing value interrupts it; a single value between two missing
/// ones stays visible.
pub(super) fn line_path(
    scale: &Scale,
    points: impl Iterator<Item = (Moment, Option<f64>)>,
) -> String {
    use std::fmt::Write;
    let mut path = String::new();
    let mut drawing = false;
    for (at, value) in points {
        let Some(value) = value else {
            drawing = false;
            continue;
        };
        let command = if drawing { 'L' } else { 'M' };
        let (x, y) = (scale.x(at), scale.y(value));
        let _ = write!(path, "{command}{x:.1} {y:.1}");
        if !drawing {
            path.push_str("h.1");
        }
        drawing = true;
    }
    path
}

/// Returns three to five round values from 0 to at least `highest`.
pub(super) fn value_ticks(highest: f64) -> Vec<f64> {
    let rough = highest / 4.0;
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= rough);
    let step = step.unwrap_or(magnitude * 10.0).max(1.0);
    let mut ticks = vec![0.0];
    while ticks.last().is_some_and(|last| *last < highest) {
        #[allow(clippy::cast_precision_loss, reason = "a handful")]
        ticks.push(step * ticks.len() as f64);
    }
    ticks
}

/// Returns round times between `from` and `until`, at most `max` of them, none near the edges.
pub(super) fn time_ticks(from: Moment, until: Moment, max: i64) -> Vec<Moment> {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const STEPS: [i64; 14] = [
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        5 * DAY,
        15 * DAY,
    ];
    let span = until.since(from);
    let step = STEPS
        .into_iter()
        .find(|step| span / step < max)
        .unwrap_or(30 * DAY);
    let margin = span / 24;
    let first = (from.0 + margin).div_euclid(step) * step + step;
    (0..)
        .map(|number| Moment(first + number * step))
        .take_while(|at| at.0 <= until.0 - margin)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_highest_value() {
        assert_eq!(value_ticks(87.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(value_ticks(1000.0), [0.0, 250.0, 500.0, 750.0, 1000.0]);
        assert_eq!(value_ticks(0.5), [0.0, 1.0]);
        for highest in [0.1, 3.0, 42.0, 999.0, 12_345.0] {
            let ticks = value_ticks(highest);
            assert!(
                (2..=6).contains(&ticks.len()) && ticks[ticks.len() - 1] >= highest,
                "{highest}: {ticks:?}"
            );
        }
    }

    #[test]
    fn time_ticks_keep_away_from_the_edges() {
        for minutes in [
            10,
            25,
            60,
            200,
            24 * 60,
            7 * 24 * 60,
            30 * 24 * 60,
            90 * 24 * 60,
        ] {
            let until = Moment(1_795_356_190_000);
            let from = Moment(until.0 - minutes * 60_000);
            let ticks = time_ticks(from, until, 8);
            assert!((4..=9).contains(&ticks.len()), "{minutes} min: {ticks:?}");
            assert!(ticks[0] > from && ticks[ticks.len() - 1] < until);
        }
    }

    #[test]
    fn positions_and_times_round_trip() {
        let (from, until) = (Moment(1_795_000_000_000), Moment(1_795_003_600_000));
        let scale = Scale {
            left: 52.0,
            right: 652.0,
            top: 8.0,
            bottom: 186.0,
            from,
            until,
            highest: 100.0,
        };
        let at = Moment(1_795_001_200_000);
        assert_eq!(scale.at(scale.x(at)), at);
        assert_eq!((scale.at(0.0), scale.at(9000.0)), (from, until));
    }
}
