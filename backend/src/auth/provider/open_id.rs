//! A provider that speaks OpenID Connect: discovery, the code flow with PKCE and a nonce, and an ID token whose signature,
//! issuer, audience and times are checked.
//!
//! What the provider publishes about itself is read when it is first needed and kept, so that one that is away when this
//! program starts is only missed by those who want to sign in by it just then.

use super::client::Client;
use super::fault::Fault;
use super::{OpenIdSettings, Profile};
use crate::auth::flow::Flow;
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

/// How long what was read about a provider is used before it is read again.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);

/// How long a provider that failed is left in peace.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Keys are read anew for a token that no known key has signed, but not more often than this.
const KEYS_EVERY: Duration = Duration::from_secs(5);

/// How far clocks may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// How old an ID token may be that was made for a sign-in just now.
const MAX_AGE: TimeDelta = TimeDelta::minutes(15);

/// Signatures that prove who signed: none that this program's own secret could have made.
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

/// Google's, whose subjects were stored without it.
const GOOGLE: &str = "https://accounts.google.com";

type Ready = CoreClient<
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
    known: Mutex<Known>,
}

/// What is known about a provider.
#[derive(Default)]
struct Known {
    metadata: Option<(Instant, Arc<CoreProviderMetadata>)>,
    failed: Option<Instant>,
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
            known: Mutex::default(),
        }
    }

    pub(super) async fn address(&self, flow: &Flow) -> Result<String, Fault> {
        let client = self.ready(&*self.metadata(FRESH_FOR).await?)?;
        let verifier = PkceCodeVerifier::new(flow.verifier.clone());
        let (state, nonce) = (
            CsrfToken::new(flow.state.clone()),
            Nonce::new(flow.nonce.clone()),
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

    pub(super) async fn profile(
        &self,
        flow: &Flow,
        code: &str,
        iss: Option<&str>,
    ) -> Result<Profile, Fault> {
        if iss.is_some_and(|iss| iss != self.settings.issuer) {
            return Err(Fault::OtherIssuer);
        }
        let metadata = self.metadata(FRESH_FOR).await?;
        let client = self.ready(&metadata)?;
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let exchange = exchange.map_err(|error| Fault::Unreadable(error.to_string()))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
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
        let nonce = Nonce::new(flow.nonce.clone());
        let access_token = tokens.access_token();
        let claims = match self.verified(&client, id_token, &nonce, access_token) {
            // The provider may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let client = self.ready(&*self.metadata(KEYS_EVERY).await?)?;
                self.verified(&client, id_token, &nonce, access_token)
                    .map_err(|error| untrusted(&error))?
            }
            verified => verified.map_err(|error| untrusted(&error))?,
        };
        let mut profile = self.of_claims(&claims);
        if profile.email.is_none() || claims.email_verified().is_none() || profile.name.is_none() {
            // Many providers keep the ID token small and tell the rest there.
            if let Ok(request) =
                client.user_info(access_token.clone(), Some(claims.subject().clone()))
            {
                let told: CoreUserInfoClaims =
                    request.request_async(&self.client).await.map_err(|error| {
                        Fault::Untrusted(format!("the userinfo endpoint: {}", with_causes(&error)))
                    })?;
                profile.complete(&told);
            }
        }
        Ok(profile)
    }

    fn verified(
        &self,
        client: &Ready,
        token: &CoreIdToken,
        nonce: &Nonce,
        access_token: &AccessToken,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let verifier: CoreIdTokenVerifier<'_> = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(|| Utc::now() - SKEW)
            .set_issue_time_verifier_fn(|issued| timely(issued, Utc::now()));
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

    fn of_claims(&self, claims: &CoreIdTokenClaims) -> Profile {
        let subject = claims.subject().as_str();
        // Subjects are unique within an issuer, and the operator may set up another one.
        let google = self.id == "google" && self.settings.issuer == GOOGLE;
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
        }
    }

    /// What is known about the provider, not older than `age` unless it does not answer.
    async fn metadata(&self, age: Duration) -> Result<Arc<CoreProviderMetadata>, Fault> {
        // Held while it is asked, so that many who come at once cause one request.
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = known
            .metadata
            .as_ref()
            .filter(|(read, _)| read.elapsed() < age)
        {
            return Ok(Arc::clone(metadata));
        }
        if known
            .failed
            .is_some_and(|failed| failed.elapsed() < RETRY_AFTER)
        {
            return known
                .metadata
                .as_ref()
                .map(|(_, metadata)| Arc::clone(metadata))
                .ok_or(Fault::Away);
        }
        match self.discover().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some((Instant::now(), Arc::clone(&metadata))),
                    failed: None,
                };
                Ok(metadata)
            }
            Err(fault) => {
                known.failed = Some(Instant::now());
                let Some((_, metadata)) = &known.metadata else {
                    return Err(fault);
                };
                tracing::warn!(provider = self.id, error = %with_causes(&fault), "what a sign-in provider says of itself could not be read again: using what it said before");
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

    fn ready(&self, metadata: &CoreProviderMetadata) -> Result<Ready, Fault> {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let callback = RedirectUrl::new(self.callback.clone());
        let callback =
            callback.map_err(|error| Fault::Unreadable(format!("{}: {error}", self.callback)))?;
        let client_id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id, secret)
            .set_redirect_uri(callback);
        // The standard's default is the header, which some do not take.
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
    /// Takes what the ID token left out.
    fn complete(&mut self, told: &CoreUserInfoClaims) {
        if let Some(email) = told
            .email()
            .map(|email| email.to_string())
            .filter(|email| is_email(email))
        {
            // The provider vouches for the address that it says this of, and for no other.
            let same = self.email.as_ref().is_none_or(|known| *known == email);
            if same {
                self.email = Some(email);
                self.email_verified = self.email_verified || told.email_verified().unwrap_or(false);
            }
        }
        let name = || {
            first(told.name(), |name: &EndUserName| name.to_string())
                .or_else(|| told.preferred_username().map(|name| name.to_string()))
        };
        self.name = self.name.take().or_else(name);
        self.picture = self
            .picture
            .take()
            .or_else(|| first(told.picture(), |url: &EndUserPictureUrl| url.to_string()));
    }
}

/// A claim in the language that has no name, or else in any.
fn first<T, U>(claim: Option<&LocalizedClaim<T>>, read: impl Fn(&T) -> U) -> Option<U> {
    let claim = claim?;
    claim
        .get(None)
        .or_else(|| claim.iter().next().map(|(_, value)| value))
        .map(read)
}

/// Whether this can be somebody's address: what is shown and compared as one must not be a whole page.
fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    plain
        && text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn timely(issued: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
    if issued > now + SKEW {
        return Err(format!("the ID token is of {issued}, which is to come"));
    }
    if issued < now - MAX_AGE {
        return Err(format!("the ID token is of {issued}, too long ago"));
    }
    Ok(())
}

fn untrusted(error: &ClaimsVerificationError) -> Fault {
    Fault::Untrusted(with_causes(error))
}

/// An error with what caused it, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
