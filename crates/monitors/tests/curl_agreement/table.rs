//! The table of servers, by what is peculiar about them.

mod bodies;
mod cookies;
mod framing;
mod heads;
mod http2;
mod redirects;
mod tls;

use crate::server::{Request, Script, Step, Transport};
use crate::{Behaviour, Verdict};

/// All servers.
pub(crate) fn all() -> Vec<Behaviour> {
    [
        heads::servers(),
        framing::servers(),
        bodies::servers(),
        redirects::servers(),
        cookies::servers(),
        tls::servers(),
        http2::servers(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A server that takes these steps over TCP.
fn steps(name: &'static str, expected: Verdict, steps: Vec<Step>) -> Behaviour {
    Behaviour {
        name,
        transport: Transport::Plain,
        script: Script::Steps(steps),
        expected,
        curl_differs: None,
    }
}

/// A server that reads a request, answers these bytes and closes.
fn answer(name: &'static str, expected: Verdict, bytes: impl Into<Vec<u8>>) -> Behaviour {
    steps(name, expected, vec![Step::Read, Step::Send(bytes.into())])
}

/// A server that reads a request, answers these bytes and keeps the connection open.
fn answer_and_stay(name: &'static str, expected: Verdict, bytes: impl Into<Vec<u8>>) -> Behaviour {
    let all = vec![Step::Read, Step::Send(bytes.into()), Step::Wait];
    steps(name, expected, all)
}

/// A server that answers each request by its path and cookies.
fn routes(name: &'static str, expected: Verdict, answer: fn(&Request) -> Vec<u8>) -> Behaviour {
    Behaviour {
        script: Script::Routes(answer),
        ..steps(name, expected, Vec::new())
    }
}

/// An answer of 200 with these header lines and a body of 5 bytes.
fn ok_with(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: 5\r\n\r\nhello").into_bytes()
}

/// An answer with `code`, these header lines and no body.
fn head(code: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} Whatever\r\n{headers}content-length: 0\r\n\r\n").into_bytes()
}
