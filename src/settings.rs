//! Reads and validates all settings from the environment. Reports all invalid variables together,
//! each by name. No other module reads the environment.

mod sign_in;
mod source;

pub(crate) use sign_in::{OpenId, Providers};
pub(crate) use source::Secret;

use anyhow::bail;
use backend::auth::SignUp;
use backend::rates::Limits;
use ipnet::IpNet;
use source::Source;
use std::env::VarError;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// All settings. README.md documents them.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) database_url: Option<Secret>,
    pub(crate) redis_url: Option<Secret>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: SocketAddr,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) public_url: Option<Url>,
    pub(crate) secret_key: Option<Secret>,
    pub(crate) previous_secret_key: Option<Secret>,
    pub(crate) local_login: Option<bool>,
    pub(crate) sign_up: Option<SignUp>,
    pub(crate) providers: Providers,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) rates: Limits,
    pub(crate) allow_private_targets: Option<bool>,
    pub(crate) system_for_all: bool,
    pub(crate) min_interval_seconds: i32,
    pub(crate) max_services_per_workspace: u32,
    pub(crate) concurrency: usize,
    pub(crate) concurrency_per_host: usize,
    pub(crate) database_connections: u32,
    pub(crate) heartbeat_file: Option<PathBuf>,
    pub(crate) keep_checks: Duration,
    pub(crate) keep_hours: Duration,
    /// OpenTelemetry collector that traces are exported to.
    pub(crate) otlp_endpoint: Option<Url>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

impl Settings {
    /// Reads the environment and, if present, the `.env` file in the working directory.
    ///
    /// # Errors
    /// Returns one error that lists every invalid setting.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        match dotenvy::from_path(".env") {
            Err(error) if !error.not_found() => wrong.push(unreadable(Path::new(".env"), &error)),
            _ => {}
        }
        Self::read(|name| std::env::var(name), wrong)
    }

    fn read(
        lookup: impl Fn(&str) -> Result<String, VarError>,
        wrong: Vec<String>,
    ) -> anyhow::Result<Self> {
        let mut from = Source { lookup, wrong };
        let rates = Limits::default();
        let settings = Self {
            database_url: from.secret("DATABASE_URL"),
            redis_url: from.secret("REDIS_URL"),
            data_dir: from.text("PULSECHECK_DATA_DIR").map(PathBuf::from),
            listen: from
                .parsed(
                    "PULSECHECK_LISTEN",
                    "an address and port such as 127.0.0.1:8080",
                )
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            metrics_listen: from.parsed(
                "PULSECHECK_METRICS_LISTEN",
                "an address and port such as 127.0.0.1:9090",
            ),
            public_url: from.public_url(),
            secret_key: from.secret("PULSECHECK_SECRET_KEY"),
            previous_secret_key: from.secret("PULSECHECK_PREVIOUS_SECRET_KEY"),
            local_login: from.switch("PULSECHECK_LOCAL_LOGIN"),
            sign_up: sign_in::sign_up(&mut from),
            providers: Providers::read(&mut from),
            trusted_proxies: sign_in::networks(&mut from, "PULSECHECK_TRUSTED_PROXIES"),
            rates: Limits {
                sign_ins: sign_in::per_minute(
                    &mut from,
                    "PULSECHECK_SIGN_INS_PER_MINUTE",
                    rates.sign_ins,
                ),
                operations: sign_in::per_minute(
                    &mut from,
                    "PULSECHECK_REQUESTS_PER_MINUTE",
                    rates.operations,
                ),
                checks: sign_in::per_minute(
                    &mut from,
                    "PULSECHECK_CHECKS_NOW_PER_MINUTE",
                    rates.checks,
                ),
                tests: sign_in::per_minute(&mut from, "PULSECHECK_TESTS_PER_MINUTE", rates.tests),
                discoveries: sign_in::per_minute(
                    &mut from,
                    "PULSECHECK_DISCOVERIES_PER_MINUTE",
                    rates.discoveries,
                ),
                ..rates
            },
            allow_private_targets: from.switch("PULSECHECK_ALLOW_PRIVATE_TARGETS"),
            system_for_all: from.switch("PULSECHECK_SYSTEM_FOR_ALL").unwrap_or(false),
            min_interval_seconds: from.number("PULSECHECK_MIN_INTERVAL_SECONDS", 10, 1, 86_400),
            max_services_per_workspace: from.number(
                "PULSECHECK_MAX_SERVICES_PER_WORKSPACE",
                2_000,
                1,
                1_000_000,
            ),
            concurrency: from.number("PULSECHECK_CONCURRENCY", 256, 1, 20_000),
            concurrency_per_host: from.number("PULSECHECK_CONCURRENCY_PER_HOST", 32, 1, 20_000),
            database_connections: from.number("PULSECHECK_DATABASE_CONNECTIONS", 10, 3, 1_000),
            heartbeat_file: from.text("PULSECHECK_HEARTBEAT_FILE").map(PathBuf::from),
            keep_checks: days(from.number("PULSECHECK_KEEP_CHECKS_DAYS", 30, 2, 3_650)),
            keep_hours: days(from.number("PULSECHECK_KEEP_HOURLY_DAYS", 396, 91, 36_500)),
            otlp_endpoint: from.endpoint("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log: from.text("PULSECHECK_LOG").unwrap_or_else(|| "info".into()),
            log_format: from
                .parsed("PULSECHECK_LOG_FORMAT", "text or json")
                .unwrap_or(LogFormat::Text),
        };
        if settings
            .metrics_listen
            .is_some_and(|metrics| metrics == settings.listen && metrics.port() != 0)
        {
            let same = settings.listen;
            from.wrong.push(format!(
                "PULSECHECK_METRICS_LISTEN is {same}, as is PULSECHECK_LISTEN: give it another port"
            ));
        }
        for (name, key) in [
            ("PULSECHECK_SECRET_KEY", &settings.secret_key),
            (
                "PULSECHECK_PREVIOUS_SECRET_KEY",
                &settings.previous_secret_key,
            ),
        ] {
            if key.as_ref().is_some_and(|key| key.expose().len() < 32) {
                from.wrong.push(format!(
                    "{name} must be at least 32 characters long: `openssl rand -hex 32` makes one"
                ));
            }
        }
        if from.wrong.is_empty() {
            return Ok(settings);
        }
        let mut message = String::from("these settings are wrong:");
        for wrong in from.wrong {
            let _ = write!(message, "\n  {wrong}");
        }
        bail!(message)
    }
}

