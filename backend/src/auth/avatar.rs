//! Profile pictures: only those that the dashboard's content security policy allows.

use url::Url;

/// Hosts of pictures, in the policy's syntax: those of the providers, and Gravatar.
pub(crate) const HOSTS: [&str; 4] = [
    "https://avatars.githubusercontent.com",
    "https://*.googleusercontent.com",
    "https://secure.gravatar.com",
    "https://www.gravatar.com",
];

/// Returns the address of a picture if its host is allowed.
pub(super) fn allowed_url(url: &str) -> Option<String> {
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
            assert_eq!(allowed_url(url).as_deref(), Some(url));
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
            assert_eq!(allowed_url(url), None, "{url}");
        }
    }
}
