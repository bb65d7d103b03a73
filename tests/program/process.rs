//! A running `pulsecheck`, with a data directory and ports of its own.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long anything that should happen soon may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// A `pulsecheck` process; killed when dropped.
pub struct Process {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    log: Arc<Mutex<VecDeque<String>>>,
}

/// The command, with a clean environment but for `variables`, and on a port that nobody uses unless these name one.
pub fn pulsecheck(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulsecheck"));
    command
        .args(arguments)
        .env_clear()
        .env("PULSECHECK_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().copied());
    command
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .current_dir(std::env::temp_dir());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Process {
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = pulsecheck(arguments, variables).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(keep(child.stderr.take().unwrap(), Arc::clone(&log)));
        Self { child, stdout, log }
    }

    /// The rest of the first line on standard output that begins with `prefix`.
    pub async fn announced(&mut self, prefix: &str) -> String {
        let found = timeout(SOON, async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                if let Some(rest) = line.strip_prefix(prefix) {
                    return Some(rest.trim().to_owned());
                }
            }
            None
        });
        match found.await {
            Ok(Some(rest)) => rest,
            _ => panic!(
                "the program never printed \"{prefix}\"; its log:\n{}",
                self.log()
            ),
        }
    }

    /// What it has logged lately.
    pub fn log(&self) -> String {
        self.log
            .lock()
            .unwrap()
            .iter()
            .map(|line| format!("  {line}\n"))
            .collect()
    }

    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it ends by itself and returns its exit code.
    pub async fn finish(mut self) -> Option<i32> {
        let ended = timeout(SOON, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("still running; its log:\n{}", self.log()))
            .unwrap()
            .code()
    }

    /// Sends it a signal, such as `STOP`.
    pub async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let signal = format!("-{signal}");
        let mut kill = Command::new("kill");
        let sent = kill.args([&signal, &pid]).status().await.unwrap();
        assert!(sent.success(), "{signal}");
    }

    /// Asks it to end, as an operator or a container would, and returns its exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        self.signal("TERM").await;
        let ended = timeout(Duration::from_secs(12), self.child.wait()).await;
        ended
            .unwrap_or_else(|_| {
                panic!("still running 12 s after SIGTERM; its log:\n{}", self.log())
            })
            .unwrap()
            .code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the log of a process of the test that failed:\n{}",
                self.log()
            );
        }
    }
}

async fn keep(stderr: impl AsyncRead + Unpin, log: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap();
        log.push_back(line);
        if log.len() > 400 {
            log.pop_front();
        }
    }
}
