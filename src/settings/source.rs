//! Reads single variables and collects what is wrong with them.

use std::env::VarError;
use std::fmt::Display;
use std::str::FromStr;
use url::Url;

/// A string that `Debug` does not print.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// The environment and the errors found in it.
pub(super) struct Source<F> {
    pub(super) lookup: F,
    pub(super) wrong: Vec<String>,
}

impl<F: Fn(&str) -> Result<String, VarError>> Source<F> {
    /// Returns the trimmed value; an empty one counts as not set.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match (self.lookup)(name) {
            Ok(value) => Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => {
                self.wrong.push(format!("{name} is not valid UTF-8"));
                None
            }
        }
    }

    /// Returns the value of `NAME`, or the content of the file at `NAME_FILE`.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        let file_name = format!("{name}_FILE");
        match (self.text(name), self.text(&file_name)) {
            (Some(_), Some(_)) => {
                self.wrong
                    .push(format!("{name} and {file_name} are both set: keep one"));
                None
            }
            (Some(value), None) => Some(Secret(value)),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(value) => {
                    Some(Secret(value.trim().to_owned())).filter(|secret| !secret.0.is_empty())
                }
                Err(error) => {
                    self.wrong
                        .push(format!("{file_name}: cannot read {path}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let value = self.text(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.wrong
                .push(format!("{name} is \"{value}\": must be {expected}"));
        }
        parsed
    }

    pub(super) fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &str,
        default: T,
        min: T,
        max: T,
    ) -> T {
        let Some(value) = self.text(name) else {
            return default;
        };
        match value.parse() {
            Ok(number) if min <= number && number <= max => number,
            _ => {
                self.wrong.push(format!(
                    "{name} is \"{value}\": must be a whole number between {min} and {max}"
                ));
                default
            }
        }
    }

    pub(super) fn switch(&mut self, name: &str) -> Option<bool> {
        let value = self.text(name)?;
        match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => {
                self.wrong
                    .push(format!("{name} is \"{value}\": must be true or false"));
                None
            }
        }
    }

    pub(super) fn endpoint(&mut self, name: &str) -> Option<Url> {
        let url: Url = self.parsed(name, "an address such as http://collector:4318")?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
            self.wrong.push(format!(
                "{name} is \"{url}\": must be an http or https address"
            ));
            return None;
        }
        Some(url)
    }

    /// Returns the public URL, which must be an origin: scheme, host and port only.
    pub(super) fn public_url(&mut self) -> Option<Url> {
        const NAME: &str = "PULSECHECK_PUBLIC_URL";
        let url: Url = self.parsed(NAME, "an address such as https://pulse.example.com")?;
        let origin =
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
        if !origin
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
        {
            self.wrong.push(format!(
                "{NAME} is \"{url}\": must be http(s)://host[:port] with nothing behind it"
            ));
            return None;
        }
        Some(url)
    }
}
