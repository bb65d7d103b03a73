//! Signing in, the viewer, their sessions, tokens and calendar.

use super::request::{renew_session, renewals, request};
use super::{ByIdFields, Moment, Problem, ProblemKind, json, schema};
use uuid::Uuid;

/// How people sign in here.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetSignInOptions {
    /// Answered to everybody.
    pub sign_in_options: SignInOptions,
}

/// How people sign in here.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct SignInOptions {
    pub providers: Vec<SignInProvider>,
    pub local: bool,
}

/// A provider to sign in by.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct SignInProvider {
    pub id: String,
    pub name: String,
    pub url: String,
}

/// Who is signed in.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetMe {
    /// `None` without a valid session.
    pub me: Option<Me>,
}

/// Who is signed in, the session renewed if need be; `None` when there is no session.
///
/// # Errors
/// [`Problem`] when that is left open.
pub async fn who() -> Result<Option<Me>, Problem> {
    let before = renewals();
    let asked = async {
        match request::<GetMe>(()).await? {
            GetMe { me: None } => {
                renew_session(before).await?;
                request::<GetMe>(()).await
            }
            answer => Ok(answer),
        }
    };
    match asked.await {
        Ok(answer) => Ok(answer.me),
        Err(problem) if problem.kind == ProblemKind::SignedOut => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Who is signed in.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "User")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Me {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub avatar_url: Option<String>,
    pub operator: bool,
}

/// What the settings show.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetAccount {
    /// `None` without a valid session.
    pub me: Option<Account>,
    /// `None` when there is none.
    pub calendar_feed: Option<CalendarFeed>,
}

/// The viewer's ways in, of browsers and of programs.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "User")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Account {
    pub identities: Vec<Identity>,
    pub sessions: Vec<BrowserSession>,
    pub api_tokens: Vec<ApiToken>,
}

/// A way in which the viewer has signed in.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Identity {
    pub provider: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub last_used_at: Moment,
}

/// A browser in which the viewer is signed in.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Session")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct BrowserSession {
    pub id: Uuid,
    pub browser: String,
    pub address: Option<String>,
    pub created_at: Moment,
    pub last_used_at: Moment,
    pub current: bool,
}

/// Signs a browser out.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct EndSession {
    /// Which one went.
    #[arguments(id: $id)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub end_session: Uuid,
}

/// Signs every other browser out.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct EndOtherSessions {
    /// How many.
    pub end_other_sessions: i32,
}

/// Shows that it is meant.
#[derive(cynic::QueryVariables, Debug)]
pub struct DeleteAccountVariables {
    /// The viewer's own.
    pub email: String,
}

/// Deletes the account and everything in it.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteAccountVariables")]
pub struct DeleteAccount {
    /// Which one went.
    #[arguments(email: $email)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub delete_account: Uuid,
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

/// The secret of a new token, which is shown this once.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CreatedApiToken {
    pub token: String,
}

/// Ends a token.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct RevokeApiToken {
    /// Which one went.
    #[arguments(id: $id)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub revoke_api_token: Uuid,
}

/// What is kept of the calendar's address.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CalendarFeed {
    pub created_at: Moment,
    pub last_read_at: Option<Moment>,
}

/// Makes a new address for the calendar.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct CreateCalendarFeed {
    /// With its secret.
    pub create_calendar_feed: CreatedCalendarFeed,
}

/// The address, which is shown this once.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CreatedCalendarFeed {
    pub url: String,
}

/// Makes the calendar's address worthless.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct RevokeCalendarFeed {
    /// Whether there was one.
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub revoke_calendar_feed: bool,
}

json::objects! {
    GetSignInOptions { sign_in_options }
    SignInOptions { providers, local }
    SignInProvider { id, name, url }
    GetMe { me }
    Me { id, email, name, avatar_url, operator }
    GetAccount { me, calendar_feed }
    Account { identities, sessions, api_tokens }
    Identity { provider, name, email, email_verified, last_used_at }
    BrowserSession { id, browser, address, created_at, last_used_at, current }
    EndOtherSessions { end_other_sessions }
    ApiToken { id, name, read_only, created_at, last_used_at, expires_at }
    CreateApiToken { create_api_token }
    CreatedApiToken { token }
    CalendarFeed { created_at, last_read_at }
    CreateCalendarFeed { create_calendar_feed }
    CreatedCalendarFeed { url }
}
