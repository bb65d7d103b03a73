//! Parses sets of expected HTTP status codes, such as `200-299,301`.

use std::fmt;
use std::str::FromStr;

/// Maximum number of codes and ranges in one set.
const MAX_RANGES: usize = 20;

/// A set of HTTP status codes, written as codes and ranges with commas: `200-299,301`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStatus {
    ranges: Vec<(u16, u16)>,
}

/// Error of parsing a set of status codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedStatusError {
    /// Nothing was given.
    #[error("name at least one status code, such as 200-299")]
    Empty,
    /// A part is neither a code nor a range.
    #[error("\"{0}\" is not a status code between 100 and 599, or a range such as 200-299")]
    Part(String),
    /// A range ends before it begins.
    #[error("the range {0}-{1} ends before it begins")]
    Reversed(u16, u16),
    /// Too many codes and ranges.
    #[error("at most {MAX_RANGES} codes and ranges")]
    TooMany,
}

impl ExpectedStatus {
    /// Returns whether `code` is expected.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        self.ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&code))
    }
}

impl Default for ExpectedStatus {
    fn default() -> Self {
        Self {
            ranges: vec![(200, 299)],
        }
    }
}

impl FromStr for ExpectedStatus {
    type Err = ExpectedStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(ExpectedStatusError::Empty);
        }
        let ranges = text
            .split(',')
            .take(MAX_RANGES + 1)
            .map(parse_range)
            .collect::<Result<Vec<_>, _>>()?;
        if ranges.len() > MAX_RANGES {
            return Err(ExpectedStatusError::TooMany);
        }
        Ok(Self { ranges })
    }
}

fn parse_range(part: &str) -> Result<(u16, u16), ExpectedStatusError> {
    let invalid = || ExpectedStatusError::Part(part.trim().chars().take(40).collect());
    let code = |text: &str| {
        let text = text.trim();
        let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|code| (100..=599).contains(code))
            .ok_or_else(invalid)
    };
    match part.split_once('-') {
        None => code(part).map(|code| (code, code)),
        Some((from, to)) => match (code(from)?, code(to)?) {
            (from, to) if from > to => Err(ExpectedStatusError::Reversed(from, to)),
            range => Ok(range),
        },
    }
}

impl fmt::Display for ExpectedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (from, to)) in self.ranges.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if from == to {
                write!(f, "{comma}{from}")?;
            } else {
                write!(f, "{comma}{from}-{to}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_and_ranges_are_read_with_any_spacing() {
        let set: ExpectedStatus = " 200-204, 301 ,500 - 599".parse().unwrap();
        for (code, expected) in [
            (199, false),
            (200, true),
            (204, true),
            (205, false),
            (301, true),
            (550, true),
            (600, false),
        ] {
            assert_eq!(set.contains(code), expected, "{code}");
        }
        assert_eq!(set.to_string(), "200-204,301,500-599");
    }

    #[test]
    fn what_is_no_set_of_codes_is_refused_with_the_part_that_is_wrong() {
        for (text, sentence) in [
            ("", "name at least one status code, such as 200-299"),
            (
                "200,,301",
                "\"\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            (
                "2xx",
                "\"2xx\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            (
                "99",
                "\"99\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            (
                "200-600",
                "\"200-600\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            (
                "+200",
                "\"+200\" is not a status code between 100 and 599, or a range such as 200-299",
            ),
            ("299-200", "the range 299-200 ends before it begins"),
        ] {
            assert_eq!(
                text.parse::<ExpectedStatus>().unwrap_err().to_string(),
                sentence
            );
        }
        assert_eq!(
            vec!["200"; 21].join(",").parse::<ExpectedStatus>(),
            Err(ExpectedStatusError::TooMany)
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_the_same_set(parts in prop::collection::vec((100u16..600, 0u16..500), 1..20)) {
            let set = ExpectedStatus { ranges: parts.into_iter().map(|(from, more)| (from, (from + more).min(599))).collect() };
            prop_assert_eq!(set.to_string().parse::<ExpectedStatus>().unwrap(), set);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = text.parse::<ExpectedStatus>();
        }
    }
}
