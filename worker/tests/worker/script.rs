//! A scripted probe, for what no real target can be made to do.

use domain::{Cause, Outcome, Phases, Status};
use futures::future::BoxFuture;
use monitors::Target;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use worker::Probe;

/// What a target's host does.
#[derive(Clone)]
pub(crate) struct Script(Arc<dyn Fn(String) -> BoxFuture<'static, Outcome> + Send + Sync>);

impl Script {
    /// Calls `look` with the host of each target.
    pub(crate) fn new<F: Future<Output = Outcome> + Send + 'static>(
        look: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |host| Box::pin(look(host))))
    }

    /// Returns what `look` returns for the number of previous probes and the host.
    pub(crate) fn finds(look: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        let looks = AtomicUsize::new(0);
        Self::new(move |host| std::future::ready(look(looks.fetch_add(1, SeqCst), &host)))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl Probe for Script {
    fn check<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Outcome> {
        (self.0)(target.monitor.host())
    }
}

pub(crate) fn up() -> Outcome {
    Outcome {
        status: Status::Up,
        status_code: Some(200),
        response_time_ms: Some(7),
        phases: Phases::default(),
        certificate_expires_at: None,
        cause: None,
    }
}

pub(crate) fn down() -> Outcome {
    Outcome::without_answer(Cause::ConnectionRefused, Phases::default())
}
