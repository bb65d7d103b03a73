//! Stands in for sign-in providers: an OpenID Connect provider and a GitHub on one port, each of which answers as a test
//! says.

use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "pulse check";
pub(crate) const CLIENT_SECRET: &str = "a secret/of the client";

/// A key pair: its private half as PKCS #8, the coordinates of its public half.
type Pair = [&'static str; 3];

const KEYS: [Pair; 2] = [
    [
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgf3Y59r5I90Pli42CjGz/4g6WZ2w+8axK3cetTKEOYcShRANCAASoAmm6StZlP9/H4O9o0Y7Deab3DHOLorgBi8EbZzbJtFhrbOPxz0jdkJ5xn015oGb0+p5Suw/3i/scBAMn4adz",
        "qAJpukrWZT_fx-DvaNGOw3mm9wxzi6K4AYvBG2c2ybQ",
        "WGts4_HPSN2QnnGfTXmgZvT6nlK7D_eL-xwEAyfhp3M",
    ],
    [
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBhaVV1y1u6UN6Gb7sFClIGNRbjue4mHSlfQ80sM+MaqhRANCAARUKPn7tBa9zQ2FJWIDfZYSSN5Rkh/jymNZvFHsZw5xL/irFp+c2W/0jU7PvIAPmPc4NSEPs8EfgY4sNfiEpQr7",
        "VCj5-7QWvc0NhSViA32WEkjeUZIf48pjWbxR7GcOcS8",
        "-KsWn5zZb_SNTs-8gA-Y9zg1IQ-zwR-Bjiw1-ISlCvs",
    ],
];

type Change = Arc<dyn Fn(&mut Header, &mut Value) + Send + Sync>;

/// How it answers.
pub(crate) struct Script {
    /// Whether it answers at all.
    pub(crate) away: bool,
    /// Which of the keys it publishes, and which it signs with.
    pub(crate) published: usize,
    pub(crate) signing: usize,
    /// What it says of whoever signs in.
    pub(crate) claims: Value,
    /// What it says at the userinfo endpoint.
    pub(crate) userinfo: Value,
    /// What is done to ID tokens before they are signed.
    pub(crate) change: Change,
    /// The text of ID tokens as a whole, when they are not to be signed as usual.
    pub(crate) forge: Option<fn(&Value) -> String>,
    /// What the token endpoint answers instead.
    pub(crate) token_answer: Option<fn() -> Response>,
    /// What GitHub's API answers.
    pub(crate) github_user: Value,
    pub(crate) github_emails: Value,
    /// The organisations of which whoever signs in is a member, with the state of the membership.
    pub(crate) github_organisations: HashMap<&'static str, &'static str>,
    /// How often it was asked for its discovery document.
    pub(crate) discoveries: usize,
    /// How many codes it has given.
    given: usize,
    /// Codes that can be exchanged, with what was asked when they were given.
    codes: HashMap<String, HashMap<String, String>>,
}

/// A running provider.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) base: String,
    script: Arc<Mutex<Script>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let script = Script {
            away: false,
            published: 0,
            signing: 0,
            claims: json!({ "sub": "ada-1", "email": "ada@example.test", "email_verified": true, "name": "Ada Lovelace" }),
            userinfo: json!({ "sub": "ada-1" }),
            change: Arc::new(|_, _| {}),
            forge: None,
            token_answer: None,
            github_user: json!({ "id": 7, "login": "ada", "name": "Ada L.",
                "avatar_url": "https://avatars.githubusercontent.com/u/7?v=4" }),
            github_emails: json!([
                { "email": "old@example.test", "primary": false, "verified": true },
                { "email": "ada@example.test", "primary": true, "verified": true },
            ]),
            github_organisations: HashMap::new(),
            discoveries: 0,
            given: 0,
            codes: HashMap::new(),
        };
        let provider = Self {
            base,
            script: Arc::new(Mutex::new(script)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/login/oauth/access_token", post(github_token))
            .route("/api/user", get(github_user))
            .route("/api/user/emails", get(github_emails))
            .route("/api/user/memberships/orgs/{name}", get(github_membership))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// What a person does at the provider: reads where they were sent, and says yes. The query of the way back.
    pub(crate) fn agree(&self, address: &str) -> String {
        let url: url::Url = address.parse().unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut script = self.script();
        let code = format!("code-{}", script.given);
        script.given += 1;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .finish();
        script.codes.insert(code, asked);
        query
    }

    /// Whether `code` may be exchanged with `verifier` by whoever came with `redirect_uri`; once.
    fn redeem(&self, form: &HashMap<String, String>) -> Option<HashMap<String, String>> {
        let asked = self.script().codes.remove(form.get("code")?)?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier")?));
        let good = asked["code_challenge_method"] == "S256"
            && asked["code_challenge"] == challenge
            && asked["client_id"] == CLIENT
            && Some(&asked["redirect_uri"]) == form.get("redirect_uri");
        good.then_some(asked)
    }

    fn id_token(&self, asked: &HashMap<String, String>) -> String {
        let script = self.script();
        let now = Utc::now().timestamp();
        let mut claims = json!({ "iss": self.base, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"] });
        claims
            .as_object_mut()
            .unwrap()
            .extend(script.claims.as_object().unwrap().clone());
        let mut header = Header {
            kid: Some(script.signing.to_string()),
            ..Header::new(Algorithm::ES256)
        };
        (script.change)(&mut header, &mut claims);
        if let Some(forge) = script.forge {
            return forge(&claims);
        }
        let key = BASE64_STANDARD.decode(KEYS[script.signing][0]).unwrap();
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(&key)).unwrap()
    }
}

async fn discovery(State(provider): State<Provider>) -> Response {
    let mut script = provider.script();
    script.discoveries += 1;
    if script.away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let at = |path: &str| format!("{}/{path}", provider.base);
    Json(json!({
        "issuer": provider.base, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"), "jwks_uri": at("jwks"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
    .into_response()
}

async fn jwks(State(provider): State<Provider>) -> Json<Value> {
    let published = provider.script().published;
    let [_, x, y] = KEYS[published];
    Json(
        json!({ "keys": [{ "kty": "EC", "use": "sig", "alg": "ES256", "kid": published.to_string(), "crv": "P-256", "x": x, "y": y }] }),
    )
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(answer) = provider.script().token_answer {
        return answer();
    }
    // RFC 6749, 2.3.1: encoded as in forms before it is encoded for the header.
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(CLIENT_SECRET)));
    let known = headers
        .get("authorization")
        .is_some_and(|value| value == &format!("Basic {basic}"));
    match provider.redeem(&form).filter(|_| known) {
        Some(asked) => {
            let id_token = provider.id_token(&asked);
            Json(json!({ "access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": id_token }))
                .into_response()
        }
        None => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
            .into_response(),
    }
}

async fn userinfo(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    match headers
        .get("authorization")
        .is_some_and(|value| value == "Bearer at-1")
    {
        true => Json(provider.script().userinfo.clone()).into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn github_token(
    State(provider): State<Provider>,
    Form(form): Form<HashMap<String, String>>,
) -> Json<Value> {
    let secret = form
        .get("client_secret")
        .is_some_and(|secret| secret == CLIENT_SECRET);
    Json(match provider.redeem(&form).filter(|_| secret) {
        Some(_) => {
            json!({ "access_token": "gho_1", "token_type": "bearer", "scope": "read:user,user:email" })
        }
        None => json!({ "error": "bad_verification_code" }),
    })
}

async fn github_user(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    github(&headers, provider.script().github_user.clone())
}

async fn github_emails(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    github(&headers, provider.script().github_emails.clone())
}

async fn github_membership(
    State(provider): State<Provider>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match provider.script().github_organisations.get(name.as_str()) {
        Some(&"unapproved") => StatusCode::FORBIDDEN.into_response(),
        Some(state) => github(&headers, json!({ "state": state })),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn github(headers: &HeaderMap, answer: Value) -> Response {
    match headers
        .get("authorization")
        .is_some_and(|value| value == "Bearer gho_1")
    {
        true => Json(answer).into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// An answer that leads elsewhere.
pub(crate) fn elsewhere() -> Response {
    Redirect::temporary("http://127.0.0.1:1/token").into_response()
}

/// More than any answer needs.
pub(crate) fn endless() -> Response {
    (
        [("content-type", "application/json")],
        vec![b' '; 4 * 1024 * 1024],
    )
        .into_response()
}

/// What is no JSON.
pub(crate) fn nonsense() -> Response {
    ([("content-type", "application/json")], "<html>").into_response()
}

/// Tokens without an ID token.
pub(crate) fn no_id_token() -> Response {
    Json(json!({ "access_token": "at-1", "token_type": "Bearer" })).into_response()
}
