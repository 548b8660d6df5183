use dr_aws::testing::s3::PublicAccess;
use dr_core::error::Result;

use super::Estate;
use crate::platform::{JOURNAL_BUCKET, SWITCH_BUCKET};

impl Estate {
    /// The bucket of the failover switch, whose objects health checkers read without a signature, and that of the journal.
    pub(super) fn make_buckets(&self) -> Result<()> {
        let s3 = self.world.s3();
        s3.add_bucket(self.standby()?, SWITCH_BUCKET, PublicAccess::Read);
        s3.add_bucket(self.witness()?, JOURNAL_BUCKET, PublicAccess::Blocked);
        Ok(())
    }

    /// The keys in the bucket of the failover switch.
    pub(super) fn switch_keys(&self) -> Vec<String> {
        self.world.s3().keys(SWITCH_BUCKET)
    }
}
