//! What makes a service's definition valid, field by field.

use crate::{ExpectedStatus, MonitorKind, vendor_page};
use serde::{Deserialize, Serialize};
use url::Url;

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;
/// The longest category, in characters.
pub const MAX_CATEGORY: usize = 60;
/// The longest address, in bytes.
pub const MAX_URL: usize = 2048;
/// The longest interval, in seconds: a day.
pub const MAX_INTERVAL_SECONDS: i32 = 86_400;
/// The shortest and longest timeout, in milliseconds.
pub const TIMEOUT_MS: std::ops::RangeInclusive<i32> = 100..=30_000;
/// The fewest and most confirmations.
pub const CONFIRMATIONS: std::ops::RangeInclusive<i32> = 1..=10;

/// A service as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the GraphQL inputs")]
pub struct ServiceDraft {
    pub name: String,
    pub category: Option<String>,
    pub kind: MonitorKind,
    pub url: Option<String>,
    pub vendor_page_url: Option<String>,
    pub check_interval_seconds: i32,
    pub timeout_ms: i32,
    pub degraded_threshold_ms: i32,
    pub expected_status: String,
    pub confirmations: i32,
}

impl Default for ServiceDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            category: None,
            kind: MonitorKind::Http,
            url: None,
            vendor_page_url: None,
            check_interval_seconds: 30,
            timeout_ms: 5000,
            degraded_threshold_ms: 1000,
            expected_status: ExpectedStatus::default().to_string(),
            confirmations: 2,
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field's name in the GraphQL input, such as `checkIntervalSeconds`.
    pub field: String,
    /// What was found and what to do, one sentence without a full stop.
    pub message: String,
}

impl FieldError {
    /// An error of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl ServiceDraft {
    /// The same definition in its normal form (trimmed, empty texts absent, addresses and ranges as they will be used;
    /// a vendor page is looked at once a minute at most, so a shorter interval is a minute).
    ///
    /// # Errors
    /// Every field that is wrong, each once.
    pub fn validate(self, min_interval_seconds: i32) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut keep = |result: Result<(), FieldError>| errors.extend(result.err());
        let mut valid = self;

        valid.name = tidy(&valid.name);
        keep(if valid.name.is_empty() {
            Err(FieldError::new("name", "give the service a name"))
        } else {
            text("name", &valid.name, MAX_NAME)
        });
        valid.category = present(valid.category.as_deref().map(tidy));
        keep(text(
            "category",
            valid.category.as_deref().unwrap_or_default(),
            MAX_CATEGORY,
        ));

