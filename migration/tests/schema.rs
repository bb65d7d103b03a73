//! The schema and its migration, as operators and the other crates rely on them.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, SubsecRound, Utc};
use entity::column::{IncidentType, Role, RollupPeriod};
use entity::{
    api_token, calendar_feed, check, check_rollup, identity, incident, incident_acknowledgement,
    incident_event, incident_note, membership, rollup_progress, service, service_component,
    service_state, session, user, workspace,
};
use migration::{ConnectError, MigrationError, Pool};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, Database, DatabaseConnection, EntityTrait, IntoActiveModel,
    ModelTrait, PaginatorTrait, Statement, TransactionTrait,
};
use std::time::Duration;
use testkit::builders::{a_check, a_service, a_user, a_workspace, insert_checks, join};
use testkit::{PostgresServer, TestDatabase, on_each_database};
use uuid::Uuid;

on_each_database! {
    async fn migrating_again_changes_nothing(database: TestDatabase) {
        let db = &database.db;
        let user = a_user(db).await;
        let before = applied(db).await;
        migration::run(db).await.unwrap();
        migration::verify(db).await.unwrap();
        assert_eq!(applied(db).await, before);
        assert!(before > 0);
        assert_eq!(user::Entity::find().one(db).await.unwrap(), Some(user));
    }

    async fn what_is_committed_after_the_database_took_a_transaction_back_is_kept(database: TestDatabase) {
        let pool = Pool { max_connections: 1, ..Pool::default() };
        let db = migration::connect(&database.url, &pool).await.unwrap();
        for commits in [true, false] {
            let transaction = db.begin().await.unwrap();
            a_user(&transaction).await;
            // As SQLite does by itself when the disk is full.
            transaction.execute_unprepared("ROLLBACK").await.unwrap();
            if commits {
                let _ = transaction.commit().await;
            } else {
                drop(transaction);
            }
            // One more that fails: a connection that is not discarded stays in that transaction forever.
            let transaction = db.begin().await.unwrap();
            a_user(&transaction).await;
            drop(transaction);
            let before = user::Entity::find().count(&database.db).await.unwrap();
            let transaction = db.begin().await.unwrap();
            a_user(&transaction).await;
            transaction.commit().await.unwrap();
            a_user(&db).await;
            assert_eq!(user::Entity::find().count(&database.db).await.unwrap(), before + 2);
        }
        assert_eq!(user::Entity::find().count(&database.db).await.unwrap(), 4);
    }

    async fn a_statement_that_runs_for_too_long_is_ended_and_harms_no_later_one(database: TestDatabase) {
        let pool = Pool { max_connections: 1, statement_timeout: Duration::from_secs(1), ..Pool::default() };
        let db = migration::connect(&database.url, &pool).await.unwrap();
        let endless = "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT (v + 1) % 1000 FROM n) SELECT count(*) FROM n";
        for _ in 0..2 {
            let statement = Statement::from_string(db.get_database_backend(), endless);
            let error = db.query_one_raw(statement).await.unwrap_err();
            assert!(entity::sql::is_statement_timeout(&error), "{error:?}");
            assert_eq!(user::Entity::find().count(&db).await.unwrap(), 0);
        }
        assert!(!entity::sql::is_statement_timeout(&db.execute_unprepared("no statement").await.unwrap_err()));
    }

    async fn a_newer_database_is_refused_before_anything_is_touched(database: TestDatabase) {
        let db = &database.db;
        let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99990101_000000_future', 0)";
        db.execute_unprepared(later).await.unwrap();
        let before = applied(db).await;
        for refused in [migration::run(db).await, migration::verify(db).await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, MigrationError::Newer(_)), "{error:?}");
            assert_eq!(
                error.to_string(),
                "the database is newer than this program (it has the migration m99990101_000000_future): \
                 start the version of PulseCheck that made it, or a later one"
            );
        }
        assert_eq!(applied(db).await, before);
    }

    async fn a_user_and_their_workspace_take_everything_along(database: TestDatabase) {
        let db = &database.db;
        let (gone, kept) = (a_user(db).await, a_user(db).await);
        belongings(db, &gone).await;
        belongings(db, &kept).await;
        assert_eq!(everything(db).await, [2; 17]);
        workspace::Entity::delete_by_id(gone.id).exec(db).await.unwrap();
        gone.delete(db).await.unwrap();
        assert_eq!(everything(db).await, [1; 17]);
        assert_eq!(service::Entity::find().one(db).await.unwrap().unwrap().workspace_id, kept.id);
    }

    async fn a_token_ends_with_the_membership_that_it_acts_by(database: TestDatabase) {
        let db = &database.db;
        let (user, team) = (a_user(db).await, a_workspace(db).await);
        join(db, &team, &user, Role::Editor).await;
        let token = |workspace_id: Uuid| {
            let id = Uuid::now_v7();
            let token_hash = id.as_bytes().to_vec();
            let (name, created_at) = ("script".into(), now());
            api_token::Model {
                id, workspace_id, user_id: user.id, name, token_hash, read_only: false, created_at, last_used_at: None, expires_at: None,
            }
        };
        let (personal, of_team) = (token(user.id), token(team.id));
        for token in [&personal, &of_team] {
            token.clone().into_active_model().insert(db).await.unwrap();
        }
        membership::Entity::delete_by_id((team.id, user.id)).exec(db).await.unwrap();
        assert_eq!(api_token::Entity::find().all(db).await.unwrap(), [personal]);
        let refused = token(team.id).into_active_model().insert(db).await;
        refused.expect_err("a token needs a membership");
    }

    async fn a_service_and_an_incident_need_a_workspace(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).create().await;
        let without = service::ActiveModel {
            id: sea_orm::Set(Uuid::now_v7()),
            seq: sea_orm::NotSet,
            workspace_id: sea_orm::NotSet,
            ..service.clone().into_active_model().reset_all()
        };
        let refused = service::Entity::insert(without).exec_without_returning(db).await;
        refused.expect_err("a service without a workspace");
        let without = incident::ActiveModel {
            workspace_id: sea_orm::NotSet,
            ..an_incident(&service).into_active_model()
        };
        let refused = incident::Entity::insert(without).exec_without_returning(db).await;
        refused.expect_err("an incident without a workspace");
    }

    async fn a_service_has_one_open_incident_at_most(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).create().await;
        let open = an_incident(&service);
        let add = async |incident: incident::Model| incident.into_active_model().insert(db).await;
        add(open.clone()).await.unwrap();
        let refused = add(an_incident(&service)).await.unwrap_err().to_string().to_lowercase();
        assert!(refused.contains("unique"), "{refused}");
        let another = an_incident(&service);
        add(incident::Model { resolved_at: Some(another.started_at), ..another.clone() }).await.unwrap();
        let backwards = Some(another.started_at - chrono::Duration::milliseconds(1));
        let refused = add(incident::Model { id: Uuid::now_v7(), resolved_at: backwards, ..another }).await;
        refused.expect_err("an incident cannot end before it began");
        incident::Entity::update(incident::ActiveModel {
            resolved_at: sea_orm::Set(Some(now())),
            ..open.into_active_model()
        })
        .exec(db)
        .await
        .unwrap();
        add(an_incident(&service)).await.unwrap();
    }

    async fn times_and_ids_come_back_as_they_were(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).created_at("2026-02-28T23:59:59.999Z".parse().unwrap()).create().await;
        let found = service::Entity::find_by_id(service.id).one(db).await.unwrap().unwrap();
        assert_eq!(found, service);
    }
}

