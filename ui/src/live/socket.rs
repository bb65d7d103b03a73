//! The connection itself: made, watched, and made again.

use super::protocol::{self, Message};
use crate::{
    api::{self, IncidentUpdates, ServiceChanges, StatusUpdates},
    backoff,
    browser::{self, Arrival, Socket},
    store::{self, Connection, Session, Store},
};
use dioxus::{core::spawn_forever, prelude::*};
use futures_util::future::{Either, select};
use std::pin::pin;

const PATH: &str = "/api/graphql/ws";
/// After this long without a message the server is asked for a sign of life, and as long again is waited for it.
const KEEP_ALIVE_MS: i64 = 10_000;
/// The server needs a moment to take the subscriptions up; what is asked for after it cannot be missed.
const SETTLE_MS: i64 = 150;

/// A connection that held this long was a good one.
const STEADY_MS: i64 = 10_000;

const STATUSES: &str = "1";
const INCIDENTS: &str = "2";
const CHANGES: &str = "3";

/// Why a connection ended.
#[derive(PartialEq)]
enum End {
    /// It never stood.
    Refused,
    /// The server or the network went away.
    Lost,
    /// It goes on, but something is missing: a new one asks for everything again.
    Missed,
}

pub(super) async fn run(mut store: Store) {
    let mut attempt = 0;
    let mut stale = false;
    while !matches!(*store.session.peek(), Session::SignedOut) {
        let begun = browser::now();
        match connect(store, stale).await {
            // Who has no session any more may connect, and is refused every subscription.
            End::Missed if !may_connect().await => return store.session.set(Session::SignedOut),
            // A server that refuses the subscriptions again and again must not be asked in a tight loop.
            End::Missed => {
                stale = true;
                attempt = if browser::now().since(begun) > STEADY_MS {
                    0
                } else {
                    attempt + 1
                };
                wait(backoff::lateness_ms(attempt, browser::random())).await;
                continue;
            }
            End::Lost => attempt = 0,
            End::Refused if !may_connect().await => return store.session.set(Session::SignedOut),
            End::Refused => {}
        }
        stale = true;
        if !matches!(*store.connection.peek(), Connection::Lost(_)) {
            store.connection.set(Connection::Lost(browser::now()));
        }
        wait(backoff::lateness_ms(attempt, browser::random())).await;
        attempt += 1;
    }
}

/// Whether there may be a session. A server that does not answer leaves the question open.
async fn may_connect() -> bool {
    !matches!(api::who().await, Ok(None))
}

/// Waits, but not longer than until the network is back.
async fn wait(millis: u32) {
    let (sender, receiver) = futures_channel::oneshot::channel();
    let mut sender = Some(sender);
    let _listener = browser::listen("online", move || {
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
    });
    let _ = select(pin!(browser::sleep(millis)), receiver).await;
}

/// The next thing that arrives within `millis`.
async fn arrival(socket: &mut Socket, millis: i64) -> Option<Arrival> {
    let millis = u32::try_from(millis.max(0)).unwrap_or(u32::MAX);
    match select(pin!(socket.next()), pin!(browser::sleep(millis))).await {
        Either::Left((arrival, _)) => Some(arrival),
        Either::Right(_) => None,
    }
}

/// Opens a connection up to the server's acceptance.
async fn open() -> Option<Socket> {
    let address = browser::origin().replacen("http", "ws", 1) + PATH;
    let mut socket = Socket::open(&address, protocol::NAME)?;
    loop {
        match arrival(&mut socket, KEEP_ALIVE_MS).await? {
            Arrival::Opened => socket.send(protocol::INIT),
            Arrival::Text(text) => match protocol::read(&text)? {
                Message::Ack => return Some(socket),
                Message::Ping => socket.send(protocol::PONG),
                _ => {}
            },
            Arrival::Closed => return None,
        }
    }
}

/// Connects, subscribes and applies updates until the connection ends.
async fn connect(store: Store, stale: bool) -> End {
    let Some(mut socket) = open().await else {
        return End::Refused;
    };
    socket.send(&protocol::subscribe::<StatusUpdates>(STATUSES));
    socket.send(&protocol::subscribe::<IncidentUpdates>(INCIDENTS));
    socket.send(&protocol::subscribe::<ServiceChanges>(CHANGES));

    let begun = browser::now();
    let (mut standing, mut asked) = (false, false);
    loop {
        let settled = SETTLE_MS - browser::now().since(begun);
        if !standing && settled <= 0 {
            standing = true;
            stand(store, stale);
        }
        match arrival(&mut socket, if standing { KEEP_ALIVE_MS } else { settled }).await {
            None if !standing => {}
            None if asked => return End::Lost,
            None => {
                asked = true;
                socket.send(protocol::PING);
            }
            Some(Arrival::Opened) => {}
            Some(Arrival::Closed) => return End::Lost,
            Some(Arrival::Text(text)) => {
                asked = false;
                match protocol::read(&text) {
                    Some(Message::Next { id, payload }) if apply(store, &id, payload).is_some() => {
                    }
                    Some(Message::Next { .. } | Message::Over) | None => return End::Missed,
                    Some(Message::Ping) => socket.send(protocol::PONG),
                    Some(Message::Ack | Message::Pong) => {}
                }
            }
        }
    }
}

/// Brings an update into the store; `None` when it says that some were missed.
fn apply(store: Store, id: &str, payload: &str) -> Option<()> {
    match id {
        STATUSES => store.apply_status(protocol::data::<StatusUpdates>(payload)?.status_updates),
        INCIDENTS => {
            store.apply_incident(&protocol::data::<IncidentUpdates>(payload)?.incident_updates)
        }
        CHANGES => store.apply_change(protocol::data::<ServiceChanges>(payload)?.service_changes),
        _ => {}
    }
    Some(())
}

/// The subscriptions stand: from here on nothing is missed, and what was missed before is asked for.
fn stand(mut store: Store, stale: bool) {
    store.connection.set(Connection::Live);
    // An answer that is on its way may be from before the subscriptions stood.
    api::forget_in_flight();
    if stale {
        store.epoch += 1;
    }
    spawn_forever(store::load(store));
}
