//! Sends requests to the API: deduplicates and retries queries, and renews an expired session.

use super::json::{self, FromJson, JsonValue};
use super::operation::Operation;
use super::problem::{ApiError, Problem, ProblemKind};
use super::values::Moment;
use crate::{
    backoff,
    browser::{self, HttpResponse},
};
use futures_util::{FutureExt, future::WeakShared};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::Pin,
    rc::Rc,
};

const API_PATH: &str = "/api/graphql";
const REFRESH_PATH: &str = "/api/auth/refresh";
/// Below [`REFRESH_PATH`], because the refresh cookie is sent only there.
const SIGN_OUT_PATH: &str = "/api/auth/refresh/logout";

/// Maximum number of attempts of a query that gets no response.
const MAX_ATTEMPTS: u32 = 3;

/// Sends an operation and returns its data. An expired session is renewed once. Identical queries
/// in flight share one request, and a query without a response is retried. Dropping the last future
/// that waits for a request aborts it.
///
/// # Errors
/// Returns a [`Problem`] when there is no response, or when the response has errors, even beside
/// data.
#[allow(clippy::needless_pass_by_value, reason = "variables are sent once")]
pub fn request<O: Operation>(
    variables: O::Variables,
) -> impl Future<Output = Result<O, Problem>> + use<O> {
    let response = send(Request::new::<O>(&variables));
    async move { parse_data(&response.await?) }
}

/// Sends a mutation whose result nobody needs.
#[allow(clippy::needless_pass_by_value, reason = "variables are sent once")]
pub fn execute<O: Operation>(
    variables: O::Variables,
) -> Pin<Box<dyn Future<Output = Result<(), Problem>>>> {
    let response = send(Request::new::<O>(&variables));
    Box::pin(async { response.await.map(drop) })
}

/// Sends a mutation while the page is being unloaded; nobody can read the response.
#[allow(clippy::needless_pass_by_value, reason = "variables are sent once")]
pub(crate) fn send_on_unload<O: Operation>(variables: O::Variables) {
    browser::post_keepalive(API_PATH, &request_body::<O>(&variables));
}

/// Returns the JSON body of a request: document, variables and operation name.
pub(crate) fn request_body<O: Operation>(variables: &O::Variables) -> String {
    let variables = serde_json::to_string(variables)
        .expect("variables hold only strings, numbers and lists of them");
    format_body(O::DOCUMENT, O::NAME, &variables)
}

fn format_body(document: &str, name: &str, variables: &str) -> String {
    let quote = |text: &str| serde_json::to_string(text).expect("a string is JSON");
    format!(
        r#"{{"query":{},"variables":{variables},"operationName":{}}}"#,
        quote(document),
        quote(name)
    )
}

/// A request without its types, so that the code below is compiled once and not for every
/// operation.
struct Request {
    name: &'static str,
    is_query: bool,
    body: String,
}

impl Request {
    fn new<O: Operation>(variables: &O::Variables) -> Self {
        Self {
            name: O::NAME,
            is_query: O::DOCUMENT.starts_with("query"),
            body: request_body::<O>(variables),
        }
    }
}

/// The body of a response without errors, or the error.
type ResponseFuture = Pin<Box<dyn Future<Output = Result<Rc<str>, Problem>>>>;

