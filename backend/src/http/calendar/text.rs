//! Calendars as text (RFC 5545, and RFC 7986 for the calendar's own name): lines of at most 75
//! bytes that end with CR and LF, texts escaped, times in UTC.

use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// Maximum length of a line in bytes without its end (RFC 5545, 3.1).
const MAX_LINE: usize = 75;

/// Revisions are counted in seconds from here, 2020-01-01, so that a later one always has the
/// larger number.
const FIRST_REVISION: i64 = 1_577_836_800;

/// Builds a calendar.
pub(super) struct Calendar {
    text: String,
    empty: bool,
}

/// An entry of a calendar.
pub(super) struct Entry<'a> {
    /// Unique id; it never changes.
    pub(super) uid: &'a str,
    /// When it was last changed.
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
    pub(super) fn begin(name: &str) -> Self {
        let mut calendar = Self {
            text: String::new(),
            empty: true,
        };
        calendar.line("BEGIN:VCALENDAR");
        calendar.line("VERSION:2.0");
        calendar.line("PRODID:-//PulseCheck//Vendor maintenance//EN");
        calendar.line("CALSCALE:GREGORIAN");
        calendar.text("NAME", name);
        calendar.text("X-WR-CALNAME", name);
        calendar.line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
        calendar.line("X-PUBLISHED-TTL:PT1H");
        calendar
    }

    pub(super) fn event(&mut self, entry: &Entry<'_>) {
        self.empty = false;
        let revised = time(entry.revised_at);
        let revision =
            (entry.revised_at.timestamp() - FIRST_REVISION).clamp(0, i64::from(i32::MAX));
        self.line("BEGIN:VEVENT");
        self.text("UID", entry.uid);
        // Without a METHOD this is when the entry was last revised (RFC 5545, 3.8.7.2).
        self.line(&format!("DTSTAMP:{revised}"));
        self.line(&format!("LAST-MODIFIED:{revised}"));
        self.line(&format!("SEQUENCE:{revision}"));
        let from = time(entry.from);
        self.line(&format!("DTSTART:{from}"));
        // It has to be later than the beginning, and times here have no fractions.
        if let Some(until) = entry.until.map(time).filter(|until| *until > from) {
            self.line(&format!("DTEND:{until}"));
        }
        self.text("SUMMARY", entry.summary);
        self.text("DESCRIPTION", entry.description);
        if let Some(url) = entry
            .url
            .filter(|url| url.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            self.line(&format!("URL:{url}"));
        }
        self.line("STATUS:CONFIRMED");
        self.line("TRANSP:TRANSPARENT");
        self.line("END:VEVENT");
    }

    pub(super) fn end(mut self) -> String {
        if self.empty {
            // A calendar has to hold something (RFC 5545, 3.6): a zone is nothing that anybody
            // sees.
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
                self.line(line);
            }
        }
        self.line("END:VCALENDAR");
        self.text
    }

    /// A property whose value is text.
    fn text(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}:{}", escaped(value)));
    }

    /// One line of content, folded between characters.
    fn line(&mut self, content: &str) {
        let mut room = MAX_LINE;
        for c in content.chars() {
            if c.len_utf8() > room {
                self.text.push_str("\r\n ");
                room = MAX_LINE - 1;
            }
            self.text.push(c);
            room -= c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545, 3.3.11. Control characters have no place in a calendar.
fn escaped(text: &str) -> String {
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
        let mut calendar = Calendar::begin("Maintenance");
        calendar.event(entry);
        calendar.end()
    }

    /// The content of the lines, unfolded, as a reader sees them.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn an_entry_stands_in_a_calendar_line_by_line() {
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
            let line = unfolded(&text)
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
    fn one_without_an_end_or_a_safe_address_has_none() {
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
    fn an_empty_calendar_is_still_a_calendar() {
        let text = Calendar::begin("x").end();
        assert!(
            text.contains("BEGIN:VTIMEZONE\r\n") && text.ends_with("END:VCALENDAR\r\n"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn whatever_a_vendor_writes_stays_one_value_in_short_lines(summary in ".*", description in "(?s).*") {
            let text = calendar(&Entry { description: &description, ..entry(&summary, None) });
            prop_assert!(text.split("\r\n").all(|line| line.len() <= MAX_LINE), "{}", text);
            prop_assert!(!text.replace("\r\n", "").contains(|c: char| c.is_control()), "{:?}", text);
            let lines = unfolded(&text);
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
