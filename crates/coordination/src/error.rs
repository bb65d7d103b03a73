//! Failures of coordination. No message ever contains a password.

use fred::error::{Error, ErrorKind};
use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, CoordinationError>;

/// A failure of Redis. Memory never fails.
#[derive(Debug, thiserror::Error)]
pub enum CoordinationError {
    /// The URL is invalid.
    #[error(
        "REDIS_URL is not the address of a Redis server ({reason}): write it as redis://host:6379/0"
    )]
    InvalidUrl {
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
    /// Redis went away, is starting, or did not answer in time.
    #[error("Redis is not available for the moment: {}", reason(.0))]
    Unavailable(Error),
    /// Redis answers but refuses all writes until somebody acts.
    #[error("Redis refused {command} because it {refusal}: {}", reason(.error))]
    WriteRefused {
        /// The command or script.
        command: &'static str,
        /// Why, for callers that report it.
        refusal: WriteRefusal,
        /// What Redis answered.
        error: Error,
    },
    /// Redis refused a command for another reason.
    #[error("Redis refused {command}: {}", reason(.error))]
    Refused {
        /// The command or script.
        command: &'static str,
        /// What Redis answered.
        error: Error,
    },
    /// Redis holds or answers something that PulseCheck did not put there.
    #[error("Redis gave an unexpected answer to {command}")]
    UnexpectedAnswer {
        /// The command or script.
        command: &'static str,
    },
}

/// Why Redis refuses writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteRefusal {
    /// `OOM`: it has reached `maxmemory` and may not evict.
    OutOfMemory,
    /// `READONLY`: it is a replica.
    ReadOnly,
    /// `MISCONF`: it cannot save to its disk.
    CannotPersist,
    /// `NOREPLICAS`: it has fewer replicas than it is configured to require.
    TooFewReplicas,
}

impl fmt::Display for WriteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfMemory => "is out of memory",
            Self::ReadOnly => "is a read-only replica",
            Self::CannotPersist => "cannot save to disk",
            Self::TooFewReplicas => "has too few replicas",
        })
    }
}

impl CoordinationError {
    pub(crate) fn from_command(command: &'static str, error: Error) -> Self {
        if matches!(error.kind(), ErrorKind::Parse | ErrorKind::NotFound) {
            return Self::UnexpectedAnswer { command };
        }
        // Redis's own errors begin with a code in capitals; all others are the client's.
        let code = error.details().split(' ').next().unwrap_or_default();
        let refusal = match code {
            "OOM" => WriteRefusal::OutOfMemory,
            "READONLY" => WriteRefusal::ReadOnly,
            "MISCONF" => WriteRefusal::CannotPersist,
            "NOREPLICAS" => WriteRefusal::TooFewReplicas,
            // The server starts, or a replica has lost its primary.
            "LOADING" | "MASTERDOWN" => return Self::Unavailable(error),
            _ if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                return Self::Refused { command, error };
            }
            _ => return Self::Unavailable(error),
        };
        Self::WriteRefused {
            command,
            refusal,
            error,
        }
    }
}

/// Describes a failure for people.
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
