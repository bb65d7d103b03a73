//! Internal errors: the response has the request's id, and the log has the cause once.

use crate::api::Api;
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use testkit::builders::a_service;
use tracing_subscriber::fmt::MakeWriter;

/// The errors that this process logs. Shared by all tests, because tasks log on other threads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_this_process() -> Self {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::ERROR)
                .with_ansi(false);
            let subscriber = subscriber.with_writer(log.clone()).finish();
            tracing::subscriber::set_global_default(subscriber)
                .expect("nobody else listens to the log");
            log
        });
        LOG.clone()
    }

    fn lines_with(&self, text: &str) -> Vec<String> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        log.lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_failing_database_is_told_by_an_id_and_logged_once() {
    let log = Log::of_this_process();
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    for _ in 0..30 {
        a_service(&api.use_cases.db, &ada.user).create().await;
    }
    // Services can still be listed, but not their statuses.
    let drop = "DROP TABLE incidents";
    sea_orm::ConnectionTrait::execute_unprepared(&api.use_cases.db, drop)
        .await
        .unwrap();
    let answer = ada
        .asks("{ services { name openIncident { id } } }", json!({}))
        .await;
    assert_eq!(
        answer.0["errors"].as_array().unwrap().len(),
        20,
        "no more than can be of use"
    );
    for error in answer.0["errors"].as_array().unwrap() {
        assert_eq!(
            error["extensions"],
            json!({ "code": "INTERNAL", "requestId": ada.request_id() })
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("An internal error occurred") && !message.contains("incidents"),
            "{message}"
        );
    }
    let lines = log.lines_with(&ada.request_id());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("no such table: incidents"),
        "what it was: {lines:?}"
    );
    assert!(
        lines[0].contains("services."),
        "where it was asked for: {lines:?}"
    );
}

#[tokio::test]
async fn reading_that_takes_too_long_is_stopped_and_told_so() {
    let log = Log::of_this_process();
    let database = testkit::database::sqlite().await;
    let pool = migration::Pool {
        statement_timeout: Duration::from_millis(200),
        ..migration::Pool::default()
    };
    let short = migration::connect(&database.url, &pool).await.unwrap();
    let mut api = Api::on(database).await;
    api.use_cases.db = short;
    api.schema = backend::graphql::schema(api.use_cases.clone());
    let ada = api.somebody().await;
    let endless = "DROP TABLE incidents; CREATE VIEW incidents AS
        WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n)
        SELECT x'' AS id, x'' AS service_id, CAST(v AS blob) AS workspace_id, 'downtime' AS type, '' AS started_at, '' AS resolved_at,
            v AS checks_failed, '' AS cause FROM n";
    sea_orm::ConnectionTrait::execute_unprepared(&api.use_cases.db, endless)
        .await
        .unwrap();
    let error = ada.error("{ incidents { totalCount } }", json!({})).await;
    assert_eq!(
        error["extensions"],
        json!({ "code": "INTERNAL", "requestId": ada.request_id() })
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("The query took too long and was stopped"),
        "{error}"
    );
    assert!(
        log.lines_with(&ada.request_id())[0].contains("interrupted"),
        "the operator learns it too"
    );
    ada.data("{ services { id } }", json!({})).await;
}

#[tokio::test]
async fn a_lost_database_fails_every_kind_of_operation() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let id = ada.adds("Shop").await;
    api.use_cases.db.clone().close().await.unwrap();
    for query in [
        "query($id: UUID!) { me { id } service(id: $id) { id } }",
        "query($id: UUID!) { service(id: $id) { current { status } } }",
        "mutation($id: UUID!) { pauseService(id: $id) { id } }",
        "mutation($id: UUID!) { revokeApiToken(id: $id) }",
    ] {
        assert_eq!(
            ada.error(query, json!({ "id": id })).await["extensions"]["code"],
            "INTERNAL",
            "{query}"
        );
    }
    let mut updates = ada.subscribes(
        "subscription($id: UUID) { statusUpdates(serviceId: $id) { changed } }",
        json!({ "id": id }),
    );
    assert_eq!(updates.next().await.unwrap().code(), "INTERNAL");
    assert!(updates.next().await.is_none());
}
