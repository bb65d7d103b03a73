//! Renders calendars as text (RFC 5545, and RFC 7986 for the calendar's name): lines of at most 75
//! bytes that end with CR and LF, escaped texts, times in UTC.

use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// Maximum length of a line in bytes without its line break (RFC 5545, 3.1).
const MAX_LINE_LENGTH: usize = 75;

/// 2020-01-01. The number of a revision is the number of seconds since then, so that a later
/// revision has a larger number.
const REVISION_EPOCH: i64 = 1_577_836_800;

/// Builds a calendar.
pub(super) struct Calendar {
    text: String,
    empty: bool,
}

/// An entry of a calendar.
pub(super) struct Entry<'a> {
    /// Unique id; it never changes.
    pub(super) uid: &'a str,
    /// Time of the last change.
    pub(super) revised_at: DateTime<Utc>,
    /// Start.
    pub(super) from: DateTime<Utc>,
    /// End.
    pub(super) until: Option<DateTime<Utc>>,
    /// Title.
    pub(super) summary: &'a str,
    /// Description of any number of lines.
    pub(super) description: &'a str,
    /// URL of its page.
    pub(super) url: Option<&'a str>,
}

impl Calendar {
    pub(super) fn new(name: &str) -> Self {
        let mut calendar = Self {
            text: String::new(),
            empty: true,
        };
        calendar.push_line("BEGIN:VCALENDAR");
        calendar.push_line("VERSION:2.0");
        calendar.push_line("PRODID:-//PulseCheck//Vendor maintenance//EN");
        calendar.push_line("CALSCALE:GREGORIAN");
        calendar.push_text("NAME", name);
        calendar.push_text("X-WR-CALNAME", name);
        calendar.push_line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
        calendar.push_line("X-PUBLISHED-TTL:PT1H");
        calendar
    }

    pub(super) fn push_entry(&mut self, entry: &Entry<'_>) {
        self.empty = false;
        let revised = format_time(entry.revised_at);
        let revision =
            (entry.revised_at.timestamp() - REVISION_EPOCH).clamp(0, i64::from(i32::MAX));
        self.push_line("BEGIN:VEVENT");
        self.push_text("UID", entry.uid);
        // Without a METHOD this is when the entry was last revised (RFC 5545, 3.8.7.2).
        self.push_line(&format!("DTSTAMP:{revised}"));
        self.push_line(&format!("LAST-MODIFIED:{revised}"));
        self.push_line(&format!("SEQUENCE:{revision}"));
        let from = format_time(entry.from);
        self.push_line(&format!("DTSTART:{from}"));
        // It must be later than DTSTART, and both have whole seconds.
        if let Some(until) = entry.until.map(format_time).filter(|until| *until > from) {
            self.push_line(&format!("DTEND:{until}"));
        }
        self.push_text("SUMMARY", entry.summary);
        self.push_text("DESCRIPTION", entry.description);
        if let Some(url) = entry
            .url
            .filter(|url| url.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            self.push_line(&format!("URL:{url}"));
        }
        self.push_line("STATUS:CONFIRMED");
        self.push_line("TRANSP:TRANSPARENT");
        self.push_line("END:VEVENT");
    }

    pub(super) fn finish(mut self) -> String {
        if self.empty {
            // A calendar needs at least one component (RFC 5545, 3.6), and calendar programs do not
            // show a time zone.
            for line in [
                "BEGIN:VTIMEZONE",
                "TZID:Etc/UTC",
                "BEGIN:STANDARD",
                "DTSTART:19700101T000000",
                "TZOFFSETFROM:+0000",
                "TZOFFSETTO:+0000",
                "TZNAME:UTC",
                "END:STANDARD",
                "END:VTIMEZONE",
            ] {
                self.push_line(line);
            }
        }
        self.push_line("END:VCALENDAR");
        self.text
    }

    /// Adds a property whose value is text.
    fn push_text(&mut self, name: &str, value: &str) {
        self.push_line(&format!("{name}:{}", escape(value)));
    }

