//! The WebSocket connection: connects, keeps alive, reconnects.

use super::protocol::{self, Message};
use crate::{
    api::{self, IncidentUpdates, ServiceChanges, StatusUpdates, json::JsonValue},
    backoff,
    browser::{self, Socket, SocketEvent},
    store::{self, Connection, Session, Store},
};
use dioxus::{core::spawn_forever, prelude::*};
use futures_util::future::{Either, select};
use std::pin::pin;

const PATH: &str = "/api/graphql/ws";
/// After this time without a message the client sends a ping, and waits as long again for an
/// answer.
const KEEP_ALIVE_MS: u32 = 10_000;
/// How often the server is asked while the browser says that there is no network.
const OFFLINE_POLL_MS: u32 = 5000;
/// A connection that lasted this long resets the backoff.
const STABLE_MS: i64 = 10_000;

const STATUS_UPDATES_ID: &str = "1";
const INCIDENT_UPDATES_ID: &str = "2";
const SERVICE_CHANGES_ID: &str = "3";

/// Why a connection ended.
#[derive(PartialEq)]
enum Disconnect {
    /// It was never established.
    Refused,
    /// The server or the network went away.
    Lost,
    /// Updates were missed; a new connection refetches everything.
    MissedUpdates,
}

pub(super) async fn run(mut store: Store) {
    let mut attempt = 0;
    let mut stale = false;
    while !matches!(*store.session.state.peek(), Session::SignedOut) {
        let started_at = browser::now();
        match connect(store, stale).await {
            // Without a session one can connect, but every subscription is rejected.
            Disconnect::MissedUpdates | Disconnect::Refused if !may_have_session().await => {
                return store.session.end();
            }
            // Back off, in case the server rejects the subscriptions again and again.
            Disconnect::MissedUpdates => {
                stale = true;
                attempt = if browser::now().since(started_at) > STABLE_MS {
                    0
                } else {
                    attempt + 1
                };
                sleep_or_online(backoff::delay_ms(attempt, browser::random())).await;
                continue;
            }
            Disconnect::Lost => attempt = 0,
            Disconnect::Refused => {}
        }
        stale = true;
        if !matches!(*store.connection.state.peek(), Connection::Lost(_)) {
            store.connection.state.set(Connection::Lost(browser::now()));
        }
        sleep_or_online(backoff::delay_ms(attempt, browser::random())).await;
        attempt += 1;
        wait_for_network().await;
    }
}

/// While the browser says that there is no network, waits until the server responds all the same: it
/// may run on this machine.
async fn wait_for_network() {
    while !browser::is_online() && !is_reachable().await {
        sleep_or_online(OFFLINE_POLL_MS).await;
    }
}

/// Returns whether the server itself responds, and not the service worker in its place.
async fn is_reachable() -> bool {
    api::fetch_me().await.is_ok() && api::cached_since().is_none()
}

/// Returns false only if the server says that there is no session.
async fn may_have_session() -> bool {
    !matches!(api::fetch_me().await, Ok(None))
}

/// Sleeps, but no longer than until the network is back.
async fn sleep_or_online(millis: u32) {
    let (sender, receiver) = futures_channel::oneshot::channel();
    let mut sender = Some(sender);
    let _listener = browser::listen("online", move || {
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
    });
    let _ = select(pin!(browser::sleep(millis)), receiver).await;
}

/// Returns the next event; `None` if there is none within [`KEEP_ALIVE_MS`].
async fn next_event(socket: &mut Socket) -> Option<SocketEvent> {
    match select(pin!(socket.next()), pin!(browser::sleep(KEEP_ALIVE_MS))).await {
        Either::Left((event, _)) => Some(event),
        Either::Right(_) => None,
    }
}

/// Opens a connection and waits until the server accepts it.
async fn open() -> Option<Socket> {
    let url = browser::origin().replacen("http", "ws", 1) + PATH;
    let mut socket = Socket::open(&url, protocol::SUBPROTOCOL)?;
    loop {
        match next_event(&mut socket).await? {
            SocketEvent::Opened => socket.send(protocol::INIT),
            SocketEvent::Text(text) => match protocol::parse_message(&text)? {
                Message::Ack => return Some(socket),
                Message::Ping => socket.send(protocol::PONG),
                _ => {}
            },
            SocketEvent::Closed => return None,
        }
    }
}

/// Connects, subscribes and applies updates until the connection ends.
async fn connect(store: Store, stale: bool) -> Disconnect {
    let Some(mut socket) = open().await else {
        return Disconnect::Refused;
    };
    socket.send(&protocol::subscribe::<StatusUpdates>(STATUS_UPDATES_ID));
    socket.send(&protocol::subscribe::<IncidentUpdates>(INCIDENT_UPDATES_ID));
    socket.send(&protocol::subscribe::<ServiceChanges>(SERVICE_CHANGES_ID));

    // The server activates a subscription before it reads the next message, so that the answer to
    // this ping tells that nothing is missed from now on.
    socket.send(protocol::PING);

    let mut is_live = false;
    let mut awaiting_pong = true;
    loop {
        match next_event(&mut socket).await {
            None if awaiting_pong => return Disconnect::Lost,
            None => {
                awaiting_pong = true;
                socket.send(protocol::PING);
            }
            Some(SocketEvent::Opened) => {}
            Some(SocketEvent::Closed) => return Disconnect::Lost,
            Some(SocketEvent::Text(text)) => {
                awaiting_pong = false;
                match protocol::parse_message(&text) {
                    Some(Message::Next { id, payload })
                        if apply(store, &id, &payload).is_some() => {}
                    Some(Message::Next { .. } | Message::SubscriptionEnded) | None => {
                        return Disconnect::MissedUpdates;
                    }
                    Some(Message::Ping) => socket.send(protocol::PONG),
                    Some(Message::Pong) if !is_live => {
                        is_live = true;
                        on_live(store, stale);
                    }
                    Some(Message::Ack | Message::Pong) => {}
                }
            }
        }
    }
}

/// Writes an update to the store; `None` when the payload reports errors, which means that updates
/// were missed.
fn apply(store: Store, id: &str, payload: &JsonValue<'_>) -> Option<()> {
    match id {
        STATUS_UPDATES_ID => {
            let result: StatusUpdates = protocol::read_result(payload)?;
            store.apply_status(result.status_updates);
        }
        INCIDENT_UPDATES_ID => {
            let result: IncidentUpdates = protocol::read_result(payload)?;
            store.apply_incident(&result.incident_updates);
        }
        SERVICE_CHANGES_ID => {
            let result: ServiceChanges = protocol::read_result(payload)?;
            store.apply_change(result.service_changes);
        }
        _ => {}
    }
    Some(())
}

/// The subscriptions are active: refetches what may have been missed before.
fn on_live(mut store: Store, stale: bool) {
    store.connection.state.set(Connection::Live);
    // A response in flight may be from before the subscriptions were active.
    api::clear_in_flight();
    if stale {
        store.connection.refetch_generation += 1;
    }
    // The first load waits for this moment, unless it took too long.
    if stale || *store.services.load_began.read() {
        spawn_forever(store::load_services(store));
    }
}
