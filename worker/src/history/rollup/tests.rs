use super::*;
use chrono::{DateTime, Duration};
use entity::check_rollup;
use sea_orm::EntityTrait;
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::{TestDatabase, on_each_database};

on_each_database! {
    /// The lock of a pass ends with its connection, so two may meet here all the same.
    async fn two_that_fold_at_once_count_each_check_once(database: TestDatabase) {
        let (db, other) = (&database.db, database.connect_again().await);
        let user = a_user(db).await;
        let mut checks = Vec::new();
        for _ in 0..8 {
            let service = a_service(db, &user).create().await;
            checks.extend((0..40).map(|i| a_check(&service, DateTime::UNIX_EPOCH + Duration::seconds(30 * i))));
        }
        insert_checks(db, &checks).await;
        let portion = BatchLimits { services: 4, checks: 10 };
        let (one, two) = tokio::join!(fold_new_checks(db, portion), fold_new_checks(&other, portion));
        one.unwrap();
        two.unwrap();
        fold_new_checks(db, portion).await.unwrap();
        let rows = check_rollup::Entity::find().all(db).await.unwrap();
        assert_eq!(rows.len(), 16);
        assert!(rows.iter().all(|row| row.checks == 40 && row.up_ms == 39 * 30_000), "{rows:?}");
    }
}
