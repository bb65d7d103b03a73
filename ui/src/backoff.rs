//! How long to wait before the next attempt to reach the server.

const FIRST_MS: f64 = 500.0;
const LONGEST_MS: f64 = 20_000.0;

/// Milliseconds to wait before attempt number `attempt` (0 is the first after a loss): twice as long each time, spread by
/// `random` (0 to 1) over the upper half, so that not all browsers return to a restarted server in the same moment.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and LONGEST_MS"
)]
pub(crate) fn lateness_ms(attempt: u32, random: f64) -> u32 {
    let ceiling = (FIRST_MS * 2f64.powi(attempt.min(10) as i32)).min(LONGEST_MS);
    (ceiling * (0.5 + random.clamp(0.0, 1.0) / 2.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_longest_and_is_spread() {
        let longest: Vec<_> = (0..8).map(|attempt| lateness_ms(attempt, 1.0)).collect();
        assert_eq!(
            longest,
            [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]
        );
        assert_eq!(lateness_ms(0, 0.0), 250);
        assert_eq!(lateness_ms(u32::MAX, 0.0), 10_000);
    }
}
