//! Pictures of people: only those that the dashboard's content security policy lets it show.

use url::Url;

/// Where pictures may come from, as the policy writes it: the providers' own hosts, and what others lean on.
pub(crate) const HOSTS: [&str; 4] = [
    "https://avatars.githubusercontent.com",
    "https://*.googleusercontent.com",
    "https://secure.gravatar.com",
    "https://www.gravatar.com",
];

/// The address of a picture, unless it is from elsewhere.
pub(super) fn checked(url: &str) -> Option<String> {
    let url = Url::parse(url)
        .ok()
        .filter(|url| url.scheme() == "https" && url.port().is_none())?;
    let host = url.host_str()?;
    let known = HOSTS
        .iter()
        .filter_map(|known| known.strip_prefix("https://"))
        .any(|known| {
            known.strip_prefix('*').map_or(known == host, |end| {
                host.strip_suffix(end).is_some_and(|name| !name.is_empty())
            })
        });
    (known && url.as_str().len() <= 1000).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_from_known_hosts_by_https() {
        for url in [
            "https://lh3.googleusercontent.com/a/x=s96-c",
            "https://avatars.githubusercontent.com/u/1?v=4",
        ] {
            assert_eq!(checked(url).as_deref(), Some(url));
        }
        for url in [
            "http://avatars.githubusercontent.com/u/1",
            "https://avatars.githubusercontent.com.evil.example/",
            "https://evil.example/avatars.githubusercontent.com",
            "https://.googleusercontent.com/",
            "https://evilgoogleusercontent.com/",
            "https://avatars.githubusercontent.com:8443/",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(checked(url), None, "{url}");
        }
    }
}
