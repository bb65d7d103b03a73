//! History equals what brute force computes from all checks, whatever part of them is rolled up.
#![allow(clippy::unwrap_used)]

use backend::caches::AggregateCache;
use backend::use_cases::history::{
    DailyUptime, LatencyBucket, LatencyWindow, UptimeQuery, UptimeResult, UptimeTally, checks,
    checks_near, fetch, hourly_medians, latency, window_start,
};
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, Fold, floor};
use domain::uptime::{Sample, Tally, tally};
use domain::{LatencyHistogram, Status, Window};
use entity::column::RollupPeriod;
use entity::{check, check_rollup, rollup_progress, service};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter};
use std::collections::HashMap;
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::{TestDatabase, on_each_database};

const WINDOWS: [Window; 4] = [Window::Day, Window::Week, Window::Month, Window::Quarter];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn uptime(
    db: &DatabaseConnection,
    cache: &AggregateCache,
    numbers: &[i32],
    window: Window,
    now: DateTime<Utc>,
) -> HashMap<i32, UptimeTally> {
    let asked: Vec<_> = numbers
        .iter()
        .map(|number| (*number, UptimeQuery::Window(window)))
        .collect();
    let answers = fetch(db, cache, &asked, now).await.unwrap();
    let uptime = |answer| {
        if let UptimeResult::Window(uptime) = answer {
            uptime
        } else {
            panic!("{answer:?}")
        }
    };
    answers
        .into_iter()
        .map(|((number, _), answer)| (number, uptime(answer)))
        .collect()
}

async fn uptime_days(
    db: &DatabaseConnection,
    cache: &AggregateCache,
    numbers: &[i32],
    days: u32,
    now: DateTime<Utc>,
) -> HashMap<i32, Vec<DailyUptime>> {
    let asked: Vec<_> = numbers
        .iter()
        .map(|number| (*number, UptimeQuery::Days(days)))
        .collect();
    let answers = fetch(db, cache, &asked, now).await.unwrap();
    let days = |answer| {
        if let UptimeResult::Days(days) = answer {
            days
        } else {
            panic!("{answer:?}")
        }
    };
    answers
        .into_iter()
        .map(|((number, _), answer)| (number, days(answer)))
        .collect()
}

/// Stores checks, of which some tenths are rolled up.
async fn store(db: &DatabaseConnection, story: &[check::Model], share: usize) {
    insert_checks(db, story).await;
    roll_up(db, &story[..story.len() * share / 10]).await;
}

