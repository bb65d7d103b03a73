//! The API without HTTP: users with their requests, over a database and a coordination state of
//! their own.

use backend::auth::{TokenScope, Viewer};
use backend::graphql::{self, RequestId, Schema};
use backend::use_cases::discovery::VendorPages;
use backend::use_cases::{Quotas, UseCases};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::Coordination;
use entity::column::{IncidentType, Role, Status};
use entity::{incident, service, service_state, user, workspace};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings, Guard, LookupSource};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use secrets::Sealer;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::RedisServer;
use testkit::database::{self, TestDatabase};
use uuid::Uuid;

/// The host names of vendors; all resolve to this machine.
const NAMES: [&str; 3] = ["status.harbour.test", "harbour.test", "status.quill.test"];

/// How long a test waits for an event or a condition.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Api {
    pub(crate) schema: Schema,
    pub(crate) use_cases: UseCases,
    /// Keeps the SQLite file.
    _database: TestDatabase,
}

impl Api {
    /// Creates an API over `database`; with PostgreSQL it uses a real Redis.
    pub(crate) async fn on(database: TestDatabase) -> Self {
        Self::within(database, Quotas::default()).await
    }

    pub(crate) async fn within(database: TestDatabase, quotas: Quotas) -> Self {
        let live = if database.url.starts_with("postgres") {
            let prefix = format!("test:{}:", uuid::Uuid::now_v7());
            Coordination::connect_with_prefix(&RedisServer::shared().await.url(), &prefix)
                .await
                .unwrap()
        } else {
            Coordination::memory()
        };
        let settings = ClientSettings {
            guard: Guard::AllowPrivate,
            ..Default::default()
        };
        let use_cases = UseCases {
            db: database.db.clone(),
            live,
            caches: Arc::default(),
            prober: Prober::new(settings).unwrap(),
            sealer: Arc::new(Sealer::new("0123456789abcdef0123456789abcdef", None)),
            vendor_pages: VendorPages::new(&fetcher()),
            public_url: "https://pulse.test/".parse().unwrap(),
            quotas,
            system_for_all: false,
        };
        Self {
            schema: graphql::schema(use_cases.clone()),
            use_cases,
            _database: database,
        }
    }

    /// Creates an API with other rules about allowed addresses.
    pub(crate) fn guarded(mut self, guard: Guard) -> Self {
        let settings = FetcherSettings {
            guard,
            ..FetcherSettings::default()
        };
        self.use_cases.vendor_pages = VendorPages::new(&Fetcher::new(settings).unwrap());
        self.schema = graphql::schema(self.use_cases.clone());
        self
    }

    /// Creates an API in which everybody may query `system`.
    pub(crate) fn open_to_all(mut self) -> Self {
        self.use_cases.system_for_all = true;
        self.schema = graphql::schema(self.use_cases.clone());
        self
    }

    pub(crate) async fn sqlite() -> Self {
        Self::on(database::sqlite().await).await
    }

    /// Creates a user.
    pub(crate) async fn somebody(&self) -> Person<'_> {
        let user = testkit::builders::a_user(&self.use_cases.db).await;
        let session = Some(uuid::Uuid::now_v7());
        let viewer = Viewer {
            user_id: user.id,
            workspace_id: user.id,
            role: Role::Owner,
            scope: TokenScope::Full,
            session,
            token: None,
        };
        Person {
            api: self,
            user,
            viewer: Some(viewer),
        }
    }

    /// Creates a user with this role in `workspace`.
    pub(crate) async fn member(&self, workspace: &workspace::Model, role: Role) -> Person<'_> {
        let mut person = self.somebody().await;
        testkit::builders::join(&self.use_cases.db, workspace, &person.user, role).await;
        let viewer = person.viewer();
        person.viewer = Some(Viewer {
            workspace_id: workspace.id,
            role,
            ..viewer
        });
        person
    }

    /// Makes `service` down with an open incident, as the worker would, and returns the incident's id.
    pub(crate) async fn is_down(&self, service: &service::Model) -> Uuid {
        let (db, since) = (&self.use_cases.db, now() - TimeDelta::seconds(20));
        let incident = incident::Model {
            id: Uuid::now_v7(),
            service_id: service.id,
            workspace_id: service.workspace_id,
            incident_type: IncidentType::Downtime,
            started_at: since,
            resolved_at: None,
            checks_failed: 2,
            cause: Some("connection refused".into()),
        };
        let incident = incident.into_active_model().insert(db).await.unwrap();
        let state = service_state::Entity::find_by_id(service.id)
            .one(db)
            .await
            .unwrap()
            .unwrap();
        let mut state = state.into_active_model();
        state.status = Set(Status::Down);
        state.status_since = Set(since);
        state.last_slot = Set(Some(since));
        state.checked_at = Set(Some(since));
        state.message = Set(Some("connection refused".into()));
        state.failing_checks = Set(2);
        state.failing_since = Set(Some(since));
        state.open_incident_id = Set(Some(incident.id));
        state.open_incident_type = Set(Some(IncidentType::Downtime));
        state.details = Set(serde_json::json!({ "dnsMs": 7 }));
        state.update(db).await.unwrap();
        incident.id
    }

    /// Counts the statements from now on.
    pub(crate) fn count_statements(&mut self) -> Arc<AtomicUsize> {
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = statements.clone();
        self.use_cases.db.set_metric_callback(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        self.schema = graphql::schema(self.use_cases.clone());
        statements
    }

    /// Sends a request without a viewer.
    pub(crate) async fn visitor(&self, query: &str) -> Answer {
        Answer(run(&self.schema, None, query, json!({})).await)
    }
}

