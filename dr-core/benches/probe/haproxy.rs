use std::{fmt::Write as _, fs, path::Path, process::Command};

use crate::{
    Outcome,
    child::Process,
    estate::{Estate, NAME, ROOT, Wire},
};

/// HAProxy with one server a target, each checked over a new connection by an HTTP request.
///
/// One thread, as our sampler is given. Over TLS the chain and the name are verified, and no session is taken up again, so that each
/// check verifies them, as ours do.
pub(crate) fn start(program: &Path, folder: &Path, estate: &Estate) -> Outcome<Process> {
    let root = folder.join("root.pem");
    fs::write(&root, ROOT)?;
    let tls = match estate.wire {
        Wire::Http => String::new(),
        Wire::Https => format!(
            " check-ssl verify required ca-file {} check-sni {NAME} verifyhost {NAME} no-ssl-reuse",
            root.display()
        ),
    };
    let socket = folder.join("haproxy.sock");
    drop(fs::remove_file(&socket));
    let mut config = format!(
        "global\n  nbthread 1\n  maxconn 64\n\
         defaults\n  mode http\n  timeout connect 4s\n  timeout client 4s\n  timeout server 4s\n  timeout check 2s\n\
         frontend idle\n  bind unix@{}\n  default_backend targets\n\
         backend targets\n  option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr Host {NAME}\n\
         \x20 http-check expect status 200\n",
        socket.display()
    );
    for (n, address) in estate.addresses().enumerate() {
        let (port, interval) = (estate.port, estate.interval.as_millis());
        writeln!(config, "  server t{n} {address}:{port} check inter {interval}ms{tls}")?;
    }
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config)?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(&file).stderr(fs::File::create(folder.join("haproxy.log"))?);
    libraries(&mut command);
    Process::start(command)
}

/// Where the libraries are that the program needs, when it was taken out of its package and not installed.
fn libraries(command: &mut Command) {
    if let Some(folders) = std::env::var_os("DR_BENCH_LIBRARIES") {
        command.env("LD_LIBRARY_PATH", folders);
    }
}
