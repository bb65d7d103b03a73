//! Generates made-up check outcomes of the past, the same each time for the same service.

use chrono::{DateTime, TimeDelta, Utc};
use domain::cause::Phase;
use domain::{Cause, Outcome, Phases, Status};
use entity::service;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::f64::consts::TAU;

/// How reliable a service was in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Almost no failures.
    Steady,
    /// A failure every other week.
    Occasional,
    /// A failure every other day.
    Troubled,
    /// Slow at times, and constantly of late.
    Slow,
    /// Fine for a long time, then worse and worse, and finally down.
    Dying,
}

/// Length of the history.
pub(super) const HISTORY_LENGTH: TimeDelta = TimeDelta::days(90);

/// Periods in which PulseCheck itself was not running: start in hours ago, length in minutes.
const MONITOR_OUTAGES: [(f64, f64); 2] = [(41.3 * 24.0, 310.0), (12.6 * 24.0, 45.0)];

/// No failure starts in this period before now, so that the live targets determine the status.
const QUIET_PERIOD: TimeDelta = TimeDelta::hours(2);

#[derive(Debug, Clone, Copy)]
enum Trouble {
    NotChecked,
    Slow,
    Refused,
    Failing,
    Silent,
}

/// Generates the outcomes of one service, in chronological order.
#[derive(Debug)]
pub(super) struct OutcomeGenerator {
    /// Failures with start and end. If several overlap, the first one in the list counts.
    troubles: Vec<(DateTime<Utc>, DateTime<Utc>, Trouble)>,
    usual_ms: f64,
    threshold_ms: u32,
    timeout_ms: u32,
    expected: String,
    /// Name of the vendor's component, if the service follows a vendor page.
    vendor: Option<String>,
    random: StdRng,
}

impl OutcomeGenerator {
    pub(super) fn of(service: &service::Model, profile: Profile, now: DateTime<Utc>) -> Self {
        let positive = |n: i32| u32::try_from(n).unwrap_or(1);
        let mut random = StdRng::seed_from_u64(u64::from(service.seq.unsigned_abs()));
        let troubles = troubles(profile, &mut random, now);
        let usual_ms = 35.0 + 160.0 * random.random::<f64>();
        Self {
            troubles,
            usual_ms,
            threshold_ms: positive(service.degraded_threshold_ms),
            timeout_ms: positive(service.timeout_ms),
            expected: service.settings["expectedStatus"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            vendor: service.vendor_page_id.map(|_| service.name.clone()),
            random,
        }
    }

    /// Returns the outcome of a check at `at`; `None` while PulseCheck was not running.
    pub(super) fn at(&mut self, at: DateTime<Utc>) -> Option<Outcome> {
        let trouble = self
            .troubles
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&at))
            .map(|(.., trouble)| *trouble);
        if let Some(name) = &self.vendor {
            return vendor_outcome(name, trouble);
        }
        let usual = self.usual_ms * wave(at) * self.noise();
        let threshold = f64::from(self.threshold_ms);
        Some(match trouble {
            None => self.answered(usual.min(threshold * 0.9), 200, None),
            Some(Trouble::NotChecked) => return None,
            Some(Trouble::Slow) => {
                let ms =
                    (threshold * (1.0 + 0.4 * self.noise())).min(f64::from(self.timeout_ms) * 0.95);
                let cause = Cause::Slow {
                    response_time_ms: whole(ms),
                    threshold_ms: self.threshold_ms,
                };
                self.answered(ms, 200, Some(cause))
            }
            Some(Trouble::Failing) => {
                let cause = Cause::UnexpectedStatus {
                    code: 503,
                    expected: self.expected.clone(),
                };
                self.answered(usual * 0.3, 503, Some(cause))
            }
            Some(Trouble::Refused) => {
                Outcome::without_answer(Cause::ConnectionRefused, Phases::default())
            }
            Some(Trouble::Silent) => {
                let cause = Cause::Timeout {
                    timeout_ms: self.timeout_ms,
                    phase: Phase::FirstByte,
                };
                Outcome::without_answer(cause, Phases::default())
            }
        })
    }

    fn answered(&self, ms: f64, code: u16, cause: Option<Cause>) -> Outcome {
        let status = match cause {
            None => Status::Up,
            Some(Cause::Slow { .. }) => Status::Degraded,
            Some(_) => Status::Down,
        };
        Outcome {
            status,
            status_code: Some(code),
            response_time_ms: Some(whole(ms)),
            phases: Phases {
                dns_ms: Some(whole(ms * 0.05)),
                connect_ms: Some(whole(ms * 0.15)),
                tls_ms: None,
                first_byte_ms: Some(whole(ms * 0.7)),
            },
            certificate_expires_at: None,
            cause,
        }
    }

    /// Returns a random factor around 1, rarely far above.
    fn noise(&mut self) -> f64 {
        let (a, b): (f64, f64) = (self.random.random(), self.random.random());
        0.85 + 0.3 * a + 0.9 * b.powi(12)
    }
}

