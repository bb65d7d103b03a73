//! Long stretches of time: whole days, the hours of the day in which a month or a quarter begins, and what is not summed
//! up yet. What is settled comes from memory; one statement reads the rest, and what is settled in it is remembered.

use super::days::UptimeDay;
use super::past::{Day, Past, Settled};
use super::question::Question;
use super::rest::{self, Begin, Rest, Row, parts, select_all, select_folded, select_rest, tally_of};
use super::uptime::{Uptime, begins};
use crate::ops::Result;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, ceil, floor};
use domain::uptime::Tally;
use entity::check::instant;
use entity::sql::Sql;
use sea_orm::DatabaseConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const DAYS: i64 = 0;
const HOURS: i64 = 1;
const FOLDED: i64 = 2;
const REST: i64 = 3;

/// How old the last folded check may be for the statement to look for the rest among recent checks alone.
const RECENT: Duration = Duration::days(2);

/// What is known of one service over a long time.
#[derive(Debug, Clone, Default)]
pub(super) struct Long {
    /// The first of the days.
    since: Day,
    /// Sums by day, today's the last; what is not folded is missing in them.
    days: Vec<Tally>,
    /// Likewise by hour, of the days in which windows begin.
    hours: BTreeMap<Day, [Tally; 24]>,
    rest: Rest,
}

