//! Uptime queries: many services, several windows and days, one statement.

use super::statement::{HistoryRow, HistoryStatement};
use super::tail::UnrolledChecks;
use super::uptime::{DailyUptime, UptimeTally};
use super::window::{WindowRollups, begins_on_the_hour, window_start};
use crate::caches::{AggregateCache, UptimeAggregate};
use crate::use_cases::Result;
use chrono::{DateTime, Utc};
use domain::Window;
use domain::rollup::{DAY, HOUR, ceil, floor};
use domain::uptime::Tally;
use sea_orm::DatabaseConnection;
use std::collections::HashMap;

/// Maximum number of days of a query.
pub const MAX_DAYS: u32 = 366;

/// What to find out about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UptimeQuery {
    /// Its uptime over a window that ends now.
    Window(Window),
    /// Its uptime on each of the last 1 to [`MAX_DAYS`] calendar days in UTC, today included.
    Days(u32),
}

/// The result of an [`UptimeQuery`].
#[derive(Debug, Clone)]
pub enum UptimeResult {
    Window(UptimeTally),
    /// Oldest first.
    Days(Vec<DailyUptime>),
}

/// Answers queries about services (by their numbers) at `now`, in one statement. Services that do
/// not exist have nothing covered, like those without checks.
///
/// # Errors
/// Returns the database's error.
pub async fn fetch(
    db: &DatabaseConnection,
    cache: &AggregateCache,
    queries: &[(i32, UptimeQuery)],
    now: DateTime<Utc>,
) -> Result<HashMap<(i32, UptimeQuery), UptimeResult>> {
    if queries.is_empty() {
        return Ok(HashMap::new());
    }
    let mut services: Vec<i32> = queries.iter().map(|(service, _)| *service).collect();
    services.sort_unstable();
    services.dedup();
    let mut statement = HistoryStatement::new(db.get_database_backend(), &services);
    let mut histories: HashMap<i32, History> = HashMap::with_capacity(services.len());
    let windows = distinct_windows(queries);
    let ticket = cache.begin_load();
    for (index, window) in windows.iter().enumerate() {
        let from = window_start(*window, now);
        let (first_hour, first_day) = (ceil(from, HOUR), ceil(from, DAY));
        let cached = cache.get_many(&services, from, now);
        let start = |service: &i32| cached.get(service).map_or(first_day, |sum| sum.until);
        let starts: Vec<_> = services.iter().map(|seq| (*seq, start(seq))).collect();
        statement = statement.window_days(index, &starts, now);
        let is_missing = |service: &&i32| !cached.contains_key(*service);
        let missing: Vec<i32> = services.iter().filter(is_missing).copied().collect();
        if first_hour < first_day && !missing.is_empty() {
            statement = statement.window_hours(index, &missing, first_hour, first_day);
        }
        if from < first_hour {
            statement = statement.first_hour(index, from, first_hour);
        }
        for (service, aggregate) in cached {
            let history = histories.entry(service).or_default();
            history.window(*window).cached = Some(aggregate);
        }
    }
    let first_days = queries.iter().filter_map(|(_, query)| match query {
        UptimeQuery::Days(days) => Some(first_day(*days, now)),
        UptimeQuery::Window(_) => None,
    });
    if let Some(first) = first_days.min() {
        statement = statement.days(first, now);
    }

    for row in statement.rows(db).await? {
        let history = histories.entry(row.service_seq).or_default();
        history.add(row.part, &windows);
    }
    for history in histories.values_mut() {
        history.tail.finish(now);
    }
    for window in windows.iter().filter(|window| begins_on_the_hour(**window)) {
        let from = window_start(*window, now);
        let aggregates = histories
            .iter()
            .filter_map(|(seq, history)| Some((*seq, history.new_aggregate(*window, from)?)));
        cache.insert_many(ticket, from, aggregates, now);
    }
    let no_history = History::default();
    let results = queries.iter().map(|(service, query)| {
        let history = histories.get(service).unwrap_or(&no_history);
        let result = match *query {
            UptimeQuery::Window(window) => UptimeResult::Window(history.uptime(window, now)),
            UptimeQuery::Days(days) => UptimeResult::Days(history.days(days, now)),
        };
        ((*service, *query), result)
    });
    Ok(results.collect())
}

fn distinct_windows(queries: &[(i32, UptimeQuery)]) -> Vec<Window> {
    let mut windows = Vec::new();
    for (_, query) in queries {
        if let UptimeQuery::Window(window) = query
            && !windows.contains(window)
        {
            windows.push(*window);
        }
    }
    windows
}

fn first_day(days: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    let days = i32::try_from(days.clamp(1, MAX_DAYS)).unwrap_or(1);
    floor(now, DAY) - DAY * (days - 1)
}

/// What was read of one service.
#[derive(Debug, Default)]
struct History {
    windows: HashMap<Window, WindowRollups>,
    days: HashMap<DateTime<Utc>, Tally>,
    last_rolled_up: Option<DateTime<Utc>>,
    tail: UnrolledChecks,
}

impl History {
    fn add(&mut self, part: HistoryRow, windows: &[Window]) {
        match part {
            HistoryRow::LastRolledUp(check) => {
                self.last_rolled_up = Some(check.slot);
                self.tail.push(check);
            }
            HistoryRow::UnrolledCheck(check) => self.tail.push(check),
            HistoryRow::Day(start, tally) => _ = self.days.insert(start, tally),
            HistoryRow::SettledDays(index, tally) => {
                self.window(windows[index]).settled_days = tally;
            }
            HistoryRow::RecentDays(index, tally) => self.window(windows[index]).recent_days = tally,
            HistoryRow::Hours(index, tally) => self.window(windows[index]).hours = tally,
            HistoryRow::FirstHour(index, tally) => self.window(windows[index]).first_hour = tally,
            HistoryRow::FirstHourCheck(index, check) => {
                self.window(windows[index]).first_hour_checks.push(check);
            }
        }
    }

    fn window(&mut self, window: Window) -> &mut WindowRollups {
        self.windows.entry(window).or_default()
    }

    fn new_aggregate(&self, window: Window, from: DateTime<Utc>) -> Option<UptimeAggregate> {
        self.windows
            .get(&window)?
            .new_aggregate(from, self.last_rolled_up?)
    }

    fn uptime(&self, window: Window, now: DateTime<Utc>) -> UptimeTally {
        let from = window_start(window, now);
        let no_rollups = WindowRollups::default();
        let rollups = self.windows.get(&window).unwrap_or(&no_rollups);
        UptimeTally {
            tally: rollups.tally(&self.tail, from, now),
            length: now - from,
        }
    }

    fn days(&self, days: u32, now: DateTime<Utc>) -> Vec<DailyUptime> {
        let mut start = first_day(days, now);
        let mut result = Vec::new();
        while start <= now {
            let mut tally = self.days.get(&start).copied().unwrap_or_default();
            tally.merge(&self.tail.tally(start, start + DAY, now));
            result.push(DailyUptime {
                date: start.date_naive(),
                uptime: UptimeTally {
                    tally,
                    length: DAY.min(now - start),
                },
            });
            start += DAY;
        }
        result
    }
}
