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
    cpu_time(task).expect("Linux tells what a task did")
}

/// Returns the CPU time of a task, or `None` if there is no such task.
fn cpu_time(task: impl Display) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{task}/stat")).ok()?;
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
    Some(Duration::from_millis(10 * (ticks(11) + ticks(12))))
}

/// Returns the CPU time of all running processes with this executable name.
///
/// # Panics
/// On a system that is not Linux.
#[must_use]
pub fn worked_by_name(name: &str) -> Duration {
    let ids = std::fs::read_dir("/proc").expect("Linux lists its processes");
    ids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| {
            std::fs::read_to_string(format!("/proc/{id}/comm"))
                .is_ok_and(|found| found.trim_end() == name)
        })
        // A process may end before its time is read.
        .filter_map(cpu_time)
        .sum()
}