#[tokio::test]
async fn processes_that_start_together_on_postgres_do_not_collide() {
    let url = PostgresServer::shared().await.create_database().await;
    Box::pin(start_together(&url)).await;
}

#[tokio::test]
async fn processes_that_start_together_on_sqlite_do_not_collide() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("new.sqlite").display());
    Box::pin(start_together(&url)).await;
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_is_making_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("new.sqlite").display());
    let other = Database::connect(format!("{url}?mode=rwc")).await.unwrap();
    let writing = other.begin().await.unwrap();
    writing
        .execute_unprepared("CREATE TABLE other (n integer)")
        .await
        .unwrap();
    let connecting = tokio::spawn(async move { connect(&url).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        !connecting.is_finished(),
        "its journal cannot be changed meanwhile"
    );
    writing.commit().await.unwrap();
    connecting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_migration_that_fails_in_the_middle_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let db = connect(&format!(
        "sqlite://{}",
        directory.path().join("new.sqlite").display()
    ))
    .await
    .unwrap();
    db.execute_unprepared("CREATE TABLE service_state (in_the_way integer)")
        .await
        .unwrap();
    let error = migration::run(&db).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "migrating the database failed: error returned from database: (code: 1) table service_state already exists"
    );
    db.execute_unprepared("DROP TABLE service_state")
        .await
        .unwrap();
    migration::run(&db).await.unwrap();
    migration::verify(&db).await.unwrap();
}

