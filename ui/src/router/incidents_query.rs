//! The query string of the list of incidents.

use crate::api::{IncidentState, IncidentType, Window};
use std::fmt;
use uuid::Uuid;

/// The filter of the list of incidents, in the URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentsQuery {
    pub state: Option<IncidentState>,
    pub kind: Option<IncidentType>,
    /// Only incidents that lasted into this window, which ends now.
    pub time: Option<Window>,
    pub service: Option<Uuid>,
}

/// Value, key in the URL and label of each choice.
pub const STATES: [(IncidentState, &str, &str); 2] = [
    (IncidentState::Open, "open", "Open"),
    (IncidentState::Resolved, "resolved", "Resolved"),
];
pub const KINDS: [(IncidentType, &str, &str); 2] = [
    (IncidentType::Downtime, "downtime", "Downtime"),
    (IncidentType::Degraded, "degraded", "Degraded"),
];
pub const TIMES: [(Window, &str, &str); 4] = [
    (Window::Day, "24h", "Last 24 h"),
    (Window::Week, "7d", "Last 7 d"),
    (Window::Month, "30d", "Last 30 d"),
    (Window::Quarter, "90d", "Last 90 d"),
];

pub fn key_of<T: PartialEq>(
    choices: &[(T, &'static str, &'static str)],
    value: Option<&T>,
) -> &'static str {
    choices
        .iter()
        .find(|(choice, ..)| Some(choice) == value)
        .map_or("", |(_, key, _)| key)
}

pub fn by_key<T: Copy>(choices: &[(T, &str, &str)], key: &str) -> Option<T> {
    choices
        .iter()
        .find(|(_, known, _)| *known == key)
        .map(|(choice, ..)| *choice)
}

impl fmt::Display for IncidentsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("state", key_of(&STATES, self.state.as_ref()).to_owned()),
            ("type", key_of(&KINDS, self.kind.as_ref()).to_owned()),
            ("time", key_of(&TIMES, self.time.as_ref()).to_owned()),
            (
                "service",
                self.service.map(|id| id.to_string()).unwrap_or_default(),
            ),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        f.write_str(&parts.join("&"))
    }
}

impl From<&str> for IncidentsQuery {
    fn from(text: &str) -> Self {
        let mut query = Self::default();
        for (key, value) in text.split('&').filter_map(|part| part.split_once('=')) {
            match key {
                "state" => query.state = by_key(&STATES, value),
                "type" => query.kind = by_key(&KINDS, value),
                "time" => query.time = by_key(&TIMES, value),
                "service" => query.service = value.parse().ok(),
                _ => {}
            }
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_round_trips() {
        let query = IncidentsQuery {
            state: Some(IncidentState::Open),
            kind: Some(IncidentType::Degraded),
            time: Some(Window::Week),
            service: Some(Uuid::from_u128(5)),
        };
        assert_eq!(IncidentsQuery::from(query.to_string().as_str()), query);
        assert_eq!(
            IncidentsQuery::from("state=lost&x&time=8d&service=7"),
            IncidentsQuery::default()
        );
    }
}
