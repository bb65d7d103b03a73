//! One request to the API, with the session renewed on the way when it has run out.

use super::{
    Document, Moment,
    json::{self, Json, Read},
    problem::{Extensions, Problem, ProblemKind},
};
use crate::{
    backoff,
    browser::{self, Sent},
};
use futures_util::{FutureExt, future::WeakShared};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::Pin,
    rc::Rc,
};

const API: &str = "/api/graphql";
const REFRESH: &str = "/api/auth/refresh";
/// Where the refresh cookie reaches as well.
const SIGN_OUT: &str = "/api/auth/refresh/logout";

/// How often a question is asked before its failure is told, when no answer comes at all.
const ATTEMPTS: u32 = 3;

/// Sends a document and returns its data. A session that has run out is renewed once, without anybody noticing; the same
/// question asked twice at a time is sent once; a question without an answer is asked again. Whoever waits no longer
/// drops the future, and the last one to do so ends the request.
///
/// # Errors
/// [`Problem`] says what happened; data with errors beside it counts as failed.
#[allow(clippy::needless_pass_by_value, reason = "they are sent once")]
pub fn request<D: Document + Read>(
    variables: D::Variables,
) -> impl Future<Output = Result<D, Problem>> + use<D> {
    let answer = exchange(written::<D>(&variables), D::TEXT.starts_with("query"));
    async move { read(&answer.await?) }
}

/// As [`request`], where nobody needs what comes back.
#[allow(clippy::needless_pass_by_value, reason = "they are sent once")]
pub(crate) fn tell<D: Document>(
    variables: D::Variables,
) -> Pin<Box<dyn Future<Output = Result<(), Problem>>>> {
    let answer = exchange(written::<D>(&variables), false);
    Box::pin(async { answer.await.map(drop) })
}

/// Sends a document when the page is about to go away: nobody reads the answer.
#[allow(clippy::needless_pass_by_value, reason = "they are sent once")]
pub(crate) fn request_at_the_end<D: Document>(variables: D::Variables) {
    browser::post_at_the_end(API, &written::<D>(&variables));
}

/// What is sent: text, variables and name, as JSON.
pub(crate) fn written<D: Document>(variables: &D::Variables) -> String {
    let variables = serde_json::to_string(variables);
    body(
        D::TEXT,
        D::NAME,
        &variables.expect("variables hold only text, numbers and lists of them"),
    )
}

fn body(text: &str, name: &str, variables: &str) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    format!(
        r#"{{"query":{},"variables":{variables},"operationName":{}}}"#,
        quoted(text),
        quoted(name)
    )
}

type Exchange = Pin<Box<dyn Future<Output = Result<Rc<str>, Problem>>>>;

