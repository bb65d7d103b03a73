//! OpenID Connect: discovery, the code flow with PKCE and a nonce, and an ID token whose signature,
//! issuer, audience and times are verified.
//!
//! The discovery document is fetched on first use and cached, so that a provider that is down when
//! this program starts only affects those who sign in by it at that moment.

use super::client::Client;
use super::fault::Fault;
use super::profile::Profile;
use super::settings::OpenIdSettings;
use crate::auth::login_state::LoginState;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EndUserName, EndUserPictureUrl, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a discovery document is cached.
const METADATA_TTL: Duration = Duration::from_secs(60 * 60);

/// How long a provider that failed is not asked again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Minimum age of cached keys before an unknown signature makes them be fetched again.
const KEY_REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// Tolerated difference between this machine's clock and the provider's.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);

/// Maximum age of an ID token.
const MAX_TOKEN_AGE: TimeDelta = TimeDelta::minutes(15);

/// Accepted signature algorithms: asymmetric ones only, because a symmetric signature could have
/// been made with this program's own secret.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Google's issuer, which is not part of its stored subjects.
const GOOGLE_ISSUER: &str = "https://accounts.google.com";

type ConfiguredClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(super) struct OpenId {
    id: &'static str,
    settings: OpenIdSettings,
    callback: String,
    client: Client,
    cache: Mutex<MetadataCache>,
}

/// Caches a provider's discovery document.
#[derive(Default)]
struct MetadataCache {
    metadata: Option<(Instant, Arc<CoreProviderMetadata>)>,
    failed_at: Option<Instant>,
}

impl OpenId {
    pub(super) fn new(
        id: &'static str,
        settings: OpenIdSettings,
        callback: String,
        client: Client,
    ) -> Self {
        Self {
            id,
            settings,
            callback,
            client,
            cache: Mutex::default(),
        }
    }

    pub(super) async fn authorization_url(&self, login: &LoginState) -> Result<String, Fault> {
        let client = self.configure_client(&*self.metadata(METADATA_TTL).await?)?;
        let verifier = PkceCodeVerifier::new(login.verifier.clone());
        let (state, nonce) = (
            CsrfToken::new(login.state.clone()),
            Nonce::new(login.nonce.clone()),
        );
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || state,
                move || nonce,
            )
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        match url.scheme() {
            "http" | "https" => Ok(url.into()),
            other => Err(Fault::Untrusted(format!(
                "its sign-in page is a {other} address"
            ))),
        }
    }

    pub(super) async fn fetch_profile(
        &self,
        login: &LoginState,
        code: &str,
        iss: Option<&str>,
    ) -> Result<Profile, Fault> {
        if iss.is_some_and(|iss| iss != self.settings.issuer) {
            return Err(Fault::OtherIssuer);
        }
        let metadata = self.metadata(METADATA_TTL).await?;
        let client = self.configure_client(&metadata)?;
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let exchange = exchange.map_err(|error| Fault::Unreadable(error.to_string()))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(login.verifier.clone()));
        let tokens = exchange
            .request_async(&self.client)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(fault) => fault,
                RequestTokenError::ServerResponse(error) => Fault::Refused(
                    "the token endpoint".into(),
                    error.error().as_ref().to_owned(),
                ),
                RequestTokenError::Parse(error, _) => Fault::Unreadable(error.to_string()),
                RequestTokenError::Other(error) => Fault::Unreadable(error),
            })?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| Fault::Untrusted("it sent no ID token".into()))?;
        let nonce = Nonce::new(login.nonce.clone());
        let access_token = tokens.access_token();
        let claims = match self.verify(&client, id_token, &nonce, access_token) {
            // The provider may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let client = self.configure_client(&*self.metadata(KEY_REFRESH_INTERVAL).await?)?;
                self.verify(&client, id_token, &nonce, access_token)
                    .map_err(|error| untrusted(&error))?
            }
            verified => verified.map_err(|error| untrusted(&error))?,
        };
        let mut profile = self.profile_from_claims(&claims);
        if profile.email.is_none() || claims.email_verified().is_none() || profile.name.is_none() {
            // Many providers keep the ID token small and return the rest from the userinfo
            // endpoint.
            if let Ok(request) =
                client.user_info(access_token.clone(), Some(claims.subject().clone()))
            {
                let user_info: CoreUserInfoClaims =
                    request.request_async(&self.client).await.map_err(|error| {
                        Fault::Untrusted(format!("the userinfo endpoint: {}", with_causes(&error)))
                    })?;
                profile.complete(&user_info);
            }
        }
        Ok(profile)
    }

    fn verify(
        &self,
        client: &ConfiguredClient,
        token: &CoreIdToken,
        nonce: &Nonce,
        access_token: &AccessToken,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let verifier: CoreIdTokenVerifier<'_> = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(|| Utc::now() - CLOCK_SKEW)
            .set_issue_time_verifier_fn(|issued| verify_issue_time(issued, Utc::now()));
        let claims = token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let unsigned = |error: &dyn Error| ClaimsVerificationError::Other(error.to_string());
            let algorithm = token.signing_alg().map_err(|error| unsigned(&error))?;
            let key = token
                .signing_key(&verifier)
                .map_err(|error| unsigned(&error))?;
            let actual = AccessTokenHash::from_token(access_token, algorithm, key)
                .map_err(|error| unsigned(&error))?;
            if actual != *expected {
                return Err(ClaimsVerificationError::Other(
                    "the access token is not the one it was made with".into(),
                ));
            }
        }
        Ok(claims.clone())
    }

    fn profile_from_claims(&self, claims: &CoreIdTokenClaims) -> Profile {
        let subject = claims.subject().as_str();
        // Subjects are unique within an issuer only, and the operator may configure another issuer.
        let google = self.id == "google" && self.settings.issuer == GOOGLE_ISSUER;
        let subject = if google {
            subject.to_owned()
        } else {
            format!("{} {subject}", self.settings.issuer)
        };
        let name = first(claims.name(), |name: &EndUserName| name.to_string());
        Profile {
            provider: self.id,
            subject,
            email: claims
                .email()
                .map(|email| email.to_string())
                .filter(|email| is_email(email)),
            email_verified: claims.email_verified().unwrap_or(false),
            name: name.or_else(|| claims.preferred_username().map(|name| name.to_string())),
            picture: first(claims.picture(), |url: &EndUserPictureUrl| url.to_string()),
            organisations: Vec::new(),
        }
    }

    /// Returns the discovery document, not older than `age` unless the provider does not answer.
    async fn metadata(&self, age: Duration) -> Result<Arc<CoreProviderMetadata>, Fault> {
        // Held during the request, so that concurrent sign-ins cause a single one.
        let mut cache = self.cache.lock().await;
        if let Some((_, metadata)) = cache
            .metadata
            .as_ref()
            .filter(|(read, _)| read.elapsed() < age)
        {
            return Ok(Arc::clone(metadata));
        }
        if cache
            .failed_at
            .is_some_and(|failed| failed.elapsed() < RETRY_AFTER)
        {
            return cache
                .metadata
                .as_ref()
                .map(|(_, metadata)| Arc::clone(metadata))
                .ok_or(Fault::Away);
        }
        match self.discover().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *cache = MetadataCache {
                    metadata: Some((Instant::now(), Arc::clone(&metadata))),
                    failed_at: None,
                };
                Ok(metadata)
            }
            Err(fault) => {
                cache.failed_at = Some(Instant::now());
                let Some((_, metadata)) = &cache.metadata else {
                    return Err(fault);
                };
                tracing::warn!(provider = self.id, error = %with_causes(&fault), "failed to refresh a provider's discovery document, using the cached one");
                Ok(Arc::clone(metadata))
            }
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, Fault> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer
            .map_err(|error| Fault::Unreadable(format!("{}: {error}", self.settings.issuer)))?;
        CoreProviderMetadata::discover_async(issuer, &self.client)
            .await
            .map_err(|error| match error {
                DiscoveryError::Request(fault) => fault,
                DiscoveryError::Response(status, _, message) => Fault::Refused(
                    "the discovery document".into(),
                    format!("{status}: {message}"),
                ),
                DiscoveryError::Validation(message) => Fault::Untrusted(message),
                other => Fault::Unreadable(with_causes(&other)),
            })
    }

    fn configure_client(&self, metadata: &CoreProviderMetadata) -> Result<ConfiguredClient, Fault> {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let callback = RedirectUrl::new(self.callback.clone());
        let callback =
            callback.map_err(|error| Fault::Unreadable(format!("{}: {error}", self.callback)))?;
        let client_id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id, secret)
            .set_redirect_uri(callback);
        // The standard's default is the header, which some providers do not accept.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let body_only = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        Ok(client.set_auth_type(if body_only {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        }))
    }
}