        valid.url = present(valid.url.map(|url| url.trim().to_owned()));
        match (valid.kind, valid.url.as_deref()) {
            (MonitorKind::Http, None) => {
                keep(Err(FieldError::new("url", "give the address to check")));
            }
            (MonitorKind::VendorPage, Some(_)) => {
                keep(Err(FieldError::new(
                    "url",
                    "a vendor page service has no url of its own: use vendorPageUrl",
                )));
            }
            (MonitorKind::VendorPage, None) => {}
            (MonitorKind::Http, Some(url)) => match address("url", url) {
                Ok(url) => valid.url = Some(url),
                Err(error) => keep(Err(error)),
            },
        }
        valid.vendor_page_url = present(valid.vendor_page_url.map(|url| url.trim().to_owned()));
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
        if valid.kind == MonitorKind::VendorPage && interval.contains(&valid.check_interval_seconds)
        {
            let least = i32::try_from(vendor_page::INTERVAL.num_seconds())
                .expect("a minute has few seconds");
            valid.check_interval_seconds = valid.check_interval_seconds.max(least);
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
        match valid.expected_status.parse::<ExpectedStatus>() {
            Ok(expected) => valid.expected_status = expected.to_string(),
            Err(error) => keep(Err(FieldError::new("expectedStatus", error.to_string()))),
        }
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

/// An address that a person may be sent to or that may be requested: absolute, http or https, with a host, without
/// credentials. Returned in the form in which it is requested. A bare host name gets `https://`.
///
/// # Errors
/// What is wrong with it, under the name `field`.
pub fn address(field: &str, text: &str) -> Result<String, FieldError> {
    let wrong = |message: String| Err(FieldError::new(field, message));
    if text.len() > MAX_URL {
        return wrong(format!(
            "is {} bytes long, at most {MAX_URL} are allowed",
            text.len()
        ));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return wrong("must not contain spaces or control characters".into());
    }
    // What stands behind the host may hold a whole address of its own.
    let host_part = text.split(['?', '#']).next().unwrap_or_default();
    let with_scheme = if host_part.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
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
    // Encoding makes some characters longer, and what is kept must be valid again at the next change.
    if url.len() > MAX_URL {
        return wrong(format!(
            "is {} bytes long when encoded, at most {MAX_URL} are allowed",
            url.len()
        ));
    }
    Ok(url)
}

fn text(field: &str, value: &str, max: usize) -> Result<(), FieldError> {
    let length = value.chars().count();
    if length > max {
        return Err(FieldError::new(
            field,
            format!("is {length} characters long, at most {max} are allowed"),
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(FieldError::new(
            field,
            "must not contain control characters",
        ));
    }
    Ok(())
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

/// Trimmed, and every run of white space one space.
fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn http(change: impl FnOnce(&mut ServiceDraft)) -> Result<ServiceDraft, Vec<FieldError>> {
        let mut draft = ServiceDraft {
            name: "API".into(),
            url: Some("https://example.com".into()),
            ..Default::default()
        };
        change(&mut draft);
        draft.validate(10)
    }

    #[test]
    fn a_good_definition_is_brought_to_its_normal_form() {
        let valid = http(|draft| {
            draft.name = "  Payments \n API ".into();
            draft.category = Some("  ".into());
            draft.url = Some(" EXAMPLE.com/x?q=1 ".into());
            draft.expected_status = "200-299, 301".into();
        })
        .unwrap();
        assert_eq!(valid.name, "Payments API");
        assert_eq!(valid.category, None);
        assert_eq!(valid.url.as_deref(), Some("https://example.com/x?q=1"));
        assert_eq!(valid.expected_status, "200-299,301");
    }

    #[test]
    fn a_vendor_page_has_no_address_of_its_own_and_is_looked_at_once_a_minute_at_most() {
        let page = |change: fn(&mut ServiceDraft)| {
            let mut draft = ServiceDraft {
                name: "x".into(),
                kind: MonitorKind::VendorPage,
                ..Default::default()
            };
            change(&mut draft);
            draft.validate(10)
        };
        assert_eq!(page(|_| {}).unwrap().check_interval_seconds, 60);
        assert_eq!(
            page(|d| d.check_interval_seconds = 61)
                .unwrap()
                .check_interval_seconds,
            61
        );
        assert_eq!(
            page(|d| d.check_interval_seconds = 9).unwrap_err()[0].field,
            "checkIntervalSeconds"
        );
        assert_eq!(
            page(|d| d.url = Some("https://x.org".into())).unwrap_err()[0].field,
            "url"
        );
        assert_eq!(
            page(|d| d.timeout_ms = 30_001).unwrap_err()[0].field,
            "timeoutMs"
        );
    }

    #[test]
    fn each_wrong_field_is_named_with_what_was_found() {
        type Change = fn(&mut ServiceDraft);
        let cases: [(Change, &str, &str); 17] = [
            (|d| d.name = " ".into(), "name", "give the service a name"),
            (
                |d| d.name = "x".repeat(1_000_000),
                "name",
                "is 1000000 characters long, at most 100 are allowed",
            ),
            (
                |d| d.name = "a\u{7}b".into(),
                "name",
                "must not contain control characters",
            ),
            (
                |d| d.category = Some("x".repeat(61)),
                "category",
                "is 61 characters long, at most 60 are allowed",
            ),
            (|d| d.url = None, "url", "give the address to check"),
            (
                |d| d.url = Some("https://".into()),
                "url",
                "is not an address (empty host): write it as https://example.com/health",
            ),
            (
                |d| d.url = Some("ftp://x.org".into()),
                "url",
                "has the scheme ftp: only http and https can be checked",
            ),
            (
                |d| d.url = Some("https://a b".into()),
                "url",
                "must not contain spaces or control characters",
            ),
            (
                |d| d.url = Some(format!("https://x.org/{}", "y".repeat(3000))),
                "url",
                "is 3014 bytes long, at most 2048 are allowed",
            ),
            (
                |d| d.url = Some("https://me:secret@x.org".into()),
                "url",
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
                |d| d.expected_status = "ok".into(),
                "expectedStatus",
                "\"ok\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            (
                |d| d.confirmations = 11,
                "confirmations",
                "is 11, must be between 1 and 10 checks",
            ),
        ];
        for (change, field, message) in cases {
            assert_eq!(http(change).unwrap_err(), [FieldError::new(field, message)]);
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
            .validate(10)
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(
            fields,
            ["name", "url", "degradedThresholdMs", "confirmations"]
        );
    }

    proptest! {
        #[test]
        fn what_was_validated_stays_valid_and_the_same(name in ".{1,100}", url in "[a-z]{1,9}\\.org/.{0,30}", interval in 10i32..100) {
            let draft = ServiceDraft { name, url: Some(url), check_interval_seconds: interval, ..Default::default() };
            if let Ok(valid) = draft.validate(10) {
                prop_assert_eq!(valid.clone().validate(10), Ok(valid));
            }
        }

        #[test]
        fn no_address_makes_it_panic(text: String) {
            let _ = address("url", &text);
        }
    }
}
