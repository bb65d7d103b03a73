//! Connections to Redis. `fred` reconnects; what it does not bound in time is bounded here.

use crate::error::{CoordinationError, Result, reason};
use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::config::{Config, ReconnectPolicy};
use fred::types::{Builder, ClientState, ConnectHandle, RespVersion};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// Longest duration of a command.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest duration of an attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Shortest and longest pause between two attempts to reconnect, in milliseconds. Doubles.
const RECONNECT_DELAY_MS: (u32, u32) = (10, 800);

/// Shortest time between two reconnections that are forced.
const FORCED_RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// Longest time that a client may take to begin a forced reconnection.
const FORCE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause before a client that ended is restarted.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Time after which the client gives up a connection that does not answer. Longer than
/// [`COMMAND_TIMEOUT`], because a command that times out replaces the connection before.
const UNRESPONSIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Interval of the checks for a connection that does not answer.
const UNRESPONSIVE_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Messages and connection events that may wait for the task that receives them.
const EVENT_BUFFER: usize = 512;

const SCHEMES: [&str; 4] = ["redis", "rediss", "redis-sentinel", "rediss-sentinel"];

/// Parses `url` and checks its scheme.
pub(super) fn parse_url(url: &str) -> Result<Config> {
    let invalid = |reason| CoordinationError::InvalidUrl { reason };
    match url.split_once("://") {
        Some((scheme, _)) if SCHEMES.contains(&scheme) => {}
        Some((scheme, _)) if !scheme.contains(['@', ':']) => {
            return Err(invalid(format!("its scheme is {scheme}")));
        }
        _ => return Err(invalid("it has no scheme".to_owned())),
    }
    let mut config = Config::from_url(url).map_err(|error| invalid(reason(&error)))?;
    config.version = RespVersion::RESP3;
    Ok(config)
}

/// Formats host and port of each server in `config`.
pub(super) fn address(config: &Config) -> String {
    let hosts: Vec<_> = config
        .server
        .hosts()
        .iter()
        .map(|server| format!("{}:{}", server.host, server.port))
        .collect();
    hosts.join(", ")
}

/// A client that reconnects until this is dropped.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Whether a reconnection was forced within [`FORCED_RECONNECT_INTERVAL`].
    is_forced: Arc<AtomicBool>,
    restart: Arc<Notify>,
    task: AbortHandle,
}

impl Connection {
    /// Connects within a few seconds or fails.
    pub(super) async fn open(config: &Config) -> Result<Self> {
        let client = build(config)?;
        let unreachable = |reason| CoordinationError::Unreachable {
            address: address(config),
            reason,
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, client.init()).await {
            Ok(Ok(task)) => {
                let restart = Arc::<Notify>::default();
                let running = keep_running(client.clone(), ClientTask(task), Arc::clone(&restart));
                Ok(Self {
                    client,
                    is_forced: Arc::default(),
                    restart,
                    task: tokio::spawn(running).abort_handle(),
                })
            }
            Ok(Err(error)) => Err(unreachable(reason(&error))),
            Err(_) => Err(unreachable(format!(
                "no answer within {} s",
                CONNECT_TIMEOUT.as_secs()
            ))),
        }
    }

    /// Replaces the connection if `error` says that it does not answer, or leads to a server that
    /// has become a replica.
    ///
    /// The client's own check finds a connection unresponsive only if nothing was sent for
    /// [`UNRESPONSIVE_TIMEOUT`], which does not happen on a busy one.
    pub(super) fn replace_if_unusable(&self, error: &Error) {
        let is_unusable =
            *error.kind() == ErrorKind::Timeout || error.details().starts_with("READONLY");
        if !is_unusable
            || self.client.state() != ClientState::Connected
            || self.is_forced.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let client = self.client.clone();
        let (is_forced, restart) = (Arc::clone(&self.is_forced), Arc::clone(&self.restart));
        tokio::spawn(async move {
            let forced = tokio::time::timeout(FORCE_TIMEOUT, client.force_reconnection()).await;
            // The client has not even begun if it is blocked in a write to the dead connection.
            if forced.is_err() && client.state() == ClientState::Connected {
                restart.notify_one();
            }
            tokio::time::sleep(FORCED_RECONNECT_INTERVAL).await;
            is_forced.store(false, Ordering::Relaxed);
        });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The client's own task, which ends when this is dropped.
struct ClientTask(ConnectHandle);

impl Drop for ClientTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Restarts the client's task on `restart`, and whenever it ends: a few errors end it instead of
/// making it reconnect, and every command would fail from then on.
async fn keep_running(client: Client, mut task: ClientTask, restart: Arc<Notify>) {
    loop {
        tokio::select! {
            ended = &mut task.0 => {
                let error = match ended {
                    Ok(Err(error)) => reason(&error),
                    Ok(Ok(())) | Err(_) => "it ended".to_owned(),
                };
                tracing::warn!(error, "the Redis client failed, restarting it");
                tokio::time::sleep(RESTART_DELAY).await;
            }
            () = restart.notified() => {
                tracing::warn!("the Redis client is blocked, restarting it");
            }
        }
        task = ClientTask(client.connect());
    }
}

fn build(config: &Config) -> Result<Client> {
    let mut builder = Builder::from_config(config.clone());
    builder.with_performance_config(|performance| {
        performance.default_command_timeout = COMMAND_TIMEOUT;
        performance.broadcast_channel_capacity = EVENT_BUFFER;
    });
    builder.with_connection_config(|connection| {
        connection.connection_timeout = CONNECT_TIMEOUT;
        connection.internal_command_timeout = COMMAND_TIMEOUT;
        // A command whose answer was lost may have run: only the caller can decide to repeat it.
        connection.max_command_attempts = 1;
        connection.unresponsive.max_timeout = Some(UNRESPONSIVE_TIMEOUT);
        connection.unresponsive.interval = UNRESPONSIVE_CHECK_INTERVAL;
        connection.tcp.nodelay = Some(true);
    });
    let (min_delay, max_delay) = RECONNECT_DELAY_MS;
    let mut policy = ReconnectPolicy::new_exponential(0, min_delay, max_delay, 2);
    policy.set_jitter(min_delay);
    builder.set_policy(policy);
    builder
        .build()
        .map_err(|error| CoordinationError::InvalidUrl {
            reason: reason(&error),
        })
}
