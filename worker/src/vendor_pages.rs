//! Follows vendor pages: fetches each page once a minute at most, however many services follow it, and
//! makes a check for each follower.
//!
//! A page is in the due queue as a service is. The `poller` runs one claim: `cadence` decides whether
//! the page may be fetched and when it is due next, `fetching` fetches it, `content` finds what
//! changed, `judging` makes a check for each follower, and `recording` commits all of it in one
//! transaction before anything is announced.
//! Knows nothing of probes. The recorder is the same for both.

mod cadence;
mod content;
mod fetching;
mod follower;
mod judging;
mod poll_limits;
mod poller;
mod recording;
mod store;
mod upkeep;

pub(crate) use poller::{Poller, PollerParts};
pub(crate) use upkeep::{requeue, run as run_upkeep};
