//! The probes that `dr.yaml` names, beyond a request and a connection.

use std::{fs, sync::Arc, time::Duration};

use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, RegionRole, VantageId},
    probe::{CertificateProbe, DnsProbe, HealthProbe, StatusSet, Subject, TransactionProbe},
    spec::{ProbeSpec, ProbeTarget, Spec, host_of},
};

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

/// A write that is read back.
pub(super) fn transaction(
    probe: &ProbeSpec,
    subject: Subject,
    vantage: VantageId,
    target: &ProbeTarget,
) -> Result<Arc<dyn HealthProbe>> {
    let (ProbeTarget::Transaction { write, body, expect, read, delete }, Some(read_back)) = (target, &probe.read_back)
    else {
        return Err(invalid(format!("the probe {} reads nothing back", probe.id)));
    };
    let statuses = |list: &[u16]| list.iter().copied().collect::<StatusSet>();
    let mut builder = TransactionProbe::of(subject, vantage, write, body)
        .with_timeout(probe.timeout)
        .expect_write(statuses(&expect.status))
        .read_back(read)
        .expect_read(statuses(&read_back.status));
    if let Some(within) = read_back.within {
        builder = builder.read_within(within);
    }
    if let Some(delete) = delete {
        builder = builder.delete(delete);
    }
    Ok(Arc::new(builder.build()?))
}

/// What a region shows under its own name and the public one.
pub(super) fn certificate(
    spec: &Spec,
    probe: &ProbeSpec,
    subject: Subject,
    vantage: VantageId,
    address: &str,
) -> Result<Arc<dyn HealthProbe>> {
    /// As the probe itself has it.
    const LEFT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    let mut looking = CertificateProbe::new(subject, vantage, address)?
        .with_timeout(probe.timeout)
        .expires_in_at_least(probe.expires_in_at_least.unwrap_or(LEFT));
    let public = host_of(&spec.endpoint).map(|(host, _)| host.to_owned());
    let names = if probe.names.is_empty() { public.into_iter().collect() } else { probe.names.clone() };
    for name in names {
        looking = looking.name(&name)?;
    }
    if let Some(path) = &probe.trust {
        let roots = fs::read(path)
            .map_err(|error| invalid(format!("{path}, which the probe {} should trust: {error}", probe.id)))?;
        looking = looking.trust_pem(&roots)?;
    }
    Ok(Arc::new(looking))
}

/// The region under which what is seen of the public name is filed: the active one, to which it leads while nothing has
/// happened.
pub(super) fn led_to(spec: &Spec) -> Option<&RegionId> {
    spec.regions.iter().find(|region| region.role == RegionRole::Active).map(|region| &region.id)
}

/// Where the public name leads.
pub(super) fn public_name(spec: &Spec, probe: &ProbeSpec, vantage: &VantageId) -> Result<Arc<dyn HealthProbe>> {
    /// A datagram may be lost.
    const TRIES: u32 = 2;
    let name = probe.name.as_deref().or_else(|| host_of(&spec.endpoint).map(|(host, _)| host));
    let (Some(active), Some(name)) = (led_to(spec), name) else {
        return Err(invalid(format!("the probe {} has no public name to ask for", probe.id)));
    };
    let subject = Subject::infrastructure(probe.id.clone(), active.clone());
    let mut builder = DnsProbe::of(subject, vantage.clone(), name).with_patience(TRIES, probe.timeout);
    for server in &probe.servers {
        builder = builder.authority(server);
    }
    for resolver in &probe.resolvers {
        builder = builder.resolver(resolver);
    }
    for (region, name) in &probe.targets {
        builder = builder.region(region.clone(), name);
    }
    Ok(Arc::new(builder.build()?))
}
