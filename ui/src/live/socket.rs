//! The connection itself, by the protocol `graphql-transport-ws`.

use super::backoff;
use crate::{
    api::{self, GetMe, IncidentUpdates, ProblemKind, ServiceChanges, StatusUpdates},
    browser,
    store::{self, Connection, Session, Store},
};
use cynic::{GraphQlResponse, QueryBuilder, SubscriptionBuilder};
use dioxus::{core::spawn_forever, prelude::*};
use futures_util::{
    StreamExt,
    future::{Either, ready},
    stream,
};
use graphql_ws_client::{Client, Error, ws_stream_wasm::Connection as Wire};
use std::{future::IntoFuture, time::Duration};
use ws_stream_wasm::WsMeta;

const PATH: &str = "/api/graphql/ws";
/// A connection that brings nothing for this long, not even an answer to a ping, is dead.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The server needs a moment to take the subscriptions up; what is asked for after it cannot be missed.
const SETTLE_MS: u32 = 150;

enum Update {
    Status(Box<api::StatusUpdate>),
    Incident(Box<api::Incident>),
    Change(Box<api::ServiceChange>),
    /// The server dropped updates, or refused a subscription.
    Missed,
    /// A stream ended, because the connection did.
    Ended,
}

/// Why a connection that stood ended.
#[derive(PartialEq)]
enum End {
    Lost,
    /// It goes on, but something is missing: a new one asks for everything again.
    Missed,
}

pub(super) async fn run(mut store: Store) {
    let mut attempt = 0;
    let mut stale = false;
    while !matches!(*store.session.peek(), Session::SignedOut) {
        match connect(store, stale).await {
            Ok(End::Missed) => {
                stale = true;
                attempt = 0;
                continue;
            }
            Ok(End::Lost) => attempt = 0,
            Err(_) if !may_connect().await => return store.session.set(Session::SignedOut),
            Err(_) => {}
        }
        stale = true;
        if !matches!(*store.connection.peek(), Connection::Lost(_)) {
            store.connection.set(Connection::Lost(browser::now()));
        }
        wait(backoff::delay_ms(attempt, browser::random())).await;
        attempt += 1;
    }
}

/// Whether there is a session; renews it on the way. A server that does not answer leaves the question open.
async fn may_connect() -> bool {
    match api::request(GetMe::build(())).await {
        Ok(GetMe { me: Some(_) }) => true,
        Ok(GetMe { me: None }) => api::refresh_session().await,
        Err(problem) => problem.kind != ProblemKind::SignedOut,
    }
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
    let sleep = std::pin::pin!(browser::sleep(millis));
    let _ = futures_util::future::select(sleep, receiver).await;
}

/// Connects, subscribes and applies updates until the connection ends. `Err` when it never stood.
async fn connect(store: Store, stale: bool) -> Result<End, Error> {
    let address = browser::origin().replacen("http", "ws", 1) + PATH;
    let wire = WsMeta::connect(&address, Some(vec!["graphql-transport-ws"]))
        .await
        .map_err(|error| Error::Unknown(error.to_string()))?;
    let (client, actor) = Client::build(Wire::new(wire).await).keep_alive_interval(KEEP_ALIVE).await?;
    browser::spawn(actor.into_future());

    let ended = || stream::once(ready(Update::Ended));
    let statuses = client.subscribe(StatusUpdates::build(())).await?;
    let statuses = statuses.map(|item| read(item, |data| Update::Status(Box::new(data.status_updates))));
    let incidents = client.subscribe(IncidentUpdates::build(())).await?;
    let incidents = incidents.map(|item| read(item, |data| Update::Incident(Box::new(data.incident_updates))));
    let changes = client.subscribe(ServiceChanges::build(())).await?;
    let changes = changes.map(|item| read(item, |data| Update::Change(Box::new(data.service_changes))));
    let mut updates =
        stream::select(statuses.chain(ended()), stream::select(incidents.chain(ended()), changes.chain(ended())));

    let mut settle = Some(Box::pin(browser::sleep(SETTLE_MS)));
    loop {
        let next = match settle.take() {
            None => updates.next().await,
            Some(sleep) => match futures_util::future::select(sleep, updates.next()).await {
                Either::Left(((), _)) => {
                    stand(store, stale);
                    continue;
                }
                Either::Right((next, sleep)) => {
                    settle = Some(sleep);
                    next
                }
            },
        };
        match next {
            Some(Update::Status(update)) => store.apply_status(*update),
            Some(Update::Incident(incident)) => store.apply_incident(&incident),
            Some(Update::Change(change)) => store.apply_change(*change),
            Some(Update::Missed) => return Ok(End::Missed),
            Some(Update::Ended) | None => return Ok(End::Lost),
        }
    }
}

/// The subscriptions stand: from here on nothing is missed, and what was missed before is asked for.
fn stand(mut store: Store, stale: bool) {
    store.connection.set(Connection::Live);
    if stale {
        store.epoch += 1;
    }
    spawn_forever(store::load(store));
}

fn read<Data>(item: Result<GraphQlResponse<Data>, Error>, update: impl FnOnce(Data) -> Update) -> Update {
    match item {
        Ok(GraphQlResponse { data: Some(data), errors: None }) => update(data),
        _ => Update::Missed,
    }
}
