//! The interface of a monitor kind.

use crate::connections::Net;
use crate::shared_page::SharedPage;
use domain::field::FieldInfo;
use domain::service::FieldError;
use domain::{Cause, Outcome, Phases};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::Instant;

/// A kind of monitor. The type itself is the kind's settings: what a service of this kind stores,
/// secrets included, with the names of [`KindInfo::fields`] in camel case.
pub trait Kind:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Name, fields and defaults.
    const INFO: KindInfo;

    /// Brings the settings to their normal form, and returns what is wrong with them, each field
    /// at most once.
    fn normalize(&mut self) -> Vec<FieldError>;

    /// Returns what the settings may mean if they can be read in several ways, the preferred one first;
    /// none otherwise. Called before [`Kind::normalize`], which decides without asking the target.
    fn candidates(&self) -> Vec<Self> {
        Vec::new()
    }

    /// Returns the target in one line for people: a URL, a host with its port, or a name.
    fn target(&self) -> Option<String> {
        None
    }

    /// Returns the host for the limit of concurrent checks per host.
    fn host(&self) -> String {
        String::new()
    }

    /// Returns the vendor page that is read once for all its followers; `None` unless the schedule is
    /// [`Schedule::Shared`].
    fn shared_page(&self) -> Option<&SharedPage> {
        None
    }

    /// Checks the target once, until `deadline`. Kinds that are not checked one service at a time
    /// keep the default, which fails.
    fn check(&self, net: &Net, deadline: Deadline) -> impl Future<Output = Outcome> + Send {
        let _ = (net, deadline);
        let detail = format!(
            "services of the kind {} are not checked one by one",
            Self::INFO.name
        );
        std::future::ready(Outcome::without_answer(
            Cause::NotChecked { detail },
            Phases::default(),
        ))
    }
}

/// The description of a kind, from which forms, API and documentation are generated.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// The name for people.
    pub name: &'static str,
    /// What it does, one or two sentences for people.
    pub description: &'static str,
    /// The name of its GraphQL input.
    pub input_type: &'static str,
    /// Its fields, in the order in which a form shows them.
    pub fields: &'static [FieldInfo],
    /// How its services become due.
    pub schedule: Schedule,
    /// Minimum interval between two checks, in seconds; shorter ones are raised to it.
    pub min_interval_seconds: i32,
    /// The default number of consecutive failed checks that confirm a failure.
    pub confirmations: i32,
}

/// How services of a kind become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// PulseCheck checks it every interval.
    Every,
    /// It reports by itself, on a schedule and within a grace period.
    Awaited,
    /// A page is read once for all services that follow it.
    Shared,
    /// Its status follows from that of other services.
    Derived,
}

/// When a check must be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// The instant.
    pub at: Instant,
    /// The maximum duration of the whole check.
    pub timeout: Duration,
}

impl Deadline {
    /// Returns the deadline of a check that starts now.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self {
            at: Instant::now() + timeout,
            timeout,
        }
    }
}
