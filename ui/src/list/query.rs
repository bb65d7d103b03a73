//! The filter, order and grouping of the list, in the URL.

use crate::api::Status;
use std::fmt;

/// The order within a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Alphabetical.
    #[default]
    Name,
    /// By status, worst first.
    Worst,
    Slowest,
    /// Lowest first.
    Uptime,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Name, Self::Worst, Self::Slowest, Self::Uptime];

    /// Returns the key in the URL.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Worst => "worst",
            Self::Slowest => "slowest",
            Self::Uptime => "uptime",
        }
    }

    /// Returns the label on the screen.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Worst => "Worst first",
            Self::Slowest => "Slowest first",
            Self::Uptime => "Lowest uptime first",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    /// Must occur in the name, category or URL, in any case.
    pub text: String,
    pub status: Option<Status>,
    pub sort: Sort,
    /// Whether the list is not grouped.
    pub flat: bool,
}

impl ListQuery {
    /// Returns whether the query may hide services.
    #[must_use]
    pub fn is_filter(&self) -> bool {
        !self.text.trim().is_empty() || self.status.is_some()
    }
}

impl fmt::Display for ListQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(status) = self.status {
            parts.push(format!("status={}", status.word()));
        }
        if self.sort != Sort::default() {
            parts.push(format!("sort={}", self.sort.key()));
        }
        if self.flat {
            parts.push("group=none".to_owned());
        }
        // Last, because it may contain the characters that separate parameters.
        if !self.text.is_empty() {
            parts.push(format!("q={}", self.text));
        }
        f.write_str(&parts.join("&"))
    }
}

impl From<&str> for ListQuery {
    fn from(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(text) = rest.strip_prefix("q=") {
                query.text = text.to_owned();
                break;
            }
            let (part, after) = rest.split_once('&').unwrap_or((rest, ""));
            match part.split_once('=') {
                Some(("status", word)) => {
                    query.status = Status::WORST_FIRST
                        .into_iter()
                        .find(|status| status.word() == word);
                }
                Some(("sort", key)) => {
                    query.sort = Sort::ALL
                        .into_iter()
                        .find(|sort| sort.key() == key)
                        .unwrap_or_default();
                }
                Some(("group", value)) => query.flat = value == "none",
                _ => {}
            }
            rest = after;
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_round_trips() {
        for query in [
            ListQuery::default(),
            ListQuery {
                text: "a&sort=worst".into(),
                ..Default::default()
            },
            ListQuery {
                status: Some(Status::Degraded),
                sort: Sort::Uptime,
                flat: true,
                text: "x=y".into(),
            },
        ] {
            assert_eq!(ListQuery::from(query.to_string().as_str()), query);
        }
    }

    #[test]
    fn unknown_parameters_are_ignored() {
        assert_eq!(
            ListQuery::from("utm=1&status=purple&sort=&&"),
            ListQuery::default()
        );
    }
}
