//! The probe against real servers on this machine, each with a script of what it does to its clients.
#![allow(clippy::unwrap_used)]

mod faults;
mod openssl;
mod redirects;
mod server;
mod statuses;
mod tls;

use domain::{Outcome, Status};
use monitors::{Http, Monitor, Prober, Target};
use net::{ClientSettings, Guard, LookupError, LookupSource, Roots};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

const LOCAL: &str = "127.0.0.1";

/// Names that exist only here.
fn names() -> LookupSource {
    let known = |ips: &[&str]| Ok(ips.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect());
    LookupSource::Table(Arc::new(HashMap::from([
        ("good.test".into(), known(&[LOCAL])),
        ("other.test".into(), known(&[LOCAL])),
        ("metadata.test".into(), known(&["169.254.169.254"])),
        ("mixed.test".into(), known(&[LOCAL, "169.254.169.254"])),
        (
            "flaky.test".into(),
            Err(LookupError::Failed(
                "the name servers gave no answer".into(),
            )),
        ),
        (
            "unlucky.test".into(),
            Err(LookupError::Local("out of memory".into())),
        ),
    ])))
}

fn settings() -> ClientSettings {
    ClientSettings {
        user_agent_url: Some("https://status.example".into()),
        guard: Guard::AllowPrivate,
        max_body_bytes: 64 << 10,
        names: names(),
        roots: Roots::Only(tls::authority().roots()),
    }
}

fn prober() -> Prober {
    Prober::new(settings()).unwrap()
}

fn target(url: &str) -> Target {
    Target {
        monitor: Http {
            url: url.into(),
            ..Http::default()
        }
        .into(),
        timeout: Duration::from_secs(20),
        degraded_threshold: Duration::from_secs(20),
    }
}

fn expect_codes(target: &mut Target, codes: &str) {
    if let Monitor::Http(http) = &mut target.monitor {
        http.expected_status = codes.into();
    }
}

async fn look(url: &str) -> Outcome {
    prober().check(&target(url)).await
}

/// Status and sentence at once, since that is what people see.
fn found(outcome: &Outcome) -> (Status, String) {
    (outcome.status, outcome.message().unwrap_or_default())
}

/// Waits for `what` with a deadline that only a fault reaches.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it happens soon")
}