/// A fetcher that resolves the vendors' names, and one name that leads to a metadata service.
fn fetcher() -> Fetcher {
    let here = |name: &str| (name.to_owned(), Ok(vec!["127.0.0.1".parse().unwrap()]));
    let mut names: HashMap<_, _> = NAMES.into_iter().map(here).collect();
    names.insert(
        "metadata.test".into(),
        Ok(vec!["169.254.169.254".parse().unwrap()]),
    );
    let names = LookupSource::Table(Arc::new(names));
    Fetcher::new(FetcherSettings {
        guard: Guard::AllowPrivate,
        names,
        ..FetcherSettings::default()
    })
    .unwrap()
}

async fn run(schema: &Schema, viewer: Option<Viewer>, query: &str, variables: Value) -> Value {
    let response = schema.execute(request(viewer, query, variables)).await;
    json_of(&response)
}

/// A response as it is sent.
pub(crate) fn json_of(response: &async_graphql::Response) -> Value {
    serde_json::to_value(response).unwrap()
}

fn request(viewer: Option<Viewer>, query: &str, variables: Value) -> async_graphql::Request {
    async_graphql::Request::new(query)
        .variables(async_graphql::Variables::from_json(variables))
        .data(viewer)
        .data(RequestId(request_id(viewer)))
}

fn request_id(viewer: Option<Viewer>) -> String {
    viewer.map_or_else(
        || "a-visitor".into(),
        |viewer| format!("request-of-{}", viewer.user_id),
    )
}

/// A signed-in user.
pub(crate) struct Person<'a> {
    pub(crate) api: &'a Api,
    pub(crate) user: user::Model,
    pub(crate) viewer: Option<Viewer>,
}

impl Person<'_> {
    pub(crate) fn viewer(&self) -> Viewer {
        self.viewer.unwrap()
    }

    /// The id of each request.
    pub(crate) fn request_id(&self) -> String {
        request_id(self.viewer)
    }

    pub(crate) async fn asks(&self, query: &str, variables: Value) -> Answer {
        Answer(run(&self.api.schema, self.viewer, query, variables).await)
    }

    /// Returns the data of a response, which must have no errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        self.asks(query, variables).await.data()
    }

    /// Returns the first error of a response, which must have one.
    pub(crate) async fn error(&self, query: &str, variables: Value) -> Value {
        self.asks(query, variables).await.error()
    }

    pub(crate) fn subscribes(&self, query: &str, variables: Value) -> Subscribed {
        Subscribed(
            self.api
                .schema
                .execute_stream(request(self.viewer, query, variables)),
        )
    }

    /// Creates an HTTP service and returns its id.
    pub(crate) async fn adds(&self, name: &str) -> String {
        let query = "mutation($name: String!) { createService(input: {name: $name, monitor: {http: {url: \"https://a.test\"}}}) { id } }";
        let data = self.data(query, json!({ "name": name })).await;
        data["createService"]["id"].as_str().unwrap().to_owned()
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) Value);

impl Answer {
    #[track_caller]
    pub(crate) fn data(self) -> Value {
        assert!(self.0.get("errors").is_none(), "{:#}", self.0);
        self.0["data"].clone()
    }

    #[track_caller]
    pub(crate) fn error(self) -> Value {
        let error = self.0["errors"][0].clone();
        assert!(error.is_object(), "no error in {:#}", self.0);
        error
    }

    /// Returns the code of the first error.
    #[track_caller]
    pub(crate) fn code(self) -> String {
        self.error()["extensions"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// A running subscription.
pub(crate) struct Subscribed(BoxStream<'static, async_graphql::Response>);

impl Subscribed {
    /// Awaits the next message; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Answer> {
        let next = tokio::time::timeout(EVENT_TIMEOUT, self.0.next())
            .await
            .expect("a message or the end in time");
        next.map(|response| Answer(json_of(&response)))
    }

    /// Starts the subscription, which subscribes to events when it is first polled.
    pub(crate) fn begins(&mut self) {
        assert!(
            self.0.next().now_or_never().is_none(),
            "a message that nothing caused"
        );
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Awaits that `holds`, for at most [`EVENT_TIMEOUT`].
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + EVENT_TIMEOUT;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
