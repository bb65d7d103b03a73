//! From JSON to a GraphQL request, with a sentence for each way in which it can be wrong.

use async_graphql::{Request, Variables};
use serde_json::{Map, Value};

/// What a body held.
#[derive(Debug)]
pub(in crate::http) enum Parsed {
    Single(Box<Request>),
    Batch(Vec<Request>),
}

/// Reads a body: one request or an array of up to `batch` of them.
///
/// # Errors
/// With what is wrong.
pub(in crate::http) fn parse(body: &[u8], batch: usize) -> Result<Parsed, String> {
    if body.is_empty() {
        return Err("the request is empty; send {\"query\": \"...\"} as JSON".into());
    }
    match serde_json::from_slice(body)
        .map_err(|error| format!("the request is not valid JSON: {error}"))?
    {
        Value::Array(requests) if requests.is_empty() => Err("the batch is empty".into()),
        Value::Array(requests) if requests.len() > batch => Err(format!(
            "the batch holds {} requests, at most {batch} are allowed",
            requests.len()
        )),
        Value::Array(requests) => requests
            .into_iter()
            .map(one)
            .collect::<Result<_, _>>()
            .map(Parsed::Batch),
        request => one(request).map(|request| Parsed::Single(Box::new(request))),
    }
}

/// Reads one request.
///
/// # Errors
/// With what is wrong.
pub(in crate::http) fn one(request: Value) -> Result<Request, String> {
    let Value::Object(mut fields) = request else {
        return Err("a request has to be a JSON object with the field `query`".into());
    };
    let query = match fields.remove("query") {
        Some(Value::String(query)) => query,
        Some(_) => return Err("`query` has to be a text".into()),
        None => return Err("`query` is missing".into()),
    };
    let mut request = Request::new(query);
    match fields.remove("operationName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => request.operation_name = Some(name),
        Some(_) => return Err("`operationName` has to be a text".into()),
    }
    if let Some(variables) = object(&mut fields, "variables")? {
        request.variables = Variables::from_json(Value::Object(variables));
    }
    object(&mut fields, "extensions")?;
    Ok(request)
}

fn object(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("`{name}` has to be an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_request_is_refused_with_what_is_wrong() {
        for (body, sentence) in [
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
                "a request has to be a JSON object with the field `query`",
            ),
            (
                "null",
                "a request has to be a JSON object with the field `query`",
            ),
            ("{}", "`query` is missing"),
            ("{\"query\": 1}", "`query` has to be a text"),
            (
                "{\"query\": \"\", \"operationName\": 1}",
                "`operationName` has to be a text",
            ),
            (
                "{\"query\": \"\", \"variables\": []}",
                "`variables` has to be an object",
            ),
            (
                "{\"query\": \"\", \"extensions\": \"\"}",
                "`extensions` has to be an object",
            ),
            ("[]", "the batch is empty"),
            ("[{}]", "`query` is missing"),
            (
                "[[]]",
                "a request has to be a JSON object with the field `query`",
            ),
            (
                "[1,2,3]",
                "the batch holds 3 requests, at most 2 are allowed",
            ),
        ] {
            assert_eq!(parse(body.as_bytes(), 2).unwrap_err(), sentence, "{body}");
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
    fn a_request_and_a_batch_are_read_with_their_variables() {
        let body =
            r#"{"query": "q", "operationName": "o", "variables": {"a": 1}, "extensions": null}"#;
        let Parsed::Single(request) = parse(body.as_bytes(), 2).unwrap() else {
            panic!("one request")
        };
        assert_eq!(
            (request.query.as_str(), request.operation_name.as_deref()),
            ("q", Some("o"))
        );
        assert_eq!(
            serde_json::to_string(&request.variables).unwrap(),
            r#"{"a":1}"#
        );
        let batch = parse(br#"[{"query": "a"}, {"query": "b", "variables": null}]"#, 2).unwrap();
        assert!(matches!(batch, Parsed::Batch(requests) if requests.len() == 2));
    }
}
