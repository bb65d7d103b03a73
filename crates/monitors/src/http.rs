//! HTTP: a GET request that follows redirects, and the judgement of its response.

mod read_body;

use crate::prober::milliseconds;
use crate::{Deadline, Kind, KindInfo, Net, Schedule};
use domain::cause::Phase;
use domain::field::{FieldInfo, FieldType};
use domain::service::{FieldError, address, has_scheme};
use domain::{Cause, ExpectedStatus, Outcome, Status};
use http::header::COOKIE;
use net::exchange::{self, EXCHANGE, Exchange};
use net::{CookieJar, ResponseBody, fault, redirect};
use read_body::ReadBody;
use serde::{Deserialize, Serialize};
use url::Url;

/// Maximum number of redirects that can be followed.
const MAX_REDIRECTS: i32 = 20;

/// Requests a URL and checks the response's status code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http {
    /// The URL, `http` or `https`.
    pub url: String,
    /// The expected status codes, such as `200-299,301`. A redirect with an expected code is not
    /// followed.
    pub expected_status: String,
    /// The number of redirects that are followed, 0 to 20. With 0 a redirect is the answer.
    #[serde(skip_serializing_if = "is_default_limit")]
    pub max_redirects: i32,
    /// How much of the body is read: `auto`, `whole` or `headOnly`.
    #[serde(skip_serializing_if = "is_default_read_body")]
    pub read_body: String,
}

// What nobody chose is not stored, so that earlier services and later ones follow one default.
fn is_default_limit(limit: &i32) -> bool {
    *limit == i32::from(redirect::DEFAULT_LIMIT)
}

fn is_default_read_body(name: &str) -> bool {
    name == ReadBody::Auto.name()
}

impl Default for Http {
    fn default() -> Self {
        Self {
            url: String::new(),
            expected_status: ExpectedStatus::default().to_string(),
            max_redirects: redirect::DEFAULT_LIMIT.into(),
            read_body: ReadBody::Auto.name().into(),
        }
    }
}

impl Kind for Http {
    const INFO: KindInfo = KindInfo {
        name: "Website or API",
        description: "Requests a URL over HTTP and judges the answer by its status code and how long it took.",
        input_type: "HttpInput",
        fields: &[
            FieldInfo::new("url", "Address", FieldType::Url)
                .help("The URL to request. Redirects are followed.")
                .required(),
            FieldInfo::new("expectedStatus", "Expected status codes", FieldType::Text)
                .help("Such as 200-299,301.")
                .default("200-299"),
            FieldInfo::new("maxRedirects", "Maximum number of redirects", FieldType::Integer)
                .help("0 to 20. With 0 a redirect is the answer, judged by its status code.")
                .default("10"),
            FieldInfo::new("readBody", "How much of the body is read", FieldType::Choice)
                .help("auto: the whole body, but only the headers of streams that have no end. whole: always to the end. headOnly: only the headers.")
                .options(ReadBody::NAMES)
                .default("auto"),
        ],
        schedule: Schedule::Every,
        min_interval_seconds: 0,
        confirmations: 2,
    };

    fn normalize(&mut self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.url.trim() {
            "" => errors.push(FieldError::new("url", "give the address to check")),
            url => match address("url", url) {
                Ok(url) => self.url = url,
                Err(error) => errors.push(error),
            },
        }
        match self.expected_status.parse::<ExpectedStatus>() {
            Ok(expected) => self.expected_status = expected.to_string(),
            Err(error) => errors.push(FieldError::new("expectedStatus", error.to_string())),
        }
        if !(0..=MAX_REDIRECTS).contains(&self.max_redirects) {
            let message = format!(
                "must be between 0 and {MAX_REDIRECTS}, got {}",
                self.max_redirects
            );
            errors.push(FieldError::new("maxRedirects", message));
        }
        if let Err(message) = ReadBody::parse(&self.read_body) {
            errors.push(FieldError::new("readBody", message));
        }
        errors
    }

    /// A public host may answer by HTTPS or by HTTP, and whoever leaves the scheme out need not know.
    fn candidates(&self) -> Vec<Self> {
        let text = self.url.trim();
        let secure = match address("url", text) {
            Ok(url) if !has_scheme(text) => url,
            _ => return Vec::new(),
        };
        let Some(rest) = secure.strip_prefix("https://") else {
            return Vec::new();
        };
        let plain = format!("http://{rest}");
        let with = |url: String| Self {
            url,
            ..self.clone()
        };
        [secure.clone(), plain].map(with).into()
    }

    fn target(&self) -> Option<String> {
        Some(self.url.clone())
    }

    fn host(&self) -> String {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }

    async fn check(&self, net: &Net, deadline: Deadline) -> Outcome {
        let target = match HttpTarget::parse(self) {
            Ok(target) => target,
            Err(cause) => return Outcome::without_answer(cause, domain::Phases::default()),
        };
        let probe = async {
            let ended = tokio::time::timeout_at(deadline.at, target.follow(net)).await;
            EXCHANGE.with(|exchange| {
                let mut seen = exchange.borrow_mut();
                let total_ms = seen.close();
                let ended = ended.unwrap_or_else(|_| Err(timed_out(deadline, &seen).into()));
                judge(&target, ended, total_ms, &seen)
            })
        };
        EXCHANGE.scope(Exchange::start(), probe).await
    }
}

