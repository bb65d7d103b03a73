//! The input of `createApiToken`.

use crate::use_cases::token::TokenDraft;
use async_graphql::InputObject;

/// An API token to create.
#[derive(InputObject, Debug)]
pub(crate) struct CreateApiTokenInput {
    /// Name, up to 100 characters.
    name: String,
    /// Whether it is read-only.
    #[graphql(default_with = "Some(false)")]
    read_only: Option<bool>,
    /// Days until it expires, 1 to 3650; never by default.
    expires_in_days: Option<i32>,
}

impl From<CreateApiTokenInput> for TokenDraft {
    fn from(input: CreateApiTokenInput) -> Self {
        Self {
            name: input.name,
            read_only: input.read_only.unwrap_or(false),
            expires_in_days: input.expires_in_days,
        }
    }
}
