//! Sign-in providers: Google and others that speak OpenID Connect, and GitHub, which speaks OAuth
//! 2.
//!
//! The operator chose them, so requests to them do not pass the guard that users' addresses pass.
//! They are bounded in time and size, and follow no redirect.

mod client;
mod fault;
mod github;
mod open_id;
mod profile;
mod settings;

pub(crate) use fault::Fault;
pub(crate) use profile::Profile;
pub use settings::{GitHubSettings, OpenIdSettings, ProviderSettings};

use super::login_state::LoginState;
use client::Client;
use github::GitHub;
use open_id::OpenId;
use std::time::Duration;
use url::Url;

/// Timeout of all of a sign-in's requests to a provider together: less than that of a request to
/// this server.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The parameters of a provider's callback (RFC 6749, section 4.1.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AuthorizationResponse {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    /// The issuer of the response (RFC 9207).
    pub(crate) iss: Option<String>,
}

/// The providers that are configured.
#[derive(Default)]
pub(crate) struct Providers(Vec<Provider>);

/// A configured provider.
pub(crate) struct Provider {
    id: &'static str,
    name: String,
    kind: Kind,
}

enum Kind {
    OpenId(Box<OpenId>),
    GitHub(Box<GitHub>),
}

/// All ids of providers.
pub(crate) const IDS: [&str; 3] = ["google", "github", "oidc"];

impl Providers {
    /// `organisations` are those on GitHub whose members may sign up.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub(crate) fn new(
        settings: ProviderSettings,
        organisations: Vec<String>,
        public_url: &Url,
    ) -> Result<Self, Fault> {
        let ProviderSettings {
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
                organisations,
                callback("github"),
                client.clone(),
            ))),
        }));
        all.extend(oidc.map(|settings| open_id("oidc", settings)));
        Ok(Self(all))
    }

    /// All providers, in the order in which to show them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id == id)
    }

    /// The name of a provider, whether or not it is still configured.
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

    /// The name to show.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path on this server where a sign-in begins.
    pub(crate) fn path(&self) -> String {
        format!("/api/auth/{}", self.id)
    }

    /// Returns where the browser signs in.
    ///
    /// # Errors
    /// When the provider's configuration cannot be loaded.
    pub(super) async fn authorization_url(&self, login: &LoginState) -> Result<String, Fault> {
        with_timeout(async {
            match &self.kind {
                Kind::OpenId(provider) => provider.authorization_url(login).await,
                Kind::GitHub(provider) => Ok(provider.authorization_url(login)),
            }
        })
        .await
    }

    /// Exchanges the code and returns the profile of the person who signed in.
    ///
    /// # Errors
    /// When the provider does not answer, or its answer cannot be verified.
    pub(super) async fn fetch_profile(
        &self,
        login: &LoginState,
        code: &str,
        iss: Option<&str>,
    ) -> Result<Profile, Fault> {
        with_timeout(async {
            match &self.kind {
                Kind::OpenId(provider) => provider.fetch_profile(login, code, iss).await,
                Kind::GitHub(provider) => provider.fetch_profile(login, code).await,
            }
        })
        .await
    }
}

async fn with_timeout<T>(exchange: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(EXCHANGE_TIMEOUT, exchange)
        .await
        .unwrap_or(Err(Fault::TooSlow))
}
