//! Connections to Redis, bounded in time. The client's own reconnecting is not used: it lets commands wait and runs them
//! later, when nobody wants their answer any more. Here a lost connection fails everything on it at once, and a new one
//! is made beside.

use super::answer::Answer;
use crate::error::reason;
use crate::{LiveError, Result};
use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, RespVersion, Value};
use fred::util::sha1_hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// The longest that a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The shortest and the longest pause between two attempts to connect again; it doubles.
const RECONNECT_PAUSE: (Duration, Duration) =
    (Duration::from_millis(10), Duration::from_millis(800));
/// Messages that may wait inside for the task that reads them.
const MESSAGES_BUFFERED: usize = 512;

/// How to reach the server of `url`.
pub(super) fn config(url: &str) -> Result<Config> {
    let known = [
        "redis",
        "rediss",
        "redis-cluster",
        "rediss-cluster",
        "redis-sentinel",
        "rediss-sentinel",
    ];
    match url.split_once("://") {
        Some((scheme, _)) if known.contains(&scheme) => {}
        Some((scheme, _)) if !scheme.contains(['@', ':']) => {
            return Err(LiveError::Address {
                reason: format!("its scheme is {scheme}"),
            });
        }
        _ => {
            return Err(LiveError::Address {
                reason: "it has no scheme".to_owned(),
            });
        }
    }
    let mut config = Config::from_url(url).map_err(|error| LiveError::Address {
        reason: reason(&error),
    })?;
    config.version = RespVersion::RESP3;
    Ok(config)
}

/// One connection, for as long as it lasts; dropping this closes it.
pub(super) struct Link {
    pub(super) client: Client,
    /// Reads and writes; ends with the connection.
    task: JoinHandle<std::result::Result<(), Error>>,
}

impl Link {
    pub(super) async fn open(config: &Config) -> Result<Self> {
        let client = build(config)?;
        let unreachable = |reason| LiveError::Unreachable {
            address: address(config),
            reason,
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, client.init()).await {
            Ok(Ok(task)) => Ok(Self { client, task }),
            Ok(Err(error)) => Err(unreachable(reason(&error))),
            Err(_) => Err(unreachable(format!(
                "no answer within {} s",
                CONNECT_TIMEOUT.as_secs()
            ))),
        }
    }

    /// Runs one command.
    pub(super) async fn run(&self, command: &'static str, arguments: Vec<Value>) -> Result<Answer> {
        let custom = CustomCommand::new_static(command, ClusterHash::Random, false);
        let answer = self.client.custom(custom, arguments).await;
        answer
            .map(|value| Answer { command, value })
            .map_err(|error| LiveError::of(command, error))
    }

    /// Waits until the connection is lost. Does not lose that when it is dropped.
    pub(super) async fn lost(&mut self) {
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a connection by `open` until that succeeds.
pub(super) async fn open_again<F: Future<Output = Result<Link>>>(open: impl Fn() -> F) -> Link {
    let (mut pause, longest) = RECONNECT_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        match open().await {
            Ok(link) => return link,
            Err(error) => tracing::debug!(%error, "still without Redis"),
        }
        pause = longest.min(pause * 2);
    }
}

fn build(config: &Config) -> Result<Client> {
    let mut builder = Builder::from_config(config.clone());
    builder.with_performance_config(|performance| {
        performance.default_command_timeout = COMMAND_TIMEOUT;
        performance.broadcast_channel_capacity = MESSAGES_BUFFERED;
    });
    builder.with_connection_config(|connection| {
        connection.connection_timeout = CONNECT_TIMEOUT;
        connection.internal_command_timeout = COMMAND_TIMEOUT;
        // A command whose answer was lost may have been done: whoever sent it decides.
        connection.max_command_attempts = 1;
        connection.tcp.nodelay = Some(true);
    });
    builder.build().map_err(|error| LiveError::Address {
        reason: reason(&error),
    })
}

fn address(config: &Config) -> String {
    let hosts: Vec<_> = config
        .server
        .hosts()
        .iter()
        .map(|server| format!("{}:{}", server.host, server.port))
        .collect();
    hosts.join(", ")
}

/// Sends commands over one connection after the other.
pub(super) struct Commands {
    /// `None` between two connections.
    current: watch::Receiver<Option<Current>>,
    keeper: AbortHandle,
}

#[derive(Clone)]
struct Current {
    client: Client,
    link: Arc<AbortHandle>,
}

impl Commands {
    pub(super) async fn connect(config: &Config) -> Result<Self> {
        Link::open(config)
            .await
            .map(|link| Self::over(config, Some(link)))
    }

