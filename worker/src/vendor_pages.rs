//! Following vendor pages: one fetch of a page a minute at most, whoever follows it, and a check for each service
//! that does.
//!
//! A page stands in the due queue like a service does. The `poller` carries one claim out: `cadence` says whether the
//! page may be asked and when it is due next, `fetching` asks, `content` finds what changed, `judging` says what that
//! means to each follower, and `recording` commits all of it in one transaction before anybody is told.
//! Knows nothing of HTTP checks; the recorder's judgement and statements are the same for both.

mod cadence;
mod content;
mod fetching;
mod judging;
mod poller;
mod recording;
mod store;
mod upkeep;

pub(crate) use poller::{Parts, Poller};
pub(crate) use upkeep::{requeue, run as run_upkeep};
