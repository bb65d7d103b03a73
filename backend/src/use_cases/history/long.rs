//! Long stretches of time: whole days, the hours of the day in which a month or a quarter begins, and what is not summed
//! up yet. What was read before comes from memory, and one statement reads what has happened since.

use super::past::Past;
use super::question::Question;
use super::rest::{
    self, Begin, Rest, Row, parts, select_all, select_folded, select_later, select_rest, tally_of,
};
use super::story::{Day, Story, day, ms};
use super::uptime::begins;
use crate::use_cases::Result;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, ceil, floor};
use domain::slot::is_in_future;
use domain::uptime::Tally;
use entity::check::instant;
use entity::sql::Sql;
use sea_orm::DatabaseConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const DAYS: i64 = 0;
const HOURS: i64 = 1;
const FOLDED: i64 = 2;
const CHECKS: i64 = 3;

/// How old the last known check may be for the statement to look for later ones among recent checks alone.
const RECENT: Duration = Duration::days(2);

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
) -> Result<HashMap<i32, Arc<Story>>> {
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
    let mut stories = past.of(services);
    let (mut begun, mut known, mut hours) = (HashMap::new(), Vec::new(), Vec::new());
    for seq in services {
        let story = stories.get(seq);
        if let Some(story) = story.filter(|story| story.goes_on(since, &split, now)) {
            known.push([i64::from(*seq), story.last()]);
            continue;
        }
        let mut begin = Story::begin(story.map(Arc::as_ref), since, now);
        hours.extend(
            split
                .iter()
                .filter(|day| begin.put_hours(**day))
                .map(|day| [i64::from(*seq), ms(*day)]),
        );
        begun.insert(*seq, begin);
    }
    let sql = statement(db, &begun, &hours, &known, now);
    let mut later: HashMap<i32, Rest> = HashMap::new();
    for row in rest::read(db, sql).await? {
        let seq = row.service_seq;
        match (row.part, begun.get_mut(&seq)) {
            (DAYS, Some(story)) => row
                .sums()
                .for_each(|(start, tally)| story.put_day(start, tally)),
            (HOURS, Some(story)) => row
                .sums()
                .for_each(|(start, tally)| story.put_hour(start, tally)),
            (FOLDED, Some(story)) => row
                .samples()
                .try_for_each(|last| last.map(|last| story.put_folded(last)))?,
            _ => later.entry(seq).or_default().add(&row)?,
        }
    }
    let mut learned: HashMap<i32, Arc<Story>> = begun
        .into_iter()
        .map(|(seq, story)| (seq, Arc::new(story)))
        .collect();
    for (seq, rest) in later {
        let story = learned.remove(&seq).or_else(|| stories.get(&seq).cloned());
        let Some(mut story) = story else { continue };
        let grown = Arc::make_mut(&mut story);
        // What a clock made that has been set back since did not happen yet.
        rest.in_order()
            .filter(|sample| !is_in_future(sample.slot, now))
            .for_each(|sample| grown.push(sample));
        learned.insert(seq, story);
    }
    stories.extend(learned.iter().map(|(seq, story)| (*seq, story.clone())));
    past.learn(learned);
    Ok(stories)
}

/// Reads, of the stories that were `begun`, the days and the hours of the days (`hours`: number, beginning) that they do
/// not have, and the checks that are not summed up; of the `known` ones (number, last slot) the checks after that.
fn statement(
    db: &DatabaseConnection,
    begun: &HashMap<i32, Story>,
    hours: &[[i64; 2]],
    known: &[[i64; 2]],
    now: DateTime<Utc>,
) -> Sql {
    let recent = (now - RECENT).timestamp_millis();
    let given: Vec<[i64; 3]> = begun
        .iter()
        .map(|(seq, story)| {
            [
                i64::from(*seq),
                ms(story.unread()),
                i64::from(story.folded() >= recent),
            ]
        })
        .collect();
    let mut sql =
        Sql::new(db.get_database_backend()).text("WITH given AS (SELECT seq, start, recent FROM ");
    sql = sql.rows("g", ["seq", "start", "recent"], &given).text(")");
    if !known.is_empty() {
        let known: Vec<_> = known
            .iter()
            .map(|[seq, slot]| [*seq, *slot, i64::from(*slot >= recent)])
            .collect();
        sql = sql.text(", known AS (SELECT seq, slot, recent FROM ");
        sql = sql.rows("k", ["seq", "slot", "recent"], &known).text(")");
    }
    sql = parts(sql);
    if !begun.is_empty() {
        let columns = [
            "r.start",
            "r.up_ms",
            "r.degraded_ms",
            "r.down_ms",
            "r.maintenance_ms",
        ];
        sql = select_all(sql, DAYS, "r", &columns)
            .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_seq = given.seq AND r.period = 1")
            .text(" AND r.start >= given.start GROUP BY r.service_seq UNION ALL ");
        if !hours.is_empty() {
            sql = select_all(sql, HOURS, "r", &columns)
                .text(" FROM ")
                .rows("h", ["seq", "start"], hours)
                .text(" CROSS JOIN check_rollups r WHERE r.service_seq = h.seq AND r.period = 0")
                .text(" AND r.start >= h.start AND r.start < h.start + ")
                .value(DAY.num_milliseconds())
                .text(" GROUP BY r.service_seq UNION ALL ");
        }
        sql = select_folded(sql, FOLDED).text(" UNION ALL ");
        sql = select_rest(
            sql,
            CHECKS,
            bound(begun.values().map(Story::folded), recent),
        );
    }
    if !known.is_empty() {
        let union = if begun.is_empty() { "" } else { " UNION ALL " };
        sql = select_later(
            sql.text(union),
            CHECKS,
            bound(known.iter().map(|[_, slot]| *slot), recent),
        );
    }
    sql
}

/// What is known beforehand of where checks after these slots begin: slots only grow.
fn bound(slots: impl Iterator<Item = i64>, recent: i64) -> Begin {
    let (mut oldest, mut all) = (None::<i64>, true);
    for slot in slots {
        if slot >= recent {
            oldest = Some(oldest.map_or(slot, |oldest| oldest.min(slot)));
        } else {
            all = false;
        }
    }
    match oldest {
        None => Begin::Unknown,
        Some(slot) if all => Begin::After(slot),
        Some(slot) => Begin::AfterIfRecent(slot),
    }
}

impl Row {
    /// The sums in a row of them, with when each begins.
    fn sums(&self) -> impl Iterator<Item = (DateTime<Utc>, Tally)> {
        self.numbers
            .as_chunks::<5>()
            .0
            .iter()
            .map(|[start, times @ ..]| (instant(*start), tally_of(*times)))
    }
}
