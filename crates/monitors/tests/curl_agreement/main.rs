//! Asks servers of many kinds, each with curl and with the prober, and compares the verdicts.
//!
//! Each disagreement stands in the table with its reason. One that is listed and does not happen
//! fails the test as one that happens and is not listed.
#![allow(clippy::unwrap_used)]

mod curl;
mod http2;
mod server;
mod table;

use domain::{Outcome, Status};
use futures::StreamExt;
use monitors::{Http, Prober, Target};
use net::{ClientSettings, Guard, LookupSource, Roots};
use server::{Identity, Server, Transport};
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long curl and the prober wait for each server.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The number of servers that are asked at a time.
const CONCURRENCY: usize = 24;

/// Hosts that resolve to this machine, for curl and for the prober.
const NAMES: [&str; 4] = [
    "good.test",
    "www.good.test",
    "other.test",
    "b\u{fc}cher.test",
];

/// The verdict on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A complete answer with a status code from 200 to 299.
    Up,
    /// Anything else.
    Down,
}
use Verdict::{Down, Up};

/// A server, and how it must be judged.
struct Behaviour {
    name: &'static str,
    transport: Transport,
    script: server::Script,
    /// The verdict of the prober.
    expected: Verdict,
    /// Why curl judges otherwise; `None` if it agrees.
    curl_differs: Option<&'static str>,
}

impl Behaviour {
    fn curl_differs(mut self, reason: &'static str) -> Self {
        self.curl_differs = Some(reason);
        self
    }

    fn over(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }
}

/// Tells a check of the prober as curl's verdicts are told.
fn verdict(outcome: &Outcome) -> Verdict {
    match outcome.status {
        Status::Up => Up,
        _ => Down,
    }
}

fn prober() -> Prober {
    let local = || Ok(vec![IpAddr::from([127, 0, 0, 1])]);
    let names = NAMES.map(|name| (url::Host::parse(name).unwrap().to_string(), local()));
    Prober::new(ClientSettings {
        guard: Guard::AllowPrivate,
        max_body_bytes: 64 << 10,
        names: LookupSource::Table(Arc::new(HashMap::from(names))),
        roots: Roots::Only(server::authority().roots()),
        ..ClientSettings::default()
    })
    .unwrap()
}

/// Asks a server both ways. Returns what is wrong with its line in the table.
async fn compare(behaviour: Behaviour, prober: &Prober, authority: &Path) -> Result<(), String> {
    let server = Server::start(behaviour.transport, behaviour.script).await;
    let url = server.url();
    let target = Target {
        monitor: Http {
            url: url.clone(),
            ..Http::default()
        }
        .into(),
        timeout: TIMEOUT,
        degraded_threshold: TIMEOUT,
    };
    let outcome = prober.check(&target).await;
    let by_curl = curl::ask(&url, server.port(), authority).await;
    let message = outcome.message().unwrap_or_default();
    let found = format!(
        "prober {:?} ({message}), curl {:?} ({})",
        verdict(&outcome),
        by_curl.verdict,
        by_curl.message
    );
    let name = behaviour.name;
    if outcome.status == Status::Unknown {
        return Err(format!("{name}: not checked: {found}"));
    }
    if message.contains("Error") || message.contains('{') || message.len() > 320 {
        return Err(format!("{name}: not a sentence: {found}"));
    }
    if verdict(&outcome) != behaviour.expected {
        return Err(format!(
            "{name}: expected {:?}: {found}",
            behaviour.expected
        ));
    }
    match behaviour.curl_differs {
        None if by_curl.verdict != behaviour.expected => {
            Err(format!("{name}: disagreement that is not listed: {found}"))
        }
        Some(reason) if by_curl.verdict == behaviour.expected => Err(format!(
            "{name}: listed as a disagreement ({reason}), and there is none: {found}"
        )),
        _ => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prober_judges_servers_as_curl_does() {
    let behaviours = table::all();
    assert!(behaviours.len() >= 150, "only {} servers", behaviours.len());
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    std::fs::write(&authority, server::authority().pem()).unwrap();
    let prober = prober();
    let wrong: Vec<String> = futures::stream::iter(behaviours)
        .map(|behaviour| compare(behaviour, &prober, &authority))
        .buffer_unordered(CONCURRENCY)
        .filter_map(async |compared| compared.err())
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_server_has_a_name_of_its_own() {
    let mut names: Vec<_> = table::all()
        .iter()
        .map(|behaviour| behaviour.name)
        .collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// A certificate that is as it should be.
fn good() -> Identity {
    server::identity(|_| {})
}
