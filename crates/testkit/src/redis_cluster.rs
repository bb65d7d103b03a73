//! A real Redis Cluster for tests.

use crate::redis::RedisServer;
use crate::server::free_port;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How many hash slots there are.
const SLOTS: usize = 16_384;
const MASTERS: usize = 3;
/// The longest that the nodes may take to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three masters on the loopback interface, each with a third of the slots.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, in the order of their slots; further nodes follow.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// A cluster of its own, empty. Of its slots those whose node is away are the only ones that are not served.
    ///
    /// # Panics
    /// When Redis (7 or later) is not installed, or the nodes do not find each other.
    pub async fn start() -> Self {
        let mut this = Self { nodes: Vec::new() };
        for number in 0..MASTERS {
            let node = start_node().await;
            let (first, last) = (SLOTS * number / MASTERS, SLOTS * (number + 1) / MASTERS - 1);
            tell(&node, &format!("CLUSTER ADDSLOTSRANGE {first} {last}")).await;
            // Of nodes that all claim the same epoch one would have to change it first.
            tell(&node, &format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)).await;
            this.join(node).await;
        }
        this
    }

    /// The cluster that all tests of this process share. Tests keep apart by a prefix of their keys and never stop it.
    ///
    /// # Panics
    /// As [`RedisCluster::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<RedisCluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Its `REDIS_URL`, which names every node.
    #[must_use]
    pub fn url(&self) -> String {
        let others: Vec<_> = self.nodes[1..]
            .iter()
            .map(|node| format!("node=127.0.0.1:{}", node.port()))
            .collect();
        format!(
            "redis-cluster://127.0.0.1:{}?{}",
            self.nodes[0].port(),
            others.join("&")
        )
    }

    /// Adds a node that has what master `number` has, and takes its place when it is away for some seconds.
    ///
    /// # Panics
    /// When it does not start or follow.
    pub async fn add_replica_of(&mut self, number: usize) {
        self.join(start_node().await).await;
        let (master, replica) = (
            &self.nodes[number],
            self.nodes.last().expect("it was just added"),
        );
        let id = master.command("CLUSTER MYID").await;
        tell(replica, &format!("CLUSTER REPLICATE {id}")).await;
        until("the replica has what its master has", || async {
            replica
                .command("INFO replication")
                .await
                .contains("master_link_status:up")
        })
        .await;
    }

    /// The number of the master that holds the slot of `key`.
    ///
    /// # Panics
    /// When the cluster does not answer.
    pub async fn master_of(&self, key: &str) -> usize {
        let slot = self.nodes[0]
            .command(&format!("CLUSTER KEYSLOT {key}"))
            .await;
        let slot: usize = slot
            .trim_start_matches(':')
            .parse()
            .expect("a slot is a number");
        (0..MASTERS)
            .find(|number| slot < SLOTS * (number + 1) / MASTERS)
            .expect("every slot has a master")
    }

    async fn join(&mut self, node: RedisServer) {
        for other in &self.nodes {
            let command = format!(
                "CLUSTER MEET 127.0.0.1 {} {}",
                other.port(),
                bus_port(other).await
            );
            tell(&node, &command).await;
        }
        self.nodes.push(node);
        until("the nodes know each other", || async {
            for node in &self.nodes {
                let known = node.command("CLUSTER NODES").await;
                let linked = known
                    .lines()
                    .filter(|line| line.contains(" connected"))
                    .count();
                if linked != self.nodes.len() || known.contains("handshake") {
                    return false;
                }
                let info = node.command("CLUSTER INFO").await;
                let serves = info.contains("cluster_state:ok")
                    && info.contains(&format!("cluster_slots_ok:{SLOTS}"));
                if self.nodes.len() >= MASTERS && !serves {
                    return false;
                }
            }
            true
        })
        .await;
    }
}

async fn start_node() -> RedisServer {
    let options = || {
        let port = free_port().to_string();
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &port,
            "--cluster-node-timeout",
            "3000",
        ];
        let more = [
            "--cluster-require-full-coverage",
            "no",
            "--repl-diskless-sync-delay",
            "0",
        ];
        options.into_iter().chain(more).map(str::to_owned).collect()
    };
    RedisServer::start_with(options).await
}

async fn bus_port(node: &RedisServer) -> String {
    let answer = node.command("CLUSTER NODES").await;
    let own = answer
        .lines()
        .find(|line| line.contains("myself"))
        .expect("a node knows itself")
        .to_owned();
    let address = own
        .split(' ')
        .nth(1)
        .expect("the address comes second")
        .to_owned();
    address
        .split(['@', ','])
        .nth(1)
        .expect("the port of the bus follows the @")
        .to_owned()
}

async fn tell(node: &RedisServer, command: &str) {
    let reply = node.command(command).await;
    assert_eq!(reply, "+OK", "{command}");
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never happens: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
