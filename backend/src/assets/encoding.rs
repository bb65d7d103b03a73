//! Which copy of a file a browser wants: `Accept-Encoding` with its weights (RFC 9110, section 12.5.3).

use http::{HeaderMap, header};

/// How a copy is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// As in `Content-Encoding`, which an uncompressed answer does not have.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The smallest of the available encodings that are wanted most; uncompressed when nothing else will do.
pub(super) fn best(headers: &HeaderMap, available: impl Fn(Encoding) -> bool) -> Encoding {
    let accepted = accepted(headers);
    let wanted = [
        (Encoding::Brotli, "br"),
        (Encoding::Gzip, "gzip"),
        (Encoding::Identity, "identity"),
    ];
    let mut best = (Encoding::Identity, 0);
    for (encoding, name) in wanted {
        let weight = weight(&accepted, name, encoding == Encoding::Identity);
        if weight > best.1 && available(encoding) {
            best = (encoding, weight);
        }
    }
    best.0
}

/// In thousandths.
fn weight(accepted: &[(String, u16)], name: &str, unless_named: bool) -> u16 {
    let of = |name: &str| {
        accepted
            .iter()
            .find(|(accepted, _)| accepted == name)
            .map(|(_, weight)| *weight)
    };
    // Uncompressed is always acceptable unless it is ruled out, but the last choice of those who name others.
    of(name)
        .or_else(|| of("*"))
        .unwrap_or(u16::from(unless_named))
}

fn accepted(headers: &HeaderMap) -> Vec<(String, u16)> {
    let lines = headers
        .get_all(header::ACCEPT_ENCODING)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let entry = |entry: &str| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let quality = parameters
            .trim()
            .strip_prefix("q=")
            .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
        // Anything that is no weight rules out what it stands behind.
        let quality = quality
            .filter(|q| (0.0..=1.0).contains(q))
            .unwrap_or_default();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 0 and 1000"
        )]
        let thousandths = (quality * 1000.0) as u16;
        (name.trim().to_ascii_lowercase(), thousandths)
    };
    lines.flat_map(|line| line.split(',')).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_wanted_most_is_taken_and_among_equals_the_smallest() {
        for (accept, best_of_all, without_brotli) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli, Encoding::Gzip),
            ("gzip;q=1.0, br;q=0.5", Encoding::Gzip, Encoding::Gzip),
            ("br;q=0, gzip;q=0.001", Encoding::Gzip, Encoding::Gzip),
            ("BR;q=0.9", Encoding::Brotli, Encoding::Identity),
            ("*", Encoding::Brotli, Encoding::Gzip),
            ("*;q=0.3, br;q=0", Encoding::Gzip, Encoding::Gzip),
            ("identity, br;q=0.5", Encoding::Identity, Encoding::Identity),
            ("identity;q=0", Encoding::Identity, Encoding::Identity),
            ("br;q=7, gzip;q=x", Encoding::Identity, Encoding::Identity),
            ("deflate", Encoding::Identity, Encoding::Identity),
            ("", Encoding::Identity, Encoding::Identity),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())]);
            assert_eq!(best(&headers, |_| true), best_of_all, "{accept}");
            assert_eq!(
                best(&headers, |encoding| encoding != Encoding::Brotli),
                without_brotli,
                "{accept}"
            );
        }
        assert_eq!(best(&HeaderMap::new(), |_| true), Encoding::Identity);
    }
}
