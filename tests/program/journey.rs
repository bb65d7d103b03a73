//! The main job, seen from outside: add a service, see it checked, see it fail and recover, live.

use crate::client::{Client, Subscription};
use crate::process::{Process, SOON};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use testkit::target::{Behaviour, Target};
use testkit::{PostgresServer, RedisServer};

const EVENTS: &str = "subscription { statusUpdates(changesOnly: true) {
    service { id } previous changed
    current { status since checkedAt responseTimeMs statusCode message }
} }";

const INCIDENTS: &str = "query ($id: UUID!) { service(id: $id) {
    incidents { totalCount edges { node {
        id type state startedAt resolvedAt checksFailed cause events { at kind message }
    } } }
} }";

/// PulseCheck in one process on SQLite, with nothing else.
pub struct Single {
    pub process: Process,
    _data: tempfile::TempDir,
}

/// PulseCheck as an API and two workers on PostgreSQL and Redis.
struct Fleet {
    api: Process,
    workers: Vec<Process>,
    redis: RedisServer,
    postgres: PostgresServer,
    database: String,
}

const COMMON: [(&str, &str); 4] = [
    ("PULSECHECK_LISTEN", "127.0.0.1:0"),
    ("PULSECHECK_MIN_INTERVAL_SECONDS", "1"),
    ("PULSECHECK_ALLOW_PRIVATE_TARGETS", "true"),
    ("PULSECHECK_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
];

impl Single {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let own = [("PULSECHECK_DATA_DIR", data.path().to_str().unwrap())];
        let process = Process::start(&[], &[&COMMON[..], &own, settings].concat());
        Self {
            process,
            _data: data,
        }
    }
}

impl Fleet {
    async fn start() -> Self {
        let (postgres, redis) = (PostgresServer::start().await, RedisServer::start().await);
        let (database, redis_url) = (postgres.create_database().await, redis.url());
        let storage = [
            ("DATABASE_URL", database.as_str()),
            ("REDIS_URL", redis_url.as_str()),
        ];
        let variables = [&COMMON[..], &storage].concat();
        assert_eq!(
            Process::start(&["migrate"], &variables).finish().await,
            Some(0)
        );
        let api = Process::start(&["api"], &variables);
        let workers = vec![
            Process::start(&["worker"], &variables),
            Process::start(&["worker"], &variables),
        ];
        Self {
            api,
            workers,
            redis,
            postgres,
            database,
        }
    }
}

pub async fn sign_in(process: &mut Process) -> Client {
    let base = process.announced("Listening on ").await;
    let link = process.announced("Sign in: ").await;
    Client::sign_in(&base, &link).await
}

/// Adds a service that is checked every second and slow above 500 ms.
pub async fn add(client: &Client, name: &str, url: &str) -> String {
    let input = json!({
        "name": name, "url": url, "category": "Journey",
        "checkIntervalSeconds": 1, "timeoutMs": 1000, "degradedThresholdMs": 500,
    });
    let query = "mutation ($input: CreateServiceInput!) { createService(input: $input) { id } }";
    let created = client
        .data(
            query,
            json!({ "input": testkit::input::new_service(input) }),
        )
        .await;
    created["createService"]["id"].as_str().unwrap().to_owned()
}

/// Waits for the change from `previous` to `status` and returns what is known then. Where updates were missed, as after
/// a restart of Redis, it asks again, as the dashboard does. A worker that was killed may have held the service: it is
/// checked again when that lease of twenty seconds is over.
async fn becomes(
    client: &Client,
    events: &mut Subscription,
    id: &str,
    previous: &str,
    status: &str,
) -> Value {
    let change = async {
        loop {
            let Some(mut event) = events.next().await else {
                let query = "query ($id: UUID!) { service(id: $id) {
                    current { status since checkedAt responseTimeMs statusCode message }
                } }";
                let mut now =
                    client.data(query, json!({ "id": id })).await["service"]["current"].take();
                if now["status"] == status {
                    return now.take();
                }
                continue;
            };
            let update = &mut event["statusUpdates"];
            if update["service"]["id"] == id && update["current"]["status"] == status {
                assert_eq!(
                    (&update["previous"], &update["changed"]),
                    (&json!(previous), &json!(true))
                );
                return update["current"].take();
            }
        }
    };
    tokio::time::timeout(2 * SOON, change)
        .await
        .unwrap_or_else(|_| panic!("never went from {previous} to {status}"))
}

