//! Maps request errors to causes, by the types in the error chain and never by their text, which may
//! change.

mod tls;

use crate::guard::Refused;
use crate::head::{
    HeadError, MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_INTERIM_BYTES, MAX_UNDELIVERED_BYTES,
};
use crate::resolver::{self, LookupError};
use domain::Cause;
use domain::cause::Phase;
use std::error::Error;
use std::io::{self, ErrorKind};
use url::Url;

/// Returns the cause for a request that the guard refused.
pub fn refused(refused: Refused) -> Cause {
    match refused {
        Refused::Scheme(_) => Cause::NotChecked {
            detail: refused.to_string(),
        },
        Refused::Address(ip) => Cause::AddressRefused {
            address: ip.to_string(),
        },
        Refused::Name(host) => Cause::NameRefused { host },
    }
}

/// Returns why the request to `url` failed. `phase` is [`Phase::Body`] after the headers arrived.
pub fn cause(error: &(dyn Error + 'static), url: &Url, phase: Phase) -> Cause {
    let mut found = ErrorChain::default();
    found.search(error);
    let host = || url.host_str().unwrap_or_default().to_owned();
    match found {
        ErrorChain {
            refusal: Some(refusal),
            ..
        } => refused(refusal.clone()),
        ErrorChain {
            lookup: Some(error),
            ..
        } => match error {
            LookupError::NotFound => Cause::NameNotFound { host: host() },
            LookupError::Failed(detail) => Cause::NameLookupFailed {
                host: host(),
                detail: detail.clone(),
            },
            LookupError::Local(detail) => Cause::NotChecked {
                detail: detail.clone(),
            },
        },
        ErrorChain {
            tls: Some(error), ..
        } => tls::cause(error, host),
        ErrorChain {
            head: Some(error), ..
        } => head_cause(*error, phase),
        ErrorChain {
            http: Some(error), ..
        } if error.is_parse_too_large() => head_cause(HeadError::TooLarge, phase),
        ErrorChain {
            io: Some(error), ..
        } => io_cause(error, phase),
        ErrorChain {
            h2: Some(error), ..
        } => http2_cause(error, phase),
        ErrorChain {
            http: Some(error), ..
        } => http_cause(error, phase),
        // No known error gets here, so nothing is known about the target.
        _ => Cause::NotChecked {
            detail: innermost_message(error),
        },
    }
}

/// The errors of a chain that have a known type.
#[derive(Default)]
struct ErrorChain<'a> {
    refusal: Option<&'a Refused>,
    lookup: Option<&'a LookupError>,
    tls: Option<&'a rustls::Error>,
    head: Option<&'a HeadError>,
    io: Option<&'a io::Error>,
    h2: Option<&'a h2::Error>,
    http: Option<&'a hyper::Error>,
}

impl<'a> ErrorChain<'a> {
    fn search(&mut self, error: &'a (dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                // Keep the deepest one; the others wrap it.
                self.io = Some(io);
                // `source()` of an I/O error skips the error that it wraps.
                next = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
                continue;
            }
            self.refusal = self.refusal.or_else(|| error.downcast_ref());
            self.lookup = self.lookup.or_else(|| error.downcast_ref());
            self.tls = self.tls.or_else(|| error.downcast_ref());
            self.head = self.head.or_else(|| error.downcast_ref());
            self.h2 = self.h2.or_else(|| error.downcast_ref());
            // Keep the deepest one; "canceled" wraps the reason.
            self.http = error.downcast_ref().or(self.http);
            next = error.source();
        }
    }
}

fn io_cause(error: &io::Error, phase: Phase) -> Cause {
    if let Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) = error.raw_os_error() {
        return Cause::NotChecked {
            detail: format!("this server is out of resources: {error}"),
        };
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        // From our own bound on what is read: the HTTP/2 library keeps only the kind of an error.
        ErrorKind::QuotaExceeded if error.raw_os_error().is_none() => {
            head_cause(HeadError::NothingDelivered, phase)
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
            if phase == Phase::Body =>
        {
            Cause::AnswerCutOff
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Cause::ConnectionReset
        }
        ErrorKind::UnexpectedEof => Cause::ConnectionClosed,
        ErrorKind::NetworkUnreachable if resolver::is_offline() => Cause::NotChecked {
            detail: "this machine is not connected to a network".into(),
        },
        // The TCP stack gave up on a silent peer before our own timeout.
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
            Cause::Unreachable
        }
        // Invalid body framing. The system's own "invalid argument" is not about the response.
        ErrorKind::InvalidData | ErrorKind::InvalidInput if error.raw_os_error().is_none() => {
            Cause::NotHttp {
                detail: error.to_string(),
            }
        }
        // No free port, no network or a local firewall: a fault of this machine, not of the target.
        _ => Cause::NotChecked {
            detail: format!("this server could not connect: {error}"),
        },
    }
}

