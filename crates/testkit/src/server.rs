//! Runs a server process in a temporary directory and ensures that it ends with the test process.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Timeout for starting or stopping a server.
const SERVER_TIMEOUT: Duration = Duration::from_secs(60);

/// Becomes the server, and leaves a guard behind that reads the pipe whose other end the test process holds. However
/// that process ends, even by abort, the pipe closes; the guard then ends the server and removes its directory.
/// A line on the pipe dismisses the guard. It is orphaned on purpose: servers are confused by unknown children.
const GUARDED: &str = r#"
directory=$1; signal=$2; shift 2
exec 3<&0
( (
    read -r _ <&3 && exit
    kill -s "$signal" $$
    tries=0
    while kill -s 0 $$ && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL $$
    rm -rf "$directory"
) >/dev/null 2>&1 & )
exec 3<&- </dev/null >>"$directory/log" 2>&1
exec "$@"
"#;

/// A server that may be stopped and started again in the same directory.
#[derive(Debug)]
pub(crate) struct Server {
    directory: TempDir,
    /// Ends the server at once, together with its own children.
    end_signal: &'static str,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    lifeline: ChildStdin,
}

/// The user and group that a server runs as, when not as the test process itself.
pub(crate) type Owner = Option<(u32, u32)>;

impl Server {
    /// Prepares a server with an empty directory owned by `owner`, without starting it.
    pub(crate) fn new(name: &str, owner: Owner, end_signal: &'static str) -> Self {
        let directory = tempfile::Builder::new()
            .prefix(&format!("pulsecheck-{name}-"))
            .tempdir()
            .unwrap_or_else(|error| {
                panic!("cannot make a directory for {name}: {error}: set TMPDIR to one")
            });
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(directory.path(), Some(user), Some(group))
                .unwrap_or_else(|error| panic!("cannot give {name} its directory: {error}"));
        }
        Self {
            directory,
            end_signal,
            running: None,
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts `program` without waiting until it is ready.
    pub(crate) fn start(&mut self, program: &Path, arguments: &[String], owner: Owner) {
        assert!(self.running.is_none(), "{} runs already", program.display());
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARDED, "sh"])
            .arg(self.directory())
            .arg(self.end_signal)
            .arg(program)
            .args(arguments);
        // A group of its own: Ctrl-C at the terminal ends the test process alone, and the guard sees to the rest.
        command
            .current_dir(self.directory())
            .stdin(Stdio::piped())
            .process_group(0);
        run_as(&mut command, owner);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let lifeline = child.stdin.take().expect("the pipe was asked for");
        self.running = Some(Running { child, lifeline });
    }

    /// Returns whether the process is running. Cleans up if it ended.
    pub(crate) fn is_running(&mut self) -> bool {
        let running = self
            .running
            .as_mut()
            .is_some_and(|running| running.exit_status().is_none());
        if !running {
            self.forget();
        }
        running
    }

    /// Waits until the server answers. Returns `false` if it ends first.
    pub(crate) async fn is_ready<F: Future<Output = bool>>(
        &mut self,
        answers: impl Fn() -> F,
    ) -> bool {
        let deadline = Instant::now() + SERVER_TIMEOUT;
        while !answers().await {
            if !self.is_running() {
                return false;
            }
            assert!(
                Instant::now() < deadline,
                "a server does not get ready: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Another server may have answered on a port that this one did not get.
        self.is_running()
    }

    /// Sends a signal such as `STOP` by its name.
    pub(crate) fn signal(&self, name: &str) {
        let running = self
            .running
            .as_ref()
            .expect("a signal is sent to a running server");
        running.signal(name);
    }

    /// Sends `signal` and waits until the server has ended.
    pub(crate) async fn stop(&mut self, signal: &str) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.signal(signal);
        let deadline = Instant::now() + SERVER_TIMEOUT;
        while running.exit_status().is_none() {
            assert!(
                Instant::now() < deadline,
                "{} did not end on SIG{signal}",
                self.directory.path().display()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.forget();
    }

    /// Returns the server's log, for failure messages.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory().join("log")).unwrap_or_default()
    }

    /// Dismisses the guard of a server that has ended, so that it cannot kill a process that reuses
    /// its id.
    fn forget(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.lifeline.write_all(b"ended\n");
        }
    }
}

impl Running {
    fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("a child process can be asked for its status")
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("sh")
            .args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &id])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot send SIG{name} to a server"
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            if running.exit_status().is_none() {
                let id = running.child.id().to_string();
                let script = r#"kill -s "$1" "$2"; kill -s CONT "$2""#;
                let _ = Command::new("sh")
                    .args(["-c", script, "sh", self.end_signal, &id])
                    .status();
                let _ = running.child.wait();
            }
            self.forget();
        }
    }
}

pub(crate) fn run_as(command: &mut Command, owner: Owner) {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
}

/// A free port of the loopback interface, below those that the kernel hands out for outgoing connections: a client that
/// retries while its server is away would otherwise connect to itself sooner or later.
pub(crate) fn free_port() -> u16 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    /// A server that is stopped for a while gets its own back.
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let random = RandomState::new().build_hasher().finish() % 20_000;
        let port = 12_000 + u16::try_from(random).expect("a remainder of 20,000 fits");
        let mut given = GIVEN
            .lock()
            .expect("nothing panics while it holds the lock");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}

/// Finds `program` in `PATH`.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}
