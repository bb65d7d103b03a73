//! How people sign in, and how often anybody may ask: the settings that the API alone needs.

use super::source::{Secret, Source};
use backend::auth::SignUp;
use ipnet::IpNet;
use std::env::VarError;
use std::net::IpAddr;
use std::num::NonZeroU32;
use url::{Host, Url};

/// Google's issuer, unless another is set, as tests do.
const GOOGLE: &str = "https://accounts.google.com";

/// A provider that speaks OpenID Connect.
#[derive(Debug, Clone)]
pub(crate) struct OpenId {
    pub(crate) name: String,
    /// Exactly as it was written: issuers are compared as texts.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
}

/// GitHub, or an installation of its own.
#[derive(Debug, Clone)]
pub(crate) struct GitHub {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) url: Url,
    pub(crate) api_url: Url,
}

/// The providers that are set up.
#[derive(Debug, Clone)]
pub(crate) struct Providers {
    pub(crate) google: Option<OpenId>,
    pub(crate) github: Option<GitHub>,
    pub(crate) oidc: Option<OpenId>,
}

impl Providers {
    pub(super) fn read<F: Fn(&str) -> Result<String, VarError>>(from: &mut Source<F>) -> Self {
        Self {
            google: google(from),
            github: github(from),
            oidc: oidc(from),
        }
    }
}

fn google<F: Fn(&str) -> Result<String, VarError>>(from: &mut Source<F>) -> Option<OpenId> {
    let (client_id, client_secret) = (
        from.text("GOOGLE_CLIENT_ID"),
        from.secret("GOOGLE_CLIENT_SECRET"),
    );
    let issuer = issuer(from, "GOOGLE_ISSUER").unwrap_or_else(|| GOOGLE.into());
    let (client_id, client_secret) = both(
        from,
        "GOOGLE_CLIENT_ID",
        client_id,
        "GOOGLE_CLIENT_SECRET",
        client_secret,
    )?;
    Some(OpenId {
        name: "Google".into(),
        issuer,
        client_id,
        client_secret: Some(client_secret),
    })
}

fn github<F: Fn(&str) -> Result<String, VarError>>(from: &mut Source<F>) -> Option<GitHub> {
    let (client_id, client_secret) = (
        from.text("GITHUB_CLIENT_ID"),
        from.secret("GITHUB_CLIENT_SECRET"),
    );
    let (url, api_url) = (base(from, "GITHUB_URL"), base(from, "GITHUB_API_URL"));
    let (client_id, client_secret) = both(
        from,
        "GITHUB_CLIENT_ID",
        client_id,
        "GITHUB_CLIENT_SECRET",
        client_secret,
    )?;
    let known = |address: &str| Url::parse(address).expect("this is an address");
    // Where an installation of GitHub Enterprise Server has its API.
    let beside = url
        .as_ref()
        .map(|url| known(&format!("{}/api/v3", url.as_str().trim_end_matches('/'))));
    Some(GitHub {
        client_id,
        client_secret,
        api_url: api_url
            .or(beside)
            .unwrap_or_else(|| known("https://api.github.com")),
        url: url.unwrap_or_else(|| known("https://github.com")),
    })
}

fn oidc<F: Fn(&str) -> Result<String, VarError>>(from: &mut Source<F>) -> Option<OpenId> {
    let (client_id, client_secret) = (
        from.text("OIDC_CLIENT_ID"),
        from.secret("OIDC_CLIENT_SECRET"),
    );
    let (issuer, name) = (issuer(from, "OIDC_ISSUER"), from.text("OIDC_NAME"));
    match (issuer, client_id) {
        (Some(issuer), Some(client_id)) => {
            let host = || Url::parse(&issuer).ok()?.host_str().map(str::to_owned);
            let name = name
                .or_else(host)
                .unwrap_or_else(|| "OpenID Connect".into());
            Some(OpenId {
                name,
                issuer,
                client_id,
                client_secret,
            })
        }
        (None, None) => {
            if client_secret.is_some() {
                from.wrong
                    .push("OIDC_CLIENT_SECRET is set without OIDC_ISSUER and OIDC_CLIENT_ID: set these too".into());
            }
            None
        }
        (Some(_), None) => {
            from.wrong
                .push("OIDC_ISSUER is set without OIDC_CLIENT_ID: set both, or neither".into());
            None
        }
        (None, Some(_)) => {
            from.wrong.push(
                "OIDC_CLIENT_ID is set without a valid OIDC_ISSUER: set both, or neither".into(),
            );
            None
        }
    }
}

