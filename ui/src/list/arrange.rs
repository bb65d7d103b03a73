//! Filters, sorts and groups.

use super::{ListQuery, Sort};
use crate::{api::Status, browser, store::Listed};
use std::{collections::BTreeMap, rc::Rc};
use uuid::Uuid;

/// Services of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The category; `None` for services without one, and for the only group of a flat list.
    pub category: Option<String>,
    /// The services in their order.
    pub services: Vec<Uuid>,
    /// How many are in each status, worst first; statuses that none has are left out, and so are paused services.
    pub counts: Vec<(Status, usize)>,
}

/// The groups that `query` asks for: by the alphabet with the uncategorised last, or, when the worst come first, by the
/// worst status in them. `measure` gives what a service is sorted by beside its name: the response time or the uptime, as
/// the sort wants it; services without it come last.
pub fn arrange(
    listed: &BTreeMap<Uuid, Listed>,
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
    rows.sort_unstable_by(Row::compare);

    // Categories that differ in nothing but case share a place in the order, not a group.
    let mut groups: BTreeMap<(bool, &str), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let category = row.service.category.as_deref().filter(|_| !query.flat);
        groups
            .entry((category.is_none(), category.unwrap_or_default()))
            .or_default()
            .push(row);
    }
    let mut groups: Vec<(GroupKey, Rc<Group>)> = groups
        .into_iter()
        .map(|((uncategorised, name), rows)| {
            let group = group(&rows, (!uncategorised).then(|| name.to_owned()));
            let worst = group.counts.first().filter(|_| query.sort == Sort::Worst);
            let worst = std::cmp::Reverse(worst.map(|(status, _)| status.severity()));
            (
                (worst, uncategorised, browser::lowercase(name)),
                Rc::new(group),
            )
        })
        .collect();
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What groups are ordered by.
type GroupKey = (std::cmp::Reverse<Option<u8>>, bool, String);

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
    service: &'a Listed,
    /// Lower comes first.
    rank: f64,
}

impl Row<'_> {
    fn compare(a: &Self, b: &Self) -> std::cmp::Ordering {
        let by_rank = a.rank.total_cmp(&b.rank);
        by_rank
            .then_with(|| a.service.folded.cmp(&b.service.folded))
            .then_with(|| a.id.cmp(&b.id))
    }
}

fn rank(service: &Listed, sort: Sort, measure: impl Fn() -> Option<f64>) -> f64 {
    match sort {
        Sort::Name => 0.0,
        // Nobody waits for a paused service.
        Sort::Worst if service.paused => 1.0,
        Sort::Worst => -f64::from(service.status.severity()),
        Sort::Slowest => measure().map_or(f64::INFINITY, |millis| -millis),
        Sort::Uptime => measure().unwrap_or(f64::INFINITY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(services: &[(&str, Option<&str>, Status)]) -> BTreeMap<Uuid, Listed> {
        let of = |(number, (name, category, status)): (usize, &(&str, Option<&str>, Status))| {
            let address = format!("{}.example.com", name.to_lowercase());
            let service = Listed::new(name, *category, &address, *status, false);
            (Uuid::from_u128(number as u128), service)
        };
        services.iter().enumerate().map(of).collect()
    }

    fn names(
        services: &BTreeMap<Uuid, Listed>,
        query: &ListQuery,
    ) -> Vec<(Option<String>, Vec<String>)> {
        arrange(services, query, |id| Some(id.as_u128() as f64))
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
    fn groups_stand_in_the_order_of_the_alphabet_with_the_uncategorised_last() {
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
    fn the_worst_come_first_in_groups_and_between_them() {
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
    fn measures_sort_with_the_unmeasured_last() {
        let services = listed(&[
            ("a", None, Status::Up),
            ("b", None, Status::Up),
            ("c", None, Status::Up),
        ]);
        let measure = |id: Uuid| (id.as_u128() != 1).then_some(id.as_u128() as f64);
        let order = |sort| {
            arrange(&services, &flat(sort), measure)[0]
                .services
                .iter()
                .map(Uuid::as_u128)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(Sort::Slowest), [2, 0, 1]);
        assert_eq!(order(Sort::Uptime), [0, 2, 1]);
    }

    #[test]
    fn the_filter_looks_at_name_category_and_address_in_any_case() {
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
            let count: usize = arrange(&services, &query, |_| None)
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
        let groups = arrange(&services, &ListQuery::default(), |_| None);
        assert_eq!(
            groups[0].counts,
            [(Status::Down, 1), (Status::Unknown, 1), (Status::Up, 2)]
        );
    }
}
