//! The server's types, generated from its SDL, against which the operations are checked.

#[allow(
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    clippy::all,
    reason = "generated from the SDL"
)]
#[cynic::schema("pulsecheck")]
mod schema {}

pub(super) use schema::*;
