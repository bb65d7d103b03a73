//! HTTP targets of the demo on loopback, each with its own behaviour.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Behaviour of a target, as a function of the time since the demo started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Answers within a few milliseconds.
    Steady,
    /// Answers, but slower than the default threshold.
    Slow,
    /// Swings between quick and slow over minutes.
    Wavering,
    /// Fails for half a minute in every two.
    Flapping,
    /// Quick, then slow, then failing, then quick again, in three minutes.
    Escalating,
    /// Always answers 503.
    Down,
    /// Accepts the connection and never answers.
    Silent,
}

impl Behaviour {
    const ALL: [(Self, &str); 7] = [
        (Self::Steady, "steady"),
        (Self::Slow, "slow"),
        (Self::Wavering, "wavering"),
        (Self::Flapping, "flapping"),
        (Self::Escalating, "escalating"),
        (Self::Down, "down"),
        (Self::Silent, "silent"),
    ];

    /// Returns the URL path of this behaviour.
    pub(crate) fn path(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(behaviour, _)| *behaviour == self)
            .map_or("", |(_, path)| path)
    }

    /// Returns status code and delay at `elapsed` after the start; `wobble` (0 to 1) adds jitter.
    fn answer(self, elapsed: Duration, wobble: f64) -> (StatusCode, Duration) {
        let second = elapsed.as_secs();
        let ms =
            |base: f64, spread: f64| Duration::from_secs_f64((base + spread * wobble) / 1000.0);
        match self {
            Self::Steady => (StatusCode::OK, ms(12.0, 30.0)),
            Self::Slow => (StatusCode::OK, ms(1150.0, 400.0)),
            Self::Wavering => {
                let wave = (elapsed.as_secs_f64() / 240.0 * std::f64::consts::TAU).sin() + 1.0;
                (StatusCode::OK, ms(60.0 + 260.0 * wave, 90.0))
            }
            Self::Flapping if second % 120 >= 90 => (StatusCode::BAD_GATEWAY, ms(5.0, 10.0)),
            Self::Flapping => (StatusCode::OK, ms(45.0, 60.0)),
            Self::Escalating => match second % 180 {
                0..70 => (StatusCode::OK, ms(80.0, 40.0)),
                70..110 => (StatusCode::OK, ms(1300.0, 300.0)),
                110..150 => (StatusCode::SERVICE_UNAVAILABLE, ms(20.0, 20.0)),
                _ => (StatusCode::OK, ms(90.0, 40.0)),
            },
            Self::Down => (StatusCode::SERVICE_UNAVAILABLE, ms(8.0, 8.0)),
            Self::Silent => (StatusCode::OK, Duration::from_hours(1)),
        }
    }
}

/// Serves every behaviour under its path until the process exits.
///
/// # Errors
/// Fails if no loopback port is available.
pub(crate) async fn serve() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let begin = Instant::now();
    let app = Router::new().route(
        "/{*path}",
        axum::routing::get(async move |Path(path): Path<String>| {
            let behaviour = path.split('/').next().unwrap_or_default();
            let found = Behaviour::ALL.iter().find(|(_, path)| *path == behaviour);
            let Some((behaviour, _)) = found else {
                return (StatusCode::NOT_FOUND, "no such target\n");
            };
            let (status, delay) = behaviour.answer(begin.elapsed(), rand::random());
            tokio::time::sleep(delay).await;
            (status, "a demo target of PulseCheck\n")
        }),
    );
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the demo's targets stopped");
        }
    });
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escalating_target_goes_through_every_status_in_three_minutes() {
        let at = |second| Behaviour::Escalating.answer(Duration::from_secs(second), 0.0);
        assert_eq!(at(10), (StatusCode::OK, Duration::from_millis(80)));
        assert_eq!(at(80), (StatusCode::OK, Duration::from_millis(1300)));
        assert_eq!(at(120).0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(at(170).0, StatusCode::OK);
    }

    #[test]
    fn every_behaviour_has_a_path() {
        assert!(
            Behaviour::ALL
                .iter()
                .all(|(behaviour, path)| behaviour.path() == *path && !path.is_empty())
        );
    }
}
