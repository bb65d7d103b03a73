//! Starts the measured PulseCheck process.

use crate::storage::Storage;
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::processor::worked;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Secret key shared by all processes of an installation.
const SECRET: &str = "a secret of a measurement that nobody else needs";

/// A running `pulsecheck`. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    begun: Instant,
}

impl Program {
    /// Starts `role` (`None`: everything in one process) on `storage` with additional settings.
    pub(crate) fn start(storage: &Storage, role: Option<&str>, settings: &[(&str, &str)]) -> Self {
        let program = std::env::var_os("PULSECHECK_BIN")
            .expect("PULSECHECK_BIN is the path of the program to measure");
        let mut command = Command::new(program);
        command
            .args(role)
            .env_clear()
            .env("DATABASE_URL", &storage.url);
        command
            .env("PULSECHECK_DATA_DIR", storage.directory.path().join("data"))
            .env("PULSECHECK_SECRET_KEY", SECRET);
        command
            .env("PULSECHECK_LISTEN", "127.0.0.1:0")
            .env("PULSECHECK_LOG", "warn");
        command
            .env("PULSECHECK_ALLOW_PRIVATE_TARGETS", "true")
            .env("PULSECHECK_MAX_SERVICES_PER_WORKSPACE", "1000000");
        if let Some(redis) = &storage.redis {
            command.env("REDIS_URL", redis.url());
        }
        command.envs(settings.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines,
            begun,
        }
    }

    /// Waits until it listens and returns its address.
    pub(crate) async fn address(&mut self) -> String {
        loop {
            let line = self
                .lines
                .next_line()
                .await
                .unwrap()
                .expect("the program says where it listens");
            if let Some(url) = line.strip_prefix("Listening on ") {
                return url.trim().trim_end_matches('/').to_owned();
            }
        }
    }

    pub(crate) fn runs_for(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("the program runs")
    }

    /// # Panics
    /// Panics if the process has ended.
    pub(crate) fn still_runs(&mut self) {
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "the program ended"
        );
    }

    /// Returns user and system CPU time so far.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        worked(self.id()).as_secs_f64()
    }

    /// Returns the peak memory, in MB (10^6 bytes).
    pub(crate) fn peak_megabytes(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// Returns the current memory, in MB (10^6 bytes).
    pub(crate) fn megabytes(&self) -> f64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
    }

    /// Kills the process.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
