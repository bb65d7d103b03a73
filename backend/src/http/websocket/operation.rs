//! The answers to one operation, within the time that a request over HTTP has.

use crate::graphql::RequestId;
use crate::http::error::ApiError;
use crate::http::request::TIMEOUT;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response};
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

/// Executes `request`: one answer to a query or a mutation, any number to a subscription.
pub(super) fn answers(
    executor: &impl Executor,
    request: Request,
    id: RequestId,
) -> BoxStream<'static, Response> {
    let (text, name) = (request.query.clone(), request.operation_name.clone());
    let mut answers = executor.execute_stream(request, None);
    let first = async move {
        match timeout(TIMEOUT, answers.next()).await {
            Ok(first) => stream::iter(first).chain(answers).boxed(),
            // Only now, because the text may be read no sooner than the schema has found it harmless; what it does not
            // is answered long before.
            Err(_) if is_subscription(&text, name.as_deref()) => answers,
            Err(_) => {
                tracing::warn!(
                    "an operation over a WebSocket took longer than {} s",
                    TIMEOUT.as_secs()
                );
                let late = ApiError::too_slow(TIMEOUT.as_secs()).graphql(&id);
                stream::iter([Response::from_errors(vec![late])]).boxed()
            }
        }
    };
    first.flatten_stream().boxed()
}

fn is_subscription(text: &str, name: Option<&str>) -> bool {
    let Ok(document) = parse_query(text) else {
        return false;
    };
    let mut operations = document.operations.iter();
    let meant = operations
        .find(|(key, _)| name.is_none_or(|name| key.is_none_or(|key| key.as_str() == name)));
    meant.is_some_and(|(_, operation)| operation.node.ty == OperationType::Subscription)
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

    fn ask(request: impl Into<Request>) -> BoxStream<'static, Response> {
        answers(
            &Schema::new(Query, Mutation, Events),
            request.into(),
            RequestId("0123456789abcdef".into()),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_query_or_mutation_that_takes_too_long_is_stopped_as_over_http() {
        let both = "subscription events { hourly } query hangs { hangs }";
        for request in [
            "{ hangs }".into(),
            "mutation { hangs }".into(),
            Request::new(both).operation_name("hangs"),
        ] {
            let started = Instant::now();
            let all: Vec<_> = ask(request).collect().await;
            assert_eq!((all.len(), started.elapsed().as_secs()), (1, 30));
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
    async fn what_is_in_time_is_answered_once() {
        let all: Vec<_> = ask("{ takes(seconds: 29) }").collect().await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            all[0].data,
            Value::from_json(serde_json::json!({ "takes": 29 })).unwrap()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscription_may_be_silent_for_as_long_as_it_likes() {
        let both = "query hangs { hangs } subscription events { hourly }";
        for request in [
            "subscription { hourly }".into(),
            Request::new(both).operation_name("events"),
        ] {
            let all: Vec<_> = ask(request).collect().await;
            let data: Vec<_> = all
                .into_iter()
                .map(|answer| answer.data.into_json().unwrap()["hourly"].clone())
                .collect();
            assert_eq!(data, [1, 2]);
        }
    }
}
