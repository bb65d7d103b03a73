//! `make bench`: measures performance and resource use of the program in `PULSECHECK_BIN`.
//!
//! Each group generates its data and starts its own processes, on SQLite and on PostgreSQL with
//! Redis. Results are stored in `target/bench/<group>.json`; `target/bench/results.md` is the table
//! of all groups. Servers and targets are separate processes, so CPU and memory are those of
//! PulseCheck alone.
//!
//! `make bench BENCH="reads start"` runs only these groups.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement, not a service"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

mod api;
mod checks;
mod fanout;
mod figures;
mod loads;
mod machine;
mod program;
mod reads;
mod row;
mod space;
mod start;
mod storage;
mod target;
mod upkeep;
mod workers;

use row::Row;
use std::pin::Pin;

/// Name and function of a group.
type Group = (
    &'static str,
    fn() -> Pin<Box<dyn Future<Output = Vec<Row>>>>,
);

/// All groups, in the order of the table.
const GROUPS: [Group; 8] = [
    ("checks", || Box::pin(checks::measure())),
    ("loads", || Box::pin(loads::measure())),
    ("reads", || Box::pin(reads::measure())),
    ("space", || Box::pin(space::measure())),
    ("upkeep", || Box::pin(upkeep::measure())),
    ("start", || Box::pin(start::measure())),
    ("workers", || Box::pin(workers::measure())),
    ("fanout", || Box::pin(fanout::measure())),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.iter().any(|argument| argument == target::ARGUMENT) {
        target::serve();
        return;
    }
    if let Some(unknown) = wanted
        .iter()
        .find(|name| GROUPS.iter().all(|(group, _)| group != name))
    {
        let names = GROUPS.map(|(group, _)| group).join(", ");
        eprintln!("there is no group {unknown}: the groups are {names}");
        std::process::exit(2);
    }
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!("{}", machine::describe());
    for (group, measure) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|name| name == group) {
            let rows = runtime.block_on(measure());
            row::keep(group, &rows);
            print!("\n{}", row::table(&rows));
        }
    }
    let file = row::write_table(&GROUPS.map(|(group, _)| group));
    println!("\nall results: {}", file.display());
}