    /// Adds one line of content, folded between characters.
    fn push_line(&mut self, content: &str) {
        let mut remaining = MAX_LINE_LENGTH;
        for c in content.chars() {
            if c.len_utf8() > remaining {
                self.text.push_str("\r\n ");
                remaining = MAX_LINE_LENGTH - 1;
            }
            self.text.push(c);
            remaining -= c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

fn format_time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Escapes a text (RFC 5545, 3.3.11) and removes control characters, which are not allowed.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => {
                let _ = write!(escaped, "\\{c}");
            }
            '\n' | '\r' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn entry<'a>(summary: &'a str, url: Option<&'a str>) -> Entry<'a> {
        Entry {
            uid: "1@x",
            revised_at: at("2026-11-22T10:00:00.999Z"),
            from: at("2026-12-01T01:00:00Z"),
            until: Some(at("2026-12-01T03:30:00Z")),
            summary,
            description: "Status: scheduled\nComponents: a, b",
            url,
        }
    }

    fn calendar(entry: &Entry<'_>) -> String {
        let mut calendar = Calendar::new("Maintenance");
        calendar.push_entry(entry);
        calendar.finish()
    }

    /// The lines with their folding undone.
    fn unfold(text: &str) -> Vec<String> {
        text.replace("\r\n ", "")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn an_entry_is_rendered_line_by_line() {
        let text = calendar(&entry(
            "Shop, API; \\ and more",
            Some("https://status.test/m/1"),
        ));
        let expected = "BEGIN:VEVENT\r\nUID:1@x\r\nDTSTAMP:20261122T100000Z\r\nLAST-MODIFIED:20261122T100000Z\r\n\
            SEQUENCE:217504800\r\nDTSTART:20261201T010000Z\r\nDTEND:20261201T033000Z\r\n\
            SUMMARY:Shop\\, API\\; \\\\ and more\r\n\
            DESCRIPTION:Status: scheduled\\nComponents: a\\, b\r\nURL:https://status.test/m/1\r\n\
            STATUS:CONFIRMED\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert!(text.ends_with(expected), "{text}");
        assert!(
            text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:"),
            "{text}"
        );
    }

    #[test]
    fn a_later_revision_has_a_larger_number() {
        let sequence = |at: DateTime<Utc>| {
            let text = calendar(&Entry {
                revised_at: at,
                ..entry("x", None)
            });
            let line = unfold(&text)
                .into_iter()
                .find(|line| line.starts_with("SEQUENCE:"))
                .unwrap();
            line["SEQUENCE:".len()..].parse::<i64>().unwrap()
        };
        let times = [
            "1990-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:01Z",
            "2200-01-01T00:00:00Z",
        ];
        let numbers: Vec<_> = times.into_iter().map(|time| sequence(at(time))).collect();
        assert!(
            numbers.is_sorted() && numbers[1] < numbers[2],
            "{numbers:?}"
        );
        assert!(
            numbers
                .iter()
                .all(|number| (0..=i64::from(i32::MAX)).contains(number))
        );
    }

    #[test]
    fn an_entry_without_an_end_or_a_safe_url_omits_it() {
        let open = Entry {
            until: None,
            ..entry("x", Some("https://a.test/\r\nATTENDEE:mailto:x@y"))
        };
        let text = calendar(&open);
        assert!(
            !text.contains("DTEND") && !text.contains("URL:") && !text.contains("ATTENDEE"),
            "{text}"
        );
        let moment = Entry {
            until: Some(at("2026-12-01T01:00:00.5Z")),
            ..entry("x", None)
        };
        assert!(!calendar(&moment).contains("DTEND"));
    }

    #[test]
    fn an_empty_calendar_is_valid() {
        let text = Calendar::new("x").finish();
        assert!(
            text.contains("BEGIN:VTIMEZONE\r\n") && text.ends_with("END:VCALENDAR\r\n"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn any_text_of_a_vendor_stays_one_value_in_short_lines(summary in ".*", description in "(?s).*") {
            let text = calendar(&Entry { description: &description, ..entry(&summary, None) });
            prop_assert!(text.split("\r\n").all(|line| line.len() <= MAX_LINE_LENGTH), "{}", text);
            prop_assert!(!text.replace("\r\n", "").contains(|c: char| c.is_control()), "{:?}", text);
            let lines = unfold(&text);
            prop_assert_eq!(lines.iter().filter(|line| line.starts_with("BEGIN:")).count(), 2);
            prop_assert_eq!(lines.len(), 8 + 13 + 1 - 1 + 1);
            let summary_line = lines.iter().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
            let read = summary_line.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";");
            let plain: String = summary.chars().filter(|c| !c.is_control()).collect();
            if !summary.contains(['\\', '\r', '\t']) {
                prop_assert_eq!(read, plain);
            }
        }
    }
}
