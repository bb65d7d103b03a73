//! How times are written.

/// The format of a time in the user's language and time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeStyle {
    /// `14:03:10`
    Time,
    /// `14:03`
    ShortTime,
    /// `22 Nov, 14:03`
    DayTime,
    /// `22 Nov, 14:03:10`
    DaySecond,
    /// `22 Nov`
    Day,
    /// `Sunday, 22 November`
    LongDay,
    /// `22 Nov, 14:03` in UTC, whatever the user's zone is
    UtcDayTime,
    /// `22 Nov 2026, 14:03:10 CET`
    Exact,
}
