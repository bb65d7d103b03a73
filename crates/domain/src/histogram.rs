//! A mergeable histogram of response times with a bounded relative error.
//!
//! Buckets grow geometrically, as in DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch
//! with relative-error guarantees", VLDB 2019), so that any quantile is within [`RELATIVE_ERROR`] of a time that was
//! really measured at that rank.

/// Maximum relative error of a quantile.
pub const RELATIVE_ERROR: f64 = 0.02;

const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// Counts response times by bucket. Merging loses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatencyHistogram {
    /// (bucket, count), by bucket, no count zero.
    buckets: Vec<(u16, u32)>,
}

/// The bytes are not an encoded histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an encoded latency histogram")]
pub struct DecodeError;

impl LatencyHistogram {
    /// Counts one response time in milliseconds.
    pub fn record(&mut self, ms: u32) {
        self.add(bucket_index(ms), 1);
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.add(*bucket, *count);
        }
    }

    /// Returns the number of recorded response times.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// Returns the `q` quantile (0 to 1) in milliseconds, or `None` if the histogram is empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let rank = (q.clamp(0.0, 1.0) * last as f64).round() as u64;
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += u64::from(*count);
            if seen > rank {
                return Some(bucket_midpoint(*bucket));
            }
        }
        None
    }

    /// Encodes the histogram as pairs of varints: (distance to the previous bucket, count).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 3);
        let mut previous = 0;
        for (bucket, count) in &self.buckets {
            write_varint(&mut bytes, u32::from(bucket - previous));
            write_varint(&mut bytes, *count);
            previous = *bucket;
        }
        bytes
    }

    /// Decodes the output of [`encode`](Self::encode).
    ///
    /// # Errors
    /// Returns [`DecodeError`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let mut buckets: Vec<(u16, u32)> = Vec::new();
        while !rest.is_empty() {
            let distance = u16::try_from(read_varint(&mut rest)?).map_err(|_| DecodeError)?;
            let count = read_varint(&mut rest)?;
            let bucket = buckets
                .last()
                .map_or(0, |(bucket, _)| *bucket)
                .checked_add(distance)
                .ok_or(DecodeError)?;
            if count == 0
                || bucket > bucket_index(u32::MAX)
                || (distance == 0 && !buckets.is_empty())
            {
                return Err(DecodeError);
            }
            buckets.push((bucket, count));
        }
        Ok(Self { buckets })
    }

    fn add(&mut self, bucket: u16, count: u32) {
        match self
            .buckets
            .binary_search_by_key(&bucket, |(bucket, _)| *bucket)
        {
            Ok(i) => self.buckets[i].1 = self.buckets[i].1.saturating_add(count),
            Err(i) => self.buckets.insert(i, (bucket, count)),
        }
    }
}

/// Bucket 0 holds 0 ms; bucket `i` holds the times in `(GAMMA^(i-2), GAMMA^(i-1)]`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 556 for 2^32 ms"
)]
fn bucket_index(ms: u32) -> u16 {
    if ms == 0 {
        0
    } else {
        (f64::from(ms).ln() / GAMMA.ln()).ceil() as u16 + 1
    }
}

fn bucket_midpoint(bucket: u16) -> f64 {
    if bucket == 0 {
        0.0
    } else {
        2.0 * GAMMA.powi(i32::from(bucket) - 1) / (GAMMA + 1.0)
    }
}

fn write_varint(bytes: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        bytes.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    bytes.push((n & 0x7f) as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Result<u32, DecodeError> {
    let mut n = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let (first, rest) = bytes.split_first().ok_or(DecodeError)?;
        *bytes = rest;
        n |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return u32::try_from(n).map_err(|_| DecodeError);
        }
    }
    Err(DecodeError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(times: &[u32]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        times.iter().for_each(|ms| histogram.record(*ms));
        histogram
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error(mut times in prop::collection::vec(prop_oneof![0u32..100, 0u32..60_000, any::<u32>()], 1..300), q in 0.0f64..=1.0) {
            let histogram = histogram(&times);
            times.sort_unstable();
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let exact = f64::from(times[(q * (times.len() - 1) as f64).round() as usize]);
            let found = histogram.quantile(q).unwrap();
            prop_assert!((found - exact).abs() <= exact * (RELATIVE_ERROR + 1e-9), "{} for {}", found, exact);
        }

        #[test]
        fn merging_is_the_same_as_counting_together(a in prop::collection::vec(0u32..60_000, 0..100), b in prop::collection::vec(0u32..60_000, 0..100)) {
            let mut merged = histogram(&a);
            merged.merge(&histogram(&b));
            prop_assert_eq!(merged, histogram(&[a, b].concat()));
        }

        #[test]
        fn what_is_encoded_decodes_to_the_same(times: Vec<u32>) {
            let histogram = histogram(&times);
            prop_assert_eq!(LatencyHistogram::decode(&histogram.encode()), Ok(histogram));
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            if let Ok(histogram) = LatencyHistogram::decode(&bytes) {
                prop_assert_eq!(LatencyHistogram::decode(&histogram.encode()), Ok(histogram));
            }
        }
    }

    #[test]
    fn an_hour_of_ordinary_checks_takes_less_than_a_hundred_bytes() {
        let times: Vec<u32> = (0..120).map(|i| 180 + (i * i) % 60).collect();
        assert!(histogram(&times).encode().len() < 100);
        assert_eq!(LatencyHistogram::default().quantile(0.5), None);
    }
}
