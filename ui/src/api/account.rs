//! Sign-in, the current user, sessions, API tokens and the calendar feed.

use super::operation::operations;
use super::problem::{Problem, ProblemKind};
use super::request::{renew_session, request, session_renewals};
use super::schema;
use super::values::{ById, ByIdFields, Moment};
use ui_derive::query_fragment;
use uuid::Uuid;

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetSignInOptions {
    pub sign_in_options: SignInOptions,
}

/// How people can sign in on this server.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInOptions {
    pub providers: Vec<SignInProvider>,
    /// Whether one-time sign-in links are accepted.
    pub local: bool,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInProvider {
    pub id: String,
    pub name: String,
    pub url: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetMe {
    /// `None` without a valid session.
    pub me: Option<Me>,
}

/// Returns the current user, renewing the session if necessary; `None` when there is no session.
///
/// # Errors
/// Returns a [`Problem`] when it is unknown whether there is a session.
pub async fn fetch_me() -> Result<Option<Me>, Problem> {
    let renewals_before = session_renewals();
    let response = async {
        match request::<GetMe>(()).await? {
            GetMe { me: None } => {
                renew_session(renewals_before).await?;
                request::<GetMe>(()).await
            }
            response => Ok(response),
        }
    };
    match response.await {
        Ok(response) => Ok(response.me),
        Err(problem) if problem.kind == ProblemKind::SignedOut => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The signed-in user.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "User")]
pub struct Me {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub avatar_url: Option<String>,
    pub operator: bool,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetAccount {
    /// `None` without a valid session.
    pub me: Option<Account>,
    pub calendar_feed: Option<CalendarFeed>,
}

/// The user's identities, sessions and tokens, as the settings list them.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "User")]
pub struct Account {
    pub identities: Vec<Identity>,
    pub sessions: Vec<BrowserSession>,
    pub api_tokens: Vec<ApiToken>,
}

/// An account at a provider with which the user has signed in.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub provider: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub last_used_at: Moment,
}

/// A browser in which the user is signed in.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Session")]
pub struct BrowserSession {
    pub id: Uuid,
    pub browser: String,
    pub address: Option<String>,
    pub created_at: Moment,
    pub last_used_at: Moment,
    pub current: bool,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct EndSession {
    #[arguments(id: $id)]
    pub end_session: Uuid,
}

/// Signs out every browser except this one.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct EndOtherSessions {
    /// The number of ended sessions.
    pub end_other_sessions: i32,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct DeleteAccountVariables {
    /// The user's own e-mail address, as a confirmation.
    pub email: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteAccountVariables")]
pub struct DeleteAccount {
    #[arguments(email: $email)]
    pub delete_account: Uuid,
}

/// An API token, without its secret.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct ApiToken {
    pub id: Uuid,
    pub name: String,
    pub read_only: bool,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
    pub expires_at: Option<Moment>,
}

#[derive(cynic::InputObject, Debug, Clone, PartialEq)]
pub struct CreateApiTokenInput {
    pub name: String,
    pub read_only: bool,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<i32>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct CreateApiTokenVariables {
    pub input: CreateApiTokenInput,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateApiTokenVariables")]
pub struct CreateApiToken {
    #[arguments(input: $input)]
    pub create_api_token: CreatedApiToken,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedApiToken {
    /// The secret; the server shows it only in this response.
    pub token: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct RevokeApiToken {
    #[arguments(id: $id)]
    pub revoke_api_token: Uuid,
}

/// The calendar feed, without its secret address.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalendarFeed {
    pub created_at: Moment,
    pub last_read_at: Option<Moment>,
}

/// Creates a calendar feed; an existing one is replaced.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct CreateCalendarFeed {
    pub create_calendar_feed: CreatedCalendarFeed,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedCalendarFeed {
    /// The secret address; the server shows it only in this response.
    pub url: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct RevokeCalendarFeed {
    /// Whether there was a feed.
    pub revoke_calendar_feed: bool,
}

operations! {
    query GetSignInOptions(());
    query GetMe(());
    query GetAccount(());
    mutation EndSession(ById);
    mutation EndOtherSessions(());
    mutation DeleteAccount(DeleteAccountVariables);
    mutation CreateApiToken(CreateApiTokenVariables);
    mutation RevokeApiToken(ById);
    mutation CreateCalendarFeed(());
    mutation RevokeCalendarFeed(());
}
