//! `pulsecheck healthcheck`: health probe for containers.

use crate::settings::Settings;
use anyhow::{Context as _, ensure};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Succeeds if the API's health endpoint answers, or the worker's heartbeat is newer than `within`.
///
/// # Errors
/// Returns the reason otherwise.
pub(crate) async fn run(settings: &Settings, worker: bool, within: Duration) -> anyhow::Result<()> {
    if worker {
        let path = settings
            .heartbeat_file
            .as_deref()
            .context("set PULSECHECK_HEARTBEAT_FILE, as for the worker")?;
        let written = std::fs::metadata(path).and_then(|file| file.modified());
        let written = written.with_context(|| format!("no heartbeat at {}", path.display()))?;
        let age = written
            .elapsed()
            .context("the last heartbeat lies in the future: this machine's clock was set back")?;
        ensure!(
            age <= within,
            "the last heartbeat is {} s old",
            age.as_secs()
        );
        return Ok(());
    }
    let address = reachable_address(settings.listen);
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()?;
    let answer = client
        .get(format!("http://{address}/api/health"))
        .send()
        .await?;
    ensure!(
        answer.status().is_success(),
        "{address} answered {}",
        answer.status()
    );
    Ok(())
}

/// Returns the loopback address of a listener that is bound to every interface.
fn reachable_address(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
