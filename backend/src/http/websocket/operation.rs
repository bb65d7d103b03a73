//! Executes one operation, with the time limit of a request over HTTP.

use crate::graphql::{RequestId, find_operation_type};
use crate::http::error::ApiError;
use crate::http::middleware::REQUEST_TIMEOUT;
use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response};
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

/// Executes `request`. A query or mutation has one response, a subscription any number.
pub(super) fn execute_operation(
    executor: &impl Executor,
    request: Request,
    id: RequestId,
) -> BoxStream<'static, Response> {
    let (text, name) = (request.query.clone(), request.operation_name.clone());
    let mut responses = executor.execute_stream(request, None);
    let first = async move {
        match timeout(REQUEST_TIMEOUT, responses.next()).await {
            Ok(first) => stream::iter(first).chain(responses).boxed(),
            Err(_) if is_subscription(text, name) => responses,
            Err(_) => {
                let seconds = REQUEST_TIMEOUT.as_secs();
                tracing::warn!(seconds, "operation over a WebSocket timed out");
                let error = ApiError::timed_out(seconds).to_graphql(&id);
                stream::iter([Response::from_errors(vec![error])]).boxed()
            }
        }
    };
    first.flatten_stream().boxed()
}

fn is_subscription(text: String, name: Option<String>) -> bool {
    let mut request = Request::new(text);
    request.operation_name = name;
    find_operation_type(&mut request) == Some(OperationType::Subscription)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{Object, Schema, Subscription, Value};
    use futures::Stream;
    use std::time::Duration;
    use tokio::time::Instant;

    struct Query;
    struct Mutation;
    struct Events;

    #[Object]
    impl Query {
        async fn hangs(&self) -> bool {
            std::future::pending().await
        }
        async fn takes(&self, seconds: u64) -> u64 {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        }
    }

    #[Object]
    impl Mutation {
        async fn hangs(&self) -> bool {
            std::future::pending().await
        }
    }

    #[Subscription]
    impl Events {
        async fn hourly(&self) -> impl Stream<Item = i32> {
            stream::iter([1, 2])
                .then(|n| tokio::time::sleep(Duration::from_secs(3600)).map(move |()| n))
        }
    }

    fn execute(request: impl Into<Request>) -> BoxStream<'static, Response> {
        execute_operation(
            &Schema::new(Query, Mutation, Events),
            request.into(),
            RequestId("0123456789abcdef".into()),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_query_or_mutation_is_stopped_as_over_http() {
        let both = "subscription events { hourly } query hangs { hangs }";
        for request in [
            "{ hangs }".into(),
            "mutation { hangs }".into(),
            Request::new(both).operation_name("hangs"),
        ] {
            let started = Instant::now();
            let all: Vec<_> = execute(request).collect().await;
            assert_eq!(all.len(), 1);
            assert_eq!(started.elapsed(), REQUEST_TIMEOUT);
            let error = serde_json::to_value(&all[0].errors[0]).unwrap();
            assert_eq!(
                error["message"],
                "the request took longer than 30 s and was stopped"
            );
            assert_eq!(
                error["extensions"],
                serde_json::json!({ "code": "INTERNAL", "requestId": "0123456789abcdef" })
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_query_in_time_has_one_response() {
        let all: Vec<_> = execute("{ takes(seconds: 29) }").collect().await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            all[0].data,
            Value::from_json(serde_json::json!({ "takes": 29 })).unwrap()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscription_may_be_silent_for_any_time() {
        let both = "query hangs { hangs } subscription events { hourly }";
        for request in [
            "subscription { hourly }".into(),
            Request::new(both).operation_name("events"),
        ] {
            let all: Vec<_> = execute(request).collect().await;
            let data: Vec<_> = all
                .into_iter()
                .map(|response| response.data.into_json().unwrap()["hourly"].clone())
                .collect();
            assert_eq!(data, [1, 2]);
        }
    }
}
