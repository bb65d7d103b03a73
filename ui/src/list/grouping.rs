//! Filters, sorts and groups the services.

use super::query::{ListQuery, Sort};
use crate::{api::Status, browser, name_order::sort_by_name, store::ListedService};
use std::{cmp::Reverse, collections::BTreeMap, rc::Rc};
use uuid::Uuid;

/// Services of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The category; `None` for services without one, and for the only group of a flat list.
    pub category: Option<String>,
    /// In display order.
    pub services: Vec<Uuid>,
    /// The number of services in each status that occurs, worst first, without paused services.
    pub counts: Vec<(Status, usize)>,
}

/// Returns the groups that match `query`, in alphabetical order with the uncategorised services
/// last. When sorted by [`Sort::Worst`], groups are ordered by their worst status first. `measure`
/// returns the response time or the uptime by which the query sorts; services without one come
/// last.
pub fn group_services(
    listed: &BTreeMap<Uuid, ListedService>,
    query: &ListQuery,
    measure: impl Fn(Uuid) -> Option<f64>,
) -> Vec<Rc<Group>> {
    let needle = browser::lowercase(query.text.trim());
    let mut rows: Vec<Row> = listed
        .iter()
        .filter(|(_, service)| {
            query
                .status
                .is_none_or(|status| service.status == status && !service.paused)
        })
        .filter(|(_, service)| needle.is_empty() || service.contains(&needle))
        .map(|(id, service)| Row {
            id: *id,
            service,
            rank: rank(service, query.sort, || measure(*id)),
        })
        .collect();
    // Both sorts are stable: by rank, then by name, then by id, as the services are listed.
    sort_by_name(&mut rows, |row| &row.service.name);
    rows.sort_by(|a, b| a.rank.total_cmp(&b.rank));

    // Categories that differ only in case are neighbours, not one group.
    let mut groups: BTreeMap<(bool, &str), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let category = row.service.category.as_deref().filter(|_| !query.flat);
        groups
            .entry((category.is_none(), category.unwrap_or_default()))
            .or_default()
            .push(row);
    }
    let mut groups: Vec<(GroupSortKey, Rc<Group>)> = groups
        .into_iter()
        .map(|((uncategorised, name), rows)| {
            let group = group(&rows, (!uncategorised).then(|| name.to_owned()));
            let worst = group.counts.first().filter(|_| query.sort == Sort::Worst);
            let worst = Reverse(worst.map(|(status, _)| status.severity()));
            ((worst, uncategorised), Rc::new(group))
        })
        .collect();
    sort_by_name(&mut groups, |(_, group)| {
        group.category.as_deref().unwrap_or_default()
    });
    groups.sort_by_key(|(key, _)| *key);
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The sort key of a group before its name: worst status, whether it is the uncategorised one.
type GroupSortKey = (Reverse<Option<u8>>, bool);

fn group(rows: &[Row], category: Option<String>) -> Group {
    let count = |status: Status| {
        rows.iter()
            .filter(|row| !row.service.paused && row.service.status == status)
            .count()
    };
    let counts = Status::WORST_FIRST
        .into_iter()
        .map(|status| (status, count(status)));
    Group {
        category,
        services: rows.iter().map(|row| row.id).collect(),
        counts: counts.filter(|(_, count)| *count > 0).collect(),
    }
}

struct Row<'a> {
    id: Uuid,
    service: &'a ListedService,
    /// Sorts ascending.
    rank: f64,
}

