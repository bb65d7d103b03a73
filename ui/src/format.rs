//! Formats numbers and durations for people. Plain functions: the current time is an argument.

use crate::{api::Status, browser};

/// Formats a duration with its two largest units: `3 d 4 h`, `2 min 10 s`, `45 s`.
#[must_use]
pub fn duration(millis: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = millis.max(0) / 1000;
    let Some(first) = UNITS.iter().position(|(size, _)| seconds >= *size) else {
        return "0 s".to_owned();
    };
    let (size, unit) = UNITS[first];
    let text = format!("{} {unit}", seconds / size);
    match UNITS.get(first + 1) {
        Some((smaller, unit)) if seconds % size / smaller > 0 => {
            format!("{text} {} {unit}", seconds % size / smaller)
        }
        _ => text,
    }
}

/// Formats how long ago something was, with one unit: `now`, `12 s ago`, `3 h ago`.
#[must_use]
pub fn ago(millis: i64) -> String {
    let seconds = millis / 1000;
    match seconds {
        ..=1 => "now".to_owned(),
        2..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=86_399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Formats a response time: `87 ms`, `1.24 s`, `12.4 s`.
#[must_use]
pub fn response_time(millis: f64) -> String {
    if millis < 999.5 {
        format!("{millis:.0} ms")
    } else if millis < 9995.0 {
        format!("{:.2} s", millis / 1000.0)
    } else {
        format!("{:.1} s", millis / 1000.0)
    }
}

/// Formats an amount of data: `48.2 MB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    let (size, unit) = if bytes < 999.95e6 {
        (1e6, "MB")
    } else {
        (1e9, "GB")
    };
    format!("{:.1} {unit}", bytes / size)
}

/// Formats a percentage, which never rounds up to 100: `100 %`, `99.99 %`, `97.2 %`, `0 %`.
#[must_use]
pub fn percent(value: f64) -> String {
    if value >= 100.0 {
        return "100 %".to_owned();
    }
    // Truncate, because 99.996 % is not 100 %. The epsilon compensates for binary fractions.
    let truncated = (value.max(0.0) * 100.0 + 1e-6).floor() / 100.0;
    let text = format!("{truncated:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Formats a percentage, or a dash.
#[must_use]
pub fn percent_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), percent)
}

/// Formats the uptime of a window that ends now, or a dash. While a service is down it is below 100 %,
/// even if the number is from just before the outage.
#[must_use]
pub fn uptime(percent: Option<f64>, status: Option<Status>) -> String {
    let is_down = status == Some(Status::Down);
    percent_or_dash(percent.map(|value| if is_down { value.min(99.99) } else { value }))
}

/// Formats a count with its noun: `1 service`, `2 services`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Splits an incident's cause into the text and the URL of the vendor's incident. Only causes from
/// vendor pages end with a URL.
#[must_use]
pub fn split_cause(cause: &str) -> (&str, Option<&str>) {
    let is_url = |text: &str| {
        (text.starts_with("https://") || text.starts_with("http://"))
            && !text.contains(|c: char| c.is_whitespace() || c == '"')
    };
    match cause.rsplit_once(": ").filter(|(_, url)| is_url(url)) {
        Some((text, url)) => (text, Some(url)),
        None => (cause, None),
    }
}

/// Joins names in a sentence, up to `max` of them: `A, B and 3 more`.
#[must_use]
pub fn names(names: &[&str], max: usize) -> String {
    if names.len() <= max {
        return names.join(", ");
    }
    format!("{} and {} more", names[..max].join(", "), names.len() - max)
}

/// Formats an interval in seconds: `30 s`, `5 min`, `1 h`.
#[must_use]
pub fn interval(seconds: i32) -> String {
    duration(i64::from(seconds) * 1000)
}

/// Capitalises the first letter.
#[must_use]
pub fn capitalise(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        browser::uppercase(first.encode_utf8(&mut [0; 4])) + letters.as_str()
    })
}

/// Formats a vendor's status or impact: `partial_outage` is `partial outage`.
#[must_use]
pub fn vendor_word(word: &str) -> String {
    word.trim().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        for (millis, text) in [
            (-5, "0 s"),
            (999, "0 s"),
            (45_000, "45 s"),
            (60_000, "1 min"),
            (130_000, "2 min 10 s"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h"),
            (3_665_000, "1 h 1 min"),
            (273_600_000, "3 d 4 h"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(duration(millis), text, "{millis}");
        }
    }

    #[test]
    fn times_ago_show_one_unit() {
        for (millis, text) in [
            (-3000, "now"),
            (1999, "now"),
            (2000, "2 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (7_300_000, "2 h ago"),
            (200_000_000, "2 d ago"),
        ] {
            assert_eq!(ago(millis), text, "{millis}");
        }
    }

    #[test]
    fn response_times_keep_three_digits() {
        for (millis, text) in [
            (0.4, "0 ms"),
            (87.0, "87 ms"),
            (999.4, "999 ms"),
            (999.6, "1.00 s"),
            (1240.0, "1.24 s"),
            (12_400.0, "12.4 s"),
        ] {
            assert_eq!(response_time(millis), text, "{millis}");
        }
    }

    #[test]
    fn data_is_formatted_in_megabytes_and_gigabytes() {
        for (amount, text) in [
            (0.0, "0.0 MB"),
            (999.9e6, "999.9 MB"),
            (999.96e6, "1.0 GB"),
            (12.34e9, "12.3 GB"),
        ] {
            assert_eq!(bytes(amount), text, "{amount}");
        }
    }

    #[test]
    fn a_percentage_is_never_rounded_up_to_100() {
        for (value, text) in [
            (100.0, "100 %"),
            (99.9999, "99.99 %"),
            (99.9, "99.9 %"),
            (97.0, "97 %"),
            (0.0, "0 %"),
            (99.57, "99.57 %"),
        ] {
            assert_eq!(percent(value), text, "{value}");
        }
        assert_eq!(percent_or_dash(None), "–");
    }

    #[test]
    fn a_service_that_is_down_has_no_full_uptime() {
        assert_eq!(uptime(Some(100.0), Some(Status::Down)), "99.99 %");
        assert_eq!(uptime(Some(97.2), Some(Status::Down)), "97.2 %");
        assert_eq!(uptime(Some(100.0), Some(Status::Degraded)), "100 %");
        assert_eq!(uptime(None, Some(Status::Down)), "–");
        assert_eq!(uptime(Some(100.0), None), "100 %");
    }

    #[test]
    fn vendors_words_are_spaced_and_sentences_capitalised() {
        assert_eq!(vendor_word(" partial_outage"), "partial outage");
        assert_eq!(capitalise("ärger"), "Ärger");
        assert_eq!(capitalise(""), "");
    }

    #[test]
    fn a_vendors_url_is_split_from_the_cause() {
        assert_eq!(
            split_cause("API: slow: https://a.example/1"),
            ("API: slow", Some("https://a.example/1"))
        );
        for other in [
            "connection refused: port 443",
            "redirect to an address that cannot be followed: \"http://[::1\"",
            "See also: https://a.example/1 for more",
        ] {
            assert_eq!(split_cause(other), (other, None));
        }
    }

    #[test]
    fn a_long_list_of_names_is_truncated() {
        assert_eq!(names(&["A", "B"], 2), "A, B");
        assert_eq!(names(&["A", "B", "C", "D"], 2), "A, B and 2 more");
        assert_eq!(count(1, "service"), "1 service");
        assert_eq!(count(0, "service"), "0 services");
    }
}
