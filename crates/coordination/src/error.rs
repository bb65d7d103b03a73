//! Why the live state could not be reached. No message ever holds a password.

use fred::error::{Error, ErrorKind};

/// A failure of the live state. Only Redis fails; memory never does.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The address is none.
    #[error(
        "REDIS_URL is not the address of a Redis server ({reason}): write it as redis://host:6379/0"
    )]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// No Redis could be reached at the start.
    #[error("cannot reach Redis at {address}, which REDIS_URL names: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What happened instead.
        reason: String,
    },
    /// Redis went away or did not answer in time.
    #[error("Redis is not available for the moment: {}", reason(.0))]
    Unavailable(Error),
    /// Redis refused a command.
    #[error("Redis refused {command}: {}", reason(.error))]
    Refused {
        /// The command.
        command: &'static str,
        /// Its answer.
        error: Error,
    },
    /// Redis holds or answers something that PulseCheck did not put there.
    #[error("Redis gave an unexpected answer to {command}")]
    Answer {
        /// The command.
        command: &'static str,
    },
}

impl LiveError {
    pub(crate) fn not_connected(command: &'static str) -> Self {
        Self::of(command, Error::new(ErrorKind::Canceled, "Not connected."))
    }

    pub(crate) fn of(command: &'static str, error: Error) -> Self {
        // Redis's own errors begin with a word in capitals; all others are the client's, about the connection.
        let code = error.details().split(' ').next().unwrap_or_default();
        let refused = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase());
        match code {
            // The server restarts, another takes over, or a key is on its way to another node.
            "LOADING" | "MASTERDOWN" | "READONLY" | "CLUSTERDOWN" | "ASK" | "TRYAGAIN" => {
                Self::Unavailable(error)
            }
            _ if refused => Self::Refused { command, error },
            _ => Self::Unavailable(error),
        }
    }
}

/// What happened, in words for people.
pub(crate) fn reason(error: &Error) -> String {
    let details = error.details();
    match error.kind() {
        ErrorKind::IO if details.contains("ConnectionRefused") => "connection refused".to_owned(),
        ErrorKind::IO if details.contains("failed to lookup address") => {
            "the name does not resolve".to_owned()
        }
        ErrorKind::Timeout => "no answer in time".to_owned(),
        ErrorKind::Canceled => "not connected".to_owned(),
        ErrorKind::Unknown if details == "channel closed" => "the connection was lost".to_owned(),
        ErrorKind::Auth if details.starts_with("NOAUTH") => "it asks for a password".to_owned(),
        ErrorKind::Auth => "it does not accept the user name or password".to_owned(),
        _ => details.to_owned(),
    }
}