fn http_cause(error: &hyper::Error, phase: Phase) -> Cause {
    let closed = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    match phase {
        Phase::Body if closed => Cause::AnswerCutOff,
        _ if closed => Cause::ConnectionClosed,
        _ => Cause::NotHttp {
            detail: innermost_message(error),
        },
    }
}

fn head_cause(error: HeadError, phase: Phase) -> Cause {
    let kibibytes = |bytes: usize| u32::try_from(bytes >> 10).unwrap_or(u32::MAX);
    match error {
        HeadError::TooLarge => Cause::HeadersTooLarge {
            max_kib: kibibytes(MAX_HEAD_BYTES),
            max_lines: u32::try_from(MAX_HEADER_LINES).unwrap_or(u32::MAX),
        },
        HeadError::OnlyInterim => Cause::NoFinalAnswer {
            max_kib: kibibytes(MAX_INTERIM_BYTES),
        },
        HeadError::NothingDelivered if phase == Phase::Body => Cause::NotHttp {
            detail: format!(
                "{} KiB came without any part of the body",
                MAX_UNDELIVERED_BYTES >> 10
            ),
        },
        HeadError::NothingDelivered => Cause::NoFinalAnswer {
            max_kib: kibibytes(MAX_UNDELIVERED_BYTES),
        },
    }
}

/// Returns the cause of an HTTP/2 error. `h2` does not expose I/O errors as a source.
fn http2_cause(error: &h2::Error, phase: Phase) -> Cause {
    match error.get_io() {
        Some(error) => io_cause(error, phase),
        None if phase == Phase::Body && error.is_remote() => Cause::AnswerCutOff,
        // The library does not tell these apart.
        None if phase == Phase::FirstByte && error.is_library() => Cause::NotHttp {
            detail: format!(
                "its HTTP/2 headers are malformed, or larger than {} KiB",
                MAX_HEAD_BYTES >> 10
            ),
        },
        None => Cause::NotHttp {
            detail: error.to_string(),
        },
    }
}

/// Returns the message of the innermost error, which is the most specific one.
fn innermost_message(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::{Outcome, Phases, Status};
    use rustls::AlertDescription;

    /// Returns the cause of `errno`, wrapped as a TLS connector wraps it.
    fn of(errno: i32, phase: Phase) -> Cause {
        let wrapped = io::Error::other(io::Error::from_raw_os_error(errno));
        cause(&wrapped, &"https://target.test/".parse().unwrap(), phase)
    }

    #[test]
    fn system_errors_map_to_distinct_causes() {
        for (errno, head, body) in [
            (
                libc::ECONNREFUSED,
                Cause::ConnectionRefused,
                Cause::ConnectionRefused,
            ),
            (
                libc::ECONNRESET,
                Cause::ConnectionReset,
                Cause::AnswerCutOff,
            ),
            (
                libc::ECONNABORTED,
                Cause::ConnectionReset,
                Cause::AnswerCutOff,
            ),
            (libc::EPIPE, Cause::ConnectionReset, Cause::AnswerCutOff),
            (libc::EHOSTUNREACH, Cause::Unreachable, Cause::Unreachable),
            (libc::ETIMEDOUT, Cause::Unreachable, Cause::Unreachable),
        ] {
            assert_eq!(
                (of(errno, Phase::FirstByte), of(errno, Phase::Body)),
                (head, body),
                "{errno}"
            );
        }
    }

    #[test]
    fn faults_of_this_machine_say_nothing_about_the_target() {
        for errno in [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOMEM,
            libc::ENOBUFS,
            libc::EADDRNOTAVAIL,
            libc::ENETDOWN,
            libc::EACCES,
            libc::EPERM,
            libc::EAFNOSUPPORT,
        ] {
            let outcome = Outcome::without_answer(of(errno, Phase::FirstByte), Phases::default());
            assert_eq!(outcome.status, Status::Unknown, "{errno}: {outcome:?}");
        }
    }

    #[test]
    fn the_most_telling_error_of_a_chain_is_taken() {
        let url = "https://target.test/".parse().unwrap();
        let refusal = io::Error::other(Refused::Name("inside.test".into()));
        assert_eq!(
            cause(&refusal, &url, Phase::FirstByte),
            Cause::NameRefused {
                host: "inside.test".into()
            }
        );
        let alert = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        let alert = io::Error::other(io::Error::new(ErrorKind::InvalidData, alert));
        let detail = "the server speaks no version of TLS that is still safe".into();
        assert_eq!(cause(&alert, &url, Phase::FirstByte), Cause::Tls { detail });
    }
}