/// Describes an error in the `.env` file without printing the line, which may contain a secret.
///
/// The text before `=` is printed only if it is one of our variables: otherwise it may be part of a
/// multi-line secret.
fn unreadable(file: &Path, error: &dotenvy::Error) -> String {
    const OURS: [&str; 6] = [
        "PULSECHECK_",
        "DATABASE_URL",
        "REDIS_URL",
        "GITHUB_",
        "GOOGLE_",
        "OIDC_",
    ];
    let part = match error {
        dotenvy::Error::Io(error) => return format!(".env cannot be read: {error}"),
        dotenvy::Error::LineParse(part, _) => part.lines().next().unwrap_or_default().trim(),
        _ => "",
    };
    // Some errors contain only the value of the line.
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text
        .lines()
        .find(|line| !part.is_empty() && line.contains(part))
        .unwrap_or_default()
        .trim_start();
    let name = line
        .strip_prefix("export ")
        .unwrap_or(line)
        .split('=')
        .next()
        .unwrap_or_default()
        .trim();
    let is_ours = OURS.iter().any(|ours| name.starts_with(ours))
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let of = if is_ours {
        format!(", that of {name},")
    } else {
        String::new()
    };
    format!(
        ".env has a line{of} that cannot be read: write NAME=value, and put values with spaces or quotes into quotes"
    )
}