/// Two settings that are nothing without each other.
fn both<F: Fn(&str) -> Result<String, VarError>, A, B>(
    from: &mut Source<F>,
    first_name: &str,
    first: Option<A>,
    second_name: &str,
    second: Option<B>,
) -> Option<(A, B)> {
    match (first, second) {
        (Some(first), Some(second)) => Some((first, second)),
        (None, None) => None,
        (Some(_), None) => {
            from.wrong.push(format!(
                "{first_name} is set without {second_name}: set both, or neither"
            ));
            None
        }
        (None, Some(_)) => {
            from.wrong.push(format!(
                "{second_name} is set without {first_name}: set both, or neither"
            ));
            None
        }
    }
}

fn issuer<F: Fn(&str) -> Result<String, VarError>>(
    from: &mut Source<F>,
    name: &str,
) -> Option<String> {
    let issuer = from.text(name)?;
    let good = Url::parse(&issuer).is_ok_and(|url| is_provider(&url));
    if !good {
        from.wrong
            .push(format!("{name} is \"{issuer}\": {EXPECTED}"));
    }
    good.then_some(issuer)
}

fn base<F: Fn(&str) -> Result<String, VarError>>(from: &mut Source<F>, name: &str) -> Option<Url> {
    let url: Url = from.parsed(name, "an address such as https://github.example.com")?;
    if !is_provider(&url) {
        from.wrong.push(format!("{name} is \"{url}\": {EXPECTED}"));
        return None;
    }
    Some(url)
}

const EXPECTED: &str = "must be an https address without query or user (http only for a host of this machine or of a private network)";

/// Returns whether `url` is safe as a sign-in provider, which receives client secrets and tokens.
fn is_provider(url: &Url) -> bool {
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let near = || match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || !name.contains('.')
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => false,
    };
    plain && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && near()))
}

/// Parses who may create an account.
pub(super) fn sign_up<F: Fn(&str) -> Result<String, VarError>>(
    from: &mut Source<F>,
) -> Option<SignUp> {
    const NAME: &str = "PULSECHECK_SIGN_UP";
    match from.text(NAME)?.parse() {
        Ok(sign_up) => Some(sign_up),
        Err(error) => {
            from.wrong.push(format!(
                "{NAME}: {error}: set it to anyone, nobody, or a list of them, separated by commas"
            ));
            None
        }
    }
}

/// Parses addresses and networks, separated by commas or spaces.
pub(super) fn networks<F: Fn(&str) -> Result<String, VarError>>(
    from: &mut Source<F>,
    name: &str,
) -> Vec<IpNet> {
    let text = from.text(name).unwrap_or_default();
    let parts = text
        .split([',', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let mut networks = Vec::new();
    for part in parts {
        let network = part
            .parse::<IpNet>()
            .ok()
            .or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            Some(network) => networks.push(network),
            None => from.wrong.push(format!(
                "{name} has \"{part}\": must be addresses or networks such as 10.0.0.0/8, separated by commas"
            )),
        }
    }
    networks
}

/// Parses a limit per minute.
pub(super) fn per_minute<F: Fn(&str) -> Result<String, VarError>>(
    from: &mut Source<F>,
    name: &str,
    default: NonZeroU32,
) -> NonZeroU32 {
    let number = from.number(name, default.get(), 1, 10_000_000);
    NonZeroU32::new(number).unwrap_or(default)
}
