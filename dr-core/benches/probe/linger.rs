use std::io::Read as _;

/// Waits until whoever started this process closes its standard input.
pub(crate) async fn until_told_to_end() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // Any end is an end.
        drop(std::io::stdin().read_to_end(&mut rest));
        let _ = tell.send(());
    });
    drop(told.await);
}

/// Lets this process have as many files open as it may.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With fewer, probes fail and say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
