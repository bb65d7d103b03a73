//! The messages of the two protocols for GraphQL over WebSocket.
//!
//! graphql-transport-ws: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>; the older one, whose name on the
//! wire is graphql-ws: <https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md>.

use crate::graphql::put;
use crate::http::graphql::request;
use async_graphql::{Request, Response, ServerError};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which of the two is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// graphql-transport-ws.
    Transport,
    /// graphql-ws, the older one.
    Legacy,
}

/// A close frame's code and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close(pub(super) u16, pub(super) String);

impl Close {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }
}

/// What a client says.
#[derive(Debug)]
pub(super) enum Incoming {
    Init {
        payload: Value,
    },
    Subscribe {
        id: String,
        request: Result<Box<Request>, String>,
    },
    Complete {
        id: String,
    },
    Ping {
        payload: Option<Value>,
    },
    Pong,
    Terminate,
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Dialect {
    /// The better one first.
    pub(super) const ALL: [Self; 2] = [Self::Transport, Self::Legacy];

    /// As it stands in `Sec-WebSocket-Protocol`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transport => "graphql-transport-ws",
            Self::Legacy => "graphql-ws",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Reads what a client sent.
    ///
    /// # Errors
    /// With the code and reason for closing the connection.
    pub(super) fn read(self, text: &str) -> Result<Incoming, Close> {
        let message: Message = serde_json::from_str(text)
            .map_err(|error| Close::new(4400, format!("Invalid message: {error}")))?;
        let id = || {
            message
                .id
                .clone()
                .filter(|id| !id.is_empty() && id.len() <= 200)
        };
        let id =
            || id().ok_or_else(|| Close::new(4400, "The message needs an id of 1 to 200 bytes"));
        match (self, message.r#type.as_str()) {
            (_, "connection_init") => Ok(Incoming::Init {
                payload: message.payload.unwrap_or_default(),
            }),
            (Self::Transport, "subscribe") | (Self::Legacy, "start") => {
                let id = id()?;
                let request = request::one(message.payload.unwrap_or_default()).map(Box::new);
                Ok(Incoming::Subscribe { id, request })
            }
            (Self::Transport, "complete") | (Self::Legacy, "stop") => {
                Ok(Incoming::Complete { id: id()? })
            }
            (Self::Transport, "ping") => Ok(Incoming::Ping {
                payload: message.payload,
            }),
            (Self::Transport, "pong") => Ok(Incoming::Pong),
            (Self::Legacy, "connection_terminate") => Ok(Incoming::Terminate),
            _ => Err(Close::new(4400, "Unknown message type")),
        }
    }

    pub(super) fn ack() -> String {
        json!({ "type": "connection_ack" }).to_string()
    }

    pub(super) fn pong(payload: Option<Value>) -> String {
        match payload {
            Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
            None => json!({ "type": "pong" }).to_string(),
        }
    }

    /// What tells clients of the older protocol, which know no ping, that the connection lives.
    pub(super) fn keep_alive(self) -> Option<String> {
        (self == Self::Legacy).then(|| json!({ "type": "ka" }).to_string())
    }

    pub(super) fn next(self, id: &str, response: &Response) -> String {
        let kind = match self {
            Self::Transport => "next",
            Self::Legacy => "data",
        };
        let mut json = format!("{{\"type\":\"{kind}\",\"id\":").into_bytes();
        put(&mut json, &id);
        json.extend_from_slice(b",\"payload\":");
        put(&mut json, response);
        json.push(b'}');
        String::from_utf8(json).expect("JSON is text")
    }

    /// An operation that was not begun, because it is no valid one; nothing follows under its id.
    pub(super) fn refused(self, id: &str, errors: &[ServerError]) -> String {
        let payload = match self {
            Self::Transport => json!(errors),
            Self::Legacy => json!(errors.first()),
        };
        json!({ "type": "error", "id": id, "payload": payload }).to_string()
    }

    /// The like for what was refused before GraphQL saw it.
    pub(super) fn malformed(self, id: &str, message: &str) -> String {
        let mut error = ServerError::new(message, None);
        error
            .extensions
            .get_or_insert_default()
            .set("code", "BAD_INPUT");
        self.refused(id, &[error])
    }

    pub(super) fn complete(id: &str) -> String {
        json!({ "type": "complete", "id": id }).to_string()
    }
}
