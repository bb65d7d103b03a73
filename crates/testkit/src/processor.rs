//! CPU time of a process or thread. Unlike wall time it does not depend on the load of the machine.

use std::fmt::Display;
use std::time::Duration;

/// Returns the user and system CPU time of `task`, in steps of 10 ms. A task is an entry of `/proc`:
/// a process id, `self` for this process, or `thread-self` for this thread.
///
/// # Panics
/// When there is no such task, and on a system that is not Linux.
#[must_use]
pub fn worked(task: impl Display) -> Duration {
    let stat =
        std::fs::read_to_string(format!("/proc/{task}/stat")).expect("Linux tells what a task did");
    let after_name = stat
        .rsplit_once(") ")
        .expect("the name is in parentheses")
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
