//! A backend on a port of its own, and browsers that talk to it.

use backend::auth::SignUp;
use backend::auth::local::create_link;
use backend::{ApiDependencies, Assets, Settings};
use chrono::{Duration, SubsecRound as _, Utc};
use coordination::Coordination;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings};
use reqwest::header::{HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::database::{self, TestDatabase};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A running backend.
pub(crate) struct App {
    pub(crate) base: String,
    /// The public URL's.
    pub(crate) port: u16,
    pub(crate) db: DatabaseConnection,
    pub(crate) live: Coordination,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<anyhow::Result<()>>,
    database: Arc<TestDatabase>,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::on(Arc::new(database::sqlite().await), |_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Arc::new(database::sqlite().await), change).await
    }

    pub(crate) async fn on(
        database: Arc<TestDatabase>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::full(database, change, Assets::new([])).await
    }

    pub(crate) async fn with_assets(assets: Assets) -> Self {
        Self::full(Arc::new(database::sqlite().await), |_| {}, assets).await
    }

    async fn full(
        database: Arc<TestDatabase>,
        change: impl FnOnce(&mut Settings),
        assets: Assets,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::new(base.parse().unwrap(), SECRET.into());
        settings.local_login = true;
        settings.sign_up = SignUp::Anyone;
        settings.max_services_per_workspace = 10;
        change(&mut settings);
        let port = settings.public_url.port_or_known_default().unwrap();
        let (db, live, stop) = (
            database.db.clone(),
            Coordination::memory(),
            CancellationToken::new(),
        );
        let prober = Prober::new(ClientSettings::default()).unwrap();
        let fetcher = Fetcher::new(FetcherSettings::default()).unwrap();
        let backend = ApiDependencies {
            db: db.clone(),
            live: live.clone(),
            prober,
            fetcher,
            settings,
        };
        let served = tokio::spawn(backend::serve_with_assets(
            backend,
            assets,
            listener,
            stop.clone(),
        ));
        Self {
            base,
            port,
            db,
            live,
            stop,
            served,
            database,
        }
    }

    /// For another process on the same database.
    pub(crate) fn database(&self) -> Arc<TestDatabase> {
        Arc::clone(&self.database)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A sign-in link that still works.
    pub(crate) async fn link(&self) -> String {
        self.link_for(Duration::minutes(15)).await
    }

    pub(crate) async fn link_for(&self, ttl: Duration) -> String {
        let token = create_link(&self.db, Utc::now().trunc_subsecs(3), ttl)
            .await
            .unwrap();
        self.url(&format!("/api/auth/local?token={token}"))
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.base, self.port)
    }

    /// The whole name of a cookie that is set without https.
    pub(crate) fn named(&self, cookie: &str) -> String {
        format!("{cookie}_{}", self.port)
    }

    /// A browser of the machine's own user, signed in.
    pub(crate) async fn signed_in(&self) -> Browser {
        let browser = self.browser();
        let answer = browser.http.get(self.link().await).send().await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/".parse().unwrap())
        );
        browser
    }
}

/// Keeps cookies, follows no redirect, and sends an `Origin` where browsers do.
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    pub(crate) cookies: Arc<reqwest::cookie::Jar>,
    base: String,
    port: u16,
}

impl Browser {
    fn new(base: &str, port: u16) -> Self {
        // The first one in the process installs it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let cookies = Arc::new(reqwest::cookie::Jar::default());
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .cookie_provider(Arc::clone(&cookies));
        // Answers are looked at as they come.
        let http = http.no_gzip().no_brotli().no_deflate();
        Self {
            http: http.build().unwrap(),
            cookies,
            base: base.to_owned(),
            port,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap()
    }

    /// A POST as a page of this server makes it.
    pub(crate) async fn post(&self, path: &str) -> Response {
        self.http
            .post(format!("{}{path}", self.base))
            .header(ORIGIN, &self.base)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn graphql(&self, query: &str) -> Value {
        let request = self
            .http
            .post(format!("{}/api/graphql", self.base))
            .header(ORIGIN, &self.base);
        let answer = request
            .json(&json!({ "query": query }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    /// Whether the API knows who this is.
    pub(crate) async fn is_signed_in(&self) -> bool {
        let answer = self.graphql("{ me { id } }").await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        !answer["data"]["me"].is_null()
    }

    /// The `Cookie` header that a request to `path` would carry.
    pub(crate) fn cookie_header(&self, path: &str) -> String {
        use reqwest::cookie::CookieStore as _;
        let url = format!("{}{path}", self.base).parse().unwrap();
        self.cookies
            .cookies(&url)
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    /// The value of a cookie that a request to `path` would carry.
    pub(crate) fn cookie(&self, path: &str, name: &str) -> String {
        self.sent(path, name)
            .map(|(_, value)| value)
            .unwrap_or_default()
    }

    /// Its whole name, which for a sign-in ends differently each time.
    pub(crate) fn cookie_name(&self, path: &str, name: &str) -> String {
        self.sent(path, name)
            .map(|(name, _)| name)
            .unwrap_or_default()
    }

    fn sent(&self, path: &str, name: &str) -> Option<(String, String)> {
        let (header, name) = (self.cookie_header(path), format!("{name}_{}", self.port));
        let mut pairs = header.split("; ").filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| is_called(key, &name))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
    }

    pub(crate) fn set_cookie(&self, cookie: &str) {
        self.cookies
            .add_cookie_str(cookie, &self.base.parse().unwrap());
    }
}

/// The code of the first error of an answer.
pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

/// `name=value` and attributes of the cookie `name` that an answer sets, sorted.
pub(crate) fn set_cookie(headers: &HeaderMap, name: &str) -> Option<(String, Vec<String>)> {
    let mut lines = headers
        .get_all(SET_COOKIE)
        .into_iter()
        .map(|line| line.to_str().unwrap());
    let (value, attributes) = lines.find_map(|line| {
        let (pair, attributes) = line.split_once("; ")?;
        let (key, value) = pair.split_once('=')?;
        is_called(key, name).then_some((value, attributes))
    })?;
    let mut attributes: Vec<_> = attributes.split("; ").map(str::to_owned).collect();
    attributes.sort();
    Some((value.to_owned(), attributes))
}

/// Whether `key` is the cookie `name`, or one of those that are called so with an end of their own.
fn is_called(key: &str, name: &str) -> bool {
    key.strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}