on_each_database! {
    async fn uptime_and_days_are_what_brute_force_finds(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        for _ in 0..8 {
            let (mut stories, cache) = (HashMap::new(), AggregateCache::default());
            for _ in 0..4 {
                let service = a_service(db, &user).create().await;
                let (story, share) = story(&service).new_tree(&mut runner).unwrap().current();
                stories.insert(service.seq, (story, share));
            }
            let numbers: Vec<i32> = stories.keys().copied().collect();
            // More checks and rollups are written between the queries.
            for stage in [[0, 4], [4, 6], [6, 10]] {
                let mut recorded = HashMap::new();
                for (number, (story, share)) in &stories {
                    let [before, until] = stage.map(|tenths| story.len() * tenths / 10);
                    insert_checks(db, &story[before..until]).await;
                    roll_up(db, &story[..until * share / 10]).await;
                    recorded.insert(*number, &story[..until]);
                }
                // At times within and after the last check's coverage, on and off hours and days.
                let last = recorded.values().filter_map(|story| story.last()).map(|check| check.slot).max().unwrap_or_default();
                let last = entity::check::instant(last);
                for now in [last, last + Duration::seconds(17), floor(last, DAY) + DAY, last + Duration::hours(30)] {
                    for window in WINDOWS {
                        let from = window_start(window, now);
                        let found = uptime(db, &cache, &numbers, window, now).await;
                        for (number, story) in &recorded {
                            let expected = UptimeTally { tally: brute_force(story, from, now, now), length: now - from };
                            assert_eq!(found[number], expected, "{window:?} at {now} of {story:#?}");
                        }
                    }
                    for days in [40, 90, 2] {
                        let found = uptime_days(db, &cache, &numbers, days, now).await;
                        for (number, story) in &recorded {
                            assert_eq!(found[number], brute_force_days(story, days, now), "at {now} of {story:#?}");
                        }
                    }
                }
            }
        }
    }

    async fn uptime_grows_with_each_check_and_rollup(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        for round in 0..6 {
            let (mut stories, cache) = (Vec::new(), AggregateCache::default());
            for _ in 0..3 {
                let service = a_service(db, &user).create().await;
                let (story, _) = story(&service).new_tree(&mut runner).unwrap().current();
                stories.push((service.seq, story));
            }
            let numbers: Vec<i32> = stories.iter().map(|(number, _)| *number).collect();
            let longest = stories.iter().map(|(_, story)| story.len()).max().unwrap_or_default();
            let mut recorded = 0;
            let mut portions = [1, 2, 3, 1, 7, 40, 1, 60, 2, 100, 5].into_iter().cycle();
            while recorded < longest {
                let portion = portions.next().unwrap();
                let (before, until) = (recorded, recorded + portion);
                recorded = until;
                let part = |story: &[check::Model], until: usize| story[..until.min(story.len())].to_vec();
                for (_, story) in &stories {
                    insert_checks(db, &story[before.min(story.len())..until.min(story.len())]).await;
                    // Occasionally, and never everything.
                    if portion % 3 == round % 3 {
                        roll_up(db, &part(story, until - portion / 2)).await;
                    }
                }
                let last = stories.iter().filter_map(|(_, story)| part(story, until).last().map(|check| check.slot)).max();
                let now = entity::check::instant(last.unwrap_or_default()) + Duration::seconds(11);
                for window in [Window::Month, Window::Quarter] {
                    let found = uptime(db, &cache, &numbers, window, now).await;
                    for (number, story) in &stories {
                        let (story, from) = (part(story, until), window_start(window, now));
                        let expected = UptimeTally { tally: brute_force(&story, from, now, now), length: now - from };
                        assert_eq!(found[number], expected, "{window:?} at {now} of {} checks", story.len());
                    }
                }
                let found = uptime_days(db, &cache, &numbers, 40, now).await;
                for (number, story) in &stories {
                    let story = part(story, until);
                    assert_eq!(found[number], brute_force_days(&story, 40, now), "at {now} of {} checks", story.len());
                }
            }
        }
    }

    async fn repaired_checks_and_rollups_are_read_at_once(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let from = at("2026-03-01T00:00:00Z");
        let story: Vec<_> = (0..240).map(|i| a_check(&service, from + Duration::seconds(600 * i))).collect();
        insert_checks(db, &story[..200]).await;
        roll_up(db, &story[..190]).await;
        let now = at("2026-03-02T09:19:00Z");
        let down_ms = async |now| {
            let days = &uptime_days(db, &AggregateCache::default(), &[service.seq], 2, now).await[&service.seq];
            days.iter().map(|day| day.uptime.tally.down_ms).collect::<Vec<_>>()
        };
        assert_eq!(down_ms(now).await, [0, 0]);
        // The rollups of both days, and the checks after them, are repaired.
        let down: Vec<_> = story.iter().map(|check| check::Model { status: Status::Down.into(), ..check.clone() }).collect();
        check::Entity::delete_many().exec(db).await.unwrap();
        insert_checks(db, &down[..202]).await;
        roll_up(db, &down[..190]).await;
        let first_day = 24 * 60 * 60_000;
        assert_eq!(down_ms(now + Duration::minutes(20)).await, [first_day, (9 * 60 + 39) * 60_000]);
        assert_eq!(down_ms(now + Duration::hours(1)).await, [first_day, (9 * 60 + 40) * 60_000], "the last check counts until 09:40");
    }

    async fn checks_after_the_clock_was_set_back_are_read_all_the_same(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let ahead = at("2026-03-02T12:00:00Z");
        let up_ms = async |now| {
            let days = &uptime_days(db, &AggregateCache::default(), &[service.seq], 1, now).await[&service.seq];
            days[0].uptime.tally.up_ms
        };
        insert_checks(db, &[a_check(&service, ahead)]).await;
        assert_eq!(up_ms(ahead + Duration::minutes(1)).await, 60_000);
        let back = ahead - Duration::hours(2);
        insert_checks(db, &[a_check(&service, back)]).await;
        assert_eq!(up_ms(back + Duration::minutes(3)).await, 180_000);
    }

    async fn response_times_are_what_brute_force_finds(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        let widths = [(Window::Day, 10), (Window::Week, 120), (Window::Month, 360), (Window::Quarter, 1440)];
        for _ in 0..12 {
            let service = a_service(db, &user).create().await;
            let (story, share) = story(&service).new_tree(&mut runner).unwrap().current();
            store(db, &story, share).await;
            let now = story.last().map_or_else(Utc::now, |last| entity::check::instant(last.slot) + Duration::minutes(3));
            for (window, minutes) in widths {
                let width = Duration::minutes(minutes);
                let found = latency(db, &[service.seq], LatencyWindow::last(window, now)).await.unwrap();
                let found = found.get(&service.seq).cloned().unwrap_or_default();
                assert_eq!(found, brute_force_latency(&story, floor(window.start(now), width), width, now), "{window:?}");
            }
        }
    }

    async fn the_medians_of_the_last_hours_are_what_brute_force_finds(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        for _ in 0..12 {
            let service = a_service(db, &user).create().await;
            let (story, share) = story(&service).new_tree(&mut runner).unwrap().current();
            store(db, &story, share).await;
            let last = story.last().map_or_else(Utc::now, |last| entity::check::instant(last.slot));
            for now in [last, last + Duration::hours(5), last + Duration::hours(30)] {
                let found = hourly_medians(db, &[service.seq], now).await.unwrap();
                let this_hour = floor(now, Duration::hours(1));
                let expected = brute_force_latency(&story, this_hour - Duration::hours(23), Duration::hours(1), now);
                let median = |ago| {
                    let at = this_hour - Duration::hours(ago);
                    expected.iter().find(|point| point.at == at).and_then(|point| point.p50_ms)
                };
                match found.get(&service.seq) {
                    Some(found) => assert_eq!(*found, (0..24).rev().map(median).collect::<Vec<_>>(), "at {now}"),
                    None => assert_eq!(expected, [], "at {now}"),
                }
            }
        }
    }

    async fn response_times_between_two_times_are_what_brute_force_finds(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        // Hours of the window, seconds between two checks, minutes of a point.
        let stretches = [
            (1, 10, 1), (3, 60, 1), (3, 100, 2), (4, 10, 2), (10, 10, 5), (30, 10, 10), (30, 900, 30), (31, 10, 60),
            (3, 3600, 60), (200, 10, 120), (24 * 30, 10, 360), (24 * 46, 10, 1440), (24 * 180, 10, 1440), (1, 86_400, 1440),
        ];
        for _ in 0..6 {
            let service = a_service(db, &user).create().await;
            let (story, share) = story(&service).new_tree(&mut runner).unwrap().current();
            store(db, &story, share).await;
            let last = story.last().map_or_else(Utc::now, |last| entity::check::instant(last.slot));
            for (hours, interval, minutes) in stretches {
                // The end is not a round time, and there are many checks after it.
                let to = last - Duration::seconds(4321);
                let (from, width) = (to - Duration::hours(hours), Duration::minutes(minutes));
                let stretch = LatencyWindow::between(from, to, Duration::seconds(interval));
                let found = latency(db, &[service.seq], stretch).await.unwrap();
                let mut found = found.get(&service.seq).cloned().unwrap_or_default();
                // Rollups cannot be split, so the last point may contain later checks of its bucket.
                let story: Vec<_> = if minutes < 60 {
                    story.iter().filter(|check| check.slot <= to.timestamp_millis()).cloned().collect()
                } else {
                    story.clone()
                };
                let mut expected = brute_force_latency(&story, floor(from, width), width, to);
                assert!(found.len() <= 181, "{} points", found.len());
                if minutes >= 60 {
                    // How much of a current point is included depends on the rollups.
                    expected.retain(|point| point.at + width <= to);
                    found.retain(|point| point.at + width <= to);
                }
                assert_eq!(found, expected, "{hours} h with {interval} s");
            }
        }
    }

    async fn what_is_kept_only_in_rollups_has_points_of_an_hour(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let from = at("2026-03-01T00:00:00Z");
        let story: Vec<_> = (0..144).map(|i| a_check(&service, from + Duration::seconds(600 * i))).collect();
        insert_checks(db, &story).await;
        roll_up(db, &story).await;
        let of = async |from: &str, to: &str| {
            let stretch = LatencyWindow::between(at(from), at(to), Duration::minutes(1));
            let found = latency(db, &[service.seq], stretch).await.unwrap();
            found.get(&service.seq).cloned().unwrap_or_default()
        };
        let width = |points: &[LatencyBucket]| (points[1].at - points[0].at).num_minutes();
        let fine = of("2026-03-01T03:00:00Z", "2026-03-01T06:00:00Z").await;
        assert_eq!((width(&fine), fine.len()), (1, 181));
        let old = check::Column::Slot.lt(at("2026-03-01T04:25:00Z").timestamp_millis());
        check::Entity::delete_many().filter(old).exec(db).await.unwrap();
        let coarse = of("2026-03-01T03:00:00Z", "2026-03-01T06:00:00Z").await;
        assert_eq!((width(&coarse), coarse.len()), (60, 4));
        let checks: Vec<_> = coarse.iter().map(|point| point.checks).collect();
        assert_eq!(checks, [6, 3, 6, 1], "of the hour that is half deleted what is left");
        let old = of("2026-03-01T01:00:00Z", "2026-03-01T02:30:00Z").await;
        assert_eq!(old.iter().map(|point| point.checks).collect::<Vec<_>>(), [6, 6]);
        assert_eq!(width(&of("2026-03-01T05:00:00Z", "2026-03-01T06:00:00Z").await), 1);
    }

    async fn six_checks_before_a_moment_and_fourteen_from_it_on_are_near(database: TestDatabase) {
        let db = &database.db;
        let user = a_user(db).await;
        let (service, other) = (a_service(db, &user).create().await, a_service(db, &user).create().await);
        let from = at("2026-03-01T12:00:00Z");
        let story: Vec<_> = (0..40).map(|i| a_check(&service, from + Duration::seconds(30 * i))).collect();
        insert_checks(db, &story).await;
        insert_checks(db, &[a_check(&other, from)]).await;
        let hour = 3_600_000;
        let moment = |index: usize| (service.seq, story[index].slot, hour);
        let near = (service.seq, story[20].slot, 90_000);
        let elsewhere = (other.seq, story[3].slot, hour);
        let nowhere = (4711, story[3].slot, hour);
        let asked = [moment(10), moment(2), moment(39), near, elsewhere, nowhere];
        let found = checks_near(db, &asked).await.unwrap();
        assert_eq!(found[&moment(10)], story[4..24]);
        assert_eq!(found[&moment(2)], story[..16]);
        assert_eq!(found[&moment(39)], story[33..]);
        assert_eq!(found[&near], story[17..23], "none that is farther away");
        assert_eq!(found[&elsewhere].len(), 1);
        assert!(!found.contains_key(&nowhere));
        assert!(checks_near(db, &[]).await.unwrap().is_empty());
    }

    async fn a_window_without_its_first_checks_uses_the_average_hour(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let from = at("2026-03-01T00:00:00Z");
        let story: Vec<_> = (0..7 * 144 + 62).map(|i| a_check(&service, from + Duration::seconds(600 * i))).collect();
        insert_checks(db, &story).await;
        roll_up(db, &story).await;
        let old = check::Column::Slot.lt(at("2026-03-08T00:00:00Z").timestamp_millis());
        check::Entity::delete_many().filter(old).exec(db).await.unwrap();
        let found = uptime(db, &AggregateCache::default(), &[service.seq], Window::Week, at("2026-03-08T10:15:00Z")).await;
        let week = Duration::days(7);
        let tally = Tally { up_ms: week.num_milliseconds(), ..Tally::default() };
        assert_eq!(found[&service.seq], UptimeTally { tally, length: week });
    }

    async fn services_without_checks_and_unknown_ones_are_not_covered(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).create().await;
        let now = at("2026-03-01T12:00:00Z");
        let found = uptime(db, &AggregateCache::default(), &[service.seq, 4711], Window::Day, now).await;
        let nothing = UptimeTally { tally: Tally::default(), length: Duration::days(1) };
        assert_eq!(found, HashMap::from([(service.seq, nothing), (4711, nothing)]));
        assert_eq!((nothing.percent(), nothing.coverage_percent()), (None, 0.0));
        let days = &uptime_days(db, &AggregateCache::default(), &[service.seq], 3, now).await[&service.seq];
        let dates: Vec<_> = days.iter().map(|day| day.date.to_string()).collect();
        assert_eq!(dates, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert!(days.iter().all(|day| day.status() == Status::Unknown));
        assert_eq!(days[2].uptime.length, Duration::hours(12), "today is as long as it has lasted");
        assert!(latency(db, &[service.seq], LatencyWindow::last(Window::Day, now)).await.unwrap().is_empty());
        assert_eq!(uptime(db, &AggregateCache::default(), &[], Window::Day, now).await.len(), 0);
    }

    async fn checks_come_newest_first_page_by_page(database: TestDatabase) {
        let db = &database.db;
        let user = a_user(db).await;
        let (service, other) = (a_service(db, &user).create().await, a_service(db, &user).create().await);
        let from = at("2026-03-01T12:00:00Z");
        let mut story: Vec<_> = (0..5).map(|i| a_check(&service, from + Duration::seconds(30 * i))).collect();
        insert_checks(db, &story).await;
        insert_checks(db, &[a_check(&other, from)]).await;
        story.reverse();
        let both = [service.seq, other.seq];
        let pages = checks(db, &both, 3, None).await.unwrap();
        assert_eq!((&pages[&service.seq].rows[..], pages[&service.seq].more), (&story[..3], true));
        assert_eq!((pages[&other.seq].rows.len(), pages[&other.seq].more), (1, false));
        let pages = checks(db, &both, 3, Some(story[2].slot)).await.unwrap();
        assert_eq!((&pages[&service.seq].rows[..], pages[&service.seq].more), (&story[3..], false));
    }
}

