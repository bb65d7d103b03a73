//! One file with its compressed copies.

use super::encoding::Encoding;
use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct File {
    pub(super) content: Bytes,
    pub(super) etag: HeaderValue,
    pub(super) content_type: HeaderValue,
    brotli: Option<(Bytes, HeaderValue)>,
    gzip: Option<(Bytes, HeaderValue)>,
}

impl File {
    pub(super) fn copy(&self, encoding: Encoding) -> Option<(&Bytes, &HeaderValue)> {
        let copy = match encoding {
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
            Encoding::Identity => return Some((&self.content, &self.etag)),
        };
        copy.map(|(content, etag)| (content, etag))
    }
}

/// Puts compressed copies to the files that they are copies of; they have no address of their own.
pub(super) fn with_copies(mut files: HashMap<String, Bytes>) -> HashMap<String, File> {
    let is_copy = |path: &str| {
        path.strip_suffix(".br")
            .or_else(|| path.strip_suffix(".gz"))
            .is_some_and(|original| files.contains_key(original))
    };
    let originals: Vec<String> = files
        .keys()
        .filter(|path| !is_copy(path))
        .cloned()
        .collect();
    let mut take = |path: String| files.remove(&path).map(|content| (etag(&content), content));
    let file = |path: String| {
        let copy =
            |found: Option<(HeaderValue, Bytes)>| found.map(|(etag, content)| (content, etag));
        let (brotli, gzip) = (
            copy(take(format!("{path}.br"))),
            copy(take(format!("{path}.gz"))),
        );
        let (etag, content) = take(path.clone())?;
        let content_type = content_type(&path);
        Some((
            path,
            File {
                content,
                etag,
                content_type,
                brotli,
                gzip,
            },
        ))
    };
    originals.into_iter().filter_map(file).collect()
}

/// By content: each copy has its own, as it must.
fn etag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    HeaderValue::from_str(&format!("\"{}\"", hex::encode(&digest[..16])))
        .expect("hexadecimal digits are a header value")
}

fn content_type(path: &str) -> HeaderValue {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let text =
        guessed.type_() == "text" || matches!(guessed.subtype().as_str(), "javascript" | "json");
    let charset = if text { "; charset=utf-8" } else { "" };
    HeaderValue::from_str(&format!("{}{charset}", guessed.essence_str()))
        .expect("a media type is a header value")
}
