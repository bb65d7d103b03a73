//! The `pulsecheck` binary: parses the command line and runs the requested role.
//!
//! Only this crate reads settings and chooses the storage; other crates receive what they need.

mod backup;
mod data_dir;
mod demo;
mod health;
mod healthcheck;
mod key_rotation;
mod metrics;
mod roles;
mod settings;
mod shutdown;
mod telemetry;
mod traces;
mod wait;

use clap::{Parser, Subcommand};
use settings::Settings;
use std::path::PathBuf;
use std::time::Duration;

/// Checks make many small allocations that other threads free, which mimalloc handles well. The
/// feature `override` makes SQLite and the C library use it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Watches your services: what is up, slow or down, since when, and why.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Settings are environment variables; README.md lists them."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Everything in one process, on a SQLite file in the data directory (what runs when no command is given)
    All,
    /// The API and the dashboard, on PostgreSQL and Redis
    Api,
    /// The checks, on PostgreSQL and Redis; start as many as you like
    Worker,
    /// Brings the database's schema up to date, then exits
    Migrate,
    /// Everything, on throw-away data with made-up services, to look around
    Demo,
    /// Prints a new one-time sign-in link for this machine's own user
    LoginLink,
    /// Lets the owner of an e-mail address create an account, whatever PULSECHECK_SIGN_UP says
    Allow {
        /// The address, as a sign-in provider verifies it
        address: String,
        /// Take it back; an account that exists stays
        #[arg(long)]
        remove: bool,
    },
    /// Prints the GraphQL schema
    Schema,
    /// Exits with 0 when the API of this machine (or with --worker its worker) is well
    Healthcheck {
        /// Judge the worker by its heartbeat file instead of asking the API
        #[arg(long)]
        worker: bool,
        /// The age in seconds up to which the worker's heartbeat counts
        #[arg(long, default_value_t = 60)]
        within: u64,
    },
    /// Waits until the database and Redis answer, for containers that must not start before
    Wait {
        /// Wait also until the database has this version's schema
        #[arg(long)]
        schema: bool,
        /// Give up after this many seconds
        #[arg(long, default_value_t = 300)]
        timeout: u64,
    },
    /// Copies the SQLite database, while PulseCheck runs or not
    Backup {
        /// A file that does not exist yet, or - for standard output
        file: PathBuf,
    },
    /// Puts a copy that `backup` made in the place of the SQLite database; PulseCheck must not run
    Restore {
        /// The copy
        file: PathBuf,
    },
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    // One TLS provider for the whole process, installed before anything can pick another.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(Arguments::parse().command.unwrap_or(Command::All)).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pulsecheck: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    if let Command::Schema = command {
        #[allow(clippy::print_stdout, reason = "printing it is what was asked for")]
        {
            print!("{}", backend::sdl());
        }
        return Ok(());
    }
    let settings = Settings::from_environment()?;
    let works = matches!(
        command,
        Command::All | Command::Api | Command::Worker | Command::Demo
    );
    let telemetry = telemetry::start(&settings, works)?;
    let ended = run_command(command, &settings).await;
    telemetry.end().await;
    ended
}

async fn run_command(command: Command, settings: &Settings) -> anyhow::Result<()> {
    match command {
        Command::All => roles::all(settings).await,
        Command::Api => roles::api(settings).await,
        Command::Worker => roles::worker(settings).await,
        Command::Migrate => roles::migrate(settings).await,
        Command::LoginLink => roles::login_link(settings).await,
        Command::Allow { address, remove } => {
            roles::allow_sign_up(settings, &address, remove).await
        }
        Command::Demo => demo::run(settings).await,
        Command::Healthcheck { worker, within } => {
            healthcheck::run(settings, worker, Duration::from_secs(within)).await
        }
        Command::Wait { schema, timeout } => {
            wait::run(settings, schema, Duration::from_secs(timeout)).await
        }
        Command::Backup { file } => backup::save(settings, &file),
        Command::Restore { file } => backup::restore(settings, &file).await,
        Command::Schema => Ok(()),
    }
}
