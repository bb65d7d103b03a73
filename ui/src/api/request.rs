//! One request to the API, with the session renewed on the way when it has run out.

use super::problem::{Extensions, Problem, ProblemKind};
use crate::browser::{self, Sent};
use cynic::{GraphQlResponse, Operation};
use serde::{Serialize, de::DeserializeOwned};
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
    match send(&body).await {
        Err(Problem { kind: ProblemKind::SignedOut, .. }) if refresh_session().await => send(&body).await,
        result => result,
    }
}

async fn send<Data: DeserializeOwned>(body: &str) -> Result<Data, Problem> {
    let Sent { status, body } = browser::post(API, Some(body)).await.map_err(|_| Problem::unreachable())?;
    if status == 401 {
        return Err(Problem::signed_out());
    }
    read(status, &body)
}

fn read<Data: DeserializeOwned>(status: u16, body: &str) -> Result<Data, Problem> {
    let response: GraphQlResponse<Data, Extensions> = match serde_json::from_str(body) {
        Ok(response) => response,
        // A proxy in front of a server that is away answers with a page of its own.
        Err(_) if status >= 500 => return Err(Problem::unreachable()),
        Err(error) => return Err(Problem::unreadable(&error.to_string())),
    };
    match (response.errors.unwrap_or_default().into_iter().next(), response.data) {
        (Some(error), _) => Err(Problem::from_error(error.message, error.extensions)),
        (None, Some(data)) => Ok(data),
        (None, None) => Err(Problem::unreadable("no data")),
    }
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
        assert_eq!(read::<serde_json::Value>(200, body).unwrap_err().kind, ProblemKind::NotFound);
    }

    #[test]
    fn a_proxys_page_means_that_the_server_is_away() {
        assert_eq!(read::<serde_json::Value>(502, "<html>").unwrap_err().kind, ProblemKind::Unreachable);
        assert_eq!(read::<serde_json::Value>(200, "<html>").unwrap_err().kind, ProblemKind::Server);
    }
}