/// Generates some months of a service that is sometimes late, stopped, paused, checked on demand or
/// given another interval, and how many tenths of it are rolled up.
fn story(service: &service::Model) -> impl Strategy<Value = (Vec<check::Model>, usize)> + use<> {
    let service = service.clone();
    let gap = prop_oneof![
        6 => Just(30_000i64), 2 => 1i64..90_000, 2 => 1i64..9_000_000, 1 => 1i64..100_000_000, 1 => 1i64..400_000_000
    ];
    let interval = prop::sample::select(vec![10, 30, 30, 30, 600, 3600, 86_400]);
    let step = (gap, 0usize..5, interval, prop::option::of(0i32..5000));
    let steps = prop_oneof![1 => 0usize..3, 5 => 3usize..250]
        .prop_flat_map(move |n| prop::collection::vec(step.clone(), n));
    (steps, 0usize..=10).prop_map(move |(steps, share)| {
        let mut slot = at("2026-03-01T10:50:00Z");
        let check =
            |(gap, status, interval_seconds, response_time_ms): (i64, usize, i32, Option<i32>)| {
                slot += Duration::milliseconds(gap);
                let status = Status::ALL[status].into();
                check::Model {
                    status,
                    interval_seconds,
                    response_time_ms,
                    ..a_check(&service, slot)
                }
            };
        (steps.into_iter().map(check).collect(), share)
    })
}

