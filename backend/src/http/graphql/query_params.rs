//! Parses a GraphQL request from the parameters of a URL
//! (<https://graphql.github.io/graphql-over-http/draft/>, "GET").

use super::body;
use crate::http::url_params;
use async_graphql::Request;
use serde_json::{Map, Value};
use std::collections::HashMap;

const QUERY: &str = "query";

/// Whether the parameters hold an operation.
pub(super) fn has_operation(params: &str) -> bool {
    url::form_urlencoded::parse(params.as_bytes()).any(|(name, _)| name == QUERY)
}

/// Parses a request. As the specification demands, an optional parameter that is empty counts as
/// absent.
///
/// # Errors
/// With a message that says what is invalid.
pub(super) fn parse(params: &str) -> Result<Request, String> {
    let mut params = url_params::parse_unique(params)
        .ok_or("a parameter of the URL occurs twice, at most once is allowed")?;
    let mut fields = Map::new();
    if let Some(query) = params.remove(QUERY) {
        fields.insert(QUERY.into(), query.into());
    }
    if let Some(name) = take_non_empty(&mut params, "operationName") {
        fields.insert("operationName".into(), name.into());
    }
    for name in ["variables", "extensions"] {
        if let Some(text) = take_non_empty(&mut params, name) {
            let value: Value = serde_json::from_str(&text)
                .map_err(|error| format!("`{name}` is not valid JSON: {error}"))?;
            fields.insert(name.into(), value);
        }
    }
    body::parse_request(Value::Object(fields))
}

fn take_non_empty(params: &mut HashMap<String, String>, name: &str) -> Option<String> {
    params.remove(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_parsed_with_its_name_and_variables() {
        let request = parse(
            "query=query+A%28%24n%3AInt%29%7Bme%7Bid%7D%7D&operationName=A&variables=%7B%22n%22%3A1%7D&extensions=%7B%7D",
        )
        .unwrap();
        assert_eq!(request.query, "query A($n:Int){me{id}}");
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        let variables = serde_json::to_string(&request.variables).unwrap();
        assert_eq!(variables, r#"{"n":1}"#);
    }

    #[test]
    fn an_empty_parameter_counts_as_absent() {
        let request = parse("query=%7Bme%7Bid%7D%7D&operationName=&variables=&extensions=");
        let request = request.unwrap();
        assert_eq!(request.operation_name, None);
        assert!(request.variables.is_empty());
    }

    #[test]
    fn an_invalid_parameter_is_refused_with_the_reason() {
        for (params, message) in [
            ("variables=%7B%7D", "`query` is missing"),
            (
                "query=a&query=b",
                "a parameter of the URL occurs twice, at most once is allowed",
            ),
            (
                "query=a&variables=%7B",
                "`variables` is not valid JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("query=a&variables=1", "`variables` must be an object"),
            (
                "query=a&extensions=%5B%5D",
                "`extensions` must be an object",
            ),
        ] {
            assert_eq!(parse(params).unwrap_err(), message, "{params}");
        }
        let deep = format!("query=a&variables={}", "[".repeat(60_000));
        assert!(parse(&deep).unwrap_err().contains("recursion limit"));
    }
}