/// Returns the outcome that a vendor page reports.
fn vendor_outcome(name: &str, trouble: Option<Trouble>) -> Option<Outcome> {
    let (status, word) = match trouble {
        None => (Status::Up, "operational"),
        Some(Trouble::NotChecked) => return None,
        Some(Trouble::Slow) => (Status::Degraded, "degraded performance"),
        Some(Trouble::Refused | Trouble::Silent) => (Status::Down, "major outage"),
        Some(Trouble::Failing) => (Status::Down, "partial outage"),
    };
    let cause = (status != Status::Up).then(|| Cause::Vendor {
        report: format!("{name}: {word}"),
    });
    let phases = Phases::default();
    Some(Outcome {
        status,
        status_code: None,
        response_time_ms: None,
        phases,
        certificate_expires_at: None,
        cause,
    })
}

/// Load factor: higher by day than by night, with a weekly cycle.
fn wave(at: DateTime<Utc>) -> f64 {
    let hours = f64::from(i32::try_from(at.timestamp() / 60).unwrap_or(0)) / 60.0;
    1.0 - 0.22 * (hours / 24.0 * TAU).cos() + 0.08 * (hours / 168.0 * TAU).sin()
}

fn troubles(
    profile: Profile,
    random: &mut StdRng,
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>, Trouble)> {
    let ago = |hours: f64| now - minutes(hours * 60.0);
    let mut all: Vec<_> = MONITOR_OUTAGES
        .iter()
        .map(|(hours, long)| {
            (
                ago(*hours),
                ago(*hours) + minutes(*long),
                Trouble::NotChecked,
            )
        })
        .collect();
    match profile {
        Profile::Slow => all.push((ago(77.0), now + HISTORY_LENGTH, Trouble::Slow)),
        Profile::Dying => all.push((ago(31.0), now + HISTORY_LENGTH, Trouble::Refused)),
        Profile::Steady | Profile::Occasional | Profile::Troubled => {}
    }
    // Mean days between two failures, and their length in minutes.
    let (often, long, since) = match profile {
        Profile::Steady => (30.0, 2.0..8.0, HISTORY_LENGTH),
        Profile::Occasional => (11.0, 4.0..45.0, HISTORY_LENGTH),
        Profile::Troubled => (2.2, 3.0..70.0, HISTORY_LENGTH),
        Profile::Slow => (6.0, 20.0..110.0, HISTORY_LENGTH),
        Profile::Dying => (0.8, 5.0..90.0, TimeDelta::days(15)),
    };
    let mut from = now - since;
    loop {
        from += minutes(often * 1440.0 * random.random_range(0.3..1.7));
        if from > now - QUIET_PERIOD {
            return all;
        }
        let to = (from + minutes(random.random_range(long.clone()))).min(now - QUIET_PERIOD);
        let kind = match random.random_range(0..10) {
            _ if profile == Profile::Slow => Trouble::Slow,
            0..3 => Trouble::Slow,
            3..6 => Trouble::Failing,
            6..8 => Trouble::Silent,
            _ => Trouble::Refused,
        };
        // Some failures start with slow responses.
        if random.random_bool(0.3) {
            all.push((from, from + (to - from) / 3, Trouble::Slow));
        }
        all.push((from, to, kind));
        from = to;
    }
}

#[allow(clippy::cast_possible_truncation, reason = "minutes of some months")]
fn minutes(minutes: f64) -> TimeDelta {
    TimeDelta::milliseconds((minutes * 60_000.0) as i64)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds below a timeout"
)]
fn whole(ms: f64) -> u32 {
    ms.max(0.0) as u32
}
