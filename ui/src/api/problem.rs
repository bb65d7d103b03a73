//! Why a request did not bring what was asked for, in a form that a page can show.

use super::json::{self, Json, Read};
use std::fmt;

/// What kind of failure it is: decides what the page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Nobody is signed in any more.
    SignedOut,
    /// What was asked for does not exist, or belongs to somebody else.
    NotFound,
    /// Something in what was sent is wrong; [`Problem::fields`] says where.
    BadInput,
    /// Too many requests in too short a time.
    RateLimited,
    /// No answer came: the server is away or the network is.
    Unreachable,
    /// Anything else that the server refused or could not do.
    Server,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub kind: ProblemKind,
    /// A sentence that a person may read.
    pub message: String,
    /// What is wrong, by the name of the GraphQL input's field.
    pub fields: Vec<(String, String)>,
    /// The name under which the server logged the cause.
    pub request_id: Option<String>,
}

/// The `extensions` of an error of the API.
#[derive(Debug, Clone, Default)]
pub(super) struct Extensions {
    code: Option<String>,
    field: Option<String>,
    fields: Option<Vec<Field>>,
    request_id: Option<String>,
}

#[derive(Debug, Clone)]
struct Field {
    field: String,
    message: String,
}

json::objects! {
    Field { field, message }
}

impl Read for Extensions {
    fn read(json: &mut Json<'_>) -> Self {
        let start = json.begin();
        let [code, field, request_id] =
            ["code", "field", "requestId"].map(|name| json.maybe(start, name));
        let extensions = Self {
            code,
            field,
            fields: json.maybe(start, "fields"),
            request_id,
        };
        json.end();
        extensions
    }
}

impl Problem {
    /// No answer came.
    #[must_use]
    pub fn unreachable() -> Self {
        Self::new(
            ProblemKind::Unreachable,
            "PulseCheck's server does not answer. Check the network, then try again.",
        )
    }

    /// The session has ended.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(ProblemKind::SignedOut, "You are signed out.")
    }

    /// The object that was asked for is not there.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ProblemKind::NotFound,
            &format!("There is no such {what}, or it is not yours."),
        )
    }

    /// The answer makes no sense: `detail` says where.
    #[must_use]
    pub fn unreadable(detail: &str) -> Self {
        Self::new(
            ProblemKind::Server,
            &format!(
                "The server's answer could not be read ({detail}). Reload the page: it may be older than the server."
            ),
        )
    }

    /// What was typed into the field `name` cannot even be sent.
    #[must_use]
    pub fn wrong(name: &str, message: &str) -> Self {
        Self {
            fields: vec![(name.to_owned(), message.to_owned())],
            ..Self::new(ProblemKind::BadInput, message)
        }
    }

    fn new(kind: ProblemKind, message: &str) -> Self {
        Self {
            kind,
            message: message.to_owned(),
            fields: Vec::new(),
            request_id: None,
        }
    }

    pub(super) fn from_error(message: String, extensions: Option<Extensions>) -> Self {
        let extensions = extensions.unwrap_or_default();
        let kind = match extensions.code.as_deref() {
            Some("UNAUTHENTICATED") => ProblemKind::SignedOut,
            Some("NOT_FOUND") => ProblemKind::NotFound,
            Some("BAD_INPUT") => ProblemKind::BadInput,
            Some("RATE_LIMITED") => ProblemKind::RateLimited,
            _ => ProblemKind::Server,
        };
        let wrong = extensions.fields.unwrap_or_default();
        let mut fields: Vec<_> = wrong
            .into_iter()
            .map(|wrong| (wrong.field, wrong.message))
            .collect();
        if let (true, Some(field)) = (fields.is_empty(), extensions.field) {
            // The sentence for the log begins with the field's name; at the field itself that would be said twice.
            let said = message
                .strip_prefix(&format!("{field}: "))
                .unwrap_or(&message)
                .to_owned();
            fields.push((field, said));
        }
        Self {
            kind,
            message,
            fields,
            request_id: extensions.request_id,
        }
    }

    /// What is wrong with the field `name`, if anything is.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, message)| message.as_str())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(extensions: &str) -> Problem {
        let error = format!(r#"{{"extensions":{extensions}}}"#);
        Problem::from_error(
            "url: has no host".into(),
            json::member(&error, "extensions").unwrap(),
        )
    }

    #[test]
    fn wrong_fields_are_found_by_their_names() {
        let both = problem(
            r#"{"code":"BAD_INPUT","field":"name","fields":[{"field":"url","message":"has no host"}]}"#,
        );
        assert_eq!(both.field("url"), Some("has no host"));
        let only_name = problem(r#"{"code":"BAD_INPUT","field":"url"}"#);
        assert_eq!(only_name.field("url"), Some("has no host"));
        assert_eq!(only_name.field("name"), None);
    }

    #[test]
    fn codes_decide_what_the_page_offers() {
        assert_eq!(
            problem(r#"{"code":"UNAUTHENTICATED"}"#).kind,
            ProblemKind::SignedOut
        );
        assert_eq!(
            problem(r#"{"code":"SOMETHING_NEW","requestId":"r1"}"#).kind,
            ProblemKind::Server
        );
        assert_eq!(
            problem(r#"{"requestId":"r1"}"#).request_id.as_deref(),
            Some("r1")
        );
    }
}
