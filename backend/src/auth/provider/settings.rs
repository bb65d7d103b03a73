//! Settings of sign-in providers, without secrets in their debug output.

use std::fmt;
use url::Url;

/// The configured providers.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
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
    /// The name to show.
    pub name: String,
    /// The issuer, exactly as the provider writes it: `https://accounts.google.com`.
    pub issuer: String,
    /// The client id of this installation.
    pub client_id: String,
    /// The client secret; some providers want none from clients that use PKCE.
    pub client_secret: Option<String>,
}

/// GitHub.
#[derive(Clone)]
pub struct GitHubSettings {
    /// The client id of this installation.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// The site where people sign in: `https://github.com`.
    pub url: Url,
    /// The API that returns profiles: `https://api.github.com`.
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
