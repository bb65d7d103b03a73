//! A real PostgreSQL for tests, from the system's own packages.

use crate::server::{Owner, Server, find_on_path, free_port, run_as};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

const REMEDY: &str =
    "these tests need a real PostgreSQL: install it with `apt-get install postgresql`";

/// An empty PostgreSQL server on a Unix socket and a random loopback port. Ends with this value or
/// the process. Durability is off: data survives a crash of the server, but not of the machine.
#[derive(Debug)]
pub struct PostgresServer {
    server: Server,
    programs: PathBuf,
    owner: Owner,
    port: u16,
    durable: bool,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Starts a separate server, for tests that stop or restart it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub async fn start() -> Self {
        Self::begin(false).await
    }

    /// As [`PostgresServer::start`], but what is committed is on the disk, as with PostgreSQL's own defaults: for
    /// measurements.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    pub async fn start_durable() -> Self {
        Self::begin(true).await
    }

    async fn begin(durable: bool) -> Self {
        let (programs, owner) = (programs(), owner());
        let server = Server::new("postgres", owner, "QUIT");
        let mut this = Self {
            server,
            programs,
            owner,
            port: 0,
            durable,
            databases: AtomicU32::new(0),
        };
        let data = this.data();
        let created = this.run("initdb", |initdb| {
            initdb.args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]);
            initdb.arg("--no-instructions").arg("--pgdata").arg(&data);
        });
        expect_success("initdb", &created.await);
        // Between finding a free port and using it another process may have taken it.
        for _ in 0..5 {
            this.port = free_port();
            if this.launch().await {
                return this;
            }
        }
        panic!("PostgreSQL does not start: {}", this.server.log());
    }

    /// The server that all tests of this process share. Tests keep apart by [`PostgresServer::create_database`] and
    /// never stop it.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<PostgresServer> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Returns the `DATABASE_URL` of the database `name`, which a restart does not change.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Creates an empty database and returns its `DATABASE_URL`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create_database(&self) -> String {
        self.create_database_from("template0").await
    }

    /// Copies the database `template`, which must have no connections, and returns the `DATABASE_URL`
    /// of the copy. Copying a migrated database is faster than migrating each one.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create_database_from(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        self.url(&name)
    }

    /// Runs one SQL statement as superuser in the database `database` and returns what `psql` prints of its result,
    /// bare: fields by `|`, rows by line.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn execute(&self, database: &str, sql: &str) -> String {
        let output = self
            .run("psql", |psql| {
                psql.args([
                    "--no-psqlrc",
                    "--quiet",
                    "--tuples-only",
                    "--no-align",
                    "--set=ON_ERROR_STOP=1",
                ]);
                psql.arg("--host")
                    .arg(self.server.directory())
                    .arg("--port")
                    .arg(self.port.to_string());
                psql.args([
                    "--username=postgres",
                    "--dbname",
                    database,
                    "--command",
                    sql,
                ]);
            })
            .await;
        expect_success(sql, &output);
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Shuts it down and closes its connections.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) {
        self.server.stop("INT").await;
    }

    /// Kills it without closing connections. The next start recovers from the WAL.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn kill(&mut self) {
        self.server.stop("QUIT").await;
    }

    /// Starts it again on the same port after [`PostgresServer::stop`] or [`PostgresServer::kill`].
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        assert!(
            self.launch().await,
            "PostgreSQL does not start again: {}",
            self.server.log()
        );
    }

    /// Stops it and starts it again on the same port.
    ///
    /// # Panics
    /// When it does not end or start.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    fn data(&self) -> PathBuf {
        self.server.directory().join("data")
    }

    /// `false` when the process ended before it was ready.
    async fn launch(&mut self) -> bool {
        let (data, directory) = (self.data(), self.server.directory().to_owned());
        // Left over after a crash; the new one is read below to learn when the server is ready.
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let mut arguments = vec![
            "-D".to_owned(),
            data.display().to_string(),
            "-k".to_owned(),
            directory.display().to_string(),
        ];
        for setting in [
            format!("port={}", self.port).as_str(),
            "listen_addresses=127.0.0.1",
            if self.durable {
                "fsync=on"
            } else {
                "fsync=off"
            },
            if self.durable {
                "full_page_writes=on"
            } else {
                "full_page_writes=off"
            },
            "max_connections=300",
            "shared_buffers=64MB",
            "timezone=UTC",
            "log_timezone=UTC",
        ] {
            arguments.extend(["-c".to_owned(), setting.to_owned()]);
        }
        self.server
            .start(&self.programs.join("postgres"), &arguments, self.owner);
        self.server
            .is_ready(|| std::future::ready(notes_ready(&data)))
            .await
    }

    /// Runs one of PostgreSQL's own programs to its end.
    async fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> Output {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.server.directory());
        arguments(&mut command);
        run_as(&mut command, self.owner);
        let output = tokio::process::Command::from(command).output().await;
        output.unwrap_or_else(|error| panic!("cannot run {program} ({error}): {REMEDY}"))
    }
}

/// As `pg_ctl` finds out: the eighth line of the server's own note about itself.
fn notes_ready(data: &Path) -> bool {
    let note = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    note.lines()
        .nth(7)
        .is_some_and(|line| line.trim_end() == "ready")
}

fn expect_success(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Returns the directory of the newest version from Debian's packages, else of the one in `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("postgres").is_file())
        .max_by_key(|programs| version_of(programs));
    let on_path =
        || find_on_path("postgres").and_then(|program| program.parent().map(Path::to_owned));
    newest
        .or_else(on_path)
        .unwrap_or_else(|| panic!("{REMEDY}"))
}

fn version_of(programs: &Path) -> u32 {
    let version = programs
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// PostgreSQL refuses to run as root; then it runs as the user `postgres` that its package made.
fn owner() -> Owner {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let postgres = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
    Some(
        postgres.unwrap_or_else(|| {
            panic!("there is no user `postgres` to run the server as: {REMEDY}")
        }),
    )
}
