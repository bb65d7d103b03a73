//! GraphQL over WebSocket.

use super::app::{App, Browser, code};
use chrono::{SubsecRound as _, Utc};
use coordination::{CurrentStatus, Event};
use domain::Status;
use entity::{api_token, session, user};
use futures::future::ready;
use futures::{SinkExt as _, StreamExt as _};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::mpsc;
use std::time::Duration;
use testkit::builders;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(15);
const TOKEN: &str = "pck_dGhpcyBpcyBhIHRva2VuIGZvciB0ZXN0cyBvbmx5ISE";
pub(crate) const TRANSPORT: &str = "graphql-transport-ws";

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// As the dashboard does it.
pub(crate) async fn opened_by(app: &App, browser: &Browser) -> Socket {
    let headers = [
        ("cookie", browser.cookie_header("/")),
        ("origin", app.base.clone()),
    ];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut socket = Socket::open(app, TRANSPORT, &headers).await.unwrap();
    socket.init(json!({})).await;
    socket
}

impl Socket {
    /// The status of the refusal, if it comes to that.
    pub(crate) async fn open(
        app: &App,
        protocol: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = app
            .url("/api/graphql/ws")
            .replacen("http", "ws", 1)
            .into_client_request()
            .unwrap();
        for (name, value) in headers.iter().chain(
            [("sec-websocket-protocol", protocol)]
                .iter()
                .filter(|_| !protocol.is_empty()),
        ) {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, answer)) => {
                assert_eq!(
                    answer.headers()["sec-websocket-protocol"],
                    protocol.split(',').next().unwrap()
                );
                Ok(Self(socket))
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn first(&mut self, payload: Value) {
        self.send(json!({ "type": "connection_init", "payload": payload }))
            .await;
    }

    pub(crate) async fn init(&mut self, payload: Value) {
        self.first(payload).await;
        assert_eq!(self.receive().await, json!({ "type": "connection_ack" }));
    }

    /// The next message; a close frame as its code and reason.
    pub(crate) async fn receive(&mut self) -> Value {
        loop {
            match timeout(SOON, self.0.next())
                .await
                .expect("a message within the deadline")
            {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return json!({ "closed": u16::from(frame.code), "reason": frame.reason.as_str() });
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// Reads, without a deadline, until the server closes; the code with which it does.
    async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                _ => return None,
            }
        }
    }

    pub(crate) async fn ask(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
            .await;
    }

    /// A round trip: whatever was sent before has been read by the server then.
    pub(crate) async fn settle(&mut self) {
        self.send(json!({ "type": "ping", "payload": { "n": 1 } }))
            .await;
        assert_eq!(
            self.receive().await,
            json!({ "type": "pong", "payload": { "n": 1 } })
        );
    }
}

/// From now on time passes only by what a test advances it, until what is returned goes away: without a task that blocks,
/// it would run ahead to the next deadline whenever a packet is still under way. An answer that never comes is waited for
/// a minute.
fn hold_time() -> mpsc::Sender<()> {
    tokio::time::pause();
    let (release, held) = mpsc::channel();
    tokio::task::spawn_blocking(move || held.recv_timeout(Duration::from_secs(60)));
    release
}

async fn a_token(app: &App) -> Uuid {
    let user = builders::a_user(&app.db).await;
    let row = api_token::ActiveModel {
        id: Set(Uuid::now_v7()),
        workspace_id: Set(user.id),
        user_id: Set(user.id),
        name: Set("script".into()),
        token_hash: Set(Sha256::digest(TOKEN).to_vec()),
        read_only: Set(false),
        created_at: Set(Utc::now().trunc_subsecs(3)),
        last_used_at: Set(None),
        expires_at: Set(None),
    };
    row.insert(&app.db).await.unwrap().id
}

#[tokio::test]
async fn a_signed_in_browser_gets_responses_to_its_operations() {
    let app = App::start().await;
    let mut socket = opened_by(&app, &app.signed_in().await).await;
    socket.ask("1", "{ me { name } }").await;
    assert_eq!(
        socket.receive().await,
        json!({ "type": "next", "id": "1", "payload": { "data": { "me": { "name": "Owner" } } } })
    );
    assert_eq!(
        socket.receive().await,
        json!({ "type": "complete", "id": "1" })
    );
    socket.settle().await;
}

#[tokio::test]
async fn what_happens_to_a_service_reaches_its_owner_and_nobody_else() {
    let app = App::start().await;
    let (browser, stranger) = (app.signed_in().await, builders::a_user(&app.db).await);
    let owner = user::Entity::find()
        .filter(user::Column::Id.ne(stranger.id))
        .one(&app.db)
        .await
        .unwrap()
        .unwrap();
    let (own, foreign) = (
        builders::a_service(&app.db, &owner).create().await,
        builders::a_service(&app.db, &stranger).create().await,
    );
    let mut socket = opened_by(&app, &browser).await;
    socket
        .ask(
            "1",
            "subscription { statusUpdates { service { id } previous changed current { status } } }",
        )
        .await;
    socket.settle().await;

    let now = Utc::now().trunc_subsecs(3);
    let flipped = |workspace_id, service_id| {
        let current = CurrentStatus {
            status: Status::Down,
            since: now,
            checked_at: now,
            response_time_ms: None,
            status_code: None,
            message: None,
        };
        Event::StatusChecked {
            workspace_id,
            service_id,
            slot: now,
            previous: Some(Status::Up),
            current,
            changed: true,
        }
    };
    app.live
        .publish(&[flipped(stranger.id, foreign.id), flipped(owner.id, own.id)])
        .await
        .unwrap();
    let update = json!({ "service": { "id": own.id }, "previous": "UP", "changed": true, "current": { "status": "DOWN" } });
    let received = socket.receive().await;
    assert_eq!(
        received,
        json!({ "type": "next", "id": "1", "payload": { "data": { "statusUpdates": update } } })
    );
}

#[tokio::test]
async fn only_graphql_transport_ws_is_spoken() {
    let app = App::start().await;
    let offered = "graphql-transport-ws, graphql-ws";
    assert!(Socket::open(&app, offered, &[]).await.is_ok());
    for refused in ["graphql-ws", "mqtt", ""] {
        let status = Socket::open(&app, refused, &[]).await.err();
        assert_eq!(status, Some(400), "{refused}");
    }
    assert_eq!(app.browser().get("/api/graphql/ws").await.status(), 400);
}

#[tokio::test]
async fn another_sites_page_cannot_connect_with_the_cookies() {
    let app = App::start().await;
    let cookies = app.signed_in().await.cookie_header("/");
    for origin in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[],
    ] {
        let headers: Vec<_> = origin
            .iter()
            .copied()
            .chain([("cookie", cookies.as_str())])
            .collect();
        assert_eq!(
            Socket::open(&app, TRANSPORT, &headers).await.err(),
            Some(403),
            "{origin:?}"
        );
    }
    // Without cookies there is nothing to abuse.
    assert!(
        Socket::open(&app, TRANSPORT, &[("origin", "https://tools.example")])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn strangers_may_connect_and_each_operation_tells_them_what_they_are() {
    let app = App::start().await;
    for payload in [
        Value::Null,
        json!({}),
        json!({ "Authorization": "Bearer pck_unknown" }),
        json!({ "authorization": 1 }),
        json!([]),
    ] {
        let mut socket = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
        socket.init(payload.clone()).await;
        for query in [
            "subscription { statusUpdates { changed } }",
            "{ services { id } }",
        ] {
            socket.ask("1", query).await;
            let answer = socket.receive().await;
            assert_eq!(
                (&answer["type"], &answer["id"]),
                (&json!("error"), &json!("1")),
                "{payload} {query}"
            );
            assert_eq!(
                code(&json!({ "errors": answer["payload"] })),
                "UNAUTHENTICATED",
                "{payload} {query}"
            );
        }
        socket.ask("1", "{ me { id } }").await;
        assert_eq!(
            socket.receive().await["payload"],
            json!({ "data": { "me": null } })
        );
    }
}

#[tokio::test]
async fn a_stranger_may_stay_for_a_minute_and_a_user_for_longer() {
    let app = App::start().await;
    a_token(&app).await;
    let mut user = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
    user.init(json!({ "authorization": format!("Bearer {TOKEN}") }))
        .await;
    let mut stranger = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
    stranger.init(Value::Null).await;
    let _held = hold_time();
    for _ in 0..11 {
        tokio::time::advance(Duration::from_secs(5)).await;
        user.settle().await;
        stranger.settle().await;
    }
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(stranger.closed().await, Some(4401));
    user.settle().await;
}

#[tokio::test]
async fn a_token_in_the_first_message_counts_more_than_cookies() {
    let app = App::start().await;
    a_token(&app).await;
    let cookies = app.signed_in().await.cookie_header("/");
    for (token, data) in [
        (TOKEN, json!({ "me": { "name": "Ada" } })),
        ("pck_unknown", json!({ "me": null })),
    ] {
        let mut socket = Socket::open(
            &app,
            TRANSPORT,
            &[("cookie", &cookies), ("origin", &app.base)],
        )
        .await
        .unwrap();
        socket
            .init(json!({ "authorization": format!("Bearer {token}") }))
            .await;
        socket.ask("1", "{ me { name } }").await;
        assert_eq!(socket.receive().await["payload"]["data"], data);
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_its_code() {
    let app = App::start().await;
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": "subscription { statusUpdates { changed } }" } });
    let browser = app.signed_in().await;
    for (what, code, messages) in [
        ("not JSON", 4400, vec![Message::text("{")]),
        ("not text", 4400, vec![Message::binary(vec![1, 2, 3])]),
        (
            "an unknown type",
            4400,
            vec![Message::text("{\"type\":\"start\",\"id\":\"1\"}")],
        ),
        (
            "no id",
            4400,
            vec![Message::text(
                "{\"type\":\"subscribe\",\"payload\":{\"query\":\"\"}}",
            )],
        ),
        (
            "two of one id",
            4409,
            vec![
                Message::text(subscribe.to_string()),
                Message::text(subscribe.to_string()),
            ],
        ),
        (
            "a second beginning",
            4429,
            vec![Message::text("{\"type\":\"connection_init\"}")],
        ),
    ] {
        let mut socket = opened_by(&app, &browser).await;
        for message in messages {
            socket.0.send(message).await.unwrap();
        }
        assert_eq!(socket.receive().await["closed"], code, "{what}");
    }
    let mut early = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
    early.send(subscribe).await;
    assert_eq!(early.receive().await["closed"], 4401);
}

#[tokio::test]
async fn a_close_frame_of_the_client_is_answered_with_its_code() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    for code in [1000, 1001, 4499] {
        let mut socket = opened_by(&app, &browser).await;
        socket
            .ask("1", "subscription { statusUpdates { changed } }")
            .await;
        let frame = CloseFrame {
            code: code.into(),
            reason: "Enough".into(),
        };
        socket.0.close(Some(frame)).await.unwrap();
        assert_eq!(
            socket.receive().await,
            json!({ "closed": code, "reason": "Enough" })
        );
        let end = timeout(SOON, socket.0.next()).await;
        assert!(
            end.expect("the server closes the connection").is_none(),
            "{code}: nothing follows the close frame"
        );
    }
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_answered_without_one() {
    let app = App::start().await;
    let mut socket = opened_by(&app, &app.signed_in().await).await;
    socket.0.close(None).await.unwrap();
    let mut frames = socket
        .0
        .filter(|frame| ready(!matches!(frame, Ok(Message::Ping(_)))));
    let reply = timeout(SOON, frames.next()).await;
    let reply = reply.expect("a reply within the deadline");
    assert!(matches!(reply, Some(Ok(Message::Close(None)))), "{reply:?}");
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let app = App::start().await;
    let mut socket = opened_by(&app, &app.signed_in().await).await;
    // Sending may fail half-way, because the server hangs up.
    let _ = socket.0.send(Message::text("x".repeat(1 << 20))).await;
    let ended = async { while let Some(Ok(_)) = socket.0.next().await {} };
    timeout(SOON, ended).await.expect("the connection ends");
}

#[tokio::test]
async fn an_operation_that_is_wrong_is_refused_and_the_connection_goes_on() {
    let app = App::start().await;
    let mut socket = opened_by(&app, &app.signed_in().await).await;
    for payload in [
        json!({ "query": "{ nothing }" }),
        json!({ "query": "{" }),
        json!({}),
        json!({ "query": "{ me { id } }", "variables": 1 }),
    ] {
        socket
            .send(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await;
        let answer = socket.receive().await;
        assert_eq!(
            (&answer["type"], &answer["id"]),
            (&json!("error"), &json!("1")),
            "{payload}"
        );
        assert_eq!(
            code(&json!({ "errors": answer["payload"] })),
            "BAD_INPUT",
            "{payload}"
        );
    }
    for n in 0..100 {
        socket
            .ask(&n.to_string(), "subscription { statusUpdates { changed } }")
            .await;
    }
    socket
        .ask("100", "subscription { statusUpdates { changed } }")
        .await;
    assert_eq!(
        socket.receive().await["id"],
        "100",
        "one more than may run at once"
    );
    socket.send(json!({ "type": "complete", "id": "0" })).await;
    socket.ask("100", "{ me { name } }").await;
    assert_eq!(socket.receive().await["type"], "next");
}

#[tokio::test]
async fn signing_out_closes_the_sessions_connections_and_no_others() {
    let app = App::start().await;
    let (browser, other) = (app.signed_in().await, app.signed_in().await);
    let mut sockets = [
        opened_by(&app, &browser).await,
        opened_by(&app, &browser).await,
    ];
    let mut unconcerned = opened_by(&app, &other).await;
    for socket in &mut sockets {
        socket
            .ask("1", "subscription { statusUpdates { changed } }")
            .await;
    }
    browser.post("/api/auth/logout").await;
    for socket in &mut sockets {
        assert_eq!(
            socket.receive().await,
            json!({ "closed": 4401, "reason": "The session has ended" })
        );
    }
    unconcerned.settle().await;
}

#[tokio::test]
async fn a_session_or_token_that_ended_elsewhere_is_noticed_within_seconds() {
    let app = App::start().await;
    let mut by_session = opened_by(&app, &app.signed_in().await).await;
    let id = a_token(&app).await;
    let mut by_token = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
    by_token
        .init(json!({ "Authorization": format!("Bearer {TOKEN}") }))
        .await;
    session::Entity::delete_many().exec(&app.db).await.unwrap();
    api_token::Entity::delete_by_id(id)
        .exec(&app.db)
        .await
        .unwrap();
    for socket in [&mut by_session, &mut by_token] {
        assert_eq!(socket.receive().await["closed"], 4401);
    }
}

#[tokio::test]
async fn refreshing_leaves_the_connection_alone() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let mut socket = opened_by(&app, &browser).await;
    assert_eq!(browser.post("/api/auth/refresh").await.status(), 200);
    socket.settle().await;
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye_and_ends_within_ten_seconds() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let mut polite = opened_by(&app, &browser).await;
    // Never reads, so never answers the goodbye.
    let rude = opened_by(&app, &browser).await;
    polite
        .ask("1", "subscription { statusUpdates { changed } }")
        .await;
    polite.settle().await;
    app.stop.cancel();
    assert_eq!(
        polite.receive().await,
        json!({ "closed": 1001, "reason": "The server is going away" })
    );
    timeout(Duration::from_secs(10), app.served)
        .await
        .expect("it ends in time")
        .unwrap()
        .unwrap();
    drop(rude);
}
