use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use crate::{
    Outcome,
    child::Process,
    estate::{NAME, ROOT},
};

/// blackbox_exporter, which probes when it is asked to: it keeps no timetable. Over TLS the chain and the name are verified.
pub(crate) fn start(program: &Path, folder: &Path) -> Outcome<(Process, SocketAddr)> {
    let root = folder.join("root.pem");
    fs::write(&root, ROOT)?;
    let module = |name: &str, more: &str| {
        format!(
            "  {name}:\n    prober: http\n    timeout: 4s\n    http:\n      preferred_ip_protocol: ip4\n\
             \x20     follow_redirects: false\n      headers:\n        Host: {NAME}\n{more}"
        )
    };
    let tls = format!("      tls_config:\n        ca_file: {}\n        server_name: {NAME}\n", root.display());
    let file = folder.join("blackbox.yml");
    fs::write(&file, format!("modules:\n{}{}", module("http", ""), module("https", &tls)))?;
    // A port that was free a moment ago.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={address}"));
    command.arg("--log.level=error").stderr(fs::File::create(folder.join("blackbox.log"))?);
    let mut process = Process::start(command)?;
    for _ in 0..100 {
        if TcpStream::connect(address).is_ok() {
            return Ok((process, address));
        }
        if !process.runs() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("blackbox_exporter does not listen: {}", fs::read_to_string(folder.join("blackbox.log"))?).into())
}