fn rank(service: &ListedService, sort: Sort, measure: impl Fn() -> Option<f64>) -> f64 {
    match sort {
        Sort::Name => 0.0,
        // Paused services come last.
        Sort::Worst if service.paused => 1.0,
        Sort::Worst => -f64::from(service.status.severity()),
        Sort::Slowest => measure().map_or(f64::INFINITY, |millis| -millis),
        Sort::Uptime => measure().unwrap_or(f64::INFINITY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(services: &[(&str, Option<&str>, Status)]) -> BTreeMap<Uuid, ListedService> {
        let of = |(number, (name, category, status)): (usize, &(&str, Option<&str>, Status))| {
            let address = format!("{}.example.com", name.to_lowercase());
            let service = ListedService::new(name, *category, &address, *status, false);
            (Uuid::from_u128(number as u128), service)
        };
        services.iter().enumerate().map(of).collect()
    }

    fn names(
        services: &BTreeMap<Uuid, ListedService>,
        query: &ListQuery,
    ) -> Vec<(Option<String>, Vec<String>)> {
        group_services(services, query, |id| Some(id.as_u128() as f64))
            .into_iter()
            .map(|group| {
                (
                    group.category.clone(),
                    group
                        .services
                        .iter()
                        .map(|id| services[id].name.clone())
                        .collect(),
                )
            })
            .collect()
    }

    fn flat(sort: Sort) -> ListQuery {
        ListQuery {
            sort,
            flat: true,
            ..Default::default()
        }
    }

    #[test]
    fn groups_are_alphabetical_with_the_uncategorised_last() {
        let services = listed(&[
            ("b", None, Status::Up),
            ("Zeta", Some("web"), Status::Up),
            ("alpha", Some("web"), Status::Up),
            ("x", Some("API"), Status::Down),
        ]);
        assert_eq!(
            names(&services, &ListQuery::default()),
            [
                (Some("API".into()), vec!["x".into()]),
                (Some("web".into()), vec!["alpha".into(), "Zeta".into()]),
                (None, vec!["b".into()]),
            ]
        );
    }

    #[test]
    fn the_worst_come_first_in_groups_and_among_groups() {
        let mut services = listed(&[
            ("up", Some("a"), Status::Up),
            ("slow", Some("a"), Status::Degraded),
            ("gone", Some("z"), Status::Down),
            ("old", Some("a"), Status::Down),
        ]);
        services.get_mut(&Uuid::from_u128(3)).unwrap().paused = true;
        let query = ListQuery {
            sort: Sort::Worst,
            ..Default::default()
        };
        assert_eq!(
            names(&services, &query),
            [
                (Some("z".into()), vec!["gone".into()]),
                (
                    Some("a".into()),
                    vec!["slow".into(), "up".into(), "old".into()]
                ),
            ]
        );
    }

    #[test]
    fn services_without_a_measure_come_last() {
        let services = listed(&[
            ("a", None, Status::Up),
            ("b", None, Status::Up),
            ("c", None, Status::Up),
        ]);
        let measure = |id: Uuid| (id.as_u128() != 1).then_some(id.as_u128() as f64);
        let order = |sort| {
            group_services(&services, &flat(sort), measure)[0]
                .services
                .iter()
                .map(Uuid::as_u128)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(Sort::Slowest), [2, 0, 1]);
        assert_eq!(order(Sort::Uptime), [0, 2, 1]);
    }

    #[test]
    fn the_filter_matches_name_category_and_url_in_any_case() {
        let services = listed(&[
            ("Payments", Some("Shop"), Status::Up),
            ("Blog", None, Status::Down),
        ]);
        for (text, found) in [
            ("PAY", 1),
            ("shop", 1),
            ("example.com", 2),
            (" blog ", 1),
            ("nothing", 0),
        ] {
            let query = ListQuery {
                text: text.into(),
                flat: true,
                ..Default::default()
            };
            let count: usize = group_services(&services, &query, |_| None)
                .iter()
                .map(|group| group.services.len())
                .sum();
            assert_eq!(count, found, "{text}");
        }
        let down = ListQuery {
            status: Some(Status::Down),
            ..flat(Sort::Name)
        };
        assert_eq!(names(&services, &down), [(None, vec!["Blog".into()])]);
    }

    #[test]
    fn groups_count_their_statuses_worst_first() {
        let services = listed(&[
            ("a", None, Status::Up),
            ("b", None, Status::Down),
            ("c", None, Status::Up),
            ("d", None, Status::Unknown),
        ]);
        let groups = group_services(&services, &ListQuery::default(), |_| None);
        assert_eq!(
            groups[0].counts,
            [(Status::Down, 1), (Status::Unknown, 1), (Status::Up, 2)]
        );
    }
}