thread_local! {
    /// Questions that are being asked, by their text.
    static IN_FLIGHT: RefCell<HashMap<String, WeakShared<Exchange>>> = RefCell::default();
    /// When the last kept answer was kept.
    static KEPT: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// Whoever asks from now on gets an answer that was given from now on.
pub(crate) fn forget_in_flight() {
    IN_FLIGHT.with_borrow_mut(HashMap::clear);
}

/// When the last answer was given, if it is one that this browser kept because none came.
#[must_use]
pub fn kept_since() -> Option<Moment> {
    KEPT.get()
}

/// Everything that does not depend on what is asked for, boxed, so that it is compiled once.
fn exchange(body: String, asks: bool) -> Exchange {
    Box::pin(exchanged(body, asks))
}

async fn exchanged(body: String, asks: bool) -> Result<Rc<str>, Problem> {
    if !asks {
        // What is asked after a change must not be answered from before it.
        forget_in_flight();
        let answer = send_with_session(&body).await;
        forget_in_flight();
        return answer;
    }
    let known = IN_FLIGHT.with_borrow(|flying| flying.get(&body).and_then(WeakShared::upgrade));
    let shared = known.unwrap_or_else(|| {
        let question: Exchange = Box::pin(ask(body.clone()));
        let shared = question.shared();
        IN_FLIGHT.with_borrow_mut(|flying| {
            flying.retain(|_, other| other.upgrade().is_some());
            flying.extend(shared.downgrade().map(|weak| (body, weak)));
        });
        shared
    });
    shared.await
}

/// Asks until an answer comes, with a growing pause between the attempts.
async fn ask(body: String) -> Result<Rc<str>, Problem> {
    let mut attempt = 1;
    loop {
        match send_with_session(&body).await {
            Err(Problem {
                kind: ProblemKind::Unreachable | ProblemKind::RateLimited,
                ..
            }) if attempt < ATTEMPTS => {
                browser::sleep(backoff::lateness_ms(attempt - 1, browser::random())).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn send_with_session(body: &str) -> Result<Rc<str>, Problem> {
    let before = renewals();
    match send(body).await {
        Err(Problem {
            kind: ProblemKind::SignedOut,
            ..
        }) => {
            renew_session(before).await?;
            send(body).await
        }
        result => result,
    }
}

async fn send(body: &str) -> Result<Rc<str>, Problem> {
    let Sent { status, body, kept } = browser::post(API, Some(body))
        .await
        .map_err(|_| Problem::unreachable())?;
    KEPT.set(kept);
    check(status, &body)?;
    Ok(body.into())
}

/// Finds the error in an answer, if there is one. An answer without errors is not read here: it may be megabytes.
fn check(status: u16, body: &str) -> Result<(), Problem> {
    if status == 401 {
        return Err(Problem::signed_out());
    }
    if !body.contains("\"errors\"") {
        // A proxy in front of a server that is away answers with a page of its own.
        return if status >= 500 {
            Err(Problem::unreachable())
        } else {
            Ok(())
        };
    }
    let errors = json::member::<Option<Vec<Refusal>>>(body, "errors")
        .ok()
        .flatten()
        .flatten()
        .unwrap_or_default();
    match errors.into_iter().next() {
        Some(Refusal {
            message,
            extensions,
        }) => Err(Problem::from_error(message, extensions)),
        None => Ok(()),
    }
}

/// What is read of an error: where in the question it happened is of no use here.
struct Refusal {
    message: String,
    extensions: Option<Extensions>,
}

impl Read for Refusal {
    fn read(json: &mut Json<'_>) -> Self {
        let start = json.begin();
        let refusal = Self {
            message: json.member(start, "message"),
            extensions: json.maybe(start, "extensions"),
        };
        json.end();
        refusal
    }
}

fn read<Data: Read>(body: &str) -> Result<Data, Problem> {
    match json::member(body, "data") {
        Ok(Some(data)) => Ok(data),
        Ok(None) => Err(Problem::unreadable("it has no data")),
        Err(error) => Err(Problem::unreadable(&error.to_string())),
    }
}

/// Those who wait for a renewal.
type Waiting = Vec<futures_channel::oneshot::Sender<Result<(), Problem>>>;

thread_local! {
    /// Of the renewal that is under way; `None` when there is none.
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
    static RENEWALS: Cell<u32> = const { Cell::new(0) };
}

/// How often the session was renewed. To be kept before asking, for [`renew_session`].
pub(super) fn renewals() -> u32 {
    RENEWALS.get()
}

/// Renews the session, for whoever was refused what was asked after so many renewals; it may be renewed since. Whoever
/// comes while that is under way shares its result, because a refresh token used twice ends the whole session.
///
/// # Errors
/// [`ProblemKind::SignedOut`] when there is no session any more. Any other leaves open whether there is one.
pub(super) async fn renew_session(before: u32) -> Result<(), Problem> {
    if RENEWALS.get() != before {
        return Ok(());
    }
    let (sender, receiver) = futures_channel::oneshot::channel();
    let first = WAITING.with_borrow_mut(|waiting| {
        let first = waiting.is_none();
        waiting.get_or_insert_default().push(sender);
        first
    });
    if first {
        // Not tied to the component that asked: leaving its page must not strand the others.
        browser::spawn(async move {
            let renewed = match browser::post(REFRESH, None).await {
                Ok(answer) => renewed(answer.status),
                Err(_) => Err(Problem::unreachable()),
            };
            if renewed.is_ok() {
                RENEWALS.set(RENEWALS.get().wrapping_add(1));
                // What is on its way was asked without a session, and is answered like that.
                forget_in_flight();
            }
            for waiting in WAITING.take().unwrap_or_default() {
                let _ = waiting.send(renewed.clone());
            }
        });
    }
    receiver
        .await
        .unwrap_or_else(|_| Err(Problem::unreachable()))
}

/// What the status of a renewal's answer means. Too many requests and a server in trouble say nothing about the session.
fn renewed(status: u16) -> Result<(), Problem> {
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500.. => Err(Problem::unreachable()),
        _ => Err(Problem::signed_out()),
    }
}

/// Ends the session.
///
/// # Errors
/// When the server does not answer, and then the session may go on.
pub async fn sign_out() -> Result<(), Problem> {
    match browser::post(SIGN_OUT, None).await {
        Ok(Sent {
            status: 200..=399 | 401,
            ..
        }) => Ok(()),
        _ => Err(Problem::unreachable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_beside_data_counts_as_failed() {
        let body =
            r#"{"data":{"a":1},"errors":[{"message":"no","extensions":{"code":"NOT_FOUND"}}]}"#;
        assert_eq!(check(200, body).unwrap_err().kind, ProblemKind::NotFound);
        let harmless = r#"{"data":{"text":"\"errors\" is only a word"}}"#;
        assert_eq!(check(200, harmless), Ok(()));
    }

    #[test]
    fn a_proxys_page_means_that_the_server_is_away() {
        assert_eq!(
            check(502, "<html>").unwrap_err().kind,
            ProblemKind::Unreachable
        );
        assert_eq!(
            read::<bool>("<html>").unwrap_err().kind,
            ProblemKind::Server
        );
        assert_eq!(check(401, "").unwrap_err().kind, ProblemKind::SignedOut);
    }

    #[test]
    fn only_a_refusal_ends_the_session() {
        assert_eq!(renewed(200), Ok(()));
        for (status, kind) in [
            (401, ProblemKind::SignedOut),
            (403, ProblemKind::SignedOut),
            (429, ProblemKind::Unreachable),
            (500, ProblemKind::Unreachable),
            (503, ProblemKind::Unreachable),
        ] {
            assert_eq!(renewed(status).unwrap_err().kind, kind, "{status}");
        }
    }

    #[test]
    fn data_is_read_out_of_its_answer() {
        assert_eq!(
            read::<Vec<i32>>(r#"{"data":[1,2],"extensions":{}}"#),
            Ok(vec![1, 2])
        );
    }
}