async fn incidents(client: &Client, id: &str) -> Vec<Value> {
    let found = client.data(INCIDENTS, json!({ "id": id })).await;
    let edges = found["service"]["incidents"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

fn time(value: &Value) -> DateTime<Utc> {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is a time"))
        .parse()
        .unwrap()
}

fn kinds(incident: &Value) -> Vec<&str> {
    incident["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect()
}

/// Up, degraded, down and up again. `trouble` is called in the middle of each stretch.
async fn journey(client: &Client, target: &Arc<Target>, mut trouble: impl AsyncFnMut(&str)) {
    let mut events = client.subscribe(EVENTS).await;
    let began = Utc::now() - Duration::from_millis(1);
    let id = add(client, "Shop", &target.url()).await;

    let up = becomes(client, &mut events, &id, "UNKNOWN", "UP").await;
    assert_eq!(up["statusCode"], 200);
    assert!(up["responseTimeMs"].as_i64().unwrap() < 500);
    assert!(time(&up["since"]) >= began);
    assert_eq!(incidents(client, &id).await, Vec::<Value>::new());
    trouble("up").await;

    let turned = Utc::now();
    target.behave(Behaviour::slow(600)).await;
    let degraded = becomes(client, &mut events, &id, "UP", "DEGRADED").await;
    let message = degraded["message"].as_str().unwrap();
    assert!(message.ends_with("slower than 500 ms"), "{message}");
    assert!(time(&degraded["since"]) >= turned - Duration::from_secs(1));
    let open = incidents(client, &id).await;
    assert_eq!(
        (open.len(), &open[0]["type"], &open[0]["state"]),
        (1, &json!("DEGRADED"), &json!("OPEN"))
    );
    assert_eq!(time(&open[0]["startedAt"]), time(&degraded["since"]));
    trouble("degraded").await;

    target.behave(Behaviour::code(503)).await;
    let down = becomes(client, &mut events, &id, "DEGRADED", "DOWN").await;
    assert_eq!(down["message"], "answered 503, expected 200-299");
    let escalated = incidents(client, &id).await;
    assert_eq!(
        (escalated.len(), &escalated[0]["id"]),
        (1, &open[0]["id"]),
        "the same incident"
    );
    assert_eq!(
        (&escalated[0]["type"], &escalated[0]["state"]),
        (&json!("DOWNTIME"), &json!("OPEN"))
    );
    assert_eq!(escalated[0]["startedAt"], open[0]["startedAt"]);
    assert_eq!(escalated[0]["cause"], "answered 503, expected 200-299");
    assert!(
        escalated[0]["checksFailed"].as_i64().unwrap() >= 4,
        "two each confirmed it"
    );
    trouble("down").await;

    target.behave(Behaviour::code(200)).await;
    let recovered = becomes(client, &mut events, &id, "DOWN", "UP").await;
    let resolved = incidents(client, &id).await;
    assert_eq!(
        (resolved.len(), &resolved[0]["id"], &resolved[0]["state"]),
        (1, &open[0]["id"], &json!("RESOLVED"))
    );
    assert_eq!(time(&resolved[0]["resolvedAt"]), time(&recovered["since"]));
    assert_eq!(kinds(&resolved[0]), ["opened", "escalated", "resolved"]);
    assert_eq!(
        slots_in_order(client, &id).await,
        0,
        "no slot is recorded twice"
    );
}

/// How many of the newest checks do not stand strictly before their predecessor.
async fn slots_in_order(client: &Client, id: &str) -> usize {
    let query = "query ($id: UUID!) { service(id: $id) { checks(first: 500) { edges { node { slot } } } } }";
    let checks = client.data(query, json!({ "id": id })).await;
    let slots: Vec<_> = checks["service"]["checks"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| time(&edge["node"]["slot"]))
        .collect();
    assert!(slots.len() >= 6, "{slots:?}");
    slots.windows(2).filter(|pair| pair[0] <= pair[1]).count()
}

#[tokio::test]
async fn one_program_sees_a_service_go_up_degraded_down_and_up_again() {
    let mut single = Single::start();
    let client = sign_in(&mut single.process).await;
    let target = Target::start().await;
    journey(&client, &target, async |_| {}).await;
    assert_eq!(single.process.terminate().await, Some(0));
}

#[tokio::test]
async fn a_fleet_sees_the_same_while_a_worker_is_killed_and_redis_and_postgres_restart() {
    let mut fleet = Fleet::start().await;
    let client = sign_in(&mut fleet.api).await;
    let target = Target::start().await;
    let Fleet {
        workers,
        redis,
        postgres,
        database,
        ..
    } = &mut fleet;
    journey(&client, &target, async |stretch| match stretch {
        "up" => workers[0].kill().await,
        "degraded" => {
            redis.restart().await;
            // What the program knew of it is gone with it; the next check must come all the same.
            target.has_read(target.requests() + 2).await;
        }
        _ => {
            postgres.restart().await;
            target.has_read(target.requests() + 2).await;
        }
    })
    .await;
    let duplicates = "SELECT count(*) FROM (SELECT FROM checks GROUP BY service_seq, slot HAVING count(*) > 1) twice";
    let name = database.rsplit('/').next().unwrap();
    assert_eq!(postgres.execute(name, duplicates).await.trim(), "0");
    let Fleet {
        api, mut workers, ..
    } = fleet;
    assert_eq!(workers.pop().unwrap().terminate().await, Some(0));
    assert_eq!(api.terminate().await, Some(0));
}

#[tokio::test]
async fn a_flushed_or_absent_redis_opens_closes_and_loses_no_incident() {
    let mut fleet = Fleet::start().await;
    let client = sign_in(&mut fleet.api).await;
    let (well, ill) = (Target::start().await, Target::start().await);
    ill.behave(Behaviour::code(500)).await;
    let mut events = client.subscribe(EVENTS).await;
    let (well_id, ill_id) = (
        add(&client, "Well", &well.url()).await,
        add(&client, "Ill", &ill.url()).await,
    );
    becomes(&client, &mut events, &ill_id, "UNKNOWN", "DOWN").await;
    let open = incidents(&client, &ill_id).await;
    assert_eq!(open.len(), 1);

    fleet.redis.flush().await;
    well.has_read(well.requests() + 2).await;
    ill.has_read(ill.requests() + 2).await;

    fleet.redis.stop().await;
    let current = client
        .data("{ services { id current { status } } }", json!({}))
        .await;
    assert_eq!(
        current["services"].as_array().unwrap().len(),
        2,
        "pages are served without Redis"
    );
    fleet.redis.start_again().await;
    well.has_read(well.requests() + 2).await;
    ill.has_read(ill.requests() + 2).await;

    assert_eq!(incidents(&client, &well_id).await, Vec::<Value>::new());
    let still = incidents(&client, &ill_id).await;
    assert_eq!(
        (still.len(), &still[0]["id"], &still[0]["state"]),
        (1, &open[0]["id"], &json!("OPEN"))
    );
}

#[tokio::test]
async fn changes_take_effect_within_a_second() {
    let mut single = Single::start();
    let client = sign_in(&mut single.process).await;
    let (first, second) = (Target::start().await, Target::start().await);
    let mut events = client.subscribe(EVENTS).await;
    let id = add(&client, "Moving", &first.url()).await;
    becomes(&client, &mut events, &id, "UNKNOWN", "UP").await;

    let update = "mutation ($id: UUID!, $input: UpdateServiceInput!) { updateService(id: $id, input: $input) { target } }";
    client
        .data(
            update,
            json!({ "id": id, "input": testkit::input::service_change(json!({ "url": second.url() })) }),
        )
        .await;
    tokio::time::timeout(Duration::from_secs(1), second.has_read(1))
        .await
        .expect("the new address is checked at once");

    client
        .data(
            "mutation ($id: UUID!) { pauseService(id: $id) { paused } }",
            json!({ "id": id }),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let paused = second.requests();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(
        second.requests(),
        paused,
        "a paused service is left alone for more than two intervals"
    );

    client
        .data(
            "mutation ($id: UUID!) { resumeService(id: $id) { paused } }",
            json!({ "id": id }),
        )
        .await;
    tokio::time::timeout(Duration::from_secs(1), second.has_read(paused + 1))
        .await
        .expect("checked at once again");

    client
        .data(
            "mutation ($id: UUID!) { deleteService(id: $id) }",
            json!({ "id": id }),
        )
        .await;
    let gone = client
        .data(
            "query ($id: UUID!) { service(id: $id) { id } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(gone["service"], Value::Null);
}
