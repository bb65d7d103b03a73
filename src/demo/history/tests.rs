use super::*;
use domain::rollup::DAY;
use entity::check;
use sea_orm::{ColumnTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use testkit::builders::{a_service, a_user};

#[tokio::test]
async fn each_past_is_told_by_rollups_checks_and_incidents_alike() {
    let database = testkit::database::sqlite().await;
    let db = &database.db;
    let user = a_user(db).await;
    let now: DateTime<Utc> = "2026-03-20T15:20:00Z".parse().unwrap();
    let profiles = [
        Profile::Steady,
        Profile::Occasional,
        Profile::Troubled,
        Profile::Slow,
        Profile::Dying,
    ];
    let mut downtime = Vec::new();
    for profile in profiles {
        let service = a_service(db, &user)
            .interval(10)
            .created_at(now - outcome_generator::HISTORY_LENGTH)
            .create()
            .await;
        write(db, &service, profile, now).await.unwrap();

        let state = service_state::Entity::find_by_id(service.id)
            .one(db)
            .await
            .unwrap()
            .unwrap();
        let expected = match profile {
            Profile::Slow => column::Status::Degraded,
            Profile::Dying => column::Status::Down,
            _ => column::Status::Up,
        };
        assert_eq!(state.status, expected, "{profile:?}");
        assert!(now - state.last_slot.unwrap() < TimeDelta::seconds(10));
        let checks = check::Entity::find().filter(check::Column::ServiceSeq.eq(service.seq));
        assert_eq!(checks.count(db).await.unwrap(), 25 * 360);

        let days = check_rollup::Entity::find()
            .filter(check_rollup::Column::ServiceSeq.eq(service.seq))
            .filter(check_rollup::Column::Period.eq(RollupPeriod::Day))
            .order_by_asc(check_rollup::Column::Start);
        let days = days.all(db).await.unwrap();
        assert_eq!(days.len(), 91);
        let covered = days[1..90]
            .iter()
            .map(|day| day.sum().unwrap().tally.covered_ms())
            .sum::<i64>();
        let all = 89 * DAY.num_milliseconds();
        assert!(
            covered < all - 300 * 60_000 && covered > all - 400 * 60_000,
            "PulseCheck was off for six hours"
        );
        downtime.push(days.iter().map(|day| day.down_ms).sum::<i64>());

        let incidents = incident::Entity::find()
            .filter(incident::Column::ServiceId.eq(service.id))
            .all(db)
            .await
            .unwrap();
        assert!(!incidents.is_empty(), "{profile:?}");
        let open: Vec<_> = incidents
            .iter()
            .filter(|incident| incident.resolved_at.is_none())
            .map(|open| open.id)
            .collect();
        assert_eq!(open, Vec::from_iter(state.open_incident_id));
    }
    assert!(
        downtime[0] < downtime[2] && downtime[2] < downtime[4],
        "{downtime:?}"
    );
}
