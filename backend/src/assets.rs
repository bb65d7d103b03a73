//! The dashboard's files, built into the program: which exist, and how a browser gets them. Knows nothing of the API.
//!
//! All of them are in memory by name before the first request, so no request ever touches the file system, and no path
//! can lead out of the dashboard.

mod encoding;
mod file;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use file::File;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::collections::HashMap;
use std::sync::Arc;

use crate::http::headers::{DASHBOARD_POLICY, GRAPHIQL_POLICY};

/// Files with compressed copies beside them (`app.js`, `app.js.br`, `app.js.gz`), by their path.
#[derive(Debug, Clone)]
pub struct Assets {
    files: Arc<HashMap<String, File>>,
}

/// A page that has an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// The dashboard, at every address that is no file: it reads the address itself.
    Dashboard,
    /// The GraphQL playground.
    Graphiql,
}

/// What `make ui` built. Debug builds read it when they start, others have it inside.
#[derive(rust_embed::RustEmbed)]
#[folder = "../target/ui/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = include_str!("assets/not_built.html");

impl Assets {
    /// The dashboard that was built into this program; empty when it was built without one.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(Built::iter().filter_map(|path| {
            Built::get(&path).map(|file| {
                (
                    path.into_owned(),
                    match file.data {
                        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                        std::borrow::Cow::Owned(bytes) => bytes.into(),
                    },
                )
            })
        }))
    }

    /// These files, by their paths without a leading slash.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self {
            files: Arc::new(file::with_copies(files.into_iter().collect())),
        }
    }

    /// Answers for any path that is not the API's.
    pub(crate) fn respond(&self, path: &str, method: &Method, headers: &HeaderMap) -> Response {
        let path = path.trim_start_matches('/');
        if let Some(file) = self.files.get(path) {
            return file_response(path, file, method, headers);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.contains('.') {
            return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
        }
        self.page(Page::Dashboard, method, headers)
    }

    pub(crate) fn page(&self, page: Page, method: &Method, headers: &HeaderMap) -> Response {
        let path = match page {
            Page::Dashboard => "index.html",
            Page::Graphiql => "graphiql/index.html",
        };
        match self.files.get(path) {
            Some(file) => file_response(path, file, method, headers),
            None => {
                let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
                (StatusCode::SERVICE_UNAVAILABLE, html, NOT_BUILT).into_response()
            }
        }
    }
}

fn file_response(path: &str, file: &File, method: &Method, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "GET, HEAD")],
        )
            .into_response();
    }
    let encoding = encoding::best(headers, |encoding| file.copy(encoding).is_some());
    let (content, etag) = file.copy(encoding).unwrap_or((&file.content, &file.etag));
    let mut response = Response::new(Body::empty());
    let set = response.headers_mut();
    set.insert(header::ETAG, etag.clone());
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    set.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(caching(path)),
    );
    set.insert(header::CONTENT_TYPE, file.content_type.clone());
    let policy = if path.starts_with("graphiql/") {
        GRAPHIQL_POLICY
    } else {
        DASHBOARD_POLICY
    };
    set.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    if unchanged(headers, etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if let Some(name) = encoding.name() {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    set.insert(header::CONTENT_LENGTH, content.len().into());
    if *method == Method::GET {
        *response.body_mut() = Body::from(content.clone());
    }
    response
}

/// Everything in a directory called `assets` has a hash of its content in its name; the rest keeps its name when it
/// changes.
fn caching(path: &str) -> &'static str {
    if path
        .split('/')
        .rev()
        .skip(1)
        .any(|directory| directory == "assets")
    {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn unchanged(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let lines = headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let mut known = lines.flat_map(|line| line.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/").as_bytes() == etag.as_bytes())
}
