//! How long processors have worked: unlike the time on a clock it does not depend on what else the machine does.

use std::fmt::Display;
use std::time::Duration;

/// How long processors have worked for `task`, for its own work and for the system on its behalf, in steps of 10 ms. A
/// task is the id of a process, or what stands for one beside the ids in `/proc`: `self` for this process,
/// `thread-self` for this thread.
///
/// # Panics
/// When there is no such task, and on a system that is not Linux.
#[must_use]
pub fn worked(task: impl Display) -> Duration {
    let stat =
        std::fs::read_to_string(format!("/proc/{task}/stat")).expect("Linux tells what a task did");
    let after_name = stat
        .rsplit_once(") ")
        .expect("the name stands in parentheses")
        .1;
    let fields: Vec<_> = after_name.split(' ').collect();
    // `utime` and `stime` of proc_pid_stat(5), in hundredths of a second.
    let ticks = |field: usize| {
        fields[field]
            .parse::<u64>()
            .expect("a count of ticks is a number")
    };
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
