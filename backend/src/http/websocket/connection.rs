//! One connection, from its first message to its close.

use super::operation::answers;
use super::protocol::{Close, Dialect, Incoming};
use crate::auth::{IdentifyError, Revocation, Viewer, api_token};
use crate::graphql::RequestId;
use crate::http::address::Sender;
use crate::http::graphql::prepared;
use crate::http::{Server, too_often};
use crate::metrics::Open;
use crate::use_cases::now;
use async_graphql::Response;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde_json::Value;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::StreamMap;

/// The first message must have come by then.
const INIT: Duration = Duration::from_secs(10);

/// Whoever has not said who they are by then may come back when they want something: places are few.
const STRANGER: Duration = Duration::from_secs(60);

/// How often the connection is pinged and its viewer is looked at again, so that a session that ended in another process
/// is noticed within this and the few seconds for which such an answer is believed.
const BEAT: Duration = Duration::from_secs(5);

/// A client that has not been heard of for so long, though it was pinged, is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// A client that takes no message for so long is gone too.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most operations that run at once on one connection.
const MAX_OPERATIONS: usize = 100;

pub(super) struct Connection {
    server: Arc<Server>,
    dialect: Dialect,
    viewer: Option<Viewer>,
    from: Sender,
    id: RequestId,
    endings: broadcast::Receiver<Revocation>,
    initialised: bool,
    /// An operation's stream ends with `None`, because [`StreamMap`] drops a finished one in silence.
    operations: StreamMap<String, BoxStream<'static, Option<Response>>>,
}

