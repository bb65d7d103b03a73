//! One request to the API, with the session renewed on the way when it has run out.

use super::problem::{Extensions, Problem, ProblemKind};
use crate::browser::{self, Sent};
use cynic::{GraphQlError, Operation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::cell::RefCell;

const API: &str = "/api/graphql";
const REFRESH: &str = "/api/auth/refresh";
const SIGN_OUT: &str = "/api/auth/logout";

/// Sends `operation` and returns its data. A session that has run out is renewed once, without anybody noticing.
///
/// # Errors
/// [`Problem`] says what happened; data with errors beside it counts as failed.
pub async fn request<Data, Variables>(operation: Operation<Data, Variables>) -> Result<Data, Problem>
where
    Data: DeserializeOwned + 'static,
    Variables: Serialize,
{
    let body = serde_json::to_string(&operation).expect("operations hold only text, numbers and lists of them");
    read(&exchange(body).await?)
}

/// Everything that does not depend on what is asked for, so that it is compiled once.
async fn exchange(body: String) -> Result<String, Problem> {
    match send(&body).await {
        Err(Problem { kind: ProblemKind::SignedOut, .. }) if refresh_session().await => send(&body).await,
        result => result,
    }
}

async fn send(body: &str) -> Result<String, Problem> {
    let Sent { status, body } = browser::post(API, Some(body)).await.map_err(|_| Problem::unreachable())?;
    check(status, &body)?;
    Ok(body)
}

/// Finds the error in an answer, if there is one. An answer without errors is not read here: it may be megabytes.
fn check(status: u16, body: &str) -> Result<(), Problem> {
    if status == 401 {
        return Err(Problem::signed_out());
    }
    if !body.contains("\"errors\"") {
        // A proxy in front of a server that is away answers with a page of its own.
        return if status >= 500 { Err(Problem::unreachable()) } else { Ok(()) };
    }
    let errors = serde_json::from_str::<Errors>(body).ok().and_then(|answer| answer.errors).unwrap_or_default();
    match errors.into_iter().next() {
        Some(GraphQlError { message, extensions, .. }) => Err(Problem::from_error(message, extensions)),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Option<Vec<GraphQlError<Extensions>>>,
}

#[derive(Deserialize)]
struct Answer<Data> {
    data: Data,
}

fn read<Data: DeserializeOwned>(body: &str) -> Result<Data, Problem> {
    let answer: Result<Answer<Data>, _> = serde_json::from_str(body);
    answer.map(|answer| answer.data).map_err(|error| Problem::unreadable(&error.to_string()))
}

thread_local! {
    /// Those who wait for the renewal that is under way; `None` when there is none.
    static WAITING: RefCell<Option<Vec<futures_channel::oneshot::Sender<bool>>>> = const { RefCell::new(None) };
}

/// Renews the session; whoever asks while that is under way shares its result, because a refresh token used twice
/// ends the whole session. Returns whether there is a session now.
pub async fn refresh_session() -> bool {
    let shared = WAITING.with_borrow_mut(|waiting| {
        let Some(list) = waiting else {
            *waiting = Some(Vec::new());
            return None;
        };
        let (sender, receiver) = futures_channel::oneshot::channel();
        list.push(sender);
        Some(receiver)
    });
    if let Some(receiver) = shared {
        return receiver.await.unwrap_or(false);
    }
    // Not tied to the component that asked: leaving its page must not strand the others.
    let (sender, receiver) = futures_channel::oneshot::channel();
    browser::spawn(async move {
        let renewed = matches!(browser::post(REFRESH, None).await, Ok(Sent { status: 200..=299, .. }));
        for waiting in WAITING.take().unwrap_or_default() {
            let _ = waiting.send(renewed);
        }
        let _ = sender.send(renewed);
    });
    receiver.await.unwrap_or(false)
}

/// Ends the session.
///
/// # Errors
/// When the server does not answer, and then the session may go on.
pub async fn sign_out() -> Result<(), Problem> {
    match browser::post(SIGN_OUT, None).await {
        Ok(Sent { status: 200..=399 | 401, .. }) => Ok(()),
        _ => Err(Problem::unreachable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_beside_data_counts_as_failed() {
        let body = r#"{"data":{"a":1},"errors":[{"message":"no","extensions":{"code":"NOT_FOUND"}}]}"#;
        assert_eq!(check(200, body).unwrap_err().kind, ProblemKind::NotFound);
        let harmless = r#"{"data":{"text":"\"errors\" is only a word"}}"#;
        assert_eq!(check(200, harmless), Ok(()));
    }

    #[test]
    fn a_proxys_page_means_that_the_server_is_away() {
        assert_eq!(check(502, "<html>").unwrap_err().kind, ProblemKind::Unreachable);
        assert_eq!(read::<serde_json::Value>("<html>").unwrap_err().kind, ProblemKind::Server);
        assert_eq!(check(401, "").unwrap_err().kind, ProblemKind::SignedOut);
    }

    #[test]
    fn data_is_read_out_of_its_answer() {
        assert_eq!(read::<Vec<u8>>(r#"{"data":[1,2],"extensions":{}}"#), Ok(vec![1, 2]));
    }
}
