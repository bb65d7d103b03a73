//! Failed requests, in a form that a page can show.

use std::fmt;
use ui_derive::FromJson;

/// The kind of a failure, which decides what the page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// There is no session any more.
    SignedOut,
    /// The object does not exist, or belongs to somebody else.
    NotFound,
    /// The input is invalid; [`Problem::fields`] says where.
    BadInput,
    RateLimited,
    /// No response: the server or the network is down.
    Unreachable,
    /// Any other failure of the server.
    Server,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// A sentence for the user.
    pub message: String,
    /// Messages about invalid fields, by the name of the GraphQL input field.
    pub fields: Vec<(String, String)>,
    /// Finds the cause in the server's log.
    pub request_id: Option<String>,
}

/// An error in a GraphQL response.
#[derive(Debug, FromJson)]
pub(super) struct ApiError {
    message: String,
    extensions: Option<Extensions>,
}

#[derive(Debug, Default, FromJson)]
struct Extensions {
    code: Option<String>,
    field: Option<String>,
    fields: Option<Vec<InvalidField>>,
    request_id: Option<String>,
}

#[derive(Debug, FromJson)]
struct InvalidField {
    field: String,
    message: String,
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let ApiError {
            message,
            extensions,
        } = error;
        let extensions = extensions.unwrap_or_default();
        let kind = match extensions.code.as_deref() {
            Some("UNAUTHENTICATED") => ProblemKind::SignedOut,
            Some("NOT_FOUND") => ProblemKind::NotFound,
            Some("BAD_INPUT") => ProblemKind::BadInput,
            Some("RATE_LIMITED") => ProblemKind::RateLimited,
            _ => ProblemKind::Server,
        };
        let mut fields: Vec<_> = extensions
            .fields
            .unwrap_or_default()
            .into_iter()
            .map(|invalid| (invalid.field, invalid.message))
            .collect();
        if let (true, Some(field)) = (fields.is_empty(), extensions.field) {
            // The message begins with the field's name, which would be redundant beside the field
            // itself.
            let own = message
                .strip_prefix(&format!("{field}: "))
                .unwrap_or(&message)
                .to_owned();
            fields.push((field, own));
        }
        Self {
            kind,
            message,
            fields,
            request_id: extensions.request_id,
        }
    }
}

impl Problem {
    #[must_use]
    pub fn unreachable() -> Self {
        Self::new(
            ProblemKind::Unreachable,
            "The PulseCheck server does not respond. Check your network, then try again.",
        )
    }

    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(ProblemKind::SignedOut, "You are signed out.")
    }

    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ProblemKind::NotFound,
            &format!("This {what} does not exist, or you have no access to it."),
        )
    }

    /// The response cannot be parsed; `detail` says why.
    #[must_use]
    pub fn unreadable(detail: &str) -> Self {
        Self::new(
            ProblemKind::Server,
            &format!(
                "The server's response could not be read ({detail}). Reload the page to get its latest version."
            ),
        )
    }

    /// The text in the field `name` is so invalid that it cannot be sent.
    #[must_use]
    pub fn invalid_field(name: &str, message: &str) -> Self {
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

    /// Returns the message about the field `name`, if it is invalid.
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
    use crate::api::json;

    fn problem(extensions: &str) -> Problem {
        let error = format!(r#"{{"message":"url: has no host","extensions":{extensions}}}"#);
        let error = json::parse(&error).unwrap();
        json::read::<ApiError>(&error).unwrap().into()
    }

    #[test]
    fn invalid_fields_are_found_by_their_names() {
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
