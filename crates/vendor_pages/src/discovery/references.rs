//! Where pages for people say that status data is: links to vendor pages, feeds, and what providers hide in HTML.
//!
//! Reads HTML only as far as attributes go, never as a tree, and trusts nothing in it: what comes out is asked through
//! the guard like any address.

use super::candidates::{Candidate, endpoints};
use crate::page::PROVIDERS;
use std::collections::HashSet;
use url::{Host, Url};

/// How much of a page is looked at, in bytes, and how many of its links.
const MAX_HTML: usize = 1 << 20;
const MAX_LINKS: usize = 5_000;
/// How many vendor pages are followed up, at most.
const MAX_PAGES: usize = 3;
const MAX_FEEDS: usize = 3;

/// What is to be asked because of `pages`: what providers hide there, feeds, and pages on other hosts.
pub(super) fn candidates(pages: &[(Url, String)]) -> Vec<Candidate> {
    let mut found = hints(pages);
    let mut hosts: HashSet<String> = pages
        .iter()
        .filter_map(|(url, _)| url.host_str().map(str::to_owned))
        .collect();
    let others = pages
        .iter()
        .flat_map(|(base, html)| links(html, base))
        .filter(looks_like_status)
        .filter(|url| hosts.insert(url.host_str().unwrap_or_default().to_owned()));
    for (place, url) in (found.len()..)
        .zip(others.take(MAX_PAGES))
        .collect::<Vec<_>>()
    {
        found.extend(endpoints(&url, place));
        found.push(Candidate { url, place });
    }
    found
}

/// What providers hide in their pages, and feeds.
pub(super) fn hints(pages: &[(Url, String)]) -> Vec<Candidate> {
    let mut urls: Vec<Url> = Vec::new();
    for (base, html) in pages {
        let html = head(html);
        let hints = PROVIDERS
            .iter()
            .filter_map(|provider| provider.hint)
            .filter_map(|hint| hint(html));
        urls.extend(hints.filter_map(|url| base.join(&url).ok()));
        let feeds = links(html, base).filter(|url| {
            let path = url.path();
            path.ends_with("/rss")
                || path.ends_with(".rss")
                || path.ends_with("/feed/")
                || path.ends_with("/feed")
        });
        urls.extend(feeds.take(MAX_FEEDS));
    }
    urls.dedup();
    (0..)
        .zip(urls)
        .map(|(place, url)| Candidate { url, place })
        .collect()
}

/// Whether the address is that of a vendor page, by its name.
fn looks_like_status(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    let providers = [
        "statuspage.io",
        "instatus.com",
        "statuspal.io",
        "betteruptime.com",
        "statusiq.com",
        "status.io",
    ];
    let hosted = providers
        .iter()
        .any(|provider| host.ends_with(&format!(".{provider}")) || host == *provider);
    hosted
        || host
            .split('.')
            .any(|label| label.starts_with("status") || label.ends_with("status"))
}

/// The targets of the page's links, in their order.
fn links<'h>(html: &'h str, base: &'h Url) -> impl Iterator<Item = Url> + 'h {
    head(html)
        .split("href=")
        .skip(1)
        .take(MAX_LINKS)
        .filter_map(|rest| {
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            // No further than addresses go: looking for the end of each could take a time that grows with the square.
            let end = rest
                .bytes()
                .skip(1)
                .take(2_000)
                .position(|byte| byte == quote as u8)?;
            Some(rest[1..=end].replace("&amp;", "&"))
        })
        .filter_map(move |target| base.join(&target).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn head(html: &str) -> &str {
    let mut end = html.len().min(MAX_HTML);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(html: &str) -> Vec<String> {
        let pages = [("https://www.example.com/".parse().unwrap(), html.to_owned())];
        candidates(&pages)
            .into_iter()
            .map(|candidate| candidate.url.into())
            .collect()
    }

    #[test]
    fn links_to_vendor_pages_are_followed_up() {
        let urls = asked(
            "<a href='https://twitter.com/x'>x</a> <a href=\"https://www.examplestatus.com/?a=1&amp;b\">Status</a>",
        );
        assert!(
            urls.contains(&"https://www.examplestatus.com/?a=1&b".into()),
            "{urls:?}"
        );
        assert!(
            urls.contains(&"https://www.examplestatus.com/api/v2/summary.json".into()),
            "{urls:?}"
        );
        assert!(!urls.iter().any(|url| url.contains("twitter")), "{urls:?}");
    }

    #[test]
    fn no_more_than_a_few_pages_are_followed_up() {
        let html: String = (0..50)
            .map(|n| format!("<a href=\"https://status.v{n}.example/\">"))
            .collect();
        let hosts: HashSet<_> = asked(&html)
            .iter()
            .map(|url| url.split('/').nth(2).unwrap().to_owned())
            .collect();
        assert_eq!(hosts.len(), MAX_PAGES);
    }

    #[test]
    fn an_id_in_a_page_and_a_feed_become_addresses() {
        let urls = asked(
            "<a href=\"/pages/history/5b36dc6502d06804c08349f7\">H</a><link href='/rss' rel=alternate>",
        );
        assert_eq!(
            urls,
            [
                "https://api.status.io/1.0/status/5b36dc6502d06804c08349f7",
                "https://www.example.com/rss"
            ]
        );
        assert!(asked("<a href=\"/pages/history/5b36dc\u{e9}").is_empty());
        assert!(
            asked("<a href=javascript:status.x()> <a href=\"mailto:a@status.example\"> href=")
                .is_empty()
        );
    }
}