/// Replaces what is stored by what the worker would have written after these checks.
async fn roll_up(db: &DatabaseConnection, checks: &[check::Model]) {
    let Some(first) = checks.first() else { return };
    let of_it = check_rollup::Column::ServiceSeq.eq(first.service_seq);
    check_rollup::Entity::delete_many()
        .filter(of_it)
        .exec(db)
        .await
        .unwrap();
    rollup_progress::Entity::delete_by_id(first.service_seq)
        .exec(db)
        .await
        .unwrap();
    let mut fold = Fold::after(None);
    for check in checks {
        fold.push(
            check.sample(),
            check.response_time_ms.map(|ms| ms.try_into().unwrap()),
        );
    }
    let row = |period| {
        move |(start, sum): (&DateTime<Utc>, &_)| {
            check_rollup::Model::of(first.service_seq, period, *start, sum)
        }
    };
    let days = fold.days();
    let rows: Vec<_> = fold
        .hours()
        .iter()
        .map(row(RollupPeriod::Hour))
        .chain(days.iter().map(row(RollupPeriod::Day)))
        .collect();
    for some in rows.chunks(1000) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        check_rollup::Entity::insert_many(some)
            .exec_without_returning(db)
            .await
            .unwrap();
    }
    let check::Model {
        service_seq,
        slot,
        interval_seconds,
        status,
        ..
    } = checks.last().unwrap().clone();
    let progress = rollup_progress::Model {
        service_seq,
        slot,
        interval_seconds,
        status,
    };
    rollup_progress::Entity::insert(progress.into_active_model())
        .exec_without_returning(db)
        .await
        .unwrap();
}

