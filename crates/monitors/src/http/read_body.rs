//! How much of a response's body belongs to a check.

use http::Response;
use http::header::CONTENT_TYPE;
use net::ResponseBody;

/// How much of the body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadBody {
    /// All of it, but nothing of a stream that has no end.
    Auto,
    /// All of it.
    Whole,
    /// Nothing: the check is over when the head arrived.
    HeadOnly,
}

impl ReadBody {
    /// The names in settings.
    pub(super) const NAMES: &[&str] = &["auto", "whole", "headOnly"];

    /// Returns the name in settings.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Whole => "whole",
            Self::HeadOnly => "headOnly",
        }
    }

    /// Parses a name, or says what is wrong with it.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        [Self::Auto, Self::Whole, Self::HeadOnly]
            .into_iter()
            .find(|choice| choice.name() == name)
            .ok_or_else(|| format!("must be auto, whole or headOnly, got {name:?}"))
    }

    /// Returns whether a check ends with the head of `response`.
    pub(super) fn ends_with_head(self, response: &Response<ResponseBody>) -> bool {
        match self {
            Self::HeadOnly => true,
            Self::Whole => false,
            Self::Auto => {
                let content_type = response.headers().get(CONTENT_TYPE);
                let content_type = content_type.and_then(|value| value.to_str().ok());
                !response.body().has_declared_length()
                    && content_type.is_some_and(is_endless_type)
            }
        }
    }
}

/// Types of streams that last as long as somebody listens.
const ENDLESS_TYPES: [&str; 7] = [
    "text/event-stream",
    "multipart/x-mixed-replace",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
];

/// Returns whether bodies of this type may have no end if their length is not declared.
fn is_endless_type(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    ENDLESS_TYPES.contains(&kind.as_str()) || kind.starts_with("audio/") || kind.starts_with("video/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_their_type() {
        for (content_type, is_endless) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("multipart/x-mixed-replace;boundary=frame", true),
            ("application/x-ndjson", true),
            ("audio/mpeg", true),
            ("video/mp2t", true),
            ("text/html", false),
            ("application/json", false),
            ("text/event-stream-like", false),
            ("", false),
        ] {
            assert_eq!(is_endless_type(content_type), is_endless, "{content_type}");
        }
    }
}
