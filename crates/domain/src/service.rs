//! Validates the fields that services of every kind have.

use crate::hidden_text::is_hidden;
use crate::local_host::default_scheme;
use serde::{Deserialize, Serialize};
use url::Url;

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;
/// The longest category, in characters.
pub const MAX_CATEGORY: usize = 60;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2000;
/// The longest tag, in characters.
pub const MAX_TAG: usize = 40;
/// Maximum number of tags of one service.
pub const MAX_TAGS: usize = 20;
/// The longest address, in bytes.
pub const MAX_URL: usize = 2048;
/// The longest interval, in seconds: a day.
pub const MAX_INTERVAL_SECONDS: i32 = 86_400;
/// Allowed timeout, in milliseconds.
pub const TIMEOUT_MS: std::ops::RangeInclusive<i32> = 100..=30_000;
/// Allowed number of confirmations.
pub const CONFIRMATIONS: std::ops::RangeInclusive<i32> = 1..=10;
/// Allowed number of recoveries.
pub const RECOVERIES: std::ops::RangeInclusive<i32> = 1..=10;
/// Default interval between two checks, in seconds.
pub const DEFAULT_INTERVAL_SECONDS: i32 = 30;
/// Default number of good checks in a row that end an incident.
pub const DEFAULT_RECOVERIES: i32 = 1;

/// Returns the default timeout: 5 s, but not longer than the interval.
#[must_use]
pub fn default_timeout_ms(check_interval_seconds: i32) -> i32 {
    check_interval_seconds
        .saturating_mul(1000)
        .clamp(*TIMEOUT_MS.start(), 5000)
}

/// Returns the default threshold for slow responses: 1 s, but not longer than the timeout.
#[must_use]
pub fn default_degraded_threshold_ms(timeout_ms: i32) -> i32 {
    timeout_ms.clamp(1, 1000)
}

/// User input for the fields that every service has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the GraphQL inputs")]
pub struct ServiceDraft {
    pub name: String,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub vendor_page_url: Option<String>,
    pub check_interval_seconds: i32,
    pub timeout_ms: i32,
    pub degraded_threshold_ms: i32,
    pub confirmations: i32,
    pub recoveries: i32,
}

impl Default for ServiceDraft {
    fn default() -> Self {
        let timeout_ms = default_timeout_ms(DEFAULT_INTERVAL_SECONDS);
        Self {
            name: String::new(),
            category: None,
            tags: Vec::new(),
            description: None,
            vendor_page_url: None,
            check_interval_seconds: DEFAULT_INTERVAL_SECONDS,
            timeout_ms,
            degraded_threshold_ms: default_degraded_threshold_ms(timeout_ms),
            confirmations: 2,
            recoveries: DEFAULT_RECOVERIES,
        }
    }
}

/// Validation error of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field's name in the GraphQL input, such as `checkIntervalSeconds`.
    pub field: String,
    /// What was found and what to do, one sentence without a full stop.
    pub message: String,
}

