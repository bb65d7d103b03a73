//! One HTTP check: a GET, its redirects, and what that says about the target.

use domain::cause::Phase;
use domain::{Cause, ExpectedStatus, Outcome, Status};
use net::exchange::{self, EXCHANGE, Exchange};
use net::guard::Guard;
use net::{ClientError, ClientSettings, client, fault, redirect};
use reqwest::{Method, Request, Response};
use std::time::Duration;
use url::Url;

/// What is requested and what would count as a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    /// Where to, `http` or `https`. Credentials in it are not sent.
    pub url: Url,
    /// The time for everything: lookups, connections, redirects, and the body.
    pub timeout: Duration,
    /// A good answer that took longer makes the target degraded.
    pub degraded_threshold: Duration,
    /// The status codes of a good answer. A redirect is not followed if its code is among them: it is the answer.
    pub expected: ExpectedStatus,
}

/// Makes checks. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Prober {
    client: reqwest::Client,
    guard: Guard,
    max_body_bytes: usize,
}

/// Why a probe has no complete answer, and the status code of the answer that it broke off at.
struct Fault {
    cause: Cause,
    code: Option<u16>,
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self { cause, code: None }
    }
}

impl Prober {
    /// A prober; the first one of a process reads this machine's certificate authorities.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let (guard, max_body_bytes) = (settings.guard, settings.max_body_bytes);
        Ok(Self {
            client: client::build(settings)?,
            guard,
            max_body_bytes,
        })
    }

    /// Looks at `target` once, on a connection of its own.
    pub async fn http(&self, target: &HttpTarget) -> Outcome {
        let probe = async {
            let ended = tokio::time::timeout(target.timeout, self.follow(target)).await;
            EXCHANGE.with(|exchange| {
                let mut seen = exchange.borrow_mut();
                let total_ms = seen.close();
                let ended = ended.unwrap_or_else(|_| Err(out_of_time(target, &seen).into()));
                judge(target, ended, total_ms, &seen)
            })
        };
        EXCHANGE.scope(Exchange::start(), probe).await
    }

    /// Requests the target and what it redirects to, up to the end of the final answer's body.
    async fn follow(&self, target: &HttpTarget) -> Result<(), Fault> {
        let mut url = redirect::bare(target.url.clone());
        for hop in 0..=redirect::LIMIT {
            self.guard.check_url(&url).map_err(fault::refused)?;
            exchange::begin_hop(&url);
            let response = self
                .client
                .execute(Request::new(Method::GET, url.clone()))
                .await;
            let response =
                response.map_err(|error| fault::cause(&error, &url, Phase::FirstByte))?;
            let code = response.status().as_u16();
            if target.expected.contains(code) || !redirect::is_redirect(code) {
                exchange::note(|exchange| exchange.code = Some(code));
                return Ok(self.read(response, &url).await?);
            }
            let stop = |cause| Fault {
                cause,
                code: Some(code),
            };
            if hop == redirect::LIMIT {
                return Err(stop(Cause::TooManyRedirects {
                    limit: redirect::LIMIT,
                }));
            }
            // Its body is not read: the next hop has a connection of its own.
            url = redirect::next(&url, response.headers()).map_err(stop)?;
        }
        unreachable!("the last hop ends with an answer or as one redirect too many")
    }

    /// Reads the body to its end or to the bound.
    async fn read(&self, mut response: Response, url: &Url) -> Result<(), Cause> {
        exchange::enter(Phase::Body);
        let mut left = self.max_body_bytes;
        while left > 0 {
            match response.chunk().await {
                Ok(Some(chunk)) => left = left.saturating_sub(chunk.len()),
                Ok(None) => break,
                Err(error) => return Err(fault::cause(&error, url, Phase::Body)),
            }
        }
        Ok(())
    }
}

fn out_of_time(target: &HttpTarget, seen: &Exchange) -> Cause {
    if seen.waits_for_lookup {
        return Cause::NotChecked {
            detail: "too many name lookups were under way on this server".into(),
        };
    }
    Cause::Timeout {
        timeout_ms: milliseconds(target.timeout),
        phase: seen.phase().unwrap_or(Phase::Connect),
    }
}

/// What an exchange that `ended` so says about the target. A code that was not expected weighs more than what
/// happened to the body behind it.
fn judge(target: &HttpTarget, ended: Result<(), Fault>, total_ms: u32, seen: &Exchange) -> Outcome {
    let found = |status, code, response_time_ms, cause| Outcome {
        status,
        status_code: code,
        response_time_ms,
        phases: seen.phases(),
        certificate_expires_at: seen.certificate_expires_at,
        cause,
    };
    let response_time_ms = ended.is_ok().then_some(total_ms);
    match (seen.code, ended) {
        (Some(code), _) if !target.expected.contains(code) => {
            let cause = Cause::UnexpectedStatus {
                code,
                expected: target.expected.to_string(),
            };
            found(Status::Down, Some(code), response_time_ms, Some(cause))
        }
        (code, Err(fault)) => {
            let without = Outcome::without_answer(fault.cause, seen.phases());
            found(without.status, fault.code.or(code), None, without.cause)
        }
        (code, Ok(())) => {
            let threshold_ms = milliseconds(target.degraded_threshold);
            if total_ms > threshold_ms {
                let cause = Cause::Slow {
                    response_time_ms: total_ms,
                    threshold_ms,
                };
                found(Status::Degraded, code, response_time_ms, Some(cause))
            } else {
                found(Status::Up, code, response_time_ms, None)
            }
        }
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn waiting_in_the_queue_for_lookups_says_nothing_about_the_target() {
        let target = HttpTarget {
            url: "http://target.test/".parse().unwrap(),
            timeout: Duration::from_secs(5),
            degraded_threshold: Duration::from_secs(1),
            expected: ExpectedStatus::default(),
        };
        let mut seen = Exchange::start().into_inner();
        seen.waits_for_lookup = true;
        let outcome = judge(
            &target,
            Err(out_of_time(&target, &seen).into()),
            5000,
            &seen,
        );
        assert_eq!(outcome.status, Status::Unknown);
        seen.waits_for_lookup = false;
        let outcome = judge(
            &target,
            Err(out_of_time(&target, &seen).into()),
            5000,
            &seen,
        );
        assert_eq!(outcome.status, Status::Down);
    }
}
