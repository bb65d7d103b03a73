//! The connection for commands: bounded in time, failing at once while Redis is away, coming back by itself.

use super::answer::Answer;
use crate::error::reason;
use crate::{LiveError, Result};
use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::{Config, Options, ReconnectPolicy};
use fred::types::{Builder, ClusterHash, CustomCommand, RespVersion, Value};
use fred::util::{redis_keyslot, sha1_hash};
use socket2::TcpKeepalive;
use std::time::Duration;
use tokio::task::AbortHandle;

/// The longest that a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The shortest and the longest pause between two attempts to connect again, in milliseconds.
const RECONNECT_MS: (u32, u32) = (50, 800);
/// Messages that may wait inside for the task that reads them.
const MESSAGES_BUFFERED: usize = 512;

/// How to reach the server of `url`.
pub(super) fn config(url: &str) -> Result<Config> {
    let known = ["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];
    match url.split_once("://") {
        Some((scheme, _)) if known.contains(&scheme) => {}
        Some((scheme, _)) if !scheme.contains(['@', ':']) => {
            return Err(LiveError::Address { reason: format!("its scheme is {scheme}") });
        }
        _ => return Err(LiveError::Address { reason: "it has no scheme".to_owned() }),
    }
    let mut config = Config::from_url(url).map_err(|error| LiveError::Address { reason: reason(&error) })?;
    config.version = RespVersion::RESP3;
    Ok(config)
}

/// A client that is connected, and the task that drives it.
pub(super) async fn client(config: &Config) -> Result<(Client, AbortHandle)> {
    let client = build(config)?;
    let unreachable = |reason| LiveError::Unreachable { address: address(config), reason };
    match tokio::time::timeout(CONNECT_TIMEOUT, client.init()).await {
        Ok(Ok(task)) => Ok((client, task.abort_handle())),
        Ok(Err(error)) => Err(unreachable(reason(&error))),
        Err(_) => Err(unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
    }
}

fn build(config: &Config) -> Result<Client> {
    let (min, max) = RECONNECT_MS;
    let mut builder = Builder::from_config(config.clone());
    builder.set_policy(ReconnectPolicy::new_exponential(0, min, max, 2));
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
        // A peer that vanished without a word is noticed within seconds, not by the kernel's quarter of an hour.
        connection.tcp.keepalive = Some(TcpKeepalive::new().with_time(COMMAND_TIMEOUT).with_interval(COMMAND_TIMEOUT));
        #[cfg(target_os = "linux")]
        (connection.tcp.user_timeout = Some(COMMAND_TIMEOUT * 2));
    });
    builder.build().map_err(|error| LiveError::Address { reason: reason(&error) })
}

fn address(config: &Config) -> String {
    let hosts: Vec<_> = config.server.hosts().iter().map(|server| format!("{}:{}", server.host, server.port)).collect();
    hosts.join(", ")
}

/// Sends commands.
pub(super) struct Commands {
    client: Client,
    options: Options,
}

impl Commands {
    pub(super) async fn connect(config: &Config) -> Result<(Self, Vec<AbortHandle>)> {
        let (client, task) = client(config).await?;
        let options =
            Options { max_attempts: Some(1), timeout: Some(COMMAND_TIMEOUT), fail_fast: true, ..Options::default() };
        Ok((Self { client, options }, vec![task]))
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
        self.send(command, command, key, arguments).await
    }

    /// Runs `script` on `key`, loading it where Redis does not know it (any more).
    pub(super) async fn call(&self, script: &Script, key: &str, arguments: Vec<Value>) -> Result<Answer> {
        let with = |head: Value| [head, 1.into(), key.into()].into_iter().chain(arguments.iter().cloned()).collect();
        match self.send(script.name, "EVALSHA", Some(key), with(script.hash.as_str().into())).await {
            Err(LiveError::Refused { error, .. }) if error.details().starts_with("NOSCRIPT") => {
                self.send(script.name, "EVAL", Some(key), with(Value::from_static_str(script.text))).await
            }
            answer => answer,
        }
    }

    async fn send(
        &self,
        name: &'static str,
        command: &'static str,
        key: Option<&str>,
        arguments: Vec<Value>,
    ) -> Result<Answer> {
        let slot = key.map_or(ClusterHash::Random, |key| ClusterHash::Custom(redis_keyslot(key.as_bytes())));
        let command = CustomCommand::new_static(command, slot, false);
        let value = self.client.with_options(&self.options).custom(command, arguments).await;
        value.map(|value| Answer { command: name, value }).map_err(|error| LiveError::of(name, error))
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
        Self { name, text, hash: sha1_hash(text) }
    }
}
