//! The servers that hold the keys: one, or the masters of a cluster. Each has a connection of its own, so that one that
//! is away keeps nobody from the others; the client's own cluster mode has all of them or none.

use super::answer::Answer;
use super::connection::{Commands, Link, Script};
use crate::{LiveError, Result};
use fred::types::Value;
use fred::types::config::{Config, Server, ServerConfig};
use fred::util::redis_keyslot;
use futures::future::join_all;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long nobody asks again who holds what, once it was asked because a node was away.
const RENEWAL_PAUSE: Duration = Duration::from_millis(500);

/// A key, and the hash slot that says which node of a cluster holds it.
pub(super) struct Key {
    name: String,
    slot: u16,
}

impl Key {
    pub(super) fn new(name: String) -> Self {
        Self {
            slot: redis_keyslot(name.as_bytes()),
            name,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// What is done with a key.
#[derive(Clone, Copy)]
pub(super) enum Act<'a> {
    Command(&'static str),
    Script(&'a Script),
}

impl Act<'_> {
    async fn at(self, node: &Commands, key: &Key, arguments: Vec<Value>) -> Result<Answer> {
        match self {
            Self::Command(command) => node.run(command, Some(key.name()), arguments).await,
            Self::Script(script) => node.call(script, key.name(), arguments).await,
        }
    }
}

/// Sends each command to the node that holds its key.
#[derive(Clone)]
pub(super) struct Nodes {
    config: Config,
    map: Arc<Mutex<Arc<Map>>>,
    renewing: Arc<tokio::sync::Mutex<()>>,
}

/// Which node holds which hash slots.
struct Map(Vec<Part>);

struct Part {
    slots: RangeInclusive<u16>,
    server: Server,
    commands: Arc<Commands>,
}

impl Nodes {
    pub(super) async fn connect(config: Config) -> Result<Self> {
        let map = if config.server.is_clustered() {
            Map::connect(&config, Map(Vec::new())).await?
        } else {
            let commands = Arc::new(Commands::connect(&config).await?);
            let server = config
                .server
                .hosts()
                .first()
                .cloned()
                .unwrap_or_else(|| Server::new("", 0));
            Map(vec![Part {
                slots: 0..=u16::MAX,
                server,
                commands,
            }])
        };
        Ok(Self {
            config,
            map: Arc::new(Mutex::new(Arc::new(map))),
            renewing: Arc::default(),
        })
    }

    pub(super) fn are_a_cluster(&self) -> bool {
        self.config.server.is_clustered()
    }

    /// Does `act` with `key`.
    pub(super) async fn run(
        &self,
        act: Act<'_>,
        key: &Key,
        arguments: Vec<Value>,
    ) -> Result<Answer> {
        let map = self.map();
        let again = self.are_a_cluster().then(|| arguments.clone());
        let answer = act.at(map.holder(key), key, arguments).await;
        match (answer, again) {
            (Err(error), Some(arguments)) if self.has_moved(&map, &error).await => {
                act.at(self.map().holder(key), key, arguments).await
            }
            (answer, _) => answer,
        }
    }

    /// Runs a command that any node does as well as another: the first that answers.
    pub(super) async fn run_anywhere(
        &self,
        command: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Answer> {
        let map = self.map();
        let mut refusal = None;
        for part in map.0.iter().filter(|part| part.commands.are_connected()) {
            match part.commands.run(command, None, arguments.clone()).await {
                Err(error @ LiveError::Unavailable(_)) => refusal = Some(error),
                answer => return answer,
            }
        }
        self.doubt(&map);
        Err(refusal.unwrap_or_else(|| LiveError::not_connected(command)))
    }

    /// A connection of its own, to any node.
    pub(super) async fn open(&self) -> Result<Link> {
        if !self.are_a_cluster() {
            return Link::open(&self.config).await;
        }
        let map = self.map();
        let mut refusal = None;
        for server in map.servers(&self.config) {
            match Link::open(&alone(&self.config, &server)).await {
                Ok(link) => return Ok(link),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or_else(|| LiveError::not_connected("CLUSTER SLOTS")))
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(
            &self
                .map
                .lock()
                .expect("nothing panics while it holds the lock"),
        )
    }

    /// Whether `error` says that another node than `map` tells holds the key. It is known which one then.
    async fn has_moved(&self, map: &Arc<Map>, error: &LiveError) -> bool {
        match error {
            LiveError::Refused { error, .. } if error.details().starts_with("MOVED") => {
                let _alone = self.renewing.lock().await;
                self.renew(map).await;
                true
            }
            LiveError::Unavailable(_) => {
                self.doubt(map);
                false
            }
            _ => false,
        }
    }

    /// A node is away: another may have taken over from it. Finds out while nobody waits.
    fn doubt(&self, map: &Arc<Map>) {
        if !self.are_a_cluster() {
            return;
        }
        if let Ok(alone) = Arc::clone(&self.renewing).try_lock_owned() {
            let (this, map) = (self.clone(), Arc::clone(map));
            tokio::spawn(async move {
                this.renew(&map).await;
                tokio::time::sleep(RENEWAL_PAUSE).await;
                drop(alone);
            });
        }
    }

    /// Asks who holds what, unless that was done since `map`.
    async fn renew(&self, map: &Arc<Map>) {
        if !Arc::ptr_eq(map, &self.map()) {
            return;
        }
        match Map::connect(&self.config, Map(map.0.iter().map(Part::shared).collect())).await {
            Ok(renewed) => {
                *self
                    .map
                    .lock()
                    .expect("nothing panics while it holds the lock") = Arc::new(renewed)
            }
            Err(error) => {
                tracing::debug!(%error, "no node of the Redis cluster says who holds what")
            }
        }
    }
}

impl Map {
    /// Asks the nodes of `known` or `config`, and keeps the connections that there are.
    async fn connect(config: &Config, known: Self) -> Result<Self> {
        let mut refusal = None;
        for server in known.servers(config) {
            match ask(config, &server).await {
                Ok(found) => {
                    let parts = found.into_iter().map(|(slots, server)| {
                        let kept = known.0.iter().find(|part| part.server == server);
                        let kept = kept.map(|part| Arc::clone(&part.commands));
                        async move {
                            let commands = match kept {
                                Some(commands) => commands,
                                None => Arc::new(
                                    Commands::connect_now_or_later(&alone(config, &server)).await,
                                ),
                            };
                            Part {
                                slots,
                                server,
                                commands,
                            }
                        }
                    });
                    return Ok(Self(join_all(parts).await));
                }
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or_else(|| LiveError::not_connected("CLUSTER SLOTS")))
    }

    /// Who may be asked: masters that are connected before others, and what the address names.
    fn servers(&self, config: &Config) -> Vec<Server> {
        let (up, down): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .partition(|part| part.commands.are_connected());
        let mut servers: Vec<Server> = up.into_iter().map(|part| part.server.clone()).collect();
        servers.extend(config.server.hosts());
        servers.extend(down.into_iter().map(|part| part.server.clone()));
        servers
    }

    /// The node that holds `key`; any when none does, which will say so.
    fn holder(&self, key: &Key) -> &Commands {
        let part = self
            .0
            .iter()
            .find(|part| part.slots.contains(&key.slot))
            .or(self.0.first());
        &part.expect("a map has at least one part").commands
    }
}

impl Part {
    fn shared(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            server: self.server.clone(),
            commands: Arc::clone(&self.commands),
        }
    }
}

/// What `CLUSTER SLOTS` says at `server`: the hash slots of each master.
async fn ask(config: &Config, server: &Server) -> Result<Vec<(RangeInclusive<u16>, Server)>> {
    let link = Link::open(&alone(config, server)).await?;
    let mut ranges = link.run("CLUSTER", vec!["SLOTS".into()]).await?.items()?;
    let mut found = Vec::with_capacity(ranges.len());
    while ranges.len() > 0 {
        let mut range = ranges.next_items()?;
        let slots = range.next_slot()?..=range.next_slot()?;
        let mut master = range.next_items()?;
        // A node that does not know its own address means the one at which it was asked.
        let host = master
            .next_text()?
            .unwrap_or_else(|| server.host.to_string());
        let port = master.next_slot()?;
        found.push((
            slots,
            Server::new_with_tls(
                host,
                port,
                server.tls_server_name.as_ref().map(ToString::to_string),
            ),
        ));
    }
    if found.is_empty() {
        Err(LiveError::Answer {
            command: "CLUSTER SLOTS",
        })
    } else {
        Ok(found)
    }
}

/// How to reach `server` by itself.
fn alone(config: &Config, server: &Server) -> Config {
    let mut server = server.clone();
    if config.uses_tls() && server.tls_server_name.is_none() {
        // The nodes name each other by addresses, which certificates seldom do.
        server.tls_server_name = config
            .server
            .hosts()
            .first()
            .map(|named| named.host.clone());
    }
    Config {
        server: ServerConfig::Centralized { server },
        ..config.clone()
    }
}
