//! The fields of a service that lists need, and the summary over all services.

use crate::{
    api::{Current, Service, Status},
    browser, format,
    name_order::sort_by_name,
};

/// The fields by which lists filter, sort, group and count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedService {
    pub name: String,
    pub category: Option<String>,
    /// Unknown before the first check.
    pub status: Status,
    pub paused: bool,
    /// For filtering.
    pub lowercase_name: String,
    /// The other text that a filter matches, in lower case: category, and URL without the scheme.
    lowercase_text: String,
}

impl ListedService {
    #[must_use]
    pub fn from_service(service: &Service, current: Option<&Current>) -> Self {
        let address = service
            .target
            .as_deref()
            .or(service.vendor_page_url.as_deref())
            .unwrap_or_default();
        let status = current.map_or(Status::Unknown, |current| current.status);
        Self::new(
            &service.name,
            service.category.as_deref(),
            address,
            status,
            service.paused,
        )
    }

    #[must_use]
    pub fn new(
        name: &str,
        category: Option<&str>,
        address: &str,
        status: Status,
        paused: bool,
    ) -> Self {
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        Self {
            name: name.to_owned(),
            category: category.map(str::to_owned),
            status,
            paused,
            lowercase_name: browser::lowercase(name),
            // Neither contains a line feed, so no match can span both.
            lowercase_text: browser::lowercase(&format!(
                "{}\n{address}",
                category.unwrap_or_default()
            )),
        }
    }

    /// Returns whether the name, category or URL contains `needle`, which is in lower case.
    #[must_use]
    pub fn contains(&self, needle: &str) -> bool {
        self.lowercase_name.contains(needle) || self.lowercase_text.contains(needle)
    }
}

/// Counts of services by status. Paused services count only as paused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The number of services that are not paused.
    pub total: usize,
    pub paused: usize,
    /// The names of the services that are down.
    pub down: Vec<String>,
    /// The names of the services that are degraded.
    pub degraded: Vec<String>,
    pub maintenance: usize,
    pub unknown: usize,
}

impl Summary {
    pub fn of<'a>(services: impl IntoIterator<Item = &'a ListedService>) -> Self {
        let mut summary = Self::default();
        for service in services {
            if service.paused {
                summary.paused += 1;
                continue;
            }
            summary.total += 1;
            match service.status {
                Status::Down => summary.down.push(service.name.clone()),
                Status::Degraded => summary.degraded.push(service.name.clone()),
                Status::Maintenance => summary.maintenance += 1,
                Status::Unknown => summary.unknown += 1,
                Status::Up => {}
            }
        }
        for names in [&mut summary.down, &mut summary.degraded] {
            sort_by_name(names, String::as_str);
        }
        summary
    }

    /// Returns the worst status.
    #[must_use]
    pub const fn worst(&self) -> Status {
        if !self.down.is_empty() {
            Status::Down
        } else if !self.degraded.is_empty() {
            Status::Degraded
        } else if self.total == 0 || self.unknown > 0 {
            Status::Unknown
        } else if self.maintenance > 0 {
            Status::Maintenance
        } else {
            Status::Up
        }
    }

    /// Returns the headline of the dashboard.
    #[must_use]
    pub fn headline(&self) -> String {
        let total = self.total;
        let listed = |names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format::names(&names, 3)
        };
        match (self.down.len(), self.degraded.len()) {
            (0, 0) if total == 0 && self.paused > 0 => "Everything is paused".to_owned(),
            (0, 0) if total == 0 => "No services yet".to_owned(),
            (0, 0) if self.unknown == total => "Waiting for the first results".to_owned(),
            (0, 0) if self.unknown + self.maintenance == 0 && total == 1 => {
                "Operational".to_owned()
            }
            (0, 0) if self.unknown + self.maintenance == 0 => format!("All {total} operational"),
            (0, 0) => {
                let mut text = format!(
                    "{} of {total} operational",
                    total - self.unknown - self.maintenance
                );
                for (number, word) in [
                    (self.maintenance, "in maintenance"),
                    (self.unknown, "unknown"),
                ] {
                    if number > 0 {
                        text.push_str(&format!(", {number} {word}"));
                    }
                }
                text
            }
            (0, degraded) => format!("{degraded} of {total} degraded: {}", listed(&self.degraded)),
            (down, 0) => format!("{down} of {total} down: {}", listed(&self.down)),
            (down, degraded) => format!(
                "{down} of {total} down, {degraded} degraded: {}",
                listed(&self.down)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, status: Status) -> ListedService {
        ListedService::new(name, None, "", status, false)
    }

    fn headline(services: &[ListedService]) -> String {
        Summary::of(services).headline()
    }

    #[test]
    fn the_headline_starts_with_the_worst_status() {
        use Status::{Degraded, Down, Maintenance, Unknown, Up};
        let of = |statuses: &[Status]| {
            let services: Vec<_> = statuses
                .iter()
                .map(|status| service(status.label(), *status))
                .collect();
            headline(&services)
        };
        assert_eq!(of(&[]), "No services yet");
        assert_eq!(of(&[Up]), "Operational");
        assert_eq!(of(&[Up, Up, Up]), "All 3 operational");
        assert_eq!(of(&[Up, Down]), "1 of 2 down: Down");
        assert_eq!(of(&[Up, Degraded, Unknown]), "1 of 3 degraded: Degraded");
        assert_eq!(of(&[Up, Degraded, Down]), "1 of 3 down, 1 degraded: Down");
        assert_eq!(
            of(&[Up, Maintenance, Unknown]),
            "1 of 3 operational, 1 in maintenance, 1 unknown"
        );
        assert_eq!(of(&[Unknown, Unknown]), "Waiting for the first results");
    }

    #[test]
    fn paused_services_do_not_count() {
        let paused = ListedService {
            paused: true,
            ..service("Old", Status::Down)
        };
        assert_eq!(
            headline(&[paused.clone(), service("New", Status::Up)]),
            "Operational"
        );
        assert_eq!(
            headline(std::slice::from_ref(&paused)),
            "Everything is paused"
        );
        assert_eq!(Summary::of([&paused]).worst(), Status::Unknown);
    }

    #[test]
    fn a_long_list_of_names_is_truncated() {
        let down: Vec<_> = ["A", "B", "C", "D", "E"]
            .iter()
            .map(|name| service(name, Status::Down))
            .collect();
        assert_eq!(headline(&down), "5 of 5 down: A, B, C and 2 more");
    }
}
