//! The messages of the `graphql-transport-ws` protocol that a client which only subscribes needs.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only the browser connects")
)]

use crate::api::{
    self, FromJson, Operation,
    json::{self, JsonValue},
};

/// The name of the subprotocol in the handshake.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";
/// The first message. It carries no token, because the handshake has sent the cookies.
pub(super) const INIT: &str = r#"{"type":"connection_init"}"#;
pub(super) const PING: &str = r#"{"type":"ping"}"#;
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// A message from the server.
#[derive(Debug, PartialEq)]
pub(super) enum Message<'a> {
    Ack,
    Ping,
    Pong,
    /// A result of the subscription `id`.
    Next {
        id: String,
        payload: JsonValue<'a>,
    },
    /// A subscription was rejected or has ended.
    SubscriptionEnded,
}

/// Returns the message that starts the subscription `id`.
pub(super) fn subscribe<O: Operation<Variables = ()>>(id: &str) -> String {
    format!(
        r#"{{"type":"subscribe","id":"{id}","payload":{}}}"#,
        api::request_body::<O>(&())
    )
}

/// Parses a message; `None` when it is not one of this protocol.
pub(super) fn parse_message(text: &str) -> Option<Message<'_>> {
    let mut message = json::parse(text).ok()?;
    let payload = message.take("payload");
    let id = message.get("id").and_then(JsonValue::as_text);
    Some(match (message.get("type")?.as_text()?, id, payload) {
        ("connection_ack", ..) => Message::Ack,
        ("ping", ..) => Message::Ping,
        ("pong", ..) => Message::Pong,
        ("next", Some(id), Some(payload)) => Message::Next {
            id: id.to_owned(),
            payload,
        },
        ("error" | "complete", Some(_), _) => Message::SubscriptionEnded,
        _ => return None,
    })
}

/// Returns the data of a result; `None` when it has errors or cannot be read.
pub(super) fn read_result<T: FromJson>(payload: &JsonValue<'_>) -> Option<T> {
    json::read(find_data(payload)?).ok()
}

/// Returns the data of a result; `None` when it has errors.
fn find_data<'a>(payload: &'a JsonValue<'a>) -> Option<&'a JsonValue<'a>> {
    match payload.get("errors") {
        None => payload.get("data"),
        Some(JsonValue::List(errors)) if errors.is_empty() => payload.get("data"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::StatusUpdates;

    #[test]
    fn each_message_is_recognised() {
        for (text, message) in [
            (r#"{"type":"connection_ack"}"#, Some(Message::Ack)),
            (
                r#"{"type":"connection_ack","payload":{"a":1}}"#,
                Some(Message::Ack),
            ),
            (r#"{"type":"ping"}"#, Some(Message::Ping)),
            (
                r#"{"id":"1","type":"next","payload":{"data": {"a": 1}}}"#,
                Some(Message::Next {
                    id: "1".into(),
                    payload: json::parse(r#"{"data": {"a": 1}}"#).unwrap(),
                }),
            ),
            (
                r#"{"id":"1","type":"error","payload":[{"message":"no"}]}"#,
                Some(Message::SubscriptionEnded),
            ),
            (
                r#"{"id":"1","type":"complete"}"#,
                Some(Message::SubscriptionEnded),
            ),
            (r#"{"type":"next"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(parse_message(text), message, "{text}");
        }
    }

    #[test]
    fn a_result_with_errors_has_no_data() {
        let read = |payload: &str| read_result::<i32>(&json::parse(payload).unwrap());
        assert_eq!(read(r#"{"data":7}"#), Some(7));
        assert_eq!(read(r#"{"data":7,"errors":[]}"#), Some(7));
        assert_eq!(
            read(r#"{"data":7,"errors":[{"message":"some were missed"}]}"#),
            None
        );
        assert_eq!(read(r#"{"data":null,"errors":[{"message":"no"}]}"#), None);
    }

    #[test]
    fn a_subscription_carries_its_document() {
        let message: serde_json::Value =
            serde_json::from_str(&subscribe::<StatusUpdates>("2")).unwrap();
        assert_eq!(
            (&message["type"], &message["id"]),
            (&"subscribe".into(), &"2".into())
        );
        let payload = &message["payload"];
        assert_eq!(
            (&payload["query"], &payload["operationName"]),
            (&StatusUpdates::DOCUMENT.into(), &"StatusUpdates".into())
        );
    }
}
