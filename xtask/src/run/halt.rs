use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Says that programs which still run are to end, because what they find out is not wanted any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Ends them.
    pub(crate) fn call(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they are to end.
    pub(super) fn called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Kills a program with all that it has started: cargo does not take its children with it.
pub(super) fn kill_all(program: &mut Child) {
    let started = descendants(program.id());
    // What has ended meanwhile cannot be killed, which is what is wanted.
    let _ = program.kill();
    if !started.is_empty() {
        let _ = Command::new("sh").args(["-c", "kill -s KILL \"$@\" 2>&-", "sh"]).args(&started).status();
    }
}

/// The processes beneath one, as Linux tells them; none elsewhere.
fn descendants(of: u32) -> Vec<String> {
    let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
        // `PID (NAME) STATE PARENT ...`, and a name may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if let Some(parent) = parent {
            children.entry(parent.to_owned()).or_default().push(process.file_name().to_string_lossy().into_owned());
        }
    }
    let mut found = children.remove(&of.to_string()).unwrap_or_default();
    let mut looked_at = 0;
    while let Some(next) = found.get(looked_at) {
        let more = children.remove(next).unwrap_or_default();
        found.extend(more);
        looked_at += 1;
    }
    found
}