/// Why the loop ends: with words for the client, or because there is nobody to say them to.
enum End {
    Close(Close),
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
        dialect: Dialect,
        viewer: Option<Viewer>,
        from: Sender,
        id: RequestId,
    ) -> Self {
        let endings = server.auth.subscribe_to_revocations();
        Self {
            server,
            dialect,
            viewer,
            from,
            id,
            endings,
            initialised: false,
            operations: StreamMap::new(),
        }
    }

    pub(super) async fn serve(mut self, mut socket: WebSocket) {
        let _open = Open::websocket();
        let end = self.run(&mut socket).await.unwrap_or_else(|end| end);
        if let End::Close(Close(code, reason)) = end {
            tracing::debug!(code, reason, "closing a WebSocket");
            // A close frame holds at most 123 bytes of reason.
            let reason: String = reason.chars().take(60).collect();
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let goodbye = async {
                if socket.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = socket.recv().await {}
                }
            };
            // The other side answers with a close frame of its own; one that does not is left.
            let _ = timeout(Duration::from_secs(2), goodbye).await;
        }
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Result<End, End> {
        let opened = Instant::now();
        let mut heard = opened;
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let init_is_late = tokio::time::sleep(INIT);
        tokio::pin!(init_is_late);
        let stranger_is_late = tokio::time::sleep(STRANGER);
        tokio::pin!(stranger_is_late);
        let server = Arc::clone(&self.server);
        loop {
            tokio::select! {
                () = server.stopping.cancelled() => {
                    return Ok(Close::new(1001, "The server is going away").into());
                }
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&text, socket).await?,
                        Some(Ok(Message::Binary(_))) => return Ok(Close::new(4400, "Messages have to be text").into()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(End::Gone),
                    }
                }
                Some((id, response)) = self.operations.next() => match response {
                    Some(response) if never_begun(&response) => {
                        self.operations.remove(&id);
                        say(socket, self.dialect.refused(&id, &response.errors)).await?;
                    }
                    Some(response) => say(socket, self.dialect.next(&id, &response)).await?,
                    None => {
                        self.operations.remove(&id);
                        say(socket, Dialect::complete(&id)).await?;
                    }
                },
                ended = self.endings.recv() => self.judge(ended).await?,
                () = &mut init_is_late, if !self.initialised => {
                    return Ok(Close::new(4408, "Connection initialisation timeout").into());
                }
                () = &mut stranger_is_late, if self.viewer.is_none() => {
                    return Ok(Close::new(4401, "Unauthorized").into());
                }
                _ = beat.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Ok(End::Gone);
                    }
                    self.check_viewer().await?;
                    send(socket, Message::Ping(Default::default())).await?;
                    if let Some(text) = self.dialect.keep_alive().filter(|_| self.initialised) {
                        say(socket, text).await?;
                    }
                }
            }
        }
    }

    async fn hear(&mut self, text: &str, socket: &mut WebSocket) -> Result<(), End> {
        match self.dialect.read(text)? {
            Incoming::Init { .. } if self.initialised => {
                Err(Close::new(4429, "Too many initialisation requests").into())
            }
            Incoming::Init { payload } => {
                self.identify(&payload).await?;
                self.initialised = true;
                say(socket, Dialect::ack()).await
            }
            Incoming::Subscribe { .. } if !self.initialised => {
                Err(Close::new(4401, "Unauthorized").into())
            }
            Incoming::Subscribe { id, .. } if self.operations.contains_key(&id) => {
                Err(Close::new(4409, format!("Subscriber for {id} already exists")).into())
            }
            Incoming::Subscribe { id, .. } if self.operations.len() >= MAX_OPERATIONS => {
                let message =
                    format!("at most {MAX_OPERATIONS} operations may run on one connection");
                say(socket, self.dialect.malformed(&id, &message)).await
            }
            Incoming::Subscribe {
                id,
                request: Err(wrong),
            } => say(socket, self.dialect.malformed(&id, &wrong)).await,
            Incoming::Subscribe {
                id,
                request: Ok(request),
            } => {
                let user = self.viewer.map(|viewer| viewer.user_id);
                if let Err(wait) = self.server.rates.operations(user, self.from.0, 1) {
                    let errors = [too_often(wait).graphql(&self.id)];
                    return say(socket, self.dialect.refused(&id, &errors)).await;
                }
                let request = prepared(&self.server, *request, self.viewer, &self.id);
                let open = Open::subscription();
                let responses = answers(&self.server.schema, request, self.id.clone())
                    .inspect(move |_| _ = &open);
                let mut responses = responses
                    .map(Some)
                    .chain(stream::once(async { None }))
                    .boxed();
                // Begun before the next message is read, so that a client that hears an answer to a later message knows
                // that it misses nothing from then on.
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
                // Only the older protocol answers.
                if self.operations.remove(&id).is_some() && self.dialect == Dialect::Legacy {
                    say(socket, Dialect::complete(&id)).await?;
                }
                Ok(())
            }
            Incoming::Ping { payload } => say(socket, Dialect::pong(payload)).await,
            Incoming::Pong => Ok(()),
            Incoming::Terminate => Err(Close::new(1000, "").into()),
        }
    }

    /// Takes the API token from the first message, if there is one. Like over HTTP, one that does not work makes the
    /// client a stranger, whatever cookies it came with.
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
                    tracing::error!(%error, "the database failed a WebSocket's first message");
                    Close::new(1011, "The database does not answer at the moment")
                })?,
            None => None,
        };
        Ok(())
    }

    /// Moves a viewer with a session to the workspace that the first message names.
    async fn select_workspace(&mut self, payload: &Value) -> Result<(), End> {
        let (Some(viewer), Some(workspace)) = (self.viewer, payload.get("workspace")) else {
            return Ok(());
        };
        let id = workspace.as_str().unwrap_or_default();
        let switched = self.server.auth.switch_workspace(viewer, id, now()).await;
        self.viewer = Some(switched.map_err(|error| match error {
            IdentifyError::UnknownWorkspace => Close::new(4404, format!("NOT_FOUND: {error}")),
            IdentifyError::Database(error) => {
                tracing::error!(%error, "the database failed a WebSocket's first message");
                Close::new(1011, "The database does not answer at the moment")
            }
        })?);
        Ok(())
    }

    async fn judge(&mut self, ended: Result<Revocation, RecvError>) -> Result<(), End> {
        match (ended, &self.viewer) {
            (Ok(ended), Some(viewer)) if ended.affects(viewer) => Err(session_ended()),
            // More ended at once than fit: asking is always right.
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
                tracing::warn!(%error, "whether a WebSocket's session still lives cannot be told at the moment");
                Ok(())
            }
        }
    }
}

/// Errors of an operation that was executed have a path.
fn never_begun(response: &Response) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

fn session_ended() -> End {
    Close::new(4401, "The session has ended").into()
}

async fn say(socket: &mut WebSocket, text: String) -> Result<(), End> {
    send(socket, Message::Text(text.into())).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
