//! How long processors have worked: unlike the time on a clock it does not depend on what else the machine does.

use std::time::Duration;

/// How long processors have worked for this process, in steps of 10 ms.
///
/// # Panics
/// On a system that is not Linux.
#[must_use]
pub fn worked_for_process() -> Duration {
    worked("/proc/self/stat")
}

/// How long processors have worked for this thread, in steps of 10 ms.
///
/// # Panics
/// On a system that is not Linux.
#[must_use]
pub fn worked_for_thread() -> Duration {
    worked("/proc/thread-self/stat")
}

/// Sums up `utime` and `stime`, which are in hundredths of a second, by Linux' proc_pid_stat(5).
fn worked(file: &str) -> Duration {
    let stat = std::fs::read_to_string(file).expect("Linux tells what a thread did");
    let after_name = stat.rsplit_once(") ").expect("the name stands in parentheses").1;
    let fields: Vec<_> = after_name.split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u64>().expect("a count of ticks is a number");
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
