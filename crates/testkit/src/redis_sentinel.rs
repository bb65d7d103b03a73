//! Redis Sentinel for tests.

use crate::redis::{RedisServer, command_at};
use crate::server::{Server, find_on_path, free_port};
use std::time::{Duration, Instant};

/// Longest time that the three servers may take to know each other.
const SETUP_TIMEOUT: Duration = Duration::from_secs(60);

/// A primary, a replica, and a sentinel that promotes the replica about a second after the
/// primary is lost.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The server that accepts writes at first.
    pub primary: RedisServer,
    /// The server that takes over.
    pub replica: RedisServer,
    port: u16,
    _sentinel: Server,
}

impl RedisSentinel {
    /// Starts all three, empty.
    ///
    /// # Panics
    /// When Redis is not installed, or the servers do not find each other.
    pub async fn start() -> Self {
        let primary = RedisServer::start().await;
        let primary_port = primary.port();
        let replica = RedisServer::start_with(|| {
            let options = ["--replicaof", "127.0.0.1", &primary_port.to_string()];
            options.map(str::to_owned).to_vec()
        })
        .await;
        until("the replica follows its primary", || async {
            let replication = replica.command("INFO replication").await;
            replication.contains("master_link_status:up")
        })
        .await;

        let (sentinel, port) = start_sentinel(primary_port).await;
        until("the sentinel knows the replica", || async {
            command_at(port, "SENTINEL REPLICAS pulsecheck")
                .await
                .is_ok_and(|reply| reply == "*1")
        })
        .await;
        Self {
            primary,
            replica,
            port,
            _sentinel: sentinel,
        }
    }

    /// Returns the `REDIS_URL` of the group.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis-sentinel://127.0.0.1:{}/0?sentinelServiceName=pulsecheck",
            self.port
        )
    }
}

async fn start_sentinel(primary_port: u16) -> (Server, u16) {
    let program = find_on_path("redis-server").expect("the other servers run it");
    let mut sentinel = Server::new("sentinel", None, "KILL");
    let port = free_port();
    let file = sentinel.directory().join("sentinel.conf");
    let settings = format!(
        "port {port}\n\
         bind 127.0.0.1\n\
         sentinel monitor pulsecheck 127.0.0.1 {primary_port} 1\n\
         sentinel down-after-milliseconds pulsecheck 1000\n\
         sentinel failover-timeout pulsecheck 5000\n"
    );
    std::fs::write(&file, settings).expect("the server's directory can be written");
    let arguments = [file.display().to_string(), "--sentinel".to_owned()];
    sentinel.start(&program, &arguments, None);
    let answers = || async move {
        command_at(port, "PING")
            .await
            .is_ok_and(|reply| reply == "+PONG")
    };
    assert!(
        sentinel.is_ready(answers).await,
        "the sentinel does not start: {}",
        sentinel.log()
    );
    (sentinel, port)
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + SETUP_TIMEOUT;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never happens: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
