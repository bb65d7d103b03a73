//! Collects the responses of servers that are there and did not serve what was requested, and says
//! what they have in common and what to do.

use net::fetch::{FetchError, FetchFailure, RetryAfter};
use std::fmt;
use url::Url;

/// Maximum number of different responses that a message names.
const MAX_NAMED: usize = 3;

/// Responses that are no documents: refusals, limits, server errors and challenges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    groups: Vec<Group>,
    has_challenge: bool,
    is_limited: bool,
    is_forbidden: bool,
    /// What the server asks for, in words.
    wait: Option<String>,
}

/// Requests with the same response.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    response: String,
    first_url: String,
    count: usize,
}

impl Refusals {
    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds a failed request, unless it says that there is nothing at its URL. `is_own_host` is whether
    /// the user entered its host: others are guesses, and need not respond.
    pub(super) fn add_failure(&mut self, failure: &FetchFailure, is_own_host: bool) {
        match &failure.error {
            FetchError::Status { code, retry_after } if !means_absent(*code) => {
                self.has_challenge |= failure.is_challenge;
                self.is_limited |= *code == 429;
                self.is_forbidden |= matches!(code, 401 | 403 | 407 | 451);
                if let Some(after) = retry_after {
                    self.wait.get_or_insert_with(|| wait(*after));
                }
            }
            FetchError::TooLarge(_) | FetchError::OverBudget(_) => {}
            FetchError::Timeout(_) if is_own_host => {}
            _ => return,
        }
        self.add(&failure.url, failure.to_string());
    }

    /// Adds a page with status code 200 that is a challenge.
    pub(super) fn add_challenge(&mut self, url: &Url, title: &str) {
        self.has_challenge = true;
        self.add(url, format!("answered with a bot protection (\"{title}\")"));
    }

    fn add(&mut self, url: &Url, response: String) {
        match self.groups.iter_mut().find(|one| one.response == response) {
            Some(group) => group.count += 1,
            None => self.groups.push(Group {
                response,
                first_url: url.to_string(),
                count: 1,
            }),
        }
    }

    /// Returns what the user can do, as a part of a sentence.
    #[must_use]
    pub fn advice(&self) -> String {
        match &self.wait {
            _ if self.has_challenge => {
                "the vendor lets only browsers in: ask it for an address that programs may read"
                    .into()
            }
            Some(wait) => wait.clone(),
            None if self.is_limited => "it limits requests: try again in a few minutes".into(),
            None if self.is_forbidden => {
                "check that the page is public and that the vendor does not block this server"
                    .into()
            }
            None => "try again later".into(),
        }
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vendor page could not be read: ")?;
        for (index, group) in self.groups.iter().take(MAX_NAMED).enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            let Group {
                response,
                first_url,
                count,
            } = group;
            write!(f, "{separator}{first_url}")?;
            match count - 1 {
                0 => {}
                1 => f.write_str(" and 1 other address")?,
                others => write!(f, " and {others} other addresses")?,
            }
            // Other failures are sentences of their own.
            let colon = if response.starts_with("answered") {
                ""
            } else {
                ":"
            };
            write!(f, "{colon} {response}")?;
        }
        Ok(())
    }
}

/// Returns whether a status code says that there is no document, so that others may have it.
const fn means_absent(code: u16) -> bool {
    matches!(
        code,
        304 | 400 | 404 | 405 | 406 | 410 | 414 | 415 | 422 | 501
    )
}

fn wait(after: RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(seconds) => format!("it asks to wait for {seconds} s: try again then"),
        RetryAfter::At(at) => format!(
            "it asks to wait until {}: try again then",
            at.format("%Y-%m-%d %H:%M:%S UTC")
        ),
    }
}
