//! The providers that people sign in by: Google and others that speak OpenID Connect, and GitHub, which speaks OAuth 2.
//!
//! The operator has chosen them, so what is asked there is not guarded as users' addresses are; but it is bounded in time
//! and size, and no redirect is followed.

mod client;
mod fault;
mod github;
mod open_id;

pub(crate) use fault::Fault;

use super::flow::Flow;
use client::Client;
use github::GitHub;
use open_id::OpenId;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The longest that a sign-in waits for a provider's answers, all together: less than a request to this server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which providers there are, and what this program is called there. A provider is absent unless it is set up.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Google.
    pub google: Option<OpenIdSettings>,
    /// GitHub, or an installation of GitHub Enterprise Server.
    pub github: Option<GitHubSettings>,
    /// Any other OpenID Connect provider.
    pub oidc: Option<OpenIdSettings>,
}

/// An OpenID Connect provider.
#[derive(Clone)]
pub struct OpenIdSettings {
    /// What people call it.
    pub name: String,
    /// Exactly as the provider writes it: `https://accounts.google.com`.
    pub issuer: String,
    /// What this program is called there.
    pub client_id: String,
    /// Proves it; some providers want none of those that use PKCE.
    pub client_secret: Option<String>,
}

/// GitHub.
#[derive(Clone)]
pub struct GitHubSettings {
    /// What this program is called there.
    pub client_id: String,
    /// Proves it.
    pub client_secret: String,
    /// Where people sign in: `https://github.com`.
    pub url: Url,
    /// Where it is asked who they are: `https://api.github.com`.
    pub api_url: Url,
}

impl fmt::Debug for OpenIdSettings {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdSettings")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for GitHubSettings {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubSettings")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// Who somebody is, as a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) provider: &'static str,
    /// The provider's own unchanging name for them.
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    /// Whether the provider vouches for it.
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
    pub(crate) picture: Option<String>,
}

/// What a browser brings back from a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    /// Who answers (RFC 9207).
    pub(crate) iss: Option<String>,
}

/// Those that are set up.
#[derive(Default)]
pub(crate) struct Providers(Vec<Provider>);

/// One of them.
pub(crate) struct Provider {
    id: &'static str,
    name: String,
    kind: Kind,
}

enum Kind {
    OpenId(Box<OpenId>),
    GitHub(Box<GitHub>),
}

/// Every id that a provider may have.
pub(crate) const IDS: [&str; 3] = ["google", "github", "oidc"];

impl Providers {
    /// `public_url` is where browsers come back to.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub(crate) fn new(settings: Settings, public_url: &Url) -> Result<Self, Fault> {
        let Settings {
            google,
            github,
            oidc,
        } = settings;
        if google.is_none() && github.is_none() && oidc.is_none() {
            return Ok(Self::default());
        }
        let client = Client::new(public_url)?;
        let callback = |id: &str| format!("{public_url}api/auth/{id}/callback");
        let open_id = |id: &'static str, settings: OpenIdSettings| Provider {
            id,
            name: settings.name.clone(),
            kind: Kind::OpenId(Box::new(OpenId::new(
                id,
                settings,
                callback(id),
                client.clone(),
            ))),
        };
        let mut all = Vec::new();
        all.extend(google.map(|settings| open_id("google", settings)));
        all.extend(github.map(|settings| Provider {
            id: "github",
            name: "GitHub".into(),
            kind: Kind::GitHub(Box::new(GitHub::new(
                settings,
                callback("github"),
                client.clone(),
            ))),
        }));
        all.extend(oidc.map(|settings| open_id("oidc", settings)));
        Ok(Self(all))
    }

    /// In the order in which to show them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id == id)
    }

    /// What people call a way of signing in, whether or not it is still set up.
    pub(crate) fn name_of(&self, id: &str) -> String {
        match (self.get(id), id) {
            (Some(provider), _) => provider.name.clone(),
            (None, "google") => "Google".into(),
            (None, "github") => "GitHub".into(),
            (None, "local") => "One-time link".into(),
            (None, _) => "OpenID Connect".into(),
        }
    }
}

impl Provider {
    pub(crate) const fn id(&self) -> &'static str {
        self.id
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where a browser begins on this server.
    pub(crate) fn path(&self) -> String {
        format!("/api/auth/{}", self.id)
    }

    /// Where a browser goes to sign in there.
    ///
    /// # Errors
    /// When the provider does not say.
    pub(super) async fn address(&self, flow: &Flow) -> Result<String, Fault> {
        in_time(async {
            match &self.kind {
                Kind::OpenId(provider) => provider.address(flow).await,
                Kind::GitHub(provider) => Ok(provider.address(flow)),
            }
        })
        .await
    }

    /// Who came back.
    ///
    /// # Errors
    /// When the provider does not say, or not so that it can be believed.
    pub(super) async fn profile(
        &self,
        flow: &Flow,
        code: &str,
        iss: Option<&str>,
    ) -> Result<Profile, Fault> {
        in_time(async {
            match &self.kind {
                Kind::OpenId(provider) => provider.profile(flow, code, iss).await,
                Kind::GitHub(provider) => provider.profile(flow, code).await,
            }
        })
        .await
    }
}

async fn in_time<T>(exchange: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .unwrap_or(Err(Fault::TooSlow))
}
