//! Numbers and stretches of time as people read them. Plain functions: what is now is an argument.

use crate::browser;

/// A stretch of time with its two largest units: `3 d 4 h`, `2 min 10 s`, `45 s`.
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

/// How long ago something was, with one unit: `now`, `12 s ago`, `3 h ago`.
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

/// A response time: `87 ms`, `1.24 s`, `12.4 s`.
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

/// An amount of data: `48.2 MB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    let (size, unit) = if bytes < 999.95e6 {
        (1e6, "MB")
    } else {
        (1e9, "GB")
    };
    format!("{:.1} {unit}", bytes / size)
}

/// A percentage that never rounds up to a hundred: `100 %`, `99.99 %`, `97.2 %`, `0 %`.
#[must_use]
pub fn percent(value: f64) -> String {
    if value >= 100.0 {
        return "100 %".to_owned();
    }
    // Cut off, not rounded: 99.996 % is not a hundred, however one looks at it. The epsilon undoes binary fractions.
    let cut = (value.max(0.0) * 100.0 + 1e-6).floor() / 100.0;
    let text = format!("{cut:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A percentage or what stands for none.
#[must_use]
pub fn percent_or_none(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), percent)
}

/// `1 service`, `2 services`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Why an incident began, without the vendor's own address of it, and that address. Where there is one it ends the text,
/// and no other text ends like it.
#[must_use]
pub fn cause(cause: &str) -> (&str, Option<&str>) {
    let is_address = |text: &str| {
        (text.starts_with("https://") || text.starts_with("http://"))
            && !text.contains(|c: char| c.is_whitespace() || c == '"')
    };
    match cause
        .rsplit_once(": ")
        .filter(|(_, address)| is_address(address))
    {
        Some((text, address)) => (text, Some(address)),
        None => (cause, None),
    }
}

/// Names in a sentence, the first `most` of them: `A, B and 3 more`.
#[must_use]
pub fn names(names: &[&str], most: usize) -> String {
    if names.len() <= most {
        return names.join(", ");
    }
    format!(
        "{} and {} more",
        names[..most].join(", "),
        names.len() - most
    )
}

/// Seconds of an interval: `30 s`, `5 min`, `1 h`.
#[must_use]
pub fn interval(seconds: i32) -> String {
    duration(i64::from(seconds) * 1000)
}

/// What was said about a field, as a sentence of its own.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        browser::uppercase(first.encode_utf8(&mut [0; 4])) + letters.as_str()
    })
}

/// A vendor's own word as people write it: `partial_outage` is `partial outage`.
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
    fn the_past_is_told_in_one_unit() {
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
    fn data_is_told_in_megabytes_and_gigabytes() {
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
    fn almost_a_hundred_is_not_a_hundred() {
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
        assert_eq!(percent_or_none(None), "–");
    }

    #[test]
    fn vendors_words_and_sentences() {
        assert_eq!(vendor_word(" partial_outage"), "partial outage");
        assert_eq!(sentence("ärger"), "Ärger");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_vendors_address_is_told_apart_from_the_cause() {
        assert_eq!(
            cause("API: slow: https://a.example/1"),
            ("API: slow", Some("https://a.example/1"))
        );
        for other in [
            "connection refused: port 443",
            "redirect to an address that cannot be followed: \"http://[::1\"",
            "See also: https://a.example/1 for more",
        ] {
            assert_eq!(cause(other), (other, None));
        }
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        assert_eq!(names(&["A", "B"], 2), "A, B");
        assert_eq!(names(&["A", "B", "C", "D"], 2), "A, B and 2 more");
        assert_eq!(count(1, "service"), "1 service");
        assert_eq!(count(0, "service"), "0 services");
    }
}
