//! What looking at a service would have found in the past: made up, but the same each time for the same service.

use chrono::{DateTime, TimeDelta, Utc};
use domain::cause::Phase;
use domain::{Cause, Outcome, Phases, Status};
use entity::service;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::f64::consts::TAU;

/// How a service's past looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Hardly ever a fault.
    Steady,
    /// A fault every other week.
    Occasional,
    /// A fault every other day.
    Troubled,
    /// Slow at times, and all the time of late.
    Slow,
    /// Fine for long, then worse and worse, and down at last.
    Dying,
}

/// How far back it goes.
pub(super) const LENGTH: TimeDelta = TimeDelta::days(90);

/// When PulseCheck itself was not running: hours ago, and for how many minutes.
const NOT_RUNNING: [(f64, f64); 2] = [(41.3 * 24.0, 310.0), (12.6 * 24.0, 45.0)];

/// Nothing begins in the last hours: what happens then is for the live targets.
const CALM: TimeDelta = TimeDelta::hours(2);

#[derive(Debug, Clone, Copy)]
enum Trouble {
    NotLooked,
    Slow,
    Refused,
    Failing,
    Silent,
}

/// A service's past, to be asked for ever later times.
#[derive(Debug)]
pub(super) struct Story {
    /// What was wrong from when to when; what comes first counts first.
    troubles: Vec<(DateTime<Utc>, DateTime<Utc>, Trouble)>,
    usual_ms: f64,
    threshold_ms: u32,
    timeout_ms: u32,
    expected: String,
    /// Whose vendor page tells it, if one does.
    vendor: Option<String>,
    random: StdRng,
}

impl Story {
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

    /// What looking at `at` found; `None` when nobody looked.
    pub(super) fn at(&mut self, at: DateTime<Utc>) -> Option<Outcome> {
        let trouble = self
            .troubles
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&at))
            .map(|(.., trouble)| *trouble);
        if let Some(name) = &self.vendor {
            return told(name, trouble);
        }
        let usual = self.usual_ms * wave(at) * self.noise();
        let threshold = f64::from(self.threshold_ms);
        Some(match trouble {
            None => self.answered(usual.min(threshold * 0.9), 200, None),
            Some(Trouble::NotLooked) => return None,
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

    /// Around 1, seldom far above it.
    fn noise(&mut self) -> f64 {
        let (a, b): (f64, f64) = (self.random.random(), self.random.random());
        0.85 + 0.3 * a + 0.9 * b.powi(12)
    }
}

/// What a vendor's page said.
fn told(name: &str, trouble: Option<Trouble>) -> Option<Outcome> {
    let (status, word) = match trouble {
        None => (Status::Up, "operational"),
        Some(Trouble::NotLooked) => return None,
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

/// Busier by day than by night, and a little by the week.
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
    let mut all: Vec<_> = NOT_RUNNING
        .iter()
        .map(|(hours, long)| {
            (
                ago(*hours),
                ago(*hours) + minutes(*long),
                Trouble::NotLooked,
            )
        })
        .collect();
    match profile {
        Profile::Slow => all.push((ago(77.0), now + LENGTH, Trouble::Slow)),
        Profile::Dying => all.push((ago(31.0), now + LENGTH, Trouble::Refused)),
        Profile::Steady | Profile::Occasional | Profile::Troubled => {}
    }
    // Days between two faults, and minutes that one lasts.
    let (often, long, since) = match profile {
        Profile::Steady => (30.0, 2.0..8.0, LENGTH),
        Profile::Occasional => (11.0, 4.0..45.0, LENGTH),
        Profile::Troubled => (2.2, 3.0..70.0, LENGTH),
        Profile::Slow => (6.0, 20.0..110.0, LENGTH),
        Profile::Dying => (0.8, 5.0..90.0, TimeDelta::days(15)),
    };
    let mut from = now - since;
    loop {
        from += minutes(often * 1440.0 * random.random_range(0.3..1.7));
        if from > now - CALM {
            return all;
        }
        let to = (from + minutes(random.random_range(long.clone()))).min(now - CALM);
        let kind = match random.random_range(0..10) {
            _ if profile == Profile::Slow => Trouble::Slow,
            0..3 => Trouble::Slow,
            3..6 => Trouble::Failing,
            6..8 => Trouble::Silent,
            _ => Trouble::Refused,
        };
        // Some faults announce themselves.
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
