//! A signed-in user, as far as the wire shows: cookies, GraphQL over HTTP, subscriptions over WebSocket.

use crate::process::SOON;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::header::{COOKIE, ORIGIN};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub struct Client {
    http: reqwest::Client,
    cookies: Arc<reqwest::cookie::Jar>,
    base: String,
}

pub struct Subscription {
    query: String,
    /// How often it has begun; the number is the id of the operation.
    begun: usize,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// An HTTP client that goes nowhere by itself.
pub fn http() -> reqwest::ClientBuilder {
    // Another test of this process may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

impl Client {
    /// Opens the printed sign-in link, as a browser does.
    pub async fn sign_in(base: &str, link: &str) -> Self {
        let cookies = Arc::new(reqwest::cookie::Jar::default());
        let http = http()
            .cookie_provider(Arc::clone(&cookies))
            .build()
            .unwrap();
        let answer = http.get(link).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (303, &"/".parse().unwrap())
        );
        Self {
            http,
            cookies,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// The whole answer, errors included.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let request = self
            .http
            .post(format!("{}/api/graphql", self.base))
            .header(ORIGIN, &self.base);
        let answer = request
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    /// The data of an answer without errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql(query, variables).await;
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    pub async fn subscribe(&self, query: &str) -> Subscription {
        use reqwest::cookie::CookieStore as _;
        let url = format!("{}/api/graphql/ws", self.base);
        let cookies = self.cookies.cookies(&url.parse().unwrap()).unwrap();
        let mut request = url.replacen("http", "ws", 1).into_client_request().unwrap();
        request
            .headers_mut()
            .insert(COOKIE, cookies.to_str().unwrap().parse().unwrap());
        request
            .headers_mut()
            .insert(ORIGIN, self.base.parse().unwrap());
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut subscription = Subscription {
            query: query.into(),
            begun: 0,
            socket,
        };
        subscription
            .send(&json!({ "type": "connection_init" }))
            .await;
        assert_eq!(subscription.receive().await["type"], "connection_ack");
        subscription.begin().await;
        subscription
    }
}

impl Subscription {
    async fn send(&mut self, message: &Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn receive(&mut self) -> Value {
        loop {
            match timeout(SOON, self.socket.next())
                .await
                .expect("a message within the deadline")
                .unwrap()
                .unwrap()
            {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    async fn begin(&mut self) {
        let payload = json!({ "query": self.query });
        self.begun += 1;
        self.send(
            &json!({ "id": self.begun.to_string(), "type": "subscribe", "payload": payload }),
        )
        .await;
        // The protocol has no word for "subscribed"; an answer to what was sent later is as good.
        self.send(&json!({ "type": "ping" })).await;
        while self.receive().await["type"] != "pong" {}
    }

    /// The next event's data; `None` when updates were missed, and the caller has to fetch anew: the subscription then
    /// goes on from here.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let mut message = self.receive().await;
            match message["type"].as_str().unwrap() {
                "ping" => self.send(&json!({ "type": "pong" })).await,
                "complete" => {}
                "next" if message["payload"].get("errors").is_none() => {
                    return Some(message["payload"]["data"].take());
                }
                "next" if message["payload"]["errors"][0]["extensions"]["code"] == "UPSTREAM" => {
                    self.begin().await;
                    return None;
                }
                _ => panic!("expected an event, got {message}"),
            }
        }
    }
}
