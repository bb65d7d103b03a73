//! The query string of the sign-in page.

use std::fmt;

/// Why a sign-in failed, in the URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignInQuery {
    /// The error code.
    pub error: Option<String>,
    /// The provider that the sign-in failed with.
    pub provider: Option<String>,
}

impl From<&str> for SignInQuery {
    fn from(text: &str) -> Self {
        let part = |name: &str| {
            let value = text
                .split('&')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            error: part("error"),
            provider: part("provider"),
        }
    }
}

impl fmt::Display for SignInQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("error", &self.error), ("provider", &self.provider)];
        let given = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        f.write_str(&given.collect::<Vec<_>>().join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_round_trips() {
        for text in ["", "error=denied", "error=denied&provider=github"] {
            assert_eq!(SignInQuery::from(text).to_string(), text);
        }
    }
}
