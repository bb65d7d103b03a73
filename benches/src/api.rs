//! API client that sends one request at a time and measures response times.

use crate::figures::{Sorted, ms};
use crate::program::Program;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) struct Api {
    client: reqwest::Client,
    url: String,
    token: &'static str,
}

/// Response times. The first one, which fills caches, is kept separately.
pub(crate) struct Times {
    pub(crate) first: Duration,
    pub(crate) others: Sorted<Duration>,
    /// Of an answer, as it came over the wire.
    pub(crate) bytes: usize,
}

impl Times {
    pub(crate) fn say(&self) -> String {
        let [p50, p99, max] = self.others.p50_p99_max().map(ms);
        format!(
            "p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms, first {:.1} ms",
            ms(self.first)
        )
    }

    pub(crate) fn figures(&self) -> Value {
        let [p50, p99, max] = self.others.p50_p99_max().map(ms);
        json!({
            "p50_ms": p50, "p99_ms": p99, "max_ms": max, "first_ms": ms(self.first), "bytes": self.bytes,
            "requests": self.others.count(),
        })
    }
}

impl Api {
    pub(crate) async fn of(program: &mut Program, token: &'static str) -> Self {
        // The client would decompress: what is measured is how long the program takes.
        let client = reqwest::Client::builder()
            .no_brotli()
            .no_gzip()
            .no_deflate()
            .build()
            .unwrap();
        Self {
            client,
            url: format!("{}/api/graphql", program.address().await),
            token,
        }
    }

    async fn send(&self, query: &str, variables: &Value, accept_encoding: &str) -> Vec<u8> {
        let body = json!({ "query": query, "variables": variables });
        let request = self
            .client
            .post(&self.url)
            .bearer_auth(self.token)
            .json(&body);
        let answer = request
            .header("accept-encoding", accept_encoding)
            .send()
            .await
            .unwrap();
        answer
            .error_for_status()
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .into()
    }

    pub(crate) async fn ask(&self, query: &str, variables: &Value) -> Value {
        let answer: Value =
            serde_json::from_slice(&self.send(query, variables, "identity").await).unwrap();
        assert!(answer.get("errors").is_none(), "{}", answer["errors"]);
        answer
    }

    /// Measures repeated requests with varying variables and the encodings that browsers accept.
    pub(crate) async fn time(
        &self,
        query: &str,
        times: usize,
        variables: impl Fn(usize) -> Value,
    ) -> Times {
        let mut all = Vec::with_capacity(times + 1);
        let mut bytes = 0;
        for i in 0..=times {
            let (variables, begin) = (variables(i), Instant::now());
            bytes = self
                .send(query, &variables, "gzip, deflate, br, zstd")
                .await
                .len();
            all.push(begin.elapsed());
        }
        // That it is an answer and no error is seen apart, where nothing is compressed.
        self.ask(query, &variables(0)).await;
        let first = all.remove(0);
        Times {
            first,
            others: Sorted::of(all),
            bytes,
        }
    }
}
