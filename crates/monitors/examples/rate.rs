//! How many checks one second of processor time makes, for the probe alone: `cargo run --release -p monitors --example rate`.
//!
//! The targets run in a child process, so that only the probing side's time counts. They listen on many ports, because
//! each finished connection occupies its pair of ports for a while.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use domain::Status;
use monitors::{Http, Prober, Target};
use net::{ClientSettings, Guard};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

const PORTS: usize = 64;
const AT_ONCE: usize = 64;
const WARM_UP: usize = 2_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("targets") => Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(targets()),
        checks => measure(checks.map_or(40_000, |checks| checks.parse().unwrap())),
    }
}

/// Answers everything with 200 and ten bytes, until the parent closes this process's input.
async fn targets() {
    for _ in 0..PORTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = [0; 1024];
                    while let Ok(1..) = stream.read(&mut request).await {
                        let answer =
                            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-type: text/plain\r\n\r\n0123456789";
                        if stream.write_all(answer).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
    }
    println!();
    std::io::stdout().flush().unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count())
        .await
        .unwrap();
}

fn measure(checks: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("targets")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let ports: Vec<u16> = lines
        .take_while(|line| !line.is_empty())
        .map(|port| port.parse().unwrap())
        .collect();
    let one_thread = || Builder::new_current_thread().enable_all().build().unwrap();
    let many_threads = || Builder::new_multi_thread().enable_all().build().unwrap();
    for (name, host, runtime) in [
        ("by address, one thread", "127.0.0.1", one_thread()),
        ("by address, many threads", "127.0.0.1", many_threads()),
        ("by name, one thread", "localhost", one_thread()),
        ("by name, many threads", "localhost", many_threads()),
    ] {
        let targets = Arc::new(
            ports
                .iter()
                .map(|port| target(host, *port))
                .collect::<Vec<_>>(),
        );
        // A client of its own for each, since connections belong to the runtime that opened them.
        let prober = Prober::new(ClientSettings {
            guard: Guard::AllowPrivate,
            ..ClientSettings::default()
        })
        .unwrap();
        run(&runtime, &prober, &targets, WARM_UP);
        let (began, used) = (Instant::now(), processor_time());
        run(&runtime, &prober, &targets, checks);
        let (took, used) = (
            began.elapsed().as_secs_f64(),
            (processor_time() - used).as_secs_f64(),
        );
        let checks = checks as f64;
        println!(
            "{name:>24}: {:6.0} checks per processor second, {:5.1} us each; {:6.0} checks per second",
            checks / used,
            used / checks * 1e6,
            checks / took
        );
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

fn target(host: &str, port: u16) -> Target {
    Target {
        monitor: Http {
            url: format!("http://{host}:{port}/health"),
            ..Http::default()
        }
        .into(),
        timeout: Duration::from_secs(5),
        degraded_threshold: Duration::from_secs(1),
    }
}

/// Makes `checks` checks, some at once.
fn run(runtime: &Runtime, prober: &Prober, targets: &Arc<Vec<Target>>, checks: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let runners = (0..AT_ONCE).map(|_| {
        let (prober, targets, next) = (prober.clone(), Arc::clone(targets), Arc::clone(&next));
        runtime.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= checks {
                    break;
                }
                let outcome = prober.check(&targets[number % targets.len()]).await;
                assert_eq!(outcome.status, Status::Up, "{outcome:?}");
            }
        })
    });
    let runners: Vec<_> = runners.collect();
    runtime.block_on(async {
        for runner in runners {
            runner.await.unwrap();
        }
    });
}

/// What this process used so far, in its own code and in the system's on its behalf.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds.unsigned_abs())
}
