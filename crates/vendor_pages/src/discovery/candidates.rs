//! Where a vendor page could answer: addresses made from an address, nothing looked up.

use crate::page::PROVIDERS;
use url::{Host, Url};

/// The longest address that is taken, in bytes.
const MAX_ADDRESS: usize = 2_000;

/// An address to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) url: Url,
    /// The place of the page that it would belong to in the order of preference, the best first.
    pub(super) place: usize,
}

/// What somebody typed, as an address: `https` unless they say otherwise.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if text.len() > MAX_ADDRESS {
        return Err(format!("it is longer than {MAX_ADDRESS} characters"));
    }
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&with_scheme).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "{} addresses are not requested, only http and https",
            url.scheme()
        ));
    }
    match url.host() {
        Some(Host::Domain(name)) if !name.contains('.') && name != "localhost" => {
            Err(format!("{name} is no host name"))
        }
        None => Err("it has no host".into()),
        Some(_) => Ok(net::redirect::bare(url)),
    }
}

/// Everything to ask for an address: itself, where the providers would answer on its host, and the same on the hosts
/// that the vendor page often has.
pub(super) fn around(given: &Url) -> Vec<Candidate> {
    let mut candidates = vec![Candidate {
        url: given.clone(),
        place: 0,
    }];
    candidates.extend(endpoints(given, 0));
    for (place, root) in (1..).zip(status_hosts(given)) {
        candidates.push(Candidate {
            url: root.clone(),
            place,
        });
        candidates.extend(endpoints(&root, place));
    }
    candidates
}

/// Where each provider would answer for the page of `url`: its root, and the folder of `url` for those that have more
/// than one page a host.
pub(super) fn endpoints(url: &Url, place: usize) -> Vec<Candidate> {
    let Ok(root) = url.join("/") else {
        return Vec::new();
    };
    let Ok(folder) = url.join(".") else {
        return Vec::new();
    };
    let host = url.host_str().unwrap_or_default();
    let mut urls = vec![root.clone()];
    for path in PROVIDERS.iter().flat_map(|provider| provider.paths) {
        let path = path.replace("{host}", host).replace("{label}", label(host));
        urls.extend(root.join(&path));
        if !path.starts_with('/') {
            urls.extend(folder.join(&path));
        }
    }
    urls.into_iter()
        .map(|url| Candidate { url, place })
        .collect()
}

/// Appends candidates of lower preference.
pub(super) fn append(candidates: &mut Vec<Candidate>, others: Vec<Candidate>) {
    let first = candidates.last().map_or(0, |last| last.place + 1);
    candidates.extend(others.into_iter().map(|other| Candidate {
        place: first + other.place,
        ..other
    }));
}

/// `status.` before the host, and before the domain above it.
fn status_hosts(given: &Url) -> Vec<Url> {
    let Some(Host::Domain(host)) = given.host() else {
        return Vec::new();
    };
    let bare = host.strip_prefix("www.").unwrap_or(host);
    if bare.starts_with("status.") || !bare.contains('.') {
        return Vec::new();
    }
    let above = bare
        .split_once('.')
        .map(|(_, above)| above)
        .filter(|above| above.contains('.'));
    [Some(bare), above]
        .into_iter()
        .flatten()
        .filter_map(|domain| {
            let mut url = given.join("/").ok()?;
            url.set_host(Some(&format!("status.{domain}"))).ok()?;
            Some(url)
        })
        .collect()
}

/// The part of a host that is the vendor's own.
fn label(host: &str) -> &str {
    let own = host
        .strip_prefix("www.")
        .or_else(|| host.strip_prefix("status."))
        .unwrap_or(host);
    own.split('.').next().unwrap_or(own)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_an_address_or_a_reason() {
        for (text, url) in [
            ("openai.com", "https://openai.com/"),
            (
                " status.example.com/history#x ",
                "https://status.example.com/history",
            ),
            (
                "http://user:secret@a.example:8080/x?y",
                "http://a.example:8080/x?y",
            ),
            ("https://ÖBB.example", "https://xn--bb-eka.example/"),
        ] {
            assert_eq!(address(text).unwrap().as_str(), url);
        }
        for text in [
            "",
            "  ",
            "openai",
            "ftp://a.example",
            "javascript:alert(1)",
            "https://",
            "not a host",
            "file:///etc/passwd",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert!(address(&format!("a.example/{}", "a".repeat(3_000))).is_err());
    }

    #[test]
    fn the_vendors_own_site_leads_to_the_usual_hosts() {
        let hosts = |url: &str| {
            status_hosts(&url.parse().unwrap())
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            hosts("https://www.example.com/pricing"),
            ["https://status.example.com/"]
        );
        assert_eq!(
            hosts("https://app.example.com"),
            [
                "https://status.app.example.com/",
                "https://status.example.com/"
            ]
        );
        assert!(hosts("https://status.example.com/x").is_empty());
        assert!(hosts("http://192.0.2.1/").is_empty());
    }

    #[test]
    fn every_provider_is_asked_where_it_would_answer() {
        let given = "https://www.google.com/appsstatus/dashboard/summary"
            .parse()
            .unwrap();
        let urls: Vec<String> = around(&given)
            .into_iter()
            .map(|candidate| candidate.url.into())
            .collect();
        for url in [
            "https://www.google.com/appsstatus/dashboard/summary",
            "https://www.google.com/appsstatus/dashboard/incidents.json",
            "https://www.google.com/api/v2/summary.json",
            "https://www.google.com/proxy/www.google.com",
            "https://status.google.com/api/v2/status_pages/google/summary",
        ] {
            assert!(
                urls.contains(&url.to_owned()),
                "{url} is missing in {urls:#?}"
            );
        }
    }
}
