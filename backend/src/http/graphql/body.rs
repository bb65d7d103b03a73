//! Reads and parses the body of a GraphQL request, with a message for each way in which it can be
//! invalid. The library's extractor is not used: it accepts forms, which another site can send with
//! the user's cookies, does not bound bodies by sender, and reports every wrong field as "data did
//! not match any variant".

use crate::http::error::ApiError;
use async_graphql::{Request, Variables};
use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

/// Maximum size of a body in bytes. A string of a megabyte still fits, so that it is refused with
/// the name of its field.
const MAX_BODY_SIZE: usize = 1536 * 1024;

/// Maximum size of a body without a viewer in bytes. Smaller, because bodies are kept in memory.
const MAX_ANONYMOUS_BODY_SIZE: usize = 64 * 1024;

/// Maximum number of bytes of a body that are read and discarded when it is too large. A client
/// that is still sending would otherwise see a broken connection instead of the reason.
const MAX_DISCARDED_SIZE: usize = 16 * MAX_BODY_SIZE;

/// Reads a whole body; its maximum size depends on whether the sender is `signed_in`.
///
/// # Errors
/// If it is incomplete or too large.
pub(super) async fn read(body: Body, signed_in: bool) -> Result<Bytes, ApiError> {
    let limit = if signed_in {
        MAX_BODY_SIZE
    } else {
        MAX_ANONYMOUS_BODY_SIZE
    };
    let mut body = Limited::new(body, MAX_DISCARDED_SIZE).into_data_stream();
    let mut read = Vec::new();
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ApiError::too_large(limit)
            } else {
                ApiError::bad_input("the request ended before its body was complete")
            }
        })?;
        length += chunk.len();
        if length <= limit {
            read.extend_from_slice(&chunk);
        }
    }
    if length > limit {
        Err(ApiError::too_large(limit))
    } else {
        Ok(read.into())
    }
}

/// Requests in a body.
#[derive(Debug)]
pub(super) enum Parsed {
    Single(Box<Request>),
    Batch(Vec<Request>),
}

impl Parsed {
    pub(super) fn operation_count(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Batch(requests) => requests.len(),
        }
    }
}

/// Parses a body: one request or an array of up to `max_batch` requests.
///
/// # Errors
/// With a message that says what is invalid.
pub(super) fn parse(body: &[u8], max_batch: usize) -> Result<Parsed, String> {
    if body.is_empty() {
        return Err("the request is empty; send {\"query\": \"...\"} as JSON".into());
    }
    match serde_json::from_slice(body)
        .map_err(|error| format!("the request is not valid JSON: {error}"))?
    {
        Value::Array(requests) if requests.is_empty() => Err("the batch is empty".into()),
        Value::Array(requests) if requests.len() > max_batch => Err(format!(
            "the batch holds {} requests, at most {max_batch} are allowed",
            requests.len()
        )),
        Value::Array(requests) => requests
            .into_iter()
            .map(parse_request)
            .collect::<Result<_, _>>()
            .map(Parsed::Batch),
        request => parse_request(request).map(|request| Parsed::Single(Box::new(request))),
    }
}

/// Parses one request.
///
/// # Errors
/// With a message that says what is invalid.
pub(in crate::http) fn parse_request(request: Value) -> Result<Request, String> {
    let Value::Object(mut fields) = request else {
        return Err("a request must be a JSON object with the field `query`".into());
    };
    let query = match fields.remove("query") {
        Some(Value::String(query)) => query,
        Some(_) => return Err("`query` must be a string".into()),
        None => return Err("`query` is missing".into()),
    };
    let mut request = Request::new(query);
    match fields.remove("operationName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => request.operation_name = Some(name),
        Some(_) => return Err("`operationName` must be a string".into()),
    }
    if let Some(variables) = take_object(&mut fields, "variables")? {
        request.variables = Variables::from_json(Value::Object(variables));
    }
    take_object(&mut fields, "extensions")?;
    Ok(request)
}

fn take_object(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("`{name}` must be an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_request_is_refused_with_the_reason() {
        for (body, message) in [
            (
                "",
                "the request is empty; send {\"query\": \"...\"} as JSON",
            ),
            (
                "{\"query\":",
                "the request is not valid JSON: EOF while parsing a value at line 1 column 9",
            ),
            (
                "\"{ me }\"",
                "a request must be a JSON object with the field `query`",
            ),
            (
                "null",
                "a request must be a JSON object with the field `query`",
            ),
            ("{}", "`query` is missing"),
            ("{\"query\": 1}", "`query` must be a string"),
            (
                "{\"query\": \"\", \"operationName\": 1}",
                "`operationName` must be a string",
            ),
            (
                "{\"query\": \"\", \"variables\": []}",
                "`variables` must be an object",
            ),
            (
                "{\"query\": \"\", \"extensions\": \"\"}",
                "`extensions` must be an object",
            ),
            ("[]", "the batch is empty"),
            ("[{}]", "`query` is missing"),
            (
                "[[]]",
                "a request must be a JSON object with the field `query`",
            ),
            (
                "[1,2,3]",
                "the batch holds 3 requests, at most 2 are allowed",
            ),
        ] {
            assert_eq!(parse(body.as_bytes(), 2).unwrap_err(), message, "{body}");
        }
        let deep = "[".repeat(100_000);
        assert!(
            parse(deep.as_bytes(), 2)
                .unwrap_err()
                .contains("recursion limit")
        );
        assert!(
            parse(b"{\"query\": \"\xff\"}", 2)
                .unwrap_err()
                .starts_with("the request is not valid JSON")
        );
    }

    #[test]
    fn a_request_and_a_batch_are_parsed_with_their_variables() {
        let body =
            r#"{"query": "q", "operationName": "o", "variables": {"a": 1}, "extensions": null}"#;
        let Parsed::Single(request) = parse(body.as_bytes(), 2).unwrap() else {
            panic!("one request")
        };
        assert_eq!(request.query, "q");
        assert_eq!(request.operation_name.as_deref(), Some("o"));
        assert_eq!(
            serde_json::to_string(&request.variables).unwrap(),
            r#"{"a":1}"#
        );
        let batch = parse(br#"[{"query": "a"}, {"query": "b", "variables": null}]"#, 2).unwrap();
        assert!(matches!(batch, Parsed::Batch(requests) if requests.len() == 2));
    }
}
