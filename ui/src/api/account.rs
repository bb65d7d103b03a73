//! The viewer and their API tokens.

use super::{ByIdFields, Moment, schema};
use uuid::Uuid;

/// Who is signed in.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetMe {
    /// `None` without a valid session.
    pub me: Option<Me>,
}

/// Who is signed in.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "User")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Me {
    pub id: Uuid,
    pub email: String,
    pub name: String,
}

/// What the settings show.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetAccount {
    /// `None` without a valid session.
    pub me: Option<Account>,
}

/// The viewer's tokens.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "User")]
pub struct Account {
    /// Those not revoked.
    pub api_tokens: Vec<ApiToken>,
}

/// An API token, without its secret.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct ApiToken {
    pub id: Uuid,
    pub name: String,
    pub read_only: bool,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
    pub expires_at: Option<Moment>,
}

/// A new token.
#[derive(cynic::InputObject, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CreateApiTokenInput {
    pub name: String,
    pub read_only: bool,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<i32>,
}

/// A new token.
#[derive(cynic::QueryVariables, Debug)]
pub struct CreateApiTokenVariables {
    /// As typed.
    pub input: CreateApiTokenInput,
}

/// Makes a token.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateApiTokenVariables")]
pub struct CreateApiToken {
    /// With its secret.
    #[arguments(input: $input)]
    pub create_api_token: CreatedApiToken,
}

/// A new token with its secret, which is shown this once.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CreatedApiToken {
    pub token: String,
    pub api_token: ApiToken,
}

/// Ends a token.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct RevokeApiToken {
    /// Which one went.
    #[arguments(id: $id)]
    #[allow(dead_code, reason = "asked for because a mutation must select something")]
    pub revoke_api_token: Uuid,
}
