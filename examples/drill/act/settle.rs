use std::time::Duration;

use crate::{drill::Drill, exit::Stop};

/// How long pods, members and checkers may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(420);

/// Waits until the stack is as it was, or says what is not.
pub(crate) async fn settle(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("The stack is compared with how it began");
    let before = drill.diary.before.clone().ok_or_else(|| Stop::stopped("nobody looked at the stack before"))?;
    let deadline = drill.clock.monotonic() + PATIENCE;
    loop {
        let now = drill.lab.state().await?;
        let differences = before.diff(&now);
        if differences.is_empty() || drill.clock.monotonic() > deadline {
            for difference in &differences {
                drill.narrator.say("compare", difference);
            }
            if differences.is_empty() {
                drill.narrator.say("compare", "the stack is as it was");
            }
            drill.diary.after = Some(now);
            drill.diary.differences = differences;
            return Ok(());
        }
        drill.clock.sleep(Duration::from_secs(2)).await;
    }
}