impl FieldError {
    /// Creates an error of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl ServiceDraft {
    /// Validates and normalizes the draft: trims texts, drops empty ones and normalizes URLs.
    /// The interval must be at least `kind_min_interval_seconds`.
    ///
    /// # Errors
    /// Returns one error for each invalid field.
    pub fn validate(
        self,
        min_interval_seconds: i32,
        kind_min_interval_seconds: i32,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut keep = |result: Result<(), FieldError>| errors.extend(result.err());
        let mut valid = self;

        valid.name = collapse_whitespace(&valid.name);
        keep(if valid.name.is_empty() {
            Err(FieldError::new("name", "give the service a name"))
        } else {
            text("name", &valid.name, MAX_NAME)
        });
        valid.category = non_empty(valid.category.as_deref().map(collapse_whitespace));
        keep(text(
            "category",
            valid.category.as_deref().unwrap_or_default(),
            MAX_CATEGORY,
        ));

        valid.description = non_empty(valid.description.map(|text| text.trim().to_owned()));
        keep(check_multiline(
            "description",
            valid.description.as_deref().unwrap_or_default(),
            MAX_DESCRIPTION,
        ));
        match tags(&valid.tags) {
            Ok(tags) => valid.tags = tags,
            Err(error) => keep(Err(error)),
        }
        valid.vendor_page_url = non_empty(valid.vendor_page_url.map(|url| url.trim().to_owned()));
        match valid
            .vendor_page_url
            .as_deref()
            .map(|url| address("vendorPageUrl", url))
        {
            Some(Ok(url)) => valid.vendor_page_url = Some(url),
            Some(Err(error)) => keep(Err(error)),
            None => {}
        }

        let interval = min_interval_seconds..=MAX_INTERVAL_SECONDS;
        keep(number(
            "checkIntervalSeconds",
            "seconds",
            valid.check_interval_seconds,
            &interval,
        ));
        if interval.contains(&valid.check_interval_seconds) {
            valid.check_interval_seconds =
                valid.check_interval_seconds.max(kind_min_interval_seconds);
        }
        keep(number(
            "timeoutMs",
            "milliseconds",
            valid.timeout_ms,
            &TIMEOUT_MS,
        ));
        keep(number(
            "degradedThresholdMs",
            "milliseconds",
            valid.degraded_threshold_ms,
            &(1..=*TIMEOUT_MS.end()),
        ));
        keep(number(
            "confirmations",
            "checks",
            valid.confirmations,
            &CONFIRMATIONS,
        ));
        keep(number(
            "recoveries",
            "checks",
            valid.recoveries,
            &RECOVERIES,
        ));
        if TIMEOUT_MS.contains(&valid.timeout_ms)
            && interval.contains(&valid.check_interval_seconds)
        {
            if valid.timeout_ms > valid.check_interval_seconds.saturating_mul(1000) {
                keep(Err(FieldError::new(
                    "timeoutMs",
                    "must not be longer than the interval between two checks",
                )));
            }
            if TIMEOUT_MS.contains(&valid.degraded_threshold_ms)
                && valid.degraded_threshold_ms > valid.timeout_ms
            {
                let message =
                    "must not be longer than the timeout: a slower answer would never arrive";
                keep(Err(FieldError::new("degradedThresholdMs", message)));
            }
        }
        if errors.is_empty() {
            Ok(valid)
        } else {
            Err(errors)
        }
    }
}

/// Normalizes tags: trimmed, lower case, without duplicates, sorted.
///
/// # Errors
/// Returns the error of the first invalid tag, for the field `tags`.
pub fn tags(given: &[String]) -> Result<Vec<String>, FieldError> {
    let wrong = |message: String| Err(FieldError::new("tags", message));
    let mut tags = Vec::new();
    for tag in given {
        let tag = collapse_whitespace(tag).to_lowercase();
        if tag.is_empty() {
            return wrong("must not contain an empty tag".into());
        }
        if tag.contains(',') {
            return wrong(format!("{tag:?} contains a comma: give two tags instead"));
        }
        text("tags", &tag, MAX_TAG)?;
        tags.push(tag);
    }
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MAX_TAGS {
        return wrong(format!(
            "has {} tags, at most {MAX_TAGS} are allowed",
            tags.len()
        ));
    }
    Ok(tags)
}

