//! How errors leave: each with a code, a message that is safe to read, and for our own faults the id under which the
//! cause was logged.

use crate::use_cases::Error;
use async_graphql::{ServerError, Value, value};
use entity::sql::is_statement_timeout;
use std::sync::Arc;

/// The most errors in one response; what one mistake causes a thousand times need not be said a thousand times.
const MAX_ERRORS: usize = 20;

/// The longest message, in characters: some quote what was sent.
const MAX_MESSAGE: usize = 500;

/// The extension that says after how many seconds something may be tried again.
pub(crate) const RETRY_AFTER: &str = "retryAfterSeconds";

/// The id of the HTTP request or WebSocket connection, which the server puts into the request's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The error that a response carries for a refusal outside of any field.
pub(super) fn refused(error: Error) -> ServerError {
    let mut refused = ServerError::new(error.to_string(), None);
    refused.source = Some(Arc::new(error));
    refused
}

/// Gives every error of a response its code, and logs our own faults, each cause once.
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
                tracing::error!(error = %cause, %path, %request_id, "a GraphQL field failed");
            }
        }
        match known {
            Some(known) => encode(error, &known, request),
            None => {
                // What async-graphql itself refuses is always the request's fault.
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
                "Reading that took too long and was stopped. Ask for less at a time; if it stays so, give the operator \
                 the request id"
            } else {
                "Something went wrong here, not with your request. Try again; if it stays so, give the operator the \
                 request id"
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

/// The code that an error has left with.
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

/// The name of what is wrong, as far as validation tells it: `Invalid value for argument "input.kind", ...`, or what is
/// missing or unknown inside of it: `Invalid value for argument "input", field "name" of type ...`.
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
    fn the_wrong_argument_is_read_from_what_validation_says() {
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
