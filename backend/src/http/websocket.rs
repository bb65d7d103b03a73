//! `/api/graphql/ws`: GraphQL over a WebSocket, mostly for subscriptions.
//!
//! A browser authenticates with cookies, and only this server's own pages may connect with them; a
//! program sends its API token in the first message. Without either, operations that need a viewer
//! fail with UNAUTHENTICATED.

mod connection;
mod operation;
mod protocol;

use super::client_ip::ClientIp;
use super::error::ApiError;
use super::listen::ConnectionPermit;
use super::{Server, identify, rate_limited};
use crate::graphql::RequestId;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::{IntoResponse, Response};
use connection::Connection;
use http::HeaderMap;
use protocol::SUBPROTOCOL;
use std::sync::Arc;
use tracing::Instrument as _;

/// Maximum size of a message in bytes.
const MAX_MESSAGE_SIZE: usize = 256 * 1024;

/// Size of a connection's read and write buffers in bytes. Small, because most messages are short
/// and most connections are idle.
const BUFFER_SIZE: usize = 4 * 1024;

pub(super) async fn upgrade(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    Extension(permit): Extension<ConnectionPermit>,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    server.rates.request(client.0).map_err(rate_limited)?;
    let upgrade =
        upgrade.map_err(|_| ApiError::bad_input("this path accepts only WebSocket connections"))?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        let message = format!("send the header Sec-WebSocket-Protocol: {SUBPROTOCOL}");
        return Err(ApiError::bad_input(message));
    }
    let viewer = identify::viewer(&server, &headers).await?;
    let span = tracing::info_span!("websocket", id = id.0);
    let connections = server.connections.clone();
    let connection = Connection::new(server, viewer, client, id);
    let upgrade = upgrade
        .max_message_size(MAX_MESSAGE_SIZE)
        .max_frame_size(MAX_MESSAGE_SIZE);
    let upgrade = upgrade
        .read_buffer_size(BUFFER_SIZE)
        .write_buffer_size(BUFFER_SIZE);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            // Tracked, so that the server's shutdown waits for the close frames.
            let served = connections.track_future(connection.serve(socket).instrument(span));
            served.await;
            drop(permit);
        })
        .into_response())
}
