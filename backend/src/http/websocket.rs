//! `/api/graphql/ws`: GraphQL over a WebSocket, for subscriptions above all.
//!
//! Whoever comes with cookies must come from this server's own pages; a program sends its API token in the first message.
//! Somebody who has neither may connect, and is told UNAUTHENTICATED by each operation that needs more.

mod connection;
mod operation;
mod protocol;

use super::address::Sender;
use super::error::ApiError;
use super::listen::Place;
use super::{Server, identify, too_often};
use crate::graphql::RequestId;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::{IntoResponse, Response};
use connection::Connection;
use http::HeaderMap;
use protocol::Dialect;
use std::sync::Arc;
use tracing::Instrument as _;

/// The most that one message may hold.
const MAX_MESSAGE: usize = 256 * 1024;

/// What a connection sets aside for reading, and for writing: most messages are small, and most connections are silent.
const BUFFER: usize = 4 * 1024;

pub(super) async fn upgrade(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    Extension(place): Extension<Place>,
    Extension(from): Extension<Sender>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    server.rates.request(from.0).map_err(too_often)?;
    let upgrade = upgrade.map_err(|_| ApiError::bad_input("this address speaks WebSocket only"))?;
    let upgrade = upgrade.protocols(Dialect::ALL.map(Dialect::name));
    let dialect = upgrade
        .selected_protocol()
        .and_then(|name| name.to_str().ok())
        .and_then(Dialect::named);
    let Some(dialect) = dialect else {
        let message = "name a protocol in Sec-WebSocket-Protocol: graphql-transport-ws, or the older graphql-ws";
        return Err(ApiError::bad_input(message));
    };
    let viewer = identify::viewer(&server, &headers).await?;
    let span = tracing::info_span!("websocket", id = id.0);
    let connections = server.connections.clone();
    let connection = Connection::new(server, dialect, viewer, from, id);
    let upgrade = upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE);
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            // Tracked, so that the end of the server waits until each has said goodbye.
            let served = connections.track_future(connection.serve(socket).instrument(span));
            served.await;
            drop(place);
        })
        .into_response())
}
