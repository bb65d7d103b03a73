//! The messages of the subprotocol `graphql-transport-ws`
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

use crate::http::graphql::body;
use async_graphql::{Request, Response, ServerError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Name of the subprotocol in `Sec-WebSocket-Protocol`.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Maximum length of an operation's id in bytes.
const MAX_ID_LENGTH: usize = 200;

/// Code and reason of a close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close(pub(super) u16, pub(super) String);

impl Close {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }
}

/// Message of a client.
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
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

#[derive(Serialize)]
struct Next<'a> {
    r#type: &'static str,
    id: &'a str,
    payload: &'a Response,
}

/// Parses a message.
///
/// # Errors
/// With the code and reason for closing the connection.
pub(super) fn parse(text: &str) -> Result<Incoming, Close> {
    let message: Message = serde_json::from_str(text)
        .map_err(|error| Close::new(4400, format!("Invalid message: {error}")))?;
    let id = message
        .id
        .filter(|id| !id.is_empty() && id.len() <= MAX_ID_LENGTH)
        .ok_or_else(|| {
            let reason = format!("The message needs an id of 1 to {MAX_ID_LENGTH} bytes");
            Close::new(4400, reason)
        });
    match message.r#type.as_str() {
        "connection_init" => Ok(Incoming::Init {
            payload: message.payload.unwrap_or_default(),
        }),
        "subscribe" => {
            let request = body::parse_request(message.payload.unwrap_or_default());
            Ok(Incoming::Subscribe {
                id: id?,
                request: request.map(Box::new),
            })
        }
        "complete" => Ok(Incoming::Complete { id: id? }),
        "ping" => Ok(Incoming::Ping {
            payload: message.payload,
        }),
        "pong" => Ok(Incoming::Pong),
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

pub(super) fn next(id: &str, response: &Response) -> String {
    let next = Next {
        r#type: "next",
        id,
        payload: response,
    };
    serde_json::to_string(&next).expect("a response has only string keys")
}

/// Message for an operation that was refused, which ends the operation.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    json!({ "type": "error", "id": id, "payload": errors }).to_string()
}

/// Message for a request that cannot be read.
pub(super) fn invalid(id: &str, message: &str) -> String {
    let mut invalid = ServerError::new(message, None);
    invalid
        .extensions
        .get_or_insert_default()
        .set("code", "BAD_INPUT");
    error(id, &[invalid])
}

pub(super) fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}
