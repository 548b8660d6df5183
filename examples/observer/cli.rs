use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use dr_core::model::VantageId;

/// Observes from where it runs, as one of the observers of dr.yaml, and serves what it saw under its signature.
///
/// It looks at everything that dr.yaml says, at its control target too, and decides nothing. Whoever decides pulls from it:
/// give the observer `url:` and `key:` in the dr.yaml over there. GET /v1/readings?nonce=NONCE[&boot=BOOT&after=N] answers
/// what it saw since, signed; /health whether it can see; /identity its public key and the key's fingerprint.
///
/// Make a key once with `observer --new-key FILE`, which prints the public half for dr.yaml.
///
/// Exit status: 0 it was told to stop (SIGTERM, Ctrl-C), or the key was made; 64 wrong usage, or dr.yaml is not right; 66 no
/// such file; 73 the key's file cannot be made; 74 it cannot listen, or cannot go on looking.
#[derive(Clone, Debug, Parser)]
#[command(name = "observer", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What describes the platform: the same dr.yaml that everybody has.
    #[arg(long, value_name = "FILE", default_value = "dr.yaml")]
    pub(crate) config: PathBuf,
    /// Which of its observers this is.
    #[arg(long = "as", value_name = "OBSERVER", required_unless_present_any = ["new_key", "show_key"])]
    pub(crate) observer: Option<VantageId>,
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The Ed25519 private key to sign with: PKCS#8, in PEM or DER.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["new_key", "show_key"])]
    pub(crate) key: Option<PathBuf>,
    /// Print the address on standard output as soon as it listens there, and nothing else.
    #[arg(long)]
    pub(crate) print_address: bool,
    /// Take variables and time from the lab that wrote this env file, instead of the environment and this machine's clock.
    #[arg(long, value_name = "ENV_FILE")]
    pub(crate) lab: Option<PathBuf>,
    /// Make a key, write it to a file that does not exist yet, print its public half, and end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["observer", "key", "show_key"])]
    pub(crate) new_key: Option<PathBuf>,
    /// Print the public half of a key, and end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["observer", "key"])]
    pub(crate) show_key: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_observer_has_a_name_and_a_key() {
        assert!(Cli::try_parse_from(["observer", "--as", "here"]).is_err());
        assert!(Cli::try_parse_from(["observer", "--key", "file"]).is_err());
        assert!(Cli::try_parse_from(["observer", "--as", "here", "--key", "file"]).is_ok());
        assert!(Cli::try_parse_from(["observer", "--new-key", "file"]).is_ok());
    }
}