#[tokio::test]
async fn a_sqlite_file_is_kept_for_one_process() {
    let database = testkit::database::sqlite().await;
    let kept = migration::keep_for_this_process(&database.db)
        .await
        .unwrap();
    let again = migration::keep_for_this_process(&database.db)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        again.starts_with("another PulseCheck is running on the database "),
        "{again}"
    );
    // Not only dropped: a program that another test starts meanwhile holds a copy of it for a moment.
    kept.unwrap().unlock().unwrap();
    assert!(
        migration::keep_for_this_process(&database.db)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_role_that_may_not_migrate_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let db = connect(&format!(
        "sqlite://{}",
        directory.path().join("new.sqlite").display()
    ))
    .await
    .unwrap();
    let error = migration::verify(&db).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the database lacks ")
            && error.ends_with("run `pulsecheck migrate` first"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let absent = PostgresServer::shared()
        .await
        .url("absent")
        .replace("postgres@", "postgres:secret@");
    let error = connect(&absent).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.starts_with("cannot use the database at postgres://postgres:***@127.0.0.1:"),
        "{text}"
    );
    assert!(
        text.contains("\"absent\" does not exist") && !text.contains("secret"),
        "{text}"
    );

    let nobody = connect("postgres://me:secret@127.0.0.1:1/x")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        nobody,
        "cannot use the database at postgres://me:***@127.0.0.1:1/x: Connection refused (os error 111)"
    );
    let error = connect("sqlite:///absent/directory/new.sqlite")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot use the database at sqlite:///absent/directory/new.sqlite: "),
        "{error}"
    );
    let error = connect("mysql://me:secret@127.0.0.1/x")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "DATABASE_URL is mysql://me:***@127.0.0.1/x: it must begin with postgres:// or sqlite://"
    );
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_written_says_where_to_look() {
    let database = testkit::database::sqlite().await;
    a_user(&database.db).await;
    let error = connect(&format!("{}?mode=ro", database.url))
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("cannot be written") && text.contains("check the owner and mode"),
        "{text}"
    );
}

async fn connect(url: &str) -> Result<DatabaseConnection, ConnectError> {
    migration::connect(
        url,
        &Pool {
            max_connections: 4,
            ..Pool::default()
        },
    )
    .await
}

/// As several processes would, each with connections of its own.
async fn start_together(url: &str) {
    let start = || async {
        let db = connect(url).await.unwrap();
        migration::run(&db).await.unwrap();
        db
    };
    let (one, two, three, four) = tokio::join!(start(), start(), start(), start());
    for db in [one, two, three, four] {
        migration::verify(&db).await.unwrap();
        a_user(&db).await;
    }
}

