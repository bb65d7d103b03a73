//! Finds out whether a response holds only a part of a list, and where the next part is. Knows the
//! forms of Laravel (Cachet 2 and 3) and of JSON:API, and applies to the responses of all providers.

use super::json::Json;
use url::Url;

/// Keys of the next part's address, as paths from the root of a response.
const NEXT: [&[&str]; 8] = [
    &["meta", "pagination", "links", "next_page"],
    &["meta", "pagination", "links", "next"],
    &["meta", "pagination", "next_page_url"],
    &["pagination", "links", "next"],
    &["pagination", "next_page_url"],
    &["links", "next"],
    &["meta", "next"],
    &["next_page_url"],
];
/// Keys of the current part's number and of the last one.
const CURRENT: [&[&str]; 3] = [
    &["meta", "pagination", "current_page"],
    &["meta", "current_page"],
    &["current_page"],
];
const LAST: [&[&str]; 3] = [
    &["meta", "pagination", "total_pages"],
    &["meta", "last_page"],
    &["last_page"],
];
/// Keys of the number of entries in all parts.
const TOTAL: [&[&str]; 3] = [
    &["meta", "pagination", "total"],
    &["meta", "total"],
    &["total"],
];

/// Position of a response within a list that is sent in parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// Address of the next part, on the host of this one; `None` if this is the last one.
    pub next: Option<Url>,
    /// Whether there is a next part that cannot be requested, because it is on another host.
    pub next_is_elsewhere: bool,
    /// Number of entries in all parts, if the response says so.
    pub total: Option<usize>,
    /// Number of entries in this response.
    pub count: usize,
    /// Whether this response is a later part than the first.
    pub is_later: bool,
}

impl Paging {
    /// Returns whether entries are missing and nothing says where they are.
    pub(crate) fn is_cut_short(&self) -> bool {
        let lacks_entries = || self.total.is_some_and(|total| total > self.count);
        self.next_is_elsewhere || self.next.is_none() && !self.is_later && lacks_entries()
    }
}

/// Returns the paging of a response from `address`; the default if it has none.
pub(crate) fn paging(root: &Json<'_>, address: &Url) -> Paging {
    let Some(data) = root.at("data").list() else {
        return Paging::default();
    };
    let number = |paths: &[&[&str]]| paths.iter().find_map(|path| follow(root, path).integer());
    let size = |number: i64| usize::try_from(number).ok();
    let (current, last) = (number(&CURRENT), number(&LAST));
    let given = NEXT.iter().find_map(|path| {
        let link = follow(root, path);
        // JSON:API allows a link to be an object.
        link.text().or_else(|| link.at("href").text())
    });
    let given = given.filter(|link| !link.trim().is_empty());
    let next = match (given, current, last) {
        (Some(link), ..) => on_same_host(address, link),
        (None, Some(current), Some(last)) if (1..last).contains(&current) => {
            Some(with_page(address, current + 1))
        }
        _ => None,
    };
    Paging {
        next_is_elsewhere: given.is_some() && next.is_none(),
        next: next.filter(|next| next != address),
        total: number(&TOTAL).and_then(size),
        count: data.len(),
        is_later: current.is_some_and(|current| current > 1),
    }
}

fn follow<'j, 'a>(root: &'j Json<'a>, path: &[&str]) -> &'j Json<'a> {
    path.iter().fold(root, |value, key| value.at(key))
}

/// Returns `link` as an address of the same host as `address`. Scheme and port are kept: behind a
/// proxy, applications often write links with their own.
fn on_same_host(address: &Url, link: &str) -> Option<Url> {
    let next = address.join(link.trim()).ok()?;
    if next.host() != address.host() || !matches!(next.scheme(), "http" | "https") {
        return None;
    }
    let mut same = address.clone();
    same.set_path(next.path());
    same.set_query(next.query());
    Some(same)
}

fn with_page(address: &Url, number: i64) -> Url {
    let mut next = address.clone();
    let others: Vec<(String, String)> = address
        .query_pairs()
        .filter(|(key, _)| key != "page")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    next.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("page", &number.to_string());
    next
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn paged(json: &str) -> Paging {
        let address = "https://status.example:8443/api/v1/components?per_page=1000";
        paging(&Json::read(json).unwrap(), &address.parse().unwrap())
    }

    fn next(json: &str) -> Option<String> {
        paged(json).next.map(String::from)
    }

    #[test]
    fn the_next_part_is_found_in_every_known_form() {
        let page_2 = Some("https://status.example:8443/api/v1/components?page=2".to_owned());
        let link = "http://status.example/api/v1/components?page=2";
        for json in [
            format!(
                r#"{{"data": [1], "meta": {{"pagination": {{"links": {{"next_page": "{link}"}}}}}}}}"#
            ),
            format!(r#"{{"data": [1], "links": {{"next": "{link}"}}}}"#),
            format!(r#"{{"data": [1], "links": {{"next": {{"href": "{link}"}}}}}}"#),
            format!(r#"{{"data": [1], "next_page_url": "{link}"}}"#),
            r#"{"data": [1], "links": {"next": "?page=2"}}"#.to_owned(),
        ] {
            assert_eq!(next(&json), page_2, "{json}");
        }
        for meta in [
            r#"{"pagination": {"current_page": 1, "total_pages": 3}}"#,
            r#"{"current_page": 1, "last_page": 3}"#,
        ] {
            let json = format!(r#"{{"data": [1], "meta": {meta}}}"#);
            let with_number = "https://status.example:8443/api/v1/components?per_page=1000&page=2";
            assert_eq!(next(&json).as_deref(), Some(with_number), "{json}");
        }
    }

    #[test]
    fn the_last_part_and_other_hosts_have_no_next_part() {
        for json in [
            r#"{"data": [1], "links": {"next": null}}"#,
            r#"{"data": [1], "links": {"next": ""}}"#,
            r#"{"data": [1], "meta": {"pagination": {"current_page": 3, "total_pages": 3}}}"#,
            r#"{"components": [], "links": {"next": "?page=2"}}"#,
            r#"{"data": [1], "links": {"next": "?per_page=1000"}}"#,
        ] {
            assert_eq!(next(json), None, "{json}");
        }
        let elsewhere = paged(r#"{"data": [1], "links": {"next": "https://evil.example/"}}"#);
        assert!(elsewhere.next.is_none() && elsewhere.is_cut_short());
    }

    #[test]
    fn a_first_part_without_a_way_to_the_rest_is_cut_short() {
        let total = |meta: &str| paged(&format!(r#"{{"data": [1], "meta": {meta}}}"#));
        assert!(total(r#"{"pagination": {"total": 40, "count": 1}}"#).is_cut_short());
        assert!(total(r#"{"total": 2}"#).is_cut_short());
        assert!(!total(r#"{"total": 1}"#).is_cut_short());
        assert!(!total(r#"{"total": 40, "current_page": 1, "last_page": 2}"#).is_cut_short());
        assert!(!total(r#"{"total": 40, "current_page": 2, "last_page": 2}"#).is_cut_short());
    }
}
