//! Measures how long an event takes to reach many subscribers of one process, and their cost.

use crate::figures::{Sorted, ms};
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use chrono::{SubsecRound as _, Utc};
use coordination::{Coordination, CurrentStatus, Event};
use domain::Status;
use futures::{SinkExt as _, StreamExt as _};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};
use testkit::builders;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const SUBSCRIBERS: usize = 5_000;
const CHANGES: usize = 20;
const TOKEN: &str = "pck_fanout";
/// The dashboard's subscription.
const UPDATES: &str = "subscription {
  statusUpdates {
    service { id } previous changed
    current { status since checkedAt responseTimeMs statusCode message }
  }
}";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn measure() -> Vec<Row> {
    let storage = Storage::new(Layout::Postgres).await;
    let (user, service) = fill(&storage).await;
    let live = Coordination::connect(&storage.redis.as_ref().unwrap().url())
        .await
        .unwrap();
    let mut program = Program::start(
        &storage,
        Some("api"),
        &[("PULSECHECK_REQUESTS_PER_MINUTE", "1000000")],
    );
    let address = program.address().await.replace("http://", "ws://") + "/api/graphql/ws";

    let before = program.megabytes();
    let (notify, mut arrivals) = mpsc::unbounded_channel();
    for _ in 0..SUBSCRIBERS {
        let mut socket = subscribe(&address).await;
        let notify = notify.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(text) = message {
                    assert!(
                        text.contains("\"next\"") || text.contains("\"ping\""),
                        "{text}"
                    );
                    if text.contains("\"next\"") {
                        notify.send(Instant::now()).unwrap();
                    }
                }
            }
        });
    }
    // Who is asked in turn has subscribed before.
    let kilobytes = (program.megabytes() - before) * 1e3 / SUBSCRIBERS as f64;
    let cpu = program.cpu_seconds();
    let mut last = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let begin = Instant::now();
        live.publish(&[change(user, service, number)])
            .await
            .unwrap();
        let mut latest = begin;
        for _ in 0..SUBSCRIBERS {
            let arrival = tokio::time::timeout(Duration::from_secs(30), arrivals.recv()).await;
            latest = latest.max(arrival.expect("every subscriber is notified").unwrap());
        }
        last.push(latest - begin);
    }
    let each = (program.cpu_seconds() - cpu) * 1e6 / (CHANGES * SUBSCRIBERS) as f64;
    program.still_runs();
    let [p50, _, max] = Sorted::of(last).p50_p99_max().map(ms);
    let row = Row {
        measure: "status change to the last of 5,000 subscribers".into(),
        layout: storage.layout.name(),
        result: format!(
            "p50 {p50:.0} ms, max {max:.0} ms; {kilobytes:.0} kB a subscriber, {each:.0} µs of CPU an update"
        ),
        aim: "last one < 500 ms",
        figures: json!({
            "subscribers": SUBSCRIBERS, "changes": CHANGES, "last_p50_ms": p50, "last_max_ms": max,
            "kilobytes_a_subscriber": kilobytes, "cpu_microseconds_an_update": each,
        }),
    };
    vec![row.say()]
}

/// Inserts a user with a token and one service that is not checked.
async fn fill(storage: &Storage) -> (Uuid, Uuid) {
    let user = builders::a_user(&storage.db).await;
    let token = entity::api_token::Model {
        id: Uuid::now_v7(),
        workspace_id: user.id,
        user_id: user.id,
        name: "fanout".into(),
        token_hash: Sha256::digest(TOKEN).to_vec(),
        read_only: true,
        created_at: Utc::now().trunc_subsecs(3),
        last_used_at: Some(Utc::now().trunc_subsecs(3) + chrono::Duration::hours(1)),
        expires_at: None,
    };
    token.into_active_model().insert(&storage.db).await.unwrap();
    (
        user.id,
        builders::a_service(&storage.db, &user)
            .paused()
            .create()
            .await
            .id,
    )
}

/// Opens a connection that is subscribed to updates.
async fn subscribe(address: &str) -> Socket {
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    let (mut socket, _) = connect_async(request).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {TOKEN}") } });
    send(&mut socket, &init).await;
    let answer = text(&mut socket).await;
    assert!(answer.contains("connection_ack"), "{answer}");
    send(
        &mut socket,
        &json!({ "type": "subscribe", "id": "1", "payload": { "query": UPDATES } }),
    )
    .await;
    // A connection handles its messages in order: once this is answered, the subscription is active.
    send(
        &mut socket,
        &json!({ "type": "subscribe", "id": "2", "payload": { "query": "{ __typename }" } }),
    )
    .await;
    loop {
        let answer: Value = serde_json::from_str(&text(&mut socket).await).unwrap();
        match (answer["type"].as_str(), answer["id"].as_str()) {
            (Some("complete"), Some("2")) => return socket,
            (Some("next"), Some("2")) | (Some("ping"), _) => {}
            _ => panic!("{answer}"),
        }
    }
}

/// Returns the next text message. Skips pings.
async fn text(socket: &mut Socket) -> String {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return text.as_str().to_owned();
        }
    }
}

async fn send(socket: &mut Socket, message: &Value) {
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

fn change(workspace_id: Uuid, service_id: Uuid, number: usize) -> Event {
    let now = Utc::now().trunc_subsecs(3);
    let (previous, status) = if number.is_multiple_of(2) {
        (Status::Up, Status::Down)
    } else {
        (Status::Down, Status::Up)
    };
    let message = (status == Status::Down).then(|| "connection refused".to_owned());
    let current = CurrentStatus {
        status,
        since: now,
        checked_at: now,
        response_time_ms: Some(12),
        status_code: (status == Status::Up).then_some(200),
        message,
    };
    Event::StatusChecked {
        workspace_id,
        service_id,
        slot: now,
        previous: Some(previous),
        current,
        changed: true,
    }
}
