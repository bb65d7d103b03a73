//! The messages of `graphql-transport-ws`, as far as a client that only subscribes needs them.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>. Written out here because the messages are few,
//! and because an update's data is then read once, straight from the text.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only the browser connects")
)]

use crate::api::{
    self, Document,
    json::{self, Read},
};

/// The protocol's name in the handshake.
pub(super) const NAME: &str = "graphql-transport-ws";
/// The first message: the cookies have said everything about who it is.
pub(super) const INIT: &str = r#"{"type":"connection_init"}"#;
/// Asks for a sign of life.
pub(super) const PING: &str = r#"{"type":"ping"}"#;
/// Gives one.
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// A message from the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// The connection was accepted.
    Ack,
    /// A sign of life is asked for.
    Ping,
    /// A sign of life.
    Pong,
    /// The answer to the subscription `id`, as JSON.
    Next { id: String, payload: &'a str },
    /// A subscription was refused or has ended.
    Over,
}

/// The message that begins the subscription `id`.
pub(super) fn subscribe<D: Document<Variables = ()>>(id: &str) -> String {
    format!(
        r#"{{"type":"subscribe","id":"{id}","payload":{}}}"#,
        api::written::<D>(&())
    )
}

/// Reads a message; `None` when it is none of this protocol.
pub(super) fn read(text: &str) -> Option<Message<'_>> {
    let word: String = json::member(text, "type").ok()??;
    let id: Option<String> = json::member(text, "id").ok()?;
    Some(match (word.as_str(), id, json::text_of(text, "payload")) {
        ("connection_ack", ..) => Message::Ack,
        ("ping", ..) => Message::Ping,
        ("pong", ..) => Message::Pong,
        ("next", Some(id), Some(payload)) => Message::Next { id, payload },
        ("error" | "complete", Some(_), _) => Message::Over,
        _ => return None,
    })
}

/// Whether an answer carries errors; `None` when it cannot be read.
fn failed(payload: &str) -> Option<bool> {
    let errors: Option<Vec<()>> = json::member(payload, "errors").ok()?;
    Some(errors.is_some_and(|errors| !errors.is_empty()))
}

/// The data of an answer; `None` when it carries errors or cannot be read.
pub(super) fn data<Data: Read>(payload: &str) -> Option<Data> {
    if failed(payload)? {
        None
    } else {
        json::member(payload, "data").ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::StatusUpdates;

    #[test]
    fn messages_are_told_apart() {
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
                    payload: r#"{"data": {"a": 1}}"#,
                }),
            ),
            (
                r#"{"id":"1","type":"error","payload":[{"message":"no"}]}"#,
                Some(Message::Over),
            ),
            (r#"{"id":"1","type":"complete"}"#, Some(Message::Over)),
            (r#"{"type":"next"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(read(text), message, "{text}");
        }
    }

    #[test]
    fn an_answer_with_errors_has_no_data() {
        assert_eq!(data::<i32>(r#"{"data":7}"#), Some(7));
        assert_eq!(data::<i32>(r#"{"data":7,"errors":[]}"#), Some(7));
        assert_eq!(
            data::<i32>(r#"{"data":7,"errors":[{"message":"some were missed"}]}"#),
            None
        );
        assert_eq!(
            data::<i32>(r#"{"data":null,"errors":[{"message":"no"}]}"#),
            None
        );
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
            (&StatusUpdates::TEXT.into(), &"StatusUpdates".into())
        );
    }
}
