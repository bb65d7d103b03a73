//! What a kind of monitor says of itself.

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

    /// What is checked, in one line for people: a URL, a host with its port, a name.
    fn target(&self) -> Option<String> {
        None
    }

    /// The host that a check counts against: few checks run at once against one host.
    fn host(&self) -> String {
        String::new()
    }

    /// The vendor's page that is read for all services that follow it; `None` for kinds of any
    /// other schedule than [`Schedule::Shared`].
    fn shared_page(&self) -> Option<&SharedPage> {
        None
    }

    /// Checks the target once, until `deadline`. Kinds that are not checked one service at a time
    /// keep this default.
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

/// What everybody has to know of a kind.
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
    /// What makes its services due.
    pub schedule: Schedule,
    /// The shortest interval between two checks, in seconds; a shorter one is taken as this.
    pub min_interval_seconds: i32,
    /// How many checks in a row must fail before it counts, by default.
    pub confirmations: i32,
}

/// What makes a service due.
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
    /// The moment itself.
    pub at: Instant,
    /// How long the check may take as a whole.
    pub timeout: Duration,
}

impl Deadline {
    /// The deadline of a check that starts now.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self {
            at: Instant::now() + timeout,
            timeout,
        }
    }
}
