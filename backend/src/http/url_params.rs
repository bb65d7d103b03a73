//! Parameters in the query of a URL.

use std::collections::HashMap;
use url::form_urlencoded;

/// Parses the parameters of `query`; `None` if one occurs twice.
pub(super) fn parse_unique(query: &str) -> Option<HashMap<String, String>> {
    let mut params = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let replaced = params.insert(name.into_owned(), value.into_owned());
        if replaced.is_some() {
            return None;
        }
    }
    Some(params)
}