/// The parsed settings.
struct HttpTarget {
    url: Url,
    expected: ExpectedStatus,
    max_redirects: u8,
    read_body: ReadBody,
}

/// Why there is no complete response, and the status code of an incomplete one.
struct Fault {
    cause: Cause,
    code: Option<u16>,
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self { cause, code: None }
    }
}

impl HttpTarget {
    /// Parses stored settings. They were valid when they were saved, but rules may be stricter now.
    fn parse(settings: &Http) -> Result<Self, Cause> {
        let not_checked = |detail: String| Cause::NotChecked { detail };
        Ok(Self {
            url: Url::parse(&settings.url).map_err(|error| {
                not_checked(format!("the address cannot be requested: {error}"))
            })?,
            expected: settings.expected_status.parse().map_err(|error| {
                not_checked(format!("the expected status codes are wrong: {error}"))
            })?,
            max_redirects: u8::try_from(settings.max_redirects).map_err(|error| {
                not_checked(format!("the number of redirects is wrong: {error}"))
            })?,
            read_body: ReadBody::parse(&settings.read_body)
                .map_err(|error| not_checked(format!("readBody {error}")))?,
        })
    }

    /// Requests the target and follows redirects, up to the end of the last response's body. Cookies
    /// are kept from one hop to the next: a check is one visit.
    async fn follow(&self, net: &Net) -> Result<(), Fault> {
        let mut url = redirect::bare(self.url.clone());
        let mut cookies = CookieJar::default();
        for hop in 0..=self.max_redirects {
            net.guard.check_url(&url).map_err(fault::refused)?;
            exchange::begin_hop(&url);
            let headers = cookies.header(&url).map(|cookies| (COOKIE, cookies));
            let response = net.client.get(&url, headers.into_iter().collect()).await;
            let response =
                response.map_err(|error| fault::cause(&error, &url, Phase::FirstByte))?;
            let code = response.status().as_u16();
            let is_answer = self.max_redirects == 0
                || self.expected.contains(code)
                || !redirect::is_redirect(code);
            if is_answer {
                exchange::note(|exchange| exchange.code = Some(code));
                if self.read_body.ends_with_head(&response) {
                    return Ok(());
                }
                return Ok(read(net, response.into_body(), &url).await?);
            }
            let stop = |cause| Fault {
                cause,
                code: Some(code),
            };
            let next = redirect::next(&url, response.headers()).map_err(stop)?;
            if hop == self.max_redirects {
                return Err(stop(redirect::too_many(hop, &next)));
            }
            cookies.keep(&url, response.headers());
            // The body is not read: the next hop has a connection of its own.
            url = next;
        }
        unreachable!("the last hop ends with an answer or as one redirect too many")
    }
}

/// Reads the body up to its end or the maximum size.
async fn read(net: &Net, mut body: ResponseBody, url: &Url) -> Result<(), Cause> {
    exchange::enter(Phase::Body);
    let mut left = net.max_body_bytes;
    while left > 0 {
        match body.chunk().await {
            Ok(Some(chunk)) => left = left.saturating_sub(chunk.len()),
            Ok(None) => break,
            Err(error) => return Err(fault::cause(&error, url, Phase::Body)),
        }
    }
    Ok(())
}

/// Returns the phase in which the deadline passed, as a cause.
fn timed_out(deadline: Deadline, seen: &Exchange) -> Cause {
    if seen.waits_for_lookup {
        return Cause::NotChecked {
            detail: "too many name lookups were under way on this server".into(),
        };
    }
    Cause::Timeout {
        timeout_ms: milliseconds(deadline.timeout),
        phase: seen.phase().unwrap_or(Phase::Connect),
    }
}

/// Returns the outcome of an exchange. An unexpected status code takes precedence over an error in
/// the body.
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
        (code, Ok(())) => found(Status::Up, code, response_time_ms, None),
    }
}

#[cfg(feature = "graphql")]
mod graphql {
    use super::Http;
    use async_graphql::Object;

    /// Settings of a service that is checked by HTTP requests.
    #[Object(name = "HttpMonitor")]
    impl Http {
        /// URL that is requested.
        async fn url(&self) -> &str {
            &self.url
        }

        /// HTTP method of the request.
        async fn method(&self) -> &'static str {
            "GET"
        }

        /// Status codes of a good answer, such as `200-299,301`.
        async fn expected_status(&self) -> &str {
            &self.expected_status
        }

        /// Number of redirects that are followed; with 0 a redirect is the answer.
        async fn max_redirects(&self) -> i32 {
            self.max_redirects
        }

        /// How much of the body is read: `auto`, `whole` or `headOnly`.
        async fn read_body(&self) -> &str {
            &self.read_body
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
