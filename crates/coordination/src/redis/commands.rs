//! Sends commands and scripts. While Redis is away a command fails at once and is not run later.

use super::connection::{Connection, address};
use crate::error::{CoordinationError, Result, reason};
use fred::clients::{Client, WithOptions};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, EventInterface, FredResult};
use fred::types::config::{Config, Options, Server};
use fred::types::{ClusterHash, CustomCommand, FromValue, Key, Value};
use fred::util::sha1_hash;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Longest time from the loss of a connection until the client begins to reconnect. It queues
/// commands until then although `fail_fast` is set, and runs them after the reconnection.
const RECONNECT_START: Duration = Duration::from_millis(100);

/// The client's commands, with `fail_fast` set.
pub(super) type FailFast = WithOptions<Client>;

/// Sends commands over one connection; clones share it.
#[derive(Clone)]
pub(super) struct Commands {
    client: FailFast,
    /// When the connection was last lost or could not be made; `None` once it is made.
    lost_at: Arc<watch::Sender<Option<Instant>>>,
    connection: Arc<Connection>,
}

/// A Lua script that Redis runs atomically.
pub(super) struct Script {
    pub(super) name: &'static str,
    text: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            hash: sha1_hash(text),
        }
    }
}

impl Commands {
    pub(super) async fn connect(config: &Config) -> Result<Self> {
        let connection = Connection::open(config).await?;
        let errors = connection.client.error_rx();
        let reconnects = connection.client.reconnect_rx();
        let lost_at = Arc::new(watch::Sender::new(None));
        tokio::spawn(watch_connection(
            address(config),
            errors,
            reconnects,
            Arc::clone(&lost_at),
        ));
        let client = connection.client.with_options(&Options {
            fail_fast: true,
            ..Options::default()
        });
        Ok(Self {
            client,
            lost_at,
            connection: Arc::new(connection),
        })
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.run("PING", |client| async move { client.ping(None).await })
            .await
    }

    /// Returns Redis's time in milliseconds.
    pub(super) async fn time_ms(&self) -> Result<i64> {
        let (seconds, micros): (i64, i64) = self.run_custom("TIME", "TIME", Vec::new()).await?;
        Ok(seconds * 1000 + micros / 1000)
    }

    /// Runs `command`; `name` is for errors.
    pub(super) async fn run<T, F>(
        &self,
        name: &'static str,
        command: impl FnOnce(FailFast) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = FredResult<T>> + Send + 'static,
    {
        let mut lost_at = self.lost_at.subscribe();
        let was_just_lost =
            (*lost_at.borrow_and_update()).is_some_and(|at| at.elapsed() < RECONNECT_START);
        if was_just_lost {
            let error = Error::new(ErrorKind::Canceled, "Reconnecting.");
            return Err(CoordinationError::from_command(name, error));
        }
        let mut answer = Box::pin(command(self.client.clone()));
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            () = next_loss(&mut lost_at) => {
                // The client drops a queued command only if its own timeout has passed.
                tokio::spawn(answer);
                Err(Error::new(ErrorKind::Canceled, "The connection was lost."))
            }
        };
        answer.map_err(|error| {
            if *error.kind() == ErrorKind::IO {
                // Noted here too, so that the caller's next command fails without being sent.
                self.lost_at.send_if_modified(|lost_at| {
                    *lost_at = Some(Instant::now());
                    false
                });
            }
            self.connection.replace_if_unusable(&error);
            CoordinationError::from_command(name, error)
        })
    }

    /// Runs `script` on `key`, and loads it if Redis does not know it (any more).
    pub(super) async fn call<T>(
        &self,
        script: &Script,
        key: &Key,
        arguments: Vec<Value>,
    ) -> Result<T>
    where
        T: FromValue + Send + 'static,
    {
        let with_script = |script: Value| {
            let key = Value::Bytes(key.clone().into_bytes());
            [script, 1.into(), key]
                .into_iter()
                .chain(arguments.iter().cloned())
                .collect()
        };
        let by_hash = with_script(script.hash.as_str().into());
        match self.run_custom(script.name, "EVALSHA", by_hash).await {
            Err(CoordinationError::Refused { error, .. })
                if error.details().starts_with("NOSCRIPT") =>
            {
                let by_text = with_script(Value::from_static_str(script.text));
                self.run_custom(script.name, "EVAL", by_text).await
            }
            answer => answer,
        }
    }

    /// Scripts are sent as custom commands because the client's `evalsha` ignores `fail_fast`.
    async fn run_custom<T>(
        &self,
        name: &'static str,
        command: &'static str,
        arguments: Vec<Value>,
    ) -> Result<T>
    where
        T: FromValue + Send + 'static,
    {
        let command = CustomCommand::new_static(command, ClusterHash::Random, false);
        self.run(name, |client| async move {
            client.custom(command, arguments).await
        })
        .await
    }
}

/// Waits until the connection is lost or cannot be made.
async fn next_loss(lost_at: &mut watch::Receiver<Option<Instant>>) {
    // Fails only if the sender is gone, and the caller holds it.
    while lost_at.changed().await.is_ok() {
        if lost_at.borrow_and_update().is_some() {
            return;
        }
    }
}

/// Logs the loss and the return of the connection, and notes them in `lost_at`, until the client
/// is dropped.
async fn watch_connection(
    address: String,
    mut errors: Receiver<(Error, Option<Server>)>,
    mut reconnects: Receiver<Server>,
    lost_at: Arc<watch::Sender<Option<Instant>>>,
) {
    let mut is_lost = false;
    loop {
        tokio::select! {
            biased;
            error = errors.recv() => {
                let error = match error {
                    Ok((error, _)) => reason(&error),
                    Err(RecvError::Lagged(_)) => "several errors".to_owned(),
                    Err(RecvError::Closed) => return,
                };
                lost_at.send_replace(Some(Instant::now()));
                if !is_lost {
                    tracing::warn!(address, error, "lost the connection to Redis, reconnecting");
                }
                is_lost = true;
            },
            server = reconnects.recv() => if server.is_ok() {
                lost_at.send_replace(None);
                if is_lost {
                    tracing::info!(address, "reconnected to Redis");
                }
                is_lost = false;
            },
        }
    }
}
