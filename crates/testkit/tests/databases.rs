//! What other tests take for granted of their databases and rows.
#![allow(clippy::unwrap_used)]

use chrono::{Duration, Utc};
use entity::column::Status;
use entity::{check, service, service_state, user};
use sea_orm::{EntityTrait, PaginatorTrait};
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::{TestDatabase, on_each_database};

on_each_database! {
    async fn what_is_built_is_what_is_read(database: TestDatabase) {
        let db = &database.db;
        let ada = a_user(db).await;
        let one = a_service(db, &ada).name("One").interval(10).category("Web").create().await;
        let two = a_service(db, &ada).url("http://127.0.0.1/").paused().create().await;
        assert_eq!((one.seq, two.seq), (1, 2));
        assert_eq!(user::Entity::find().one(db).await.unwrap().unwrap(), ada);
        assert_eq!(service::Entity::find_by_id(one.id).one(db).await.unwrap().unwrap(), one);
        let state = service_state::Entity::find_by_id(two.id).one(db).await.unwrap().unwrap();
        assert_eq!((state.status, state.status_since), (Status::Unknown, two.created_at));

        let checks: Vec<_> = (0..2500).map(|i| a_check(&one, Utc::now() + Duration::seconds(i))).collect();
        insert_checks(db, &checks).await;
        assert_eq!(check::Entity::find_by_id((1, checks[7].slot)).one(db).await.unwrap().as_ref(), Some(&checks[7]));
        assert_eq!(check::Entity::find().count(&database.connect_again().await).await.unwrap(), 2500);
    }

    async fn each_database_starts_empty(database: TestDatabase) {
        assert_eq!(user::Entity::find().count(&database.db).await.unwrap(), 0);
        a_user(&database.db).await;
    }

    async fn each_database_starts_empty_again(database: TestDatabase) {
        assert_eq!(user::Entity::find().count(&database.db).await.unwrap(), 0);
        a_user(&database.db).await;
    }
}
