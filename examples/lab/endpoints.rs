//! Where everything listens, and how another process finds it and shares the lab's time.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    time::{ScaledClock, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::platform::STANDBY;

/// What listens in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionEndpoints {
    /// The region's address on this machine.
    pub address: Ipv4Addr,
    /// AWS's endpoint URL.
    pub aws: String,
    /// The Kubernetes API's URL; none in the witness region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// A kubeconfig of this region's cluster alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// The application's URL; none in the witness region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

/// Where everything listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The machine's wall time at which the lab's clock agreed with it.
    pub anchor: Timestamp,
    /// How many of the lab's seconds pass in one of the machine's.
    pub time_scale: f64,
    /// The admin endpoint's URL.
    pub admin: String,
    /// The authoritative name server, over UDP and TCP.
    pub dns: SocketAddr,
    /// The public name of the application.
    pub public_name: String,
    /// The port of the application in every region.
    pub application_port: u16,
    /// The id of the hosted zone.
    pub hosted_zone_id: String,
    /// The id of the health check that looks at the failover switch.
    pub switch_health_check_id: String,
    /// Each region.
    pub regions: BTreeMap<RegionId, RegionEndpoints>,
    /// A kubeconfig with a context per region, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
}

impl Endpoints {
    /// The lab's clock, in this or another process.
    #[must_use]
    pub fn clock(&self) -> ScaledClock {
        ScaledClock::anchored(self.anchor, self.time_scale)
    }

    /// What listens in a region.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the lab has no such region.
    pub fn region(&self, region: &RegionId) -> Result<&RegionEndpoints> {
        self.regions
            .get(region)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the lab has no region {region}")))
    }

    /// The public URL of the application. Its name resolves through the lab's name server only.
    #[must_use]
    pub fn public_url(&self) -> String {
        format!("http://{}:{}", self.public_name, self.application_port)
    }

    /// The variables of the env file: `DR_LAB_*`, which `examples/ecommerce.dr.yaml` reads, and those that make `aws` and `kubectl`
    /// ordinary clients.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
        set("DR_LAB_ADMIN", self.admin.clone());
        set("DR_LAB_NAME_SERVER", self.dns.to_string());
        set("DR_LAB_DNS_PORT", self.dns.port().to_string());
        // Nothing that a drill breaks: observers that cannot reach it are cut off themselves.
        set("DR_LAB_CONTROL", self.dns.to_string());
        set("DR_LAB_PUBLIC_URL", self.public_url());
        set("DR_LAB_HOSTED_ZONE_ID", self.hosted_zone_id.clone());
        set("DR_LAB_PRIMARY_HEALTH_CHECK_ID", self.switch_health_check_id.clone());
        set("DR_LAB_ANCHOR_MS", self.anchor.as_millis().to_string());
        set("DR_LAB_TIME_SCALE", self.time_scale.to_string());
        for (region, endpoints) in &self.regions {
            let suffix = region.as_str().to_ascii_uppercase().replace('-', "_");
            set(&format!("DR_LAB_AWS_{suffix}"), endpoints.aws.clone());
            if let Some(url) = &endpoints.kubernetes {
                set(&format!("DR_LAB_KUBERNETES_{suffix}"), url.clone());
            }
            if let Some(path) = &endpoints.kubeconfig {
                set(&format!("DR_LAB_KUBECONFIG_{suffix}"), path.display().to_string());
            }
            if let Some(url) = &endpoints.application {
                set(&format!("DR_LAB_APPLICATION_{suffix}"), url.clone());
            }
        }
        // The doubles take any credentials; these say what they are.
        set("AWS_ACCESS_KEY_ID", "LABONLYNOTAREALKEY00".to_owned());
        set("AWS_SECRET_ACCESS_KEY", "lab-only-not-a-secret".to_owned());
        // Whoever names no region had better not depend on the one that is about to fail.
        set("AWS_DEFAULT_REGION", STANDBY.to_owned());
        if let Some(kubeconfig) = &self.kubeconfig {
            set("KUBECONFIG", kubeconfig.display().to_string());
        }
        variables
    }

    /// Writes the env file, a `KEY=VALUE` a line, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] with what the file system says.
    pub fn write_env(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (key, value) in self.variables() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{key}={value}");
        }
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = path.with_extension("partial");
            fs::write(&beside, text)?;
            fs::rename(beside, path)
        };
        write().map_err(|e: io::Error| {
            Error::new(ErrorKind::Storage, format!("{} cannot be written: {e}", path.display())).with_source(e)
        })
    }

    /// The admin endpoint's URL in an env file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] when the file cannot be read, [`ErrorKind::Invalid`] when a lab did not write it.
    pub(crate) fn admin_of(path: &Path) -> Result<String> {
        let text = fs::read_to_string(path).map_err(|e| {
            let message = format!("{} cannot be read ({e}): does a lab stand?", path.display());
            Error::new(ErrorKind::Storage, message).with_source(e)
        })?;
        let admin = text.lines().find_map(|line| line.strip_prefix("DR_LAB_ADMIN="));
        admin
            .map(str::to_owned)
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{} is not the env file of a lab", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_env_file_leads_to_the_lab() {
        let region = RegionEndpoints {
            address: Ipv4Addr::new(127, 0, 1, 1),
            aws: "http://127.0.1.1:4000".into(),
            kubernetes: Some("http://127.0.1.1:4001".into()),
            kubeconfig: Some("/somewhere/us-east-1.kubeconfig".into()),
            application: Some("http://127.0.1.1:4002".into()),
        };
        let endpoints = Endpoints {
            anchor: Timestamp::from_millis(1_767_225_600_123),
            time_scale: 20.0,
            admin: "http://127.0.0.1:5000".into(),
            dns: "127.0.0.1:5300".parse().unwrap(),
            public_name: "api.ecommerce.com".into(),
            application_port: 4002,
            hosted_zone_id: "Z000000001".into(),
            switch_health_check_id: "00000000-0000-4000-a000-000000000001".into(),
            regions: BTreeMap::from([(RegionId::new("us-east-1").unwrap(), region)]),
            kubeconfig: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.env");
        endpoints.write_env(&path).unwrap();
        assert_eq!(Endpoints::admin_of(&path).unwrap(), "http://127.0.0.1:5000");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("DR_LAB_KUBERNETES_US_EAST_1=http://127.0.1.1:4001\n"), "{text}");
        fs::write(&path, "PATH=/bin\n").unwrap();
        assert_eq!(Endpoints::admin_of(&path).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
