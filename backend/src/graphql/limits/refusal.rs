//! Refusals of documents.

use crate::use_cases::Error;

/// A refusal of the document as a whole.
pub(in crate::graphql) fn query_error(message: impl Into<String>) -> Error {
    Error::field("query", message)
}