fn brute_force(
    story: &[check::Model],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Tally {
    let samples: Vec<Sample> = story
        .iter()
        .map(check::Model::sample)
        .filter(|sample| sample.slot <= now)
        .collect();
    tally(samples, from, to, now)
}

fn brute_force_days(story: &[check::Model], days: u32, now: DateTime<Utc>) -> Vec<DailyUptime> {
    let day = |ago| {
        let start = floor(now, DAY) - DAY * i32::try_from(ago).unwrap();
        let tally = brute_force(story, start, start + DAY, now);
        DailyUptime {
            date: start.date_naive(),
            uptime: UptimeTally {
                tally,
                length: DAY.min(now - start),
            },
        }
    };
    (0..days).rev().map(day).collect()
}

fn brute_force_latency(
    story: &[check::Model],
    from: DateTime<Utc>,
    width: Duration,
    now: DateTime<Utc>,
) -> Vec<LatencyBucket> {
    let mut points = Vec::new();
    let mut at = from;
    while at <= now {
        let within = (at.timestamp_millis())..(at + width).timestamp_millis();
        let of_it: Vec<_> = story
            .iter()
            .filter(|check| within.contains(&check.slot))
            .collect();
        if !points.is_empty() || !of_it.is_empty() {
            let mut latency = LatencyHistogram::default();
            of_it
                .iter()
                .filter_map(|check| check.response_time_ms)
                .for_each(|ms| latency.record(ms.try_into().unwrap()));
            let max = of_it
                .iter()
                .filter_map(|check| check.response_time_ms)
                .max()
                .map(f64::from);
            let quantile = |q| latency.quantile(q).map(|ms| ms.min(max.unwrap()));
            points.push(LatencyBucket {
                at,
                p50_ms: quantile(0.5),
                p95_ms: quantile(0.95),
                max_ms: max,
                checks: of_it.len().try_into().unwrap(),
            });
        }
        at += width;
    }
    points
}
