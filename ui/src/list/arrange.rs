//! Filters, sorts and groups.

use super::{ListQuery, Sort};
use crate::{api::Status, store::Listed};
use std::collections::BTreeMap;
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
) -> Vec<Group> {
    let needle = query.text.trim().to_lowercase();
    let contains = |text: &str| text.to_lowercase().contains(&needle);
    let mut rows: Vec<(Key, Uuid, &Listed)> = listed
        .iter()
        .filter(|(_, service)| query.status.is_none_or(|status| service.status == status && !service.paused))
        .filter(|(_, service)| {
            needle.is_empty()
                || contains(&service.name)
                || contains(&service.address)
                || service.category.as_deref().is_some_and(contains)
        })
        .map(|(id, service)| (Key::of(service, query.sort, || measure(*id)), *id, service))
        .collect();
    rows.sort_by(|(a, ..), (b, ..)| a.cmp(b));

    let mut groups: BTreeMap<GroupKey, Vec<(Uuid, &Listed)>> = BTreeMap::new();
    for (_, id, service) in rows {
        let category = service.category.as_deref().filter(|_| !query.flat);
        groups.entry(GroupKey::of(category)).or_default().push((id, service));
    }
    let mut groups: Vec<Group> = groups.into_values().map(|services| group(&services, query.flat)).collect();
    if query.sort == Sort::Worst {
        groups.sort_by_key(|group| std::cmp::Reverse(group.counts.first().map(|(status, _)| status.severity())));
    }
    groups
}

fn group(services: &[(Uuid, &Listed)], flat: bool) -> Group {
    let counts = Status::WORST_FIRST
        .into_iter()
        .map(|status| {
            (status, services.iter().filter(|(_, service)| !service.paused && service.status == status).count())
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    Group {
        category: services.first().and_then(|(_, service)| service.category.clone()).filter(|_| !flat),
        services: services.iter().map(|(id, _)| *id).collect(),
        counts,
    }
}

/// Categories that differ in nothing but case share a place in the order, not a group.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    uncategorised: bool,
    folded: String,
    exact: String,
}

impl GroupKey {
    fn of(category: Option<&str>) -> Self {
        let exact = category.unwrap_or_default().to_owned();
        Self { uncategorised: category.is_none(), folded: exact.to_lowercase(), exact }
    }
}

struct Key {
    /// Lower comes first.
    rank: f64,
    name: String,
}

impl Key {
    fn of(service: &Listed, sort: Sort, measure: impl Fn() -> Option<f64>) -> Self {
        let rank = match sort {
            Sort::Name => 0.0,
            // Nobody waits for a paused service.
            Sort::Worst if service.paused => 1.0,
            Sort::Worst => -f64::from(service.status.severity()),
            Sort::Slowest => measure().map_or(f64::INFINITY, |millis| -millis),
            Sort::Uptime => measure().unwrap_or(f64::INFINITY),
        };
        Self { rank, name: service.name.to_lowercase() }
    }

    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.total_cmp(&other.rank).then_with(|| self.name.cmp(&other.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MonitorKind;

    fn listed(services: &[(&str, Option<&str>, Status)]) -> BTreeMap<Uuid, Listed> {
        let of = |(number, (name, category, status)): (usize, &(&str, Option<&str>, Status))| {
            let service = Listed {
                name: (*name).to_owned(),
                category: category.map(str::to_owned),
                address: format!("{}.example.com", name.to_lowercase()),
                kind: MonitorKind::Http,
                status: *status,
                paused: false,
            };
            (Uuid::from_u128(number as u128), service)
        };
        services.iter().enumerate().map(of).collect()
    }

    fn names(services: &BTreeMap<Uuid, Listed>, query: &ListQuery) -> Vec<(Option<String>, Vec<String>)> {
        arrange(services, query, |id| Some(id.as_u128() as f64))
            .into_iter()
            .map(|group| (group.category, group.services.iter().map(|id| services[id].name.clone()).collect()))
            .collect()
    }

    fn flat(sort: Sort) -> ListQuery {
        ListQuery { sort, flat: true, ..Default::default() }
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
        let query = ListQuery { sort: Sort::Worst, ..Default::default() };
        assert_eq!(
            names(&services, &query),
            [
                (Some("z".into()), vec!["gone".into()]),
                (Some("a".into()), vec!["slow".into(), "up".into(), "old".into()]),
            ]
        );
    }

    #[test]
    fn measures_sort_with_the_unmeasured_last() {
        let services = listed(&[("a", None, Status::Up), ("b", None, Status::Up), ("c", None, Status::Up)]);
        let measure = |id: Uuid| (id.as_u128() != 1).then_some(id.as_u128() as f64);
        let order =
            |sort| arrange(&services, &flat(sort), measure)[0].services.iter().map(Uuid::as_u128).collect::<Vec<_>>();
        assert_eq!(order(Sort::Slowest), [2, 0, 1]);
        assert_eq!(order(Sort::Uptime), [0, 2, 1]);
    }

    #[test]
    fn the_filter_looks_at_name_category_and_address_in_any_case() {
        let services = listed(&[("Payments", Some("Shop"), Status::Up), ("Blog", None, Status::Down)]);
        for (text, found) in [("PAY", 1), ("shop", 1), ("example.com", 2), (" blog ", 1), ("nothing", 0)] {
            let query = ListQuery { text: text.into(), flat: true, ..Default::default() };
            let count: usize = arrange(&services, &query, |_| None).iter().map(|group| group.services.len()).sum();
            assert_eq!(count, found, "{text}");
        }
        let down = ListQuery { status: Some(Status::Down), ..flat(Sort::Name) };
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
        assert_eq!(groups[0].counts, [(Status::Down, 1), (Status::Unknown, 1), (Status::Up, 2)]);
    }
}
