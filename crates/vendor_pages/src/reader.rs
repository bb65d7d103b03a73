//! Reads one API URL of a vendor page: fetches it, parses it, and requests the other parts of a list
//! that is sent in parts. Its bounds hold for discovery, for URLs entered by hand and for polls.

use crate::page::{self, MAX_PARTS, PartialPage, Unreadable};
use net::fetch::{MAX_BODY_BYTES, Validators};
use net::{FetchError, FetchFailure, Fetched, Fetcher, Redirects};
use url::Url;

/// Maximum size of all responses of one page together, in bytes: more than one response of [`MAX_BODY_BYTES`], and less than two.
pub const MAX_PAGE_BYTES: usize = 12 << 20;

/// What one API URL returned.
#[derive(Debug)]
pub struct UrlReading {
    /// Final URL after redirects.
    pub url: Url,
    /// The redirects on the way to it.
    pub redirects: Redirects,
    /// Validators for the next request; the default if the response was only a part of a list.
    pub validators: Validators,
    /// The content; `None` if it has not changed (304).
    pub reading: Option<PartialPage>,
}

/// Why an API URL could not be read. `Display` is a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No complete response with status code 200 arrived.
    #[error("{0}")]
    Fetch(#[from] Box<FetchFailure>),
    /// The response cannot be parsed.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
}

/// Reads `url`, unless it has not changed since the response that `validators` came from. All parts of
/// a list together may take as long as one request.
///
/// # Errors
/// Returns why it could not be read in full.
pub async fn read_url(
    fetcher: &Fetcher,
    url: &Url,
    validators: &Validators,
) -> Result<UrlReading, ReadError> {
    let reading = read_within_timeout(fetcher, url, validators);
    tokio::time::timeout(fetcher.timeout(), reading)
        .await
        .unwrap_or_else(|_| Err(timed_out(fetcher, url.clone())))
}

async fn read_within_timeout(
    fetcher: &Fetcher,
    url: &Url,
    validators: &Validators,
) -> Result<UrlReading, ReadError> {
    let Fetched {
        url,
        body,
        validators,
        redirects,
    } = fetcher.fetch(url, validators).await?;
    let Some(body) = body else {
        return Ok(UrlReading {
            url,
            redirects,
            validators,
            reading: None,
        });
    };
    let first = parse(url.clone(), body).await?;
    let has_parts = first.paging.next.is_some();
    let reading = read_rest(fetcher, first).await?;
    // An unchanged first part says nothing about the others.
    let validators = if has_parts {
        Validators::default()
    } else {
        validators
    };
    Ok(UrlReading {
        url,
        redirects,
        validators,
        reading: Some(reading),
    })
}

/// Requests the parts that follow `first`, within the timeout of one request, and returns all together.
///
/// # Errors
/// Returns why a list of components is not complete. Incidents and maintenance beyond the bounds are
/// left out.
pub async fn read_rest(fetcher: &Fetcher, first: PartialPage) -> Result<PartialPage, ReadError> {
    let Some(next) = first.paging.next.clone() else {
        return Ok(first);
    };
    let fetcher = fetcher.with_budget(MAX_BODY_BYTES);
    let reading = read_parts(&fetcher, first);
    tokio::time::timeout(fetcher.timeout(), reading)
        .await
        .unwrap_or_else(|_| Err(timed_out(&fetcher, next)))
}

fn timed_out(fetcher: &Fetcher, url: Url) -> ReadError {
    ReadError::Fetch(Box::new(FetchFailure {
        error: FetchError::Timeout(fetcher.timeout()),
        url,
        redirects: Redirects::None,
        title: None,
        is_challenge: false,
    }))
}

async fn read_parts(fetcher: &Fetcher, first: PartialPage) -> Result<PartialPage, ReadError> {
    let mut wants_next = first.wants_next_part();
    let mut whole = first;
    for _ in 1..MAX_PARTS {
        let Some(next) = whole.paging.next.take().filter(|_| wants_next) else {
            break;
        };
        let fetched = fetcher.fetch(&next, &Validators::default()).await?;
        let part = parse(fetched.url, fetched.body.unwrap_or_default()).await?;
        wants_next = part.wants_next_part();
        whole.append(part)?;
    }
    if whole.paging.next.is_some() && whole.components.is_some() {
        return Err(ReadError::Unreadable(Unreadable::TooManyParts));
    }
    whole.check_complete()?;
    Ok(whole)
}

/// Parses a response on another thread, because a large one takes some milliseconds.
async fn parse(url: Url, body: Vec<u8>) -> Result<PartialPage, Unreadable> {
    let parsing = tokio::task::spawn_blocking(move || page::read(&url, &body));
    parsing.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "the parser of vendor pages panicked");
        Err(Unreadable::Refused(
            "reading it failed because of a fault in PulseCheck".into(),
        ))
    })
}
