//! The lab's files: kubeconfigs, for those who come with `kubectl`.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
};
use dr_k8s::testing::{Serving, kubeconfig};

/// A folder of files. One that nobody asked for is removed with the lab.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    temporary: bool,
}

/// Where the kubeconfigs are.
#[derive(Debug)]
pub(crate) struct Kubeconfigs {
    /// One with a context for each region.
    pub(crate) all: PathBuf,
    /// One for each region.
    pub(crate) regions: BTreeMap<RegionId, PathBuf>,
}

impl Files {
    /// In `folder`, or in a temporary one, which the lab's port tells apart from those of other labs of this machine.
    pub(crate) fn new(folder: Option<PathBuf>, port: u16) -> Result<Self> {
        let temporary = folder.is_none();
        let name = format!("dr-lab-{}-{port}", std::process::id());
        let folder = folder.unwrap_or_else(|| std::env::temp_dir().join(name));
        fs::create_dir_all(&folder).map_err(|e| unwritable(&folder, e))?;
        let folder = fs::canonicalize(&folder).map_err(|e| unwritable(&folder, e))?;
        Ok(Self { folder, temporary })
    }

    pub(crate) fn write_kubeconfigs(&self, clusters: &BTreeMap<RegionId, Serving>) -> Result<Kubeconfigs> {
        let write = |name: String, text: String| {
            let path = self.folder.join(name);
            match fs::write(&path, text) {
                Ok(()) => Ok(path),
                Err(e) => Err(unwritable(&path, e)),
            }
        };
        let mut regions = BTreeMap::new();
        for (region, serving) in clusters {
            regions.insert(region.clone(), write(format!("{region}.kubeconfig"), serving.kubeconfig())?);
        }
        Ok(Kubeconfigs { all: write("kubeconfig".to_owned(), kubeconfig(clusters.values()))?, regions })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.temporary {
            // What is left in a temporary folder is the system's to clear away.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn unwritable(path: &std::path::Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("{} cannot be written: {error}", path.display())).with_source(error)
}
