//! Asks a server with curl.

use crate::{TIMEOUT, Verdict};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// What curl found.
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// The status code, and the error if there was one.
    pub(crate) message: String,
}

/// Requests `url`; every host is this machine.
pub(crate) async fn ask(url: &str, port: u16, authority: &Path) -> Answer {
    let output = Command::new("curl")
        // First, so that no settings of this machine apply.
        .arg("-q")
        .args([
            "--silent",
            "--location",
            "--max-redirs",
            "10",
            "--cookie",
            "",
        ])
        .args(["--noproxy", "*", "--output", "/dev/null"])
        .args(["--max-time", &TIMEOUT.as_secs_f32().to_string()])
        .args(["--resolve", &format!("*:{port}:127.0.0.1")])
        .args(["--write-out", "%{http_code} %{errormsg}"])
        .arg("--cacert")
        .arg(authority)
        .arg(url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("curl is installed: run scripts/setup.sh");
    let message = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_good = output.status.success() && message.starts_with('2');
    Answer {
        verdict: if is_good { Verdict::Up } else { Verdict::Down },
        message,
    }
}
