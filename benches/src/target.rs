//! The checked HTTP server. Runs in a separate process, so that its cost is not measured.

use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Command-line argument that starts this executable as the server.
pub(crate) const ARGUMENT: &str = "--serve-target";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Serves until the parent process ends.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let mut parent = tokio::io::stdin();
        let accept = async {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer(stream));
                }
            }
        };
        let mut ignored = [0; 1];
        tokio::select! { () = accept => {}, _ = parent.read(&mut ignored) => {} }
    });
}

async fn answer(mut stream: TcpStream) {
    let (mut request, mut read) = ([0; 4096], 0);
    while !request[..read].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[read..]).await {
            Ok(n) if n > 0 => read += n,
            _ => return,
        }
    }
    let _ = stream.write_all(ANSWER).await;
}

/// Starts the server. Returns its process, which lives as long as its standard input, and its address.
pub(crate) async fn start() -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    (child, format!("http://{address}/"))
}
