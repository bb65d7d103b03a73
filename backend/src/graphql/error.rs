//! Converts errors for the response: each gets a code and a message that is safe to show; internal
//! errors are logged and get the id of the request.

use crate::use_cases::Error;
use async_graphql::{ServerError, Value, value};
use entity::sql::is_statement_timeout;
use std::sync::Arc;

/// Maximum number of errors in one response: one mistake may cause thousands.
const MAX_ERRORS: usize = 20;

/// Maximum length of a message in characters: some quote the request.
const MAX_MESSAGE: usize = 500;

/// Error extension with the number of seconds until a retry is allowed.
pub(crate) const RETRY_AFTER: &str = "retryAfterSeconds";

/// Id of the HTTP request or WebSocket connection, found in the data of each GraphQL request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Wraps the refusal of a whole request.
pub(super) fn refused(error: Error) -> ServerError {
    let mut refused = ServerError::new(error.to_string(), None);
    refused.source = Some(Arc::new(error));
    refused
}

/// Adds the code to every error of a response, and logs internal errors, each cause once.
pub(super) fn present(errors: &mut Vec<ServerError>, request: Option<&RequestId>) {
    let mut logged = Vec::new();
    errors.truncate(MAX_ERRORS);
    for error in errors {
        let known = error.source::<Error>().cloned();
        if let Some(Error::Internal(cause)) = &known {
            let cause_id = Arc::as_ptr(cause);
            if !logged.contains(&cause_id) {
                logged.push(cause_id);
                let path = path(error);
                let request_id = request.map_or("none", |request| &request.0);
                tracing::error!(error = %cause, %path, %request_id, "failed to resolve a GraphQL field");
            }
        }
        match known {
            Some(known) => encode(error, &known, request),
            None => {
                // Errors of the library itself are always caused by the request.
                let field = argument(&error.message).map(str::to_owned);
                set(error, "code", "BAD_INPUT");
                if let Some(field) = field {
                    set(error, "field", field);
                }
            }
        }
        if error.message.chars().nth(MAX_MESSAGE).is_some() {
            error.message = error
                .message
                .chars()
                .take(MAX_MESSAGE)
                .chain("...".chars())
                .collect();
        }
    }
}

fn encode(error: &mut ServerError, known: &Error, request: Option<&RequestId>) {
    set(error, "code", code(known));
    match known {
        Error::BadInput(wrong) => {
            if let Some(first) = wrong.first() {
                set(error, "field", first.field.as_str());
            }
            if wrong.len() > 1 {
                let all = wrong.iter().map(|wrong| {
                    let (field, message) = (wrong.field.as_str(), wrong.message.as_str());
                    value!({ "field": field, "message": message })
                });
                set(error, "fields", Value::List(all.collect()));
            }
        }
        Error::RateLimited(seconds) => set(error, RETRY_AFTER, *seconds),
        Error::Internal(cause) => {
            error.message = if is_statement_timeout(cause) {
                "The query took too long and was stopped. Ask for less data; if this continues, give the operator the \
                 request id"
            } else {
                "An internal error occurred. Try again; if this continues, give the operator the request id"
            }
            .into();
            if let Some(request) = request {
                set(error, "requestId", request.0.as_str());
            }
        }
        _ => {}
    }
}

const fn code(error: &Error) -> &'static str {
    match error {
        Error::Unauthenticated => "UNAUTHENTICATED",
        Error::Forbidden(_) => "FORBIDDEN",
        Error::NotFound(_) => "NOT_FOUND",
        Error::BadInput(_) => "BAD_INPUT",
        Error::Conflict(_) => "CONFLICT",
        Error::RateLimited(_) => "RATE_LIMITED",
        Error::Upstream(_) => "UPSTREAM",
        Error::Internal(_) => "INTERNAL",
    }
}

/// The code that [`present`] gave to an error.
pub(crate) fn code_of(error: &ServerError) -> &'static str {
    const CODES: [&str; 8] = [
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "NOT_FOUND",
        "BAD_INPUT",
        "CONFLICT",
        "RATE_LIMITED",
        "UPSTREAM",
        "INTERNAL",
    ];
    let code = error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("code"));
    let known = CODES
        .into_iter()
        .find(|known| matches!(code, Some(Value::String(code)) if code == known));
    known.unwrap_or("INTERNAL")
}

fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_default().set(name, value);
}

/// Name of the wrong argument or input field in a validation message, such as
/// `Invalid value for argument "input.kind", ...` or
/// `Invalid value for argument "input", field "name" of type ...`.
fn argument(message: &str) -> Option<&str> {
    if let Some((_, missing)) = message
        .strip_prefix("Field \"")
        .and_then(|rest| rest.split_once("\" argument \""))
    {
        return missing.split_once('"').map(|(name, _)| name);
    }
    let rest = message.strip_prefix("Invalid value for argument \"")?;
    let (path, reason) = rest.split_once("\", ")?;
    let inner = ["field \"", "unknown field \""]
        .iter()
        .find_map(|begin| reason.strip_prefix(begin));
    if let Some((name, _)) = inner.and_then(|inner| inner.split_once('"')) {
        return Some(name);
    }
    path.rsplit('.').find(|name| name.parse::<usize>().is_err())
}

fn path(error: &ServerError) -> String {
    let segments = error.path.iter().map(|segment| match segment {
        async_graphql::PathSegment::Field(name) => name.clone(),
        async_graphql::PathSegment::Index(index) => index.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_argument_is_read_from_a_validation_message() {
        for (message, field) in [
            (
                "Invalid value for argument \"input.kind\", enumeration type \"K\" does not contain ...",
                Some("kind"),
            ),
            (
                "Invalid value for argument \"id\", expected type \"UUID\"",
                Some("id"),
            ),
            (
                "Invalid value for argument \"input.componentIds.3\", expected type \"String\"",
                Some("componentIds"),
            ),
            (
                "Invalid value for argument \"input\", field \"name\" of type \"String!\" is required but not provided",
                Some("name"),
            ),
            (
                "Invalid value for argument \"input\", unknown field \"x\" of type \"CreateServiceInput\"",
                Some("x"),
            ),
            (
                "Field \"service\" argument \"id\" of type \"Query\" is required but not provided",
                Some("id"),
            ),
            ("Unknown field \"x\" on type \"Query\".", None),
        ] {
            assert_eq!(argument(message), field);
        }
    }
}