    /// As [`Commands::connect`], but goes on trying when nobody answers yet.
    pub(super) async fn connect_now_or_later(config: &Config) -> Self {
        Self::over(config, Link::open(config).await.ok())
    }

    fn over(config: &Config, link: Option<Link>) -> Self {
        let (sender, current) = watch::channel(link.as_ref().map(Current::of));
        let keeper = tokio::spawn(keep_connected(config.clone(), link, sender)).abort_handle();
        Self { current, keeper }
    }

    pub(super) fn are_connected(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Runs `command`, on `key` where it has one.
    pub(super) async fn run(
        &self,
        command: &'static str,
        key: Option<&str>,
        mut arguments: Vec<Value>,
    ) -> Result<Answer> {
        if let Some(key) = key {
            arguments.insert(0, key.into());
        }
        self.send(command, command, arguments).await
    }

    /// Runs `script` on `key`, loading it where Redis does not know it (any more).
    pub(super) async fn call(
        &self,
        script: &Script,
        key: &str,
        arguments: Vec<Value>,
    ) -> Result<Answer> {
        let with = |head: Value| {
            [head, 1.into(), key.into()]
                .into_iter()
                .chain(arguments.iter().cloned())
                .collect()
        };
        match self
            .send(script.name, "EVALSHA", with(script.hash.as_str().into()))
            .await
        {
            Err(LiveError::Refused { error, .. }) if error.details().starts_with("NOSCRIPT") => {
                self.send(
                    script.name,
                    "EVAL",
                    with(Value::from_static_str(script.text)),
                )
                .await
            }
            answer => answer,
        }
    }

    async fn send(
        &self,
        name: &'static str,
        command: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Answer> {
        let command = CustomCommand::new_static(command, ClusterHash::Random, false);
        let mut current = self.current.clone();
        let Some(Current { client, link }) = current.borrow_and_update().clone() else {
            return Err(LiveError::not_connected(name));
        };
        let answer = tokio::select! {
            biased;
            answer = client.custom(command, arguments) => answer,
            _ = current.changed() => Err(Error::new(ErrorKind::Canceled, "The connection was lost.")),
        };
        answer
            .map(|value| Answer {
                command: name,
                value,
            })
            .map_err(|error| {
                if *error.kind() == ErrorKind::Timeout {
                    // Something on the way may have forgotten the connection without a word.
                    link.abort();
                }
                LiveError::of(name, error)
            })
    }
}

impl Current {
    fn of(link: &Link) -> Self {
        Self {
            client: link.client.clone(),
            link: Arc::new(link.task.abort_handle()),
        }
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep_connected(
    config: Config,
    mut link: Option<Link>,
    current: watch::Sender<Option<Current>>,
) {
    let address = address(&config);
    loop {
        if let Some(mut link) = link.take() {
            link.lost().await;
            current.send_replace(None);
        }
        tracing::warn!(address, "the connection to Redis is lost");
        let again = open_again(|| Link::open(&config)).await;
        current.send_replace(Some(Current::of(&again)));
        tracing::info!(address, "connected to Redis again");
        link = Some(again);
    }
}

/// A Lua script that Redis runs as one step.
pub(super) struct Script {
    name: &'static str,
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
