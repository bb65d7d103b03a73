//! One WebSocket connection, from its first message to its close frame.
//!
//! async-graphql's WebSocket is not used: it cannot close when a session ends, sends no pings, does
//! not limit the number of operations or refuse a second one with the same id, and has no timeout
//! for the first message.

use super::operation::execute_operation;
use super::protocol::{self, Close, Incoming};
use crate::auth::{IdentifyError, Revocation, Viewer, api_token};
use crate::graphql::RequestId;
use crate::http::client_ip::ClientIp;
use crate::http::graphql::with_data;
use crate::http::{Server, rate_limited};
use crate::metrics::OpenGauge;
use crate::use_cases::now;
use async_graphql::Response;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::stream::{self, BoxStream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::StreamMap;

/// Maximum time until the first message.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time of a connection without a viewer, because the number of connections is limited.
const UNAUTHENTICATED_TIMEOUT: Duration = Duration::from_secs(60);

/// Interval of pings and of checks whether the viewer's session still exists. A session that ended
/// in another process is noticed within this time plus the session cache's TTL.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// Time without any message or pong after which the client is considered gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum time to send one message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum length of the reason in a close frame in characters; the protocol allows 123 bytes.
const MAX_CLOSE_REASON: usize = 60;

/// Maximum number of concurrent operations per connection.
const MAX_OPERATIONS: usize = 100;

pub(super) struct Connection {
    server: Arc<Server>,
    viewer: Option<Viewer>,
    client: ClientIp,
    id: RequestId,
    revocations: broadcast::Receiver<Revocation>,
    initialised: bool,
    /// The stream of each operation ends with `None`, because [`StreamMap`] removes a finished one
    /// silently.
    operations: StreamMap<String, BoxStream<'static, Option<Response>>>,
}

/// Why the connection ends.
enum End {
    /// The server closes it.
    Close(Close),
    /// The client sent a close frame.
    ClosedByClient,
    /// The client does not respond, or the connection broke.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl Connection {
    pub(super) fn new(
        server: Arc<Server>,
        viewer: Option<Viewer>,
        client: ClientIp,
        id: RequestId,
    ) -> Self {
        let revocations = server.auth.subscribe_to_revocations();
        Self {
            server,
            viewer,
            client,
            id,
            revocations,
            initialised: false,
            operations: StreamMap::new(),
        }
    }

    pub(super) async fn serve(mut self, mut socket: WebSocket) {
        let _open = OpenGauge::websocket();
        let end = self.run(&mut socket).await.unwrap_or_else(|end| end);
        let handshake = async {
            match end {
                End::Close(close) => send_close(&mut socket, close).await,
                // Reading the client's close frame queued the reply, which has its code.
                End::ClosedByClient => drop(socket.flush().await),
                End::Gone => {}
            }
        };
        // The client may not respond any more.
        let _ = timeout(CLOSE_TIMEOUT, handshake).await;
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Result<End, End> {
        let opened = Instant::now();
        let mut last_received = opened;
        let mut ping = interval(PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let init_timeout = tokio::time::sleep(INIT_TIMEOUT);
        tokio::pin!(init_timeout);
        let unauthenticated_timeout = tokio::time::sleep(UNAUTHENTICATED_TIMEOUT);
        tokio::pin!(unauthenticated_timeout);
        let server = Arc::clone(&self.server);
        loop {
            tokio::select! {
                () = server.stopping.cancelled() => {
                    return Ok(Close::new(1001, "The server is going away").into());
                }
                message = socket.recv() => {
                    last_received = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.handle_message(&text, socket).await?,
                        Some(Ok(Message::Binary(_))) => return Ok(Close::new(4400, "Messages must be text").into()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_))) => return Ok(End::ClosedByClient),
                        Some(Err(_)) | None => return Ok(End::Gone),
                    }
                }
                Some((id, response)) = self.operations.next() => match response {
                    Some(response) if was_refused(&response) => {
                        self.operations.remove(&id);
                        send_text(socket, protocol::error(&id, &response.errors)).await?;
                    }
                    Some(response) => send_text(socket, protocol::next(&id, &response)).await?,
                    None => {
                        self.operations.remove(&id);
                        send_text(socket, protocol::complete(&id)).await?;
                    }
                },
                ended = self.revocations.recv() => self.on_revocation(ended).await?,
                () = &mut init_timeout, if !self.initialised => {
                    return Ok(Close::new(4408, "Connection initialisation timeout").into());
                }
                () = &mut unauthenticated_timeout, if self.viewer.is_none() => {
                    return Ok(Close::new(4401, "Unauthorized").into());
                }
                _ = ping.tick() => {
                    if last_received.elapsed() > IDLE_TIMEOUT {
                        return Ok(End::Gone);
                    }
                    self.check_viewer().await?;
                    send(socket, Message::Ping(Default::default())).await?;
                }
            }
        }
    }

    async fn handle_message(&mut self, text: &str, socket: &mut WebSocket) -> Result<(), End> {
        match protocol::parse(text)? {
            Incoming::Init { .. } if self.initialised => {
                Err(Close::new(4429, "Too many initialisation requests").into())
            }
            Incoming::Init { payload } => {
                self.identify(&payload).await?;
                self.initialised = true;
                send_text(socket, protocol::ack()).await
            }
            Incoming::Subscribe { .. } if !self.initialised => {
                Err(Close::new(4401, "Unauthorized").into())
            }
            Incoming::Subscribe { id, .. } if self.operations.contains_key(&id) => {
                Err(Close::new(4409, format!("Subscriber for {id} already exists")).into())
            }
            Incoming::Subscribe { id, .. } if self.operations.len() >= MAX_OPERATIONS => {
                let message =
                    format!("at most {MAX_OPERATIONS} operations are allowed on one connection");
                send_text(socket, protocol::invalid(&id, &message)).await
            }
            Incoming::Subscribe {
                id,
                request: Err(message),
            } => send_text(socket, protocol::invalid(&id, &message)).await,
            Incoming::Subscribe {
                id,
                request: Ok(request),
            } => {
                let user = self.viewer.map(|viewer| viewer.user_id);
                let rate = self.server.rates.operations(user, self.client.0, 1);
                if let Err(retry_after) = rate {
                    let errors = [rate_limited(retry_after).to_graphql(&self.id)];
                    return send_text(socket, protocol::error(&id, &errors)).await;
                }
                let request = with_data(&self.server, *request, self.viewer, &self.id);
                let open = OpenGauge::subscription();
                let responses = execute_operation(&self.server.schema, request, self.id.clone())
                    .inspect(move |_| _ = &open);
                let mut responses = responses
                    .map(Some)
                    .chain(stream::once(async { None }))
                    .boxed();
                // Polled before the next message is read: a response to a later message then tells
                // the client that its subscription is active.
                let first = futures::poll!(responses.next());
                let first = stream::iter(if let Poll::Ready(first) = first {
                    first
                } else {
                    None
                });
                self.operations.insert(id, first.chain(responses).boxed());
                Ok(())
            }
            Incoming::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
            Incoming::Ping { payload } => send_text(socket, protocol::pong(payload)).await,
            Incoming::Pong => Ok(()),
        }
    }

    /// Authenticates by the API token in the first message, if there is one. As over HTTP, an
    /// invalid token does not fall back to the cookies.
    async fn identify(&mut self, payload: &Value) -> Result<(), End> {
        let fields = payload.as_object().into_iter().flatten();
        let mut values = fields
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value);
        let Some(authorization) = values.next() else {
            return self.select_workspace(payload).await;
        };
        self.viewer = match authorization
            .as_str()
            .and_then(api_token::from_authorization)
        {
            Some(token) => self
                .server
                .auth
                .identify_by_api_token(token, now())
                .await
                .map_err(|error| {
                    tracing::error!(%error, "failed to authenticate a WebSocket");
                    Close::new(1011, "The database is not available")
                })?,
            None => None,
        };
        Ok(())
    }

    /// Switches a viewer with a session to the workspace that the first message selects.
    async fn select_workspace(&mut self, payload: &Value) -> Result<(), End> {
        let (Some(viewer), Some(workspace)) = (self.viewer, payload.get("workspace")) else {
            return Ok(());
        };
        let id = workspace.as_str().unwrap_or_default();
        let switched = self.server.auth.switch_workspace(viewer, id, now()).await;
        self.viewer = Some(switched.map_err(|error| match error {
            IdentifyError::UnknownWorkspace => Close::new(4404, format!("NOT_FOUND: {error}")),
            IdentifyError::Database(error) => {
                tracing::error!(%error, "failed to authenticate a WebSocket");
                Close::new(1011, "The database is not available")
            }
        })?);
        Ok(())
    }

    async fn on_revocation(&mut self, ended: Result<Revocation, RecvError>) -> Result<(), End> {
        match (ended, &self.viewer) {
            (Ok(revocation), Some(viewer)) if revocation.affects(viewer) => Err(session_ended()),
            // Some revocations were missed, so look the session up.
            (Err(RecvError::Lagged(_)), _) => self.check_viewer().await,
            _ => Ok(()),
        }
    }

    async fn check_viewer(&mut self) -> Result<(), End> {
        let Some(viewer) = &self.viewer else {
            return Ok(());
        };
        match self.server.auth.is_still_valid(viewer, now()).await {
            Ok(false) => Err(session_ended()),
            Ok(true) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "failed to check the session of a WebSocket, retrying at the next ping");
                Ok(())
            }
        }
    }
}

/// Whether an operation was refused before it was executed. Errors of execution have a path.
fn was_refused(response: &Response) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

fn session_ended() -> End {
    Close::new(4401, "The session has ended").into()
}

/// Sends a close frame and waits for that of the client.
async fn send_close(socket: &mut WebSocket, Close(code, reason): Close) {
    tracing::debug!(code, reason, "closing a WebSocket");
    let reason: String = reason.chars().take(MAX_CLOSE_REASON).collect();
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

async fn send_text(socket: &mut WebSocket, text: String) -> Result<(), End> {
    send(socket, Message::Text(text.into())).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
