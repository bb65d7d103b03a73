//! An incident as Markdown, for a ticket or a chat.

use crate::{
    api::{Incident, IncidentNote, IncidentType, Moment},
    browser::{self, TimeStyle},
    format,
};

/// The incident with its timeline and notes, as it is at `now`. What others wrote (causes, names) is text and nothing
/// else; notes are their author's own Markdown.
pub(super) fn markdown(incident: &Incident, notes: &[IncidentNote], now: Moment) -> String {
    let exact = |at| browser::local_time(at, TimeStyle::Exact);
    let what = match incident.kind {
        IncidentType::Downtime => "down",
        IncidentType::Degraded => "degraded",
    };
    let lasted = format::duration(
        incident
            .resolved_at
            .unwrap_or(now)
            .since(incident.started_at),
    );
    let mut lines = vec![
        format!("## {}: {what} for {lasted}", plain(&incident.service.name)),
        String::new(),
    ];
    let mut add = |what: &str, text: String| lines.push(format!("- **{what}:** {text}"));
    if let Some(cause) = &incident.cause {
        add("Cause", plain(cause));
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
        lines.extend([String::new(), "### What happened".to_owned(), String::new()]);
    }
    for event in &incident.events {
        lines.push(format!(
            "- {} {}",
            browser::local_time(event.at, TimeStyle::DaySecond),
            plain(&event.message)
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

/// A text on one line in which nothing is a sign of Markdown or HTML.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        if "\\`*_[]<>#|~!&".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{IncidentEvent, IncidentService, IncidentState};
    use uuid::Uuid;

    #[test]
    fn an_incident_is_told_in_markdown_and_what_others_wrote_is_only_text() {
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
        let told = markdown(&incident, &[note], at("2026-11-23T00:00:00Z"));
        let expected = "\
## API\\_1: down for 12 min

- **Cause:** answered \\<b\\>503\\</b\\> \\# \\[x\\](https://example.com)
- **Began:** 2026-11-22 10:00:00 UTC
- **Ended:** 2026-11-22 10:12:00 UTC
- **Failed checks:** 5
- **Acknowledged:** 2026-11-22 10:02:00 UTC

### What happened

- 2026-11-22 10:00:30 went down

### Notes

> 2026-11-22 10:05:00 UTC
>
> **disk** full
> 
> - cleaned
";
        assert_eq!(told, expected);
        let open = Incident {
            resolved_at: None,
            cause: None,
            acknowledged_at: None,
            events: Vec::new(),
            ..incident
        };
        let told = markdown(&open, &[], at("2026-11-22T11:00:00Z"));
        assert!(
            told.starts_with("## API\\_1: down for 1 h\n") && told.contains("**Ended:** not yet"),
            "{told}"
        );
        assert!(
            !told.contains("###") && !told.contains("Cause") && !told.contains("Acknowledged"),
            "{told}"
        );
    }
}