/// Validates and normalizes a URL: absolute, http or https, with a host, without credentials.
/// Without a scheme it gets that of [`default_scheme`].
///
/// # Errors
/// Returns what is wrong with it, as an error of `field`.
pub fn address(field: &str, text: &str) -> Result<String, FieldError> {
    let wrong = |message: String| Err(FieldError::new(field, message));
    if text.len() > MAX_URL {
        return wrong(format!(
            "is {} bytes long, at most {MAX_URL} are allowed",
            text.len()
        ));
    }
    if text.chars().any(|c| is_hidden(c) || c.is_whitespace()) {
        return wrong("must not contain spaces or control characters".into());
    }
    let with_scheme = if has_scheme(text) {
        text.to_owned()
    } else {
        let plain = format!("http://{text}");
        let host = Url::parse(&plain).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        format!("{}://{text}", default_scheme(host))
    };
    let url = match Url::parse(&with_scheme) {
        Ok(url) => url,
        Err(error) => {
            return wrong(format!(
                "is not an address ({error}): write it as https://example.com/health"
            ));
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong(format!(
            "has the scheme {}: only http and https can be checked",
            url.scheme()
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return wrong("has no host: write it as https://example.com/health".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "must not contain a user name or password: they would be shown to everybody who sees the page".into(),
        );
    }
    let url = String::from(url);
    // Percent-encoding may lengthen the URL; the stored form has to pass validation again later.
    if url.len() > MAX_URL {
        return wrong(format!(
            "is {} bytes long when encoded, at most {MAX_URL} are allowed",
            url.len()
        ));
    }
    Ok(url)
}

/// Returns whether a URL begins with a scheme. Query and fragment may contain another URL, so it is
/// only looked for before them.
#[must_use]
pub fn has_scheme(url: &str) -> bool {
    let host_part = url.split(['?', '#']).next().unwrap_or_default();
    host_part.contains("://")
}

fn text(field: &str, value: &str, max: usize) -> Result<(), FieldError> {
    let length = value.chars().count();
    if length > max {
        return Err(FieldError::new(
            field,
            format!("is {length} characters long, at most {max} are allowed"),
        ));
    }
    if value.chars().any(is_hidden) {
        return Err(FieldError::new(
            field,
            "must not contain characters that cannot be seen",
        ));
    }
    Ok(())
}

/// As [`text`], with line breaks.
fn check_multiline(field: &str, value: &str, max: usize) -> Result<(), FieldError> {
    let one_line: String = value
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\t'))
        .collect();
    text(field, &one_line, max)
}

fn number(
    field: &str,
    unit: &str,
    value: i32,
    range: &std::ops::RangeInclusive<i32>,
) -> Result<(), FieldError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (min, max) = (range.start(), range.end());
    Err(FieldError::new(
        field,
        format!("is {value}, must be between {min} and {max} {unit}"),
    ))
}

/// Trims `text` and replaces every run of whitespace by one space.
fn collapse_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn validate(change: impl FnOnce(&mut ServiceDraft)) -> Result<ServiceDraft, Vec<FieldError>> {
        let mut draft = ServiceDraft {
            name: "API".into(),
            ..Default::default()
        };
        change(&mut draft);
        draft.validate(10, 0)
    }

    #[test]
    fn a_good_definition_is_brought_to_its_normal_form() {
        let valid = validate(|draft| {
            draft.name = "  Payments \n API ".into();
            draft.category = Some("  ".into());
            draft.description = Some(" Handles cards.\nOwned by Ada. ".into());
            draft.tags = vec![" Env:Prod ".into(), "api".into(), "API".into()];
            draft.vendor_page_url = Some(" EXAMPLE.com/x?q=1 ".into());
        })
        .unwrap();
        assert_eq!(valid.name, "Payments API");
        assert_eq!(valid.category, None);
        assert_eq!(
            valid.description.as_deref(),
            Some("Handles cards.\nOwned by Ada.")
        );
        assert_eq!(valid.tags, ["api", "env:prod"]);
        assert_eq!(
            valid.vendor_page_url.as_deref(),
            Some("https://example.com/x?q=1")
        );
    }

    #[test]
    fn a_kind_may_ask_for_a_longer_interval() {
        let kind_min = |change: fn(&mut ServiceDraft)| {
            let mut draft = ServiceDraft {
                name: "x".into(),
                ..Default::default()
            };
            change(&mut draft);
            draft.validate(10, 60)
        };
        assert_eq!(kind_min(|_| {}).unwrap().check_interval_seconds, 60);
        let longer = kind_min(|draft| draft.check_interval_seconds = 61).unwrap();
        assert_eq!(longer.check_interval_seconds, 61);
        let too_short = kind_min(|draft| draft.check_interval_seconds = 9).unwrap_err();
        assert_eq!(too_short[0].field, "checkIntervalSeconds");
        let too_long = kind_min(|draft| draft.timeout_ms = 30_001).unwrap_err();
        assert_eq!(too_long[0].field, "timeoutMs");
    }

    #[test]
    fn a_default_follows_what_it_depends_on() {
        assert_eq!(default_timeout_ms(30), 5000);
        assert_eq!(default_timeout_ms(2), 2000);
        assert_eq!(default_timeout_ms(i32::MAX), 5000);
        assert_eq!(default_degraded_threshold_ms(5000), 1000);
        assert_eq!(default_degraded_threshold_ms(900), 900);
        assert_eq!(default_degraded_threshold_ms(-1), 1);
    }

    #[test]
    fn each_wrong_field_is_named_with_what_was_found() {
        type Change = fn(&mut ServiceDraft);
        let cases: [(Change, &str, &str); 22] = [
            (|d| d.name = " ".into(), "name", "give the service a name"),
            (
                |d| d.name = "x".repeat(1_000_000),
                "name",
                "is 1000000 characters long, at most 100 are allowed",
            ),
            (
                |d| d.name = "a\u{7}b".into(),
                "name",
                "must not contain characters that cannot be seen",
            ),
            (
                |d| d.name = "gpj.\u{202e}exe".into(),
                "name",
                "must not contain characters that cannot be seen",
            ),
            (
                |d| d.category = Some("x".repeat(61)),
                "category",
                "is 61 characters long, at most 60 are allowed",
            ),
            (
                |d| d.description = Some("x".repeat(2001)),
                "description",
                "is 2001 characters long, at most 2000 are allowed",
            ),
            (
                |d| d.tags = vec![" ".into()],
                "tags",
                "must not contain an empty tag",
            ),
            (
                |d| d.tags = vec!["a,b".into()],
                "tags",
                "\"a,b\" contains a comma: give two tags instead",
            ),
            (
                |d| d.tags = vec!["x".repeat(41)],
                "tags",
                "is 41 characters long, at most 40 are allowed",
            ),
            (
                |d| d.tags = (0..21).map(|n| n.to_string()).collect(),
                "tags",
                "has 21 tags, at most 20 are allowed",
            ),
            (
                |d| d.recoveries = 0,
                "recoveries",
                "is 0, must be between 1 and 10 checks",
            ),
            (
                |d| d.vendor_page_url = Some("https://".into()),
                "vendorPageUrl",
                "is not an address (empty host): write it as https://example.com/health",
            ),
            (
                |d| d.vendor_page_url = Some("ftp://x.org".into()),
                "vendorPageUrl",
                "has the scheme ftp: only http and https can be checked",
            ),
            (
                |d| d.vendor_page_url = Some("https://a b".into()),
                "vendorPageUrl",
                "must not contain spaces or control characters",
            ),
            (
                |d| d.vendor_page_url = Some(format!("https://x.org/{}", "y".repeat(3000))),
                "vendorPageUrl",
                "is 3014 bytes long, at most 2048 are allowed",
            ),
            (
                |d| d.vendor_page_url = Some("https://me:secret@x.org".into()),
                "vendorPageUrl",
                "must not contain a user name or password: they would be shown to everybody who sees the page",
            ),
            (
                |d| d.check_interval_seconds = 0,
                "checkIntervalSeconds",
                "is 0, must be between 10 and 86400 seconds",
            ),
            (
                |d| d.timeout_ms = -1,
                "timeoutMs",
                "is -1, must be between 100 and 30000 milliseconds",
            ),
            (
                |d| (d.check_interval_seconds, d.timeout_ms) = (10, 20_000),
                "timeoutMs",
                "must not be longer than the interval between two checks",
            ),
            (
                |d| d.degraded_threshold_ms = 0,
                "degradedThresholdMs",
                "is 0, must be between 1 and 30000 milliseconds",
            ),
            (
                |d| d.degraded_threshold_ms = 6000,
                "degradedThresholdMs",
                "must not be longer than the timeout: a slower answer would never arrive",
            ),
            (
                |d| d.confirmations = 11,
                "confirmations",
                "is 11, must be between 1 and 10 checks",
            ),
        ];
        for (change, field, message) in cases {
            assert_eq!(
                validate(change).unwrap_err(),
                [FieldError::new(field, message)]
            );
        }
    }

    #[test]
    fn an_address_may_hold_another_and_stays_valid_when_it_is_encoded() {
        assert_eq!(
            address("url", "example.com/?next=http://x.org").unwrap(),
            "https://example.com/?next=http://x.org"
        );
        let long = address("url", &format!("https://x.org/{}", "é".repeat(1000))).unwrap_err();
        assert_eq!(
            long.message,
            "is 6014 bytes long when encoded, at most 2048 are allowed"
        );
    }

    #[test]
    fn all_wrong_fields_are_reported_together() {
        let draft = ServiceDraft {
            degraded_threshold_ms: 40_000,
            confirmations: 0,
            ..Default::default()
        };
        let fields: Vec<_> = draft
            .validate(10, 0)
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(fields, ["name", "degradedThresholdMs", "confirmations"]);
    }

    proptest! {
        #[test]
        fn what_was_validated_stays_valid_and_the_same(name in ".{1,100}", url in "[a-z]{1,9}\\.org/.{0,30}", interval in 10i32..100) {
            let draft = ServiceDraft { name, vendor_page_url: Some(url), check_interval_seconds: interval, ..Default::default() };
            if let Ok(valid) = draft.validate(10, 0) {
                prop_assert_eq!(valid.clone().validate(10, 0), Ok(valid));
            }
        }

        #[test]
        fn no_address_makes_it_panic(text: String) {
            let _ = address("url", &text);
        }
    }
}
