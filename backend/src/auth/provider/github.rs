//! Signs in with GitHub: OAuth 2 with PKCE, and the user's profile from GitHub's API.
//!
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>

use super::client::Client;
use super::fault::Fault;
use super::profile::Profile;
use super::settings::GitHubSettings;
use crate::auth::login_state::LoginState;
use http::{Method, header};
use openidconnect::{HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use url::form_urlencoded::Serializer;

/// The requested scopes: the profile and the e-mails.
const SCOPE: &str = "read:user user:email";

/// The same with memberships in organisations, which people are asked for only where they matter.
const SCOPE_WITH_ORGANISATIONS: &str = "read:user user:email read:org";

pub(super) struct GitHub {
    settings: GitHubSettings,
    /// The organisations whose members may sign up.
    organisations: Vec<String>,
    callback: String,
    client: Client,
}

#[derive(Deserialize)]
struct Token {
    access_token: Option<String>,
    /// GitHub returns errors with the status 200.
    error: Option<String>,
}

#[derive(Deserialize)]
struct GitHubUser {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

/// <https://docs.github.com/en/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user>
#[derive(Deserialize)]
struct Membership {
    state: String,
}

impl GitHub {
    pub(super) const fn new(
        settings: GitHubSettings,
        organisations: Vec<String>,
        callback: String,
        client: Client,
    ) -> Self {
        Self {
            settings,
            organisations,
            callback,
            client,
        }
    }

    pub(super) fn authorization_url(&self, login: &LoginState) -> String {
        let verifier = PkceCodeVerifier::new(login.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let mut url = join(&self.settings.url, "login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("scope", self.scope())
            .append_pair("state", &login.state)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    const fn scope(&self) -> &'static str {
        if self.organisations.is_empty() {
            SCOPE
        } else {
            SCOPE_WITH_ORGANISATIONS
        }
    }

    pub(super) async fn fetch_profile(
        &self,
        login: &LoginState,
        code: &str,
    ) -> Result<Profile, Fault> {
        let token = self.exchange_code(login, code).await?;
        let user: GitHubUser = self.get("user", &token).await?;
        let emails: Vec<Email> = self.get("user/emails?per_page=100", &token).await?;
        let email = emails
            .into_iter()
            .find(|email| email.primary && email.verified)
            .ok_or(Fault::UnverifiedEmail)?;
        // Every installation of GitHub Enterprise Server numbers its users from 1.
        let host = self.settings.url.host_str().unwrap_or_default();
        let subject = if host == "github.com" {
            user.id.to_string()
        } else {
            format!("{host} {}", user.id)
        };
        Ok(Profile {
            provider: "github",
            subject,
            email: Some(email.email),
            email_verified: true,
            name: user
                .name
                .filter(|name| !name.trim().is_empty())
                .or(Some(user.login)),
            picture: user.avatar_url,
            organisations: self.fetch_organisations(&token).await?,
        })
    }

    /// Returns those of [`Self::organisations`] of which the person is a member.
    async fn fetch_organisations(&self, token: &str) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        for name in &self.organisations {
            let path = format!("user/memberships/orgs/{name}");
            match self.get::<Membership>(&path, token).await {
                Ok(membership) if membership.state == "active" => found.push(name.clone()),
                Ok(_) => {}
                Err(Fault::Refused(_, status)) if status == "404" => {}
                // The organisation has not approved this application (GitHub's OAuth app policy).
                Err(Fault::Refused(_, status)) if status == "403" => {
                    tracing::warn!(
                        organisation = name,
                        "GitHub does not say who is a member of an organisation: its owner has to approve this application"
                    );
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    async fn exchange_code(&self, login: &LoginState, code: &str) -> Result<String, Fault> {
        let body = Serializer::new(String::new())
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("client_secret", &self.settings.client_secret)
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("code_verifier", &login.verifier)
            .finish();
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(join(&self.settings.url, "login/oauth/access_token").as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let token: Token = self.send(request.body(body.into_bytes())).await?;
        let refused = || {
            Fault::Refused(
                "the token endpoint".into(),
                token.error.clone().unwrap_or("nothing".into()),
            )
        };
        token
            .access_token
            .clone()
            .filter(|token| !token.is_empty() && token.is_ascii())
            .ok_or_else(refused)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, Fault> {
        let request = http::Request::builder()
            .uri(join(&self.settings.api_url, path).as_str())
            .header(header::ACCEPT, "application/vnd.github+json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-github-api-version", "2022-11-28");
        self.send(request.body(Vec::new())).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: http::Result<HttpRequest>,
    ) -> Result<T, Fault> {
        let request = request.map_err(|error| Fault::Unreadable(error.to_string()))?;
        let path = request.uri().path().to_owned();
        let response: HttpResponse = self.client.send(request).await?;
        if !response.status().is_success() {
            return Err(Fault::Refused(path, response.status().as_u16().to_string()));
        }
        serde_json::from_slice(response.body())
            .map_err(|error| Fault::Unreadable(format!("{path}: {error}")))
    }
}

/// Joins `path` to an address that may have a path itself.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}