thread_local! {
    /// Queries in flight, by their body.
    static IN_FLIGHT: RefCell<HashMap<String, WeakShared<ResponseFuture>>> = RefCell::default();
    /// When the last response was cached, if it came from the service worker's cache.
    static CACHED_AT: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// Makes later queries send requests of their own, so that none gets a response from before this
/// call.
pub(crate) fn clear_in_flight() {
    IN_FLIGHT.with_borrow_mut(HashMap::clear);
}

/// Returns when the last response was cached, if the service worker answered in place of the
/// server.
#[must_use]
pub fn cached_since() -> Option<Moment> {
    CACHED_AT.get()
}

fn send(request: Request) -> ResponseFuture {
    if request.is_query {
        Box::pin(send_query(request))
    } else {
        Box::pin(send_mutation(request))
    }
}

async fn send_mutation(request: Request) -> Result<Rc<str>, Problem> {
    // A query that is sent after a mutation must not share a response from before it.
    clear_in_flight();
    let response = send_with_session(&request).await;
    clear_in_flight();
    response
}

async fn send_query(request: Request) -> Result<Rc<str>, Problem> {
    let in_flight =
        IN_FLIGHT.with_borrow(|queries| queries.get(&request.body).and_then(WeakShared::upgrade));
    let shared = in_flight.unwrap_or_else(|| {
        let body = request.body.clone();
        let response: ResponseFuture = Box::pin(send_with_retries(request));
        let shared = response.shared();
        IN_FLIGHT.with_borrow_mut(|queries| {
            queries.retain(|_, other| other.upgrade().is_some());
            queries.extend(shared.downgrade().map(|weak| (body, weak)));
        });
        shared
    });
    shared.await
}

async fn send_with_retries(request: Request) -> Result<Rc<str>, Problem> {
    let mut attempt = 1;
    loop {
        match send_with_session(&request).await {
            Err(Problem {
                kind: ProblemKind::Unreachable | ProblemKind::RateLimited,
                ..
            }) if attempt < MAX_ATTEMPTS => {
                browser::sleep(backoff::delay_ms(attempt - 1, browser::random())).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn send_with_session(request: &Request) -> Result<Rc<str>, Problem> {
    let renewals_before = session_renewals();
    match send_once(request).await {
        Err(Problem {
            kind: ProblemKind::SignedOut,
            ..
        }) => {
            renew_session(renewals_before).await?;
            send_once(request).await
        }
        result => result,
    }
}

async fn send_once(request: &Request) -> Result<Rc<str>, Problem> {
    let response = browser::post(API_PATH, Some((request.name, &request.body))).await;
    let HttpResponse {
        status,
        body,
        cached_at,
    } = response.map_err(|_| Problem::unreachable())?;
    CACHED_AT.set(cached_at);
    check_errors(status, &body)?;
    Ok(body.into())
}

/// Returns the first error of a response. A response without errors is not parsed here, because it
/// may be megabytes.
fn check_errors(status: u16, body: &str) -> Result<(), Problem> {
    if status == 401 {
        return Err(Problem::signed_out());
    }
    if !body.contains("\"errors\"") {
        // A proxy answers with a page of its own when the server is down.
        return if status >= 500 {
            Err(Problem::unreachable())
        } else {
            Ok(())
        };
    }
    let response = json::parse(body).ok();
    let errors = response.as_ref().and_then(|all| all.get("errors"));
    let errors = errors.and_then(|errors| json::read::<Vec<ApiError>>(errors).ok());
    match errors.unwrap_or_default().into_iter().next() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn parse_data<T: FromJson>(body: &str) -> Result<T, Problem> {
    let data = extract_data(body)?;
    json::read(&data).map_err(|error| Problem::unreadable(&error.to_string()))
}

/// Parses a response, and returns its data.
fn extract_data(body: &str) -> Result<JsonValue<'_>, Problem> {
    match json::parse(body) {
        Ok(mut response) => response
            .take("data")
            .filter(|data| !matches!(data, JsonValue::Null))
            .ok_or_else(|| Problem::unreadable("it has no data")),
        Err(error) => Err(Problem::unreadable(&error.to_string())),
    }
}

type RenewalWaiters = Vec<futures_channel::oneshot::Sender<Result<(), Problem>>>;

thread_local! {
    /// Who waits for the renewal in progress; `None` when there is none.
    static RENEWAL_WAITERS: RefCell<Option<RenewalWaiters>> = const { RefCell::new(None) };
    static RENEWALS: Cell<u32> = const { Cell::new(0) };
}

/// Returns how often the session was renewed. Read it before a request, for [`renew_session`].
pub(super) fn session_renewals() -> u32 {
    RENEWALS.get()
}

/// Renews the session, unless it was renewed since `renewals_before`. Concurrent callers share one
/// renewal, because using a refresh token twice ends the session.
///
/// # Errors
/// [`ProblemKind::SignedOut`] when there is no session any more; with any other problem there may
/// be one.
pub(super) async fn renew_session(renewals_before: u32) -> Result<(), Problem> {
    if RENEWALS.get() != renewals_before {
        return Ok(());
    }
    let (sender, receiver) = futures_channel::oneshot::channel();
    let first = RENEWAL_WAITERS.with_borrow_mut(|waiters| {
        let first = waiters.is_none();
        waiters.get_or_insert_default().push(sender);
        first
    });
    if first {
        // Not tied to the component that sent the request: leaving its page must not strand the
        // other callers.
        browser::spawn(async move {
            let renewed = match browser::post(REFRESH_PATH, None).await {
                Ok(response) => renewal_result(response.status),
                Err(_) => Err(Problem::unreachable()),
            };
            if renewed.is_ok() {
                RENEWALS.set(RENEWALS.get().wrapping_add(1));
                // Queries in flight were sent without a session and will fail.
                clear_in_flight();
            }
            for waiter in RENEWAL_WAITERS.take().unwrap_or_default() {
                let _ = waiter.send(renewed.clone());
            }
        });
    }
    receiver
        .await
        .unwrap_or_else(|_| Err(Problem::unreachable()))
}

/// Maps the HTTP status of a renewal. Rate limits and server errors say nothing about the session.
fn renewal_result(status: u16) -> Result<(), Problem> {
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500.. => Err(Problem::unreachable()),
        _ => Err(Problem::signed_out()),
    }
}

/// Ends the session.
///
/// # Errors
/// Returns a [`Problem`] when the server does not respond; the session may still be valid then.
pub async fn sign_out() -> Result<(), Problem> {
    match browser::post(SIGN_OUT_PATH, None).await {
        Ok(HttpResponse {
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
        assert_eq!(
            check_errors(200, body).unwrap_err().kind,
            ProblemKind::NotFound
        );
        let harmless = r#"{"data":{"text":"\"errors\" is only a word"}}"#;
        assert_eq!(check_errors(200, harmless), Ok(()));
    }

    #[test]
    fn a_proxys_page_means_that_the_server_is_unreachable() {
        assert_eq!(
            check_errors(502, "<html>").unwrap_err().kind,
            ProblemKind::Unreachable
        );
        assert_eq!(
            parse_data::<bool>("<html>").unwrap_err().kind,
            ProblemKind::Server
        );
        assert_eq!(
            check_errors(401, "").unwrap_err().kind,
            ProblemKind::SignedOut
        );
    }

    #[test]
    fn only_a_refusal_ends_the_session() {
        assert_eq!(renewal_result(200), Ok(()));
        for (status, kind) in [
            (401, ProblemKind::SignedOut),
            (403, ProblemKind::SignedOut),
            (429, ProblemKind::Unreachable),
            (500, ProblemKind::Unreachable),
            (503, ProblemKind::Unreachable),
        ] {
            assert_eq!(renewal_result(status).unwrap_err().kind, kind, "{status}");
        }
    }

    #[test]
    fn data_is_parsed_out_of_a_response() {
        assert_eq!(
            parse_data::<Vec<i32>>(r#"{"data":[1,2],"extensions":{}}"#),
            Ok(vec![1, 2])
        );
        for body in [r#"{"errors":[]}"#, r#"{"data":null}"#, r#"{"data":"1"}"#] {
            assert!(parse_data::<Vec<i32>>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_problem_tells_what_could_not_be_read() {
        assert_eq!(
            parse_data::<Vec<i32>>(r#"{"data":[1,"x"]}"#)
                .unwrap_err()
                .message,
            "The server's response could not be read ([1]: expected an integer of 32 bits, got \"x\"). \
             Reload the page to get its latest version."
        );
    }
}
