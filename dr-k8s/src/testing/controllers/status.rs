//! Conditions, as the controllers keep them.

use serde_json::{Value, json};

use crate::testing::object;

/// Sets a condition; its transition time moves only when its status does.
pub(super) fn set_condition(
    conditions: &mut Vec<Value>,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: &str,
) {
    let old = conditions.iter_mut().find(|c| object::text(c, "/type") == kind);
    let mut new = json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now,
    });
    match old {
        Some(old) => {
            if object::text(old, "/status") == status {
                let since = object::text(old, "/lastTransitionTime").to_owned();
                object::set(&mut new, &["lastTransitionTime"], json!(since));
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}
