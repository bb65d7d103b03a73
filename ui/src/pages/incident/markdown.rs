//! Formats an incident as Markdown, for a ticket or a chat.

use crate::{
    api::{Incident, IncidentNote, IncidentType, Moment},
    browser::{self, TimeStyle},
    format,
};

/// Formats the incident with its timeline and notes, at the time `now`. Names and causes are
/// escaped; notes are Markdown themselves.
pub(super) fn to_markdown(incident: &Incident, notes: &[IncidentNote], now: Moment) -> String {
    let exact = |at| browser::local_time(at, TimeStyle::Exact);
    let status = match incident.kind {
        IncidentType::Downtime => "down",
        IncidentType::Degraded => "degraded",
    };
    let duration = format::duration(
        incident
            .resolved_at
            .unwrap_or(now)
            .since(incident.started_at),
    );
    let mut lines = vec![
        format!(
            "## {}: {status} for {duration}",
            escape(&incident.service.name)
        ),
        String::new(),
    ];
    let mut add = |label: &str, text: String| lines.push(format!("- **{label}:** {text}"));
    if let Some(cause) = &incident.cause {
        add("Cause", escape(cause));
    }
    add("Began", exact(incident.started_at));
    add(
        "Ended",
        incident
            .resolved_at
            .map_or_else(|| "not yet".to_owned(), exact),
    );
    add("Failed checks", incident.checks_failed.to_string());
    if let Some(at) = incident.acknowledged_at {
        add("Acknowledged", exact(at));
    }
    if !incident.events.is_empty() {
        lines.extend([String::new(), "### Timeline".to_owned(), String::new()]);
    }
    for event in &incident.events {
        lines.push(format!(
            "- {} {}",
            browser::local_time(event.at, TimeStyle::DaySecond),
            escape(&event.message)
        ));
    }
    if !notes.is_empty() {
        lines.extend([String::new(), "### Notes".to_owned()]);
    }
    for note in notes {
        lines.extend([
            String::new(),
            format!("> {}", exact(note.at)),
            ">".to_owned(),
        ]);
        lines.extend(note.text.lines().map(|line| format!("> {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Escapes Markdown and HTML, and joins the lines.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        if "\\`*_[]<>#|~!&".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{IncidentEvent, IncidentService, IncidentState};
    use uuid::Uuid;

    #[test]
    fn names_and_causes_are_escaped() {
        let at = |text: &str| Moment::parse(text).unwrap();
        let incident = Incident {
            id: Uuid::nil(),
            kind: IncidentType::Downtime,
            state: IncidentState::Resolved,
            started_at: at("2026-11-22T10:00:00Z"),
            resolved_at: Some(at("2026-11-22T10:12:00Z")),
            checks_failed: 5,
            cause: Some("answered <b>503</b>\n# [x](https://example.com)".into()),
            acknowledged_at: Some(at("2026-11-22T10:02:00Z")),
            note_count: 1,
            service: IncidentService {
                id: Uuid::nil(),
                name: "API_1".into(),
            },
            events: vec![IncidentEvent {
                at: at("2026-11-22T10:00:30Z"),
                kind: "opened".into(),
                message: "went down".into(),
            }],
        };
        let note = IncidentNote {
            id: Uuid::nil(),
            at: at("2026-11-22T10:05:00Z"),
            text: "**disk** full\n\n- cleaned".into(),
        };
        let text = to_markdown(&incident, &[note], at("2026-11-23T00:00:00Z"));
        let expected = "\
## API\\_1: down for 12 min

- **Cause:** answered \\<b\\>503\\</b\\> \\# \\[x\\](https://example.com)
- **Began:** 2026-11-22 10:00:00 UTC
- **Ended:** 2026-11-22 10:12:00 UTC
- **Failed checks:** 5
- **Acknowledged:** 2026-11-22 10:02:00 UTC

### Timeline

- 2026-11-22 10:00:30 went down

### Notes

> 2026-11-22 10:05:00 UTC
>
> **disk** full
> 
> - cleaned
";
        assert_eq!(text, expected);
        let open = Incident {
            resolved_at: None,
            cause: None,
            acknowledged_at: None,
            events: Vec::new(),
            ..incident
        };
        let text = to_markdown(&open, &[], at("2026-11-22T11:00:00Z"));
        assert!(
            text.starts_with("## API\\_1: down for 1 h\n") && text.contains("**Ended:** not yet"),
            "{text}"
        );
        assert!(
            !text.contains("###") && !text.contains("Cause") && !text.contains("Acknowledged"),
            "{text}"
        );
    }
}
