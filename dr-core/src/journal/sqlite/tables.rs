//! The file: whose it is, and what tables it has.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    failure::{failed, refused},
    inbox,
};
use crate::error::{Effect, Result};

/// What makes a file ours: `DRJ1`.
const APPLICATION_ID: i32 = 0x4452_4a31;
/// The version of the tables.
///
/// | version | what came |
/// |---|---|
/// | 1 | runs, records, leases |
/// | 2 | requests |
/// | 3 | records as the text that their digests cover |
///
/// Versions 1 and 2 were never released, and their records have other digests: they are refused.
const VERSION: i32 = 3;

const TABLES: &str = "
CREATE TABLE runs (
    n     INTEGER PRIMARY KEY,
    run   TEXT    NOT NULL UNIQUE,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE records (
    run    TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    record TEXT    NOT NULL,
    digest BLOB    NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE leases (
    run     TEXT    PRIMARY KEY,
    owner   TEXT,
    epoch   INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
";

pub(super) fn connect(path: &Path) -> Result<Connection> {
    let open = |e| failed("open", e).with_effect(Effect::NotApplied);
    let mut connection = Connection::open(path).map_err(open)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(open)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(open)?;
    connection.pragma_update(None, "synchronous", "full").map_err(open)?;
    // Whoever only looks must not wait for whoever writes: the write lock is taken only to make the tables.
    if is_ready(&connection)? {
        return Ok(connection);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(open)?;
    // Somebody else may have made them meanwhile.
    if !is_ready(&transaction)? {
        transaction.execute_batch(TABLES).map_err(open)?;
        transaction.execute_batch(inbox::TABLE).map_err(open)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(open)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(open)?;
    }
    transaction.commit().map_err(open)?;
    Ok(connection)
}

/// Whether the file has our tables; false when it has none.
fn is_ready(connection: &Connection) -> Result<bool> {
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        value.map_err(|e| failed("open", e).with_effect(Effect::NotApplied))
    };
    match (pragma("application_id")?, pragma("user_version")?) {
        (0, 0) => Ok(false),
        (APPLICATION_ID, VERSION) => Ok(true),
        (APPLICATION_ID, version) => {
            Err(refused(format!("holds tables of version {version}, this program reads version {VERSION}")))
        }
        _ => Err(refused("is the database of another program".to_owned())),
    }
}