impl Profile {
    /// Fills in what the ID token left out.
    fn complete(&mut self, user_info: &CoreUserInfoClaims) {
        if let Some(email) = user_info
            .email()
            .map(|email| email.to_string())
            .filter(|email| is_email(email))
        {
            // `email_verified` only holds for the address in the same response.
            let same = self.email.as_ref().is_none_or(|own| *own == email);
            if same {
                self.email = Some(email);
                self.email_verified =
                    self.email_verified || user_info.email_verified().unwrap_or(false);
            }
        }
        let name = || {
            first(user_info.name(), |name: &EndUserName| name.to_string())
                .or_else(|| user_info.preferred_username().map(|name| name.to_string()))
        };
        self.name = self.name.take().or_else(name);
        self.picture = self.picture.take().or_else(|| {
            first(user_info.picture(), |url: &EndUserPictureUrl| {
                url.to_string()
            })
        });
    }
}

/// Reads a claim without a language tag, or else in any language.
fn first<T, U>(claim: Option<&LocalizedClaim<T>>, read: impl Fn(&T) -> U) -> Option<U> {
    let claim = claim?;
    claim
        .get(None)
        .or_else(|| claim.iter().next().map(|(_, value)| value))
        .map(read)
}

/// Whether a text can be an e-mail address. What is shown and compared as one must not be a whole
/// page.
fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    plain
        && text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn verify_issue_time(issued: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
    if issued > now + CLOCK_SKEW {
        return Err(format!(
            "the ID token was issued in the future, at {issued}"
        ));
    }
    if issued < now - MAX_TOKEN_AGE {
        return Err(format!("the ID token was issued too long ago, at {issued}"));
    }
    Ok(())
}

fn untrusted(error: &ClaimsVerificationError) -> Fault {
    Fault::Untrusted(with_causes(error))
}

/// Formats an error with its causes on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