fn days(days: u32) -> Duration {
    Duration::from_hours(u64::from(days) * 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let lookup = |name: &str| {
            values
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
                .ok_or(VarError::NotPresent)
        };
        Settings::read(lookup, Vec::new())
    }

    #[test]
    fn nothing_set_is_a_laptop() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(
            (settings.min_interval_seconds, settings.local_login),
            (10, None)
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_no_secret_is_printed() {
        let error = read(&[
            ("PULSECHECK_LISTEN", "8080"),
            ("PULSECHECK_PUBLIC_URL", "https://pulse.example.com/app"),
            ("PULSECHECK_SECRET_KEY", "hunter2"),
            ("PULSECHECK_MIN_INTERVAL_SECONDS", "0"),
            ("PULSECHECK_LOCAL_LOGIN", "maybe"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("DATABASE_URL", "postgres://x"),
            ("DATABASE_URL_FILE", "/x"),
            ("REDIS_URL_FILE", "/nowhere/redis"),
        ])
        .unwrap_err()
        .to_string();
        for part in [
            "PULSECHECK_LISTEN is \"8080\": must be an address and port such as 127.0.0.1:8080",
            "must be http(s)://host[:port] with nothing behind it",
            "PULSECHECK_SECRET_KEY must be at least 32 characters long",
            "PULSECHECK_MIN_INTERVAL_SECONDS is \"0\": must be a whole number between 1 and 86400",
            "PULSECHECK_LOCAL_LOGIN is \"maybe\": must be true or false",
            "OTEL_EXPORTER_OTLP_ENDPOINT is \"collector:4317\": must be an http or https address",
            "DATABASE_URL and DATABASE_URL_FILE are both set: keep one",
            "REDIS_URL_FILE: cannot read /nowhere/redis",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn providers_are_set_up_by_their_client_and_may_be_elsewhere() {
        let settings = read(&[
            ("GOOGLE_CLIENT_ID", "g"),
            ("GOOGLE_CLIENT_SECRET", "gs"),
            ("GITHUB_CLIENT_ID", "h"),
            ("GITHUB_CLIENT_SECRET", "hs"),
            ("GITHUB_URL", "https://github.example.com"),
            ("OIDC_ISSUER", "http://127.0.0.1:9000/realms/a"),
            ("OIDC_CLIENT_ID", "o"),
            ("PULSECHECK_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1 ::1"),
        ])
        .unwrap();
        let Providers {
            google,
            github,
            oidc,
        } = settings.providers;
        assert_eq!(google.unwrap().issuer, "https://accounts.google.com");
        assert_eq!(
            github.unwrap().api_url.as_str(),
            "https://github.example.com/api/v3"
        );
        let oidc = oidc.unwrap();
        assert_eq!(
            (oidc.name.as_str(), oidc.issuer.as_str()),
            ("127.0.0.1", "http://127.0.0.1:9000/realms/a")
        );
        let proxies: Vec<_> = settings
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32", "::1/128"]);
        let Providers {
            google,
            github,
            oidc,
        } = read(&[]).unwrap().providers;
        assert!(google.is_none() && github.is_none() && oidc.is_none());
    }

    #[test]
    fn half_a_provider_is_a_mistake() {
        let error = read(&[
            ("GOOGLE_CLIENT_ID", "g"),
            ("GITHUB_CLIENT_SECRET", "hunter2"),
            ("OIDC_ISSUER", "http://sso.example.com"),
            ("OIDC_CLIENT_ID", "o"),
            ("PULSECHECK_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
            ("PULSECHECK_SIGN_INS_PER_MINUTE", "0"),
        ])
        .unwrap_err()
        .to_string();
        for part in [
            "GOOGLE_CLIENT_ID is set without GOOGLE_CLIENT_SECRET: set both, or neither",
            "GITHUB_CLIENT_SECRET is set without GITHUB_CLIENT_ID: set both, or neither",
            "OIDC_ISSUER is \"http://sso.example.com\": must be an https address",
            "PULSECHECK_TRUSTED_PROXIES has \"proxy\": must be addresses or networks such as 10.0.0.0/8",
            "PULSECHECK_SIGN_INS_PER_MINUTE is \"0\": must be a whole number between 1 and 10000000",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn a_line_of_the_env_file_that_cannot_be_read_is_named_and_not_shown() {
        for (text, named) in [
            (
                "PULSECHECK_SECRET_KEY='hunter2 and no end\n",
                Some("PULSECHECK_SECRET_KEY"),
            ),
            (
                "export DATABASE_URL=postgres://a:hunter2@b/c d\n",
                Some("DATABASE_URL"),
            ),
            ("hunter2\n", None),
            ("hunter2=='x\n", None),
            ("PULSECHECK_hunter2 'x\n", None),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join(".env");
            std::fs::write(&file, text).unwrap();
            let error = dotenvy::from_path_iter(&file)
                .unwrap()
                .find_map(Result::err)
                .expect(text);
            let message = unreadable(&file, &error);
            assert!(
                !message.contains("hunter2") && message.starts_with(".env has a line"),
                "{message}"
            );
            assert_eq!(message.contains("that of"), named.is_some(), "{message}");
            assert!(named.is_none_or(|name| message.contains(name)), "{message}");
        }
    }

    #[test]
    fn secrets_may_stand_in_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
        let settings =
            read(&[("PULSECHECK_SECRET_KEY_FILE", file.path().to_str().unwrap())]).unwrap();
        assert_eq!(
            settings.secret_key.unwrap().expose(),
            "0123456789abcdef0123456789abcdef"
        );
    }
}