async fn applied(db: &DatabaseConnection) -> i64 {
    let count = Statement::from_string(
        db.get_database_backend(),
        "SELECT count(*) FROM seaql_migrations",
    );
    db.query_one_raw(count)
        .await
        .unwrap()
        .unwrap()
        .try_get_by_index(0)
        .unwrap()
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

fn an_incident(service: &service::Model) -> incident::Model {
    incident::Model {
        id: Uuid::now_v7(),
        service_id: service.id,
        workspace_id: service.workspace_id,
        incident_type: IncidentType::Downtime,
        started_at: now(),
        resolved_at: None,
        checks_failed: 2,
        cause: None,
    }
}

/// One row in each table that belongs to a user or their workspace.
async fn belongings(db: &DatabaseConnection, user: &user::Model) {
    let (now, id) = (now(), Uuid::now_v7());
    let hash = id.as_bytes().to_vec();
    let identity = identity::Model {
        provider: "github".into(),
        subject: id.to_string(),
        user_id: user.id,
        email: user.email.clone(),
        email_verified: true,
        created_at: now,
        last_used_at: now,
    };
    identity.into_active_model().insert(db).await.unwrap();
    let session = session::Model {
        id,
        user_id: user.id,
        token_hash: hash.clone(),
        previous_token_hash: None,
        rotated_at: now,
        created_at: now,
        last_used_at: now,
        expires_at: now,
        user_agent: None,
        address: None,
    };
    session.into_active_model().insert(db).await.unwrap();
    let token = api_token::Model {
        id,
        workspace_id: user.id,
        user_id: user.id,
        name: "script".into(),
        token_hash: hash,
        read_only: true,
        created_at: now,
        last_used_at: None,
        expires_at: None,
    };
    token.into_active_model().insert(db).await.unwrap();

    let feed = calendar_feed::Model {
        workspace_id: user.id,
        secret_hash: id.as_bytes().to_vec(),
        created_at: now,
        last_read_at: None,
    };
    feed.into_active_model().insert(db).await.unwrap();

    let service = a_service(db, user).create().await;
    let component = service_component::Model {
        service_id: service.id,
        component_id: "api".into(),
        name: "API".into(),
        group_name: None,
        position: 0,
        missing: false,
    };
    component.into_active_model().insert(db).await.unwrap();
    let check = a_check(&service, now);
    insert_checks(db, std::slice::from_ref(&check)).await;
    let rollup = check_rollup::Model::of(
        service.seq,
        RollupPeriod::Hour,
        now,
        &domain::rollup::Sum::default(),
    );
    rollup.into_active_model().insert(db).await.unwrap();
    let check::Model {
        service_seq,
        slot,
        interval_seconds,
        status,
        ..
    } = check;
    let progress = rollup_progress::Model {
        service_seq,
        slot,
        interval_seconds,
        status,
    };
    progress.into_active_model().insert(db).await.unwrap();
    let incident = an_incident(&service)
        .into_active_model()
        .insert(db)
        .await
        .unwrap();
    let event = incident_event::Model {
        id,
        incident_id: incident.id,
        at: now,
        kind: "opened".into(),
        message: "went down".into(),
    };
    event.into_active_model().insert(db).await.unwrap();
    let seen = incident_acknowledgement::Model {
        incident_id: incident.id,
        user_id: user.id,
        at: now,
    };
    seen.into_active_model().insert(db).await.unwrap();
    let note = incident_note::Model {
        id,
        incident_id: incident.id,
        user_id: user.id,
        at: now,
        text: "why".into(),
    };
    note.into_active_model().insert(db).await.unwrap();
}

async fn everything(db: &DatabaseConnection) -> [u64; 17] {
    async fn count<E: EntityTrait>(db: &DatabaseConnection) -> u64
    where
        E::Model: Sync + 'static,
    {
        E::find().count(db).await.unwrap()
    }
    [
        count::<user::Entity>(db).await,
        count::<workspace::Entity>(db).await,
        count::<membership::Entity>(db).await,
        count::<calendar_feed::Entity>(db).await,
        count::<identity::Entity>(db).await,
        count::<session::Entity>(db).await,
        count::<api_token::Entity>(db).await,
        count::<service::Entity>(db).await,
        count::<service_component::Entity>(db).await,
        count::<service_state::Entity>(db).await,
        count::<check::Entity>(db).await,
        count::<check_rollup::Entity>(db).await,
        count::<rollup_progress::Entity>(db).await,
        count::<incident::Entity>(db).await,
        count::<incident_event::Entity>(db).await,
        count::<incident_acknowledgement::Entity>(db).await,
        count::<incident_note::Entity>(db).await,
    ]
}
