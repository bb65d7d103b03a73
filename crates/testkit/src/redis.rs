//! A real Redis for tests.

use crate::server::{Server, find_on_path, free_port};
use std::path::PathBuf;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// A `redis-server` on a random loopback port. It ends with this value or with the process.
#[derive(Debug)]
pub struct RedisServer {
    server: Server,
    program: PathBuf,
    port: u16,
    /// Further options on its command line.
    options: Vec<String>,
}

impl RedisServer {
    /// Starts an empty server.
    ///
    /// # Panics
    /// When Redis is not installed, or does not start.
    pub async fn start() -> Self {
        Self::start_with(Vec::new).await
    }

    /// Like [`RedisServer::start`], with `options` that are evaluated for each attempt.
    pub(crate) async fn start_with(options: impl Fn() -> Vec<String>) -> Self {
        let program = find_on_path("redis-server").unwrap_or_else(|| {
            panic!("these tests need a real Redis: install it with `apt-get install redis-server`");
        });
        let mut this = Self {
            server: Server::new("redis", None, "KILL"),
            program,
            port: 0,
            options: Vec::new(),
        };
        // Between finding a free port and using it another process may have taken it.
        for _ in 0..5 {
            (this.port, this.options) = (free_port(), options());
            if this.launch().await {
                return this;
            }
        }
        panic!("redis-server does not start: {}", this.server.log());
    }

    /// Returns the server that all tests of this process share. Tests use different prefixes for
    /// their keys and never stop it.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<RedisServer> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Returns its `REDIS_URL`, which a restart does not change.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Shuts it down: its data comes back with [`RedisServer::start_again`].
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) {
        self.server.stop("TERM").await;
    }

    /// Kills it: unsaved data is lost.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn kill(&mut self) {
        self.server.stop("KILL").await;
    }

    /// Starts it again on the same port after [`RedisServer::stop`] or [`RedisServer::kill`].
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        assert!(
            self.launch().await,
            "redis-server does not start again: {}",
            self.server.log()
        );
    }

    /// Stops it and starts it again on the same port. Keeps its data.
    ///
    /// # Panics
    /// When it does not end or start.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops the process without closing its connections: every command hangs until
    /// [`RedisServer::thaw`].
    ///
    /// # Panics
    /// When it is not running.
    pub fn freeze(&self) {
        self.server.signal("STOP");
    }

    /// Lets a frozen server continue.
    ///
    /// # Panics
    /// When it is not running.
    pub fn thaw(&self) {
        self.server.signal("CONT");
    }

    /// Deletes all data.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn flush(&self) {
        let reply = self.command("FLUSHALL").await;
        assert_eq!(reply, "+OK", "Redis refuses to be flushed");
    }

    /// Sends one command, such as `DBSIZE`. Returns the first line of the raw reply, such as `:0`,
    /// or the whole text if the reply is a text, as for `CLIENT LIST`.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn command(&self, command: &str) -> String {
        command_at(self.port, command)
            .await
            .unwrap_or_else(|error| panic!("Redis does not answer to {command}: {error}"))
    }

    /// Returns `false` when the process ended before it answered.
    async fn launch(&mut self) -> bool {
        let port = self.port.to_string();
        // One rule for saving makes a shutdown keep the data; it never applies while tests run.
        let arguments = [
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "86400 1000000000",
            "--appendonly",
            "no",
        ];
        let arguments: Vec<_> = arguments
            .into_iter()
            .map(str::to_owned)
            .chain(self.options.iter().cloned())
            .collect();
        self.server.start(&self.program, &arguments, None);
        let port = self.port;
        self.server
            .is_ready(|| async move {
                command_at(port, "PING")
                    .await
                    .is_ok_and(|reply| reply == "+PONG")
            })
            .await
    }
}

/// Sends one command to the server at `port`, as [`RedisServer::command`] does.
pub(crate) async fn command_at(port: u16, command: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    stream
        .write_all(format!("{command}\r\n").as_bytes())
        .await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let line = line
        .strip_suffix("\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let Some(length) = line
        .strip_prefix('$')
        .and_then(|length| length.parse().ok())
    else {
        return Ok(line.to_owned());
    };
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
