//! The whole program from outside: start the binary, speak HTTP, GraphQL and WebSocket to it, as its users do.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests"
)]

mod backup;
mod client;
mod container;
mod journey;
mod metrics;
mod pause;
mod process;
mod readiness;
mod start;
mod traces;
mod vendor_page;
