use std::{
    fs,
    io::{IsTerminal as _, stdout},
    path::Path,
    time::Duration,
};

use dr_core::{
    error::{Error, ErrorKind, Result},
    time::{Clock as _, SystemClock},
};
use dr_lab::{Endpoints, Lab, LabControl, clients::Window};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::Stand;

/// How often the status line is renewed, in the machine's time: on a terminal, and where every line stays.
const ON_A_TERMINAL: Duration = Duration::from_millis(500);
const IN_A_FILE: Duration = Duration::from_secs(10);
/// The stretch that the status line looks back over, in seconds of the lab's time.
const LOOKS_BACK: f64 = 30.0;

impl Stand {
    pub(super) async fn run(self) -> Result<()> {
        let folder = self.env_file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let lab = Lab::builder()
            .time_scale(self.time_scale)
            .seed(self.seed)
            .clients(self.clients)
            .lag(Duration::from_millis(self.lag_ms))
            .application_port(self.application_port)
            .dns_port(self.dns_port)
            .admin_port(self.admin_port)
            .folder(folder)
            .build()
            .await?;
        lab.endpoints().write_env(&self.env_file)?;
        print!("{}", welcome(lab.endpoints(), &self.env_file));

        let control = lab.control();
        let over = async {
            match self.duration {
                Some(seconds) => {
                    let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                    lab.clock().sleep(duration).await;
                }
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|e| {
                Error::new(ErrorKind::Internal, "Ctrl-C cannot be listened for").with_source(e)
            }),
            () = over => Ok(()),
            failed = keep_telling(control.as_ref()) => failed,
        };
        println!();
        // A lab that is gone is not to be found any more.
        let removed = fs::remove_file(&self.env_file);
        lab.shutdown().await;
        ended?;
        removed
            .map_err(|e| Error::new(ErrorKind::Storage, format!("{} cannot be removed: {e}", self.env_file.display())))
    }
}

/// Where everything listens, and lines to copy.
fn welcome(endpoints: &Endpoints, env_file: &Path) -> String {
    let mut lines = vec![
        format!("The lab stands, at {} times real time.", endpoints.time_scale),
        String::new(),
        format!("  {:<14}  {:<24}  {:<24}  {:<24}", "region", "application", "aws", "kubernetes"),
    ];
    let or_none = |url: &Option<String>| url.clone().unwrap_or_else(|| "-".to_owned());
    for (region, at) in &endpoints.regions {
        let (application, kubernetes) = (or_none(&at.application), or_none(&at.kubernetes));
        lines.push(format!("  {region:<14}  {application:<24}  {:<24}  {kubernetes:<24}", at.aws));
    }
    let file = env_file.display();
    let (ip, port) = (endpoints.dns.ip(), endpoints.dns.port());
    lines.extend([
        String::new(),
        format!("  name server  {}", endpoints.dns),
        format!("  admin        {}", endpoints.admin),
        format!("  env file     {file}"),
        String::new(),
        "Look at it:".to_owned(),
        String::new(),
        // A shell looks for a bare name in PATH.
        format!("  set -a; . {}{file}; set +a", if env_file.is_absolute() { "" } else { "./" }),
        format!("  dig +short @{ip} -p {port} {}", endpoints.public_name),
    ]);
    for (region, at) in &endpoints.regions {
        lines.push(match at.kubernetes {
            Some(_) => format!(
                "  aws --region {region} --endpoint-url {} rds describe-global-clusters\n  kubectl --context {region} -n {} get deployments",
                at.aws,
                dr_lab::platform::NAMESPACE
            ),
            None => continue,
        });
    }
    lines.extend([
        String::new(),
        "Break it, and mend it, from another terminal:".to_owned(),
        String::new(),
        format!("  cargo run --bin lab -- fault blackhole --env-file {file}"),
        format!("  cargo run --bin lab -- heal --env-file {file}"),
        format!("  cargo run --bin drill -- --lab {file}"),
        String::new(),
        "Ctrl-C ends it.".to_owned(),
        String::new(),
        String::new(),
    ]);
    lines.join("\n")
}

/// Renews the status line for ever: in place on a terminal, a line at a time elsewhere.
async fn keep_telling(lab: &dyn LabControl) -> Result<()> {
    let machine = SystemClock::new();
    let in_place = stdout().is_terminal();
    let line = ProgressBar::new_spinner();
    line.set_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    loop {
        let status = status(lab).await?;
        if in_place {
            line.set_message(status);
            line.tick();
        } else {
            println!("{status}");
        }
        machine.sleep(if in_place { ON_A_TERMINAL } else { IN_A_FILE }).await;
    }
}

async fn status(lab: &dyn LabControl) -> Result<String> {
    let now = lab.clock().monotonic().since_origin().as_secs_f64();
    let clients = lab.clients(Window::since((now - LOOKS_BACK).max(0.0))).await?;
    let state = lab.state().await?;
    let failures: Vec<_> = clients.failures.iter().map(|(kind, times)| format!("{times} {kind}")).collect();
    Ok(format!(
        "{now:7.0} s  {} -> {}  writer {}  last {LOOKS_BACK:.0} s: {} orders, {}{}",
        lab.endpoints().public_name,
        state.answer.join(","),
        state.writer.as_deref().unwrap_or("none"),
        clients.writes_acked,
        if failures.is_empty() { "no failures".to_owned() } else { failures.join(", ") },
        if state.faults.is_empty() { "" } else { "  FAULTS SET" },
    ))
}
