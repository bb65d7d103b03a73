//! Exponential backoff with jitter between attempts to reach the server.

const BASE_DELAY_MS: f64 = 500.0;
const MAX_DELAY_MS: f64 = 20_000.0;

/// Returns the delay before retry number `attempt`, counted from 0. It doubles each time; `random`
/// (0 to 1) spreads it over the upper half, so that not all browsers return to a restarted server
/// at the same moment.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and MAX_DELAY_MS"
)]
pub(crate) fn delay_ms(attempt: u32, random: f64) -> u32 {
    let ceiling = (BASE_DELAY_MS * 2f64.powi(attempt.min(10) as i32)).min(MAX_DELAY_MS);
    (ceiling * (0.5 + random.clamp(0.0, 1.0) / 2.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_its_maximum_with_jitter() {
        let longest: Vec<_> = (0..8).map(|attempt| delay_ms(attempt, 1.0)).collect();
        assert_eq!(
            longest,
            [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]
        );
        assert_eq!(delay_ms(0, 0.0), 250);
        assert_eq!(delay_ms(u32::MAX, 0.0), 10_000);
    }
}