/// Reads what is needed to answer these questions about services, at `now`.
///
/// # Errors
/// What the database said.
pub(super) async fn read(
    db: &DatabaseConnection,
    past: &Past,
    services: &[i32],
    questions: &[Question],
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Long>> {
    let today = day(now);
    let (mut since, mut split) = (today, BTreeSet::new());
    for question in questions {
        match *question {
            Question::Days(days) => since = since.min(today + 1 - Day::from(days)),
            Question::Uptime(window) => {
                let from = begins(window, now);
                since = since.min(day(ceil(from, DAY)));
                if floor(from, DAY) < from {
                    split.insert(day(from));
                }
            }
        }
    }
    let known = past.of(services, since);
    let mut folded = HashMap::new();
    let sql = statement(db, services, &known, since, &split, now);
    let days = usize::try_from(today + 1 - since).unwrap_or(1);
    let mut stories: HashMap<i32, Long> = services
        .iter()
        .map(|number| (*number, Long::of(known.get(number).map(Arc::as_ref), since, days, &split)))
        .collect();
    for row in rest::read(db, sql).await? {
        let Some(story) = stories.get_mut(&row.service_number) else { continue };
        match row.part {
            DAYS => row.sums().for_each(|(start, tally)| story.put_day(start, tally)),
            HOURS => row.sums().for_each(|(start, tally)| story.put_hour(start, tally)),
            FOLDED => {
                story.rest.add(&row)?;
                folded.extend(row.numbers.first().map(|slot| (row.service_number, *slot)));
            }
            _ => story.rest.add(&row)?,
        }
    }
    stories.values_mut().for_each(|story| story.rest.sort());
    let learned = folded.into_iter().filter_map(|(number, slot)| {
        let learned = stories.get(&number)?.learned(known.get(&number).map(Arc::as_ref), slot)?;
        Some((number, Arc::new(learned)))
    });
    past.learn(learned);
    Ok(stories)
}

/// Reads the days that are not known, the hours of `split` days that are not known, and the rest.
fn statement(
    db: &DatabaseConnection,
    services: &[i32],
    known: &HashMap<i32, Arc<Settled>>,
    since: Day,
    split: &BTreeSet<Day>,
    now: DateTime<Utc>,
) -> Sql {
    let recent = (now - RECENT).timestamp_millis();
    let folded = |number: &i32| known.get(number).map_or(-1, |settled| settled.folded);
    let given: Vec<[i64; 3]> = services
        .iter()
        .map(|number| {
            let from = known.get(number).map_or(since, |settled| settled.end().max(since));
            [i64::from(*number), ms(from), i64::from(folded(number) >= recent)]
        })
        .collect();
    let hours: Vec<[i64; 2]> = services
        .iter()
        .flat_map(|number| {
            let known = known.get(number);
            let unknown = split.iter().filter(move |day| known.is_none_or(|known| known.hours(**day).is_none()));
            unknown.map(|day| [i64::from(*number), ms(*day)])
        })
        .collect();
    let columns = ["r.start", "r.up_ms", "r.degraded_ms", "r.down_ms", "r.maintenance_ms"];
    let sql = Sql::new(db.get_database_backend()).text("WITH given AS (SELECT number, start, recent FROM ");
    let sql = sql.rows("g", ["number", "start", "recent"], &given).text(") ");
    let mut sql = select_all(parts(sql), DAYS, "r", &columns)
        .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_number = given.number AND r.period = 1")
        .text(" AND r.start >= given.start GROUP BY r.service_number UNION ALL ");
    if !hours.is_empty() {
        sql = select_all(sql, HOURS, "r", &columns)
            .text(" FROM ")
            .rows("h", ["number", "start"], &hours)
            .text(" CROSS JOIN check_rollups r WHERE r.service_number = h.number AND r.period = 0")
            .text(" AND r.start >= h.start AND r.start < h.start + ")
            .value(DAY.num_milliseconds())
            .text(" GROUP BY r.service_number UNION ALL ");
    }
    // What was folded last only grows, so that nothing of the rest is before what is remembered of it.
    let begin = match services.iter().map(folded).filter(|slot| *slot >= recent).min() {
        None => Begin::Unknown,
        Some(slot) if given.iter().all(|[.., recent]| *recent == 1) => Begin::After(slot),
        Some(slot) => Begin::AfterIfRecent(slot),
    };
    let sql = select_folded(sql, FOLDED).text(" UNION ALL ");
    select_rest(sql, REST, begin)
}

impl Long {
    /// What memory holds, in a shape that takes the rest.
    fn of(known: Option<&Settled>, since: Day, days: usize, split: &BTreeSet<Day>) -> Self {
        let mut story = Self {
            since,
            days: known.map(|settled| settled.days_since(since).take(days).collect()).unwrap_or_default(),
            hours: BTreeMap::new(),
            rest: Rest::default(),
        };
        story.days.resize(days, Tally::default());
        for day in split {
            let hours = known.and_then(|settled| settled.hours(*day));
            story.hours.insert(*day, hours.unwrap_or([Tally::default(); 24]));
        }
        story
    }

    fn put_day(&mut self, start: DateTime<Utc>, tally: Tally) {
        let place = usize::try_from(day(start) - self.since).ok();
        if let Some(place) = place.and_then(|place| self.days.get_mut(place)) {
            *place = tally;
        }
    }

    fn put_hour(&mut self, start: DateTime<Utc>, tally: Tally) {
        if let Some(hours) = self.hours.get_mut(&day(start)) {
            hours[hour(start)] = tally;
        }
    }

    /// What is known of the service now, when it is more than before: with the days, and the hours of days, that end before
    /// the last folded check.
    fn learned(&self, known: Option<&Settled>, folded: i64) -> Option<Settled> {
        let end = folded.div_euclid(DAY.num_milliseconds());
        let hours = || self.hours.range(..end);
        if known.is_some_and(|known| known.is_all(folded, hours().map(|(day, _)| *day))) {
            return None;
        }
        let mut settled = known.cloned().unwrap_or_default();
        settled.folded = folded;
        let days = usize::try_from(end - self.since).unwrap_or(0).min(self.days.len());
        settled.learn_days(self.since, &self.days[..days]);
        for (day, hours) in hours() {
            settled.learn_hours(*day, hours);
        }
        Some(settled)
    }

    /// The uptime from `from` on, a full hour on one of the days that were read.
    pub(super) fn uptime(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Uptime {
        let mut all = self.rest.tally(from, now, now);
        let hours = self.hours.get(&day(from)).filter(|_| floor(from, DAY) < from);
        hours.into_iter().flat_map(|hours| &hours[hour(from)..]).for_each(|tally| all.merge(tally));
        let first = usize::try_from(day(ceil(from, DAY)) - self.since).unwrap_or(0);
        self.days.iter().skip(first).for_each(|tally| all.merge(tally));
        Uptime { tally: all, length: now - from }
    }

    /// The last `days` days, oldest first.
    pub(super) fn days(&self, days: u32, now: DateTime<Utc>) -> Vec<UptimeDay> {
        let first = day(now) + 1 - Day::from(days);
        let skipped = usize::try_from(first - self.since).unwrap_or(0);
        let rest = self.rest.begins().map(day);
        let days = self.days.iter().skip(skipped).zip(first..).map(|(sum, number)| {
            let (start, mut tally) = (instant(ms(number)), *sum);
            if rest.is_some_and(|rest| rest <= number) {
                tally.merge(&self.rest.tally(start, start + DAY, now));
            }
            UptimeDay { date: start.date_naive(), uptime: Uptime { tally, length: DAY.min(now - start) } }
        });
        days.collect()
    }
}

impl Row {
    /// The sums in a row of them, with when each begins.
    fn sums(&self) -> impl Iterator<Item = (DateTime<Utc>, Tally)> {
        self.numbers.as_chunks::<5>().0.iter().map(|[start, times @ ..]| (instant(*start), tally_of(*times)))
    }
}

fn day(at: DateTime<Utc>) -> Day {
    at.timestamp_millis().div_euclid(DAY.num_milliseconds())
}

fn hour(at: DateTime<Utc>) -> usize {
    usize::try_from((at - floor(at, DAY)).num_hours()).unwrap_or(0)
}

fn ms(day: Day) -> i64 {
    day * DAY.num_milliseconds()
}
