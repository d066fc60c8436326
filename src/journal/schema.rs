//! The tables of the journal and how an older file becomes a newer one.

use rusqlite::{Connection, Transaction};

/// One step a version, from the first; a step that was ever shipped is never changed.
const STEPS: [&str; 4] = [
    "
    CREATE TABLE calls (
        id TEXT PRIMARY KEY,
        received INTEGER NOT NULL,
        at INTEGER NOT NULL,
        ticket TEXT NOT NULL,
        counter TEXT NOT NULL,
        kind TEXT NOT NULL,
        seq INTEGER,
        series TEXT,
        lane TEXT NOT NULL,
        slot TEXT,
        -- When its announcement began, in this or an earlier life of the process.
        began INTEGER
    ) STRICT;
    CREATE INDEX calls_by_time ON calls (received);
    CREATE INDEX calls_by_ticket ON calls (ticket, received);
    CREATE TABLE proofs (
        call TEXT PRIMARY KEY,
        proved INTEGER NOT NULL,
        drawn INTEGER,
        speech_from INTEGER,
        speech_to INTEGER,
        outcome TEXT NOT NULL,
        again INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX proofs_by_time ON proofs (proved);
    CREATE TABLE audit (
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        topic TEXT NOT NULL,
        payload TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_by_time ON audit (at);
    CREATE TABLE rejected (
        at INTEGER NOT NULL,
        topic TEXT NOT NULL,
        reason TEXT NOT NULL,
        field TEXT,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX rejected_by_time ON rejected (at);
",
    "
    -- What the hall's other screens made of a call.
    CREATE TABLE elsewhere (
        call TEXT NOT NULL,
        screen TEXT NOT NULL,
        proved INTEGER NOT NULL,
        received INTEGER NOT NULL,
        drawn INTEGER,
        speech_from INTEGER,
        speech_to INTEGER,
        outcome TEXT NOT NULL,
        again INTEGER NOT NULL,
        PRIMARY KEY (call, screen)
    ) STRICT;
    CREATE INDEX elsewhere_by_time ON elsewhere (proved);
",
    "
    -- The first frame in which a call held the spotlight; known before its end is, and after a kill.
    ALTER TABLE calls ADD COLUMN drawn INTEGER;
    ALTER TABLE calls ADD COLUMN frame INTEGER;
    ALTER TABLE calls ADD COLUMN frame_hash TEXT;
    -- Nothing ever stood in it.
    ALTER TABLE proofs DROP COLUMN drawn;
    ALTER TABLE elsewhere ADD COLUMN frame INTEGER;
    ALTER TABLE elsewhere ADD COLUMN frame_hash TEXT;
",
    "
    -- What operators pushed and the broker has not told back yet: the last of each retained topic.
    CREATE TABLE unsent (
        topic TEXT PRIMARY KEY,
        payload TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
",
];

/// The version that this program writes.
pub const VERSION: usize = STEPS.len();

/// Why a file cannot be brought to [`VERSION`].
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("is of version {0}, which only a newer program reads")]
    Newer(i64),
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

/// Brings a file to [`VERSION`], all or nothing.
///
/// # Errors
/// [`SchemaError`]; the file is then as it was.
pub fn migrate(connection: &mut Connection) -> Result<(), SchemaError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let Some(missing) = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)) else {
        return Err(SchemaError::Newer(found));
    };
    if missing.is_empty() {
        // Nothing is written: a full disk still tells what it has.
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION as i64)?;
    Ok(transaction.commit()?)
}

fn version(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gets_all_tables_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 6);
    }

    #[test]
    fn every_shipped_version_becomes_the_present_one_and_keeps_its_rows() {
        for from in 1..=VERSION {
            let mut connection = Connection::open_in_memory().unwrap();
            STEPS[..from].iter().for_each(|step| connection.execute_batch(step).unwrap());
            connection.pragma_update(None, "user_version", from as i64).unwrap();
            let row = "INSERT INTO calls (id, received, at, ticket, counter, kind, lane) VALUES ('a', 1, 1, 'A012', '5', 'call', 'regular')";
            connection.execute(row, []).unwrap();
            migrate(&mut connection).unwrap();
            let ticket: String =
                connection.query_row("SELECT ticket FROM calls", [], |row| row.get(0)).unwrap();
            assert_eq!(ticket, "A012", "from version {from}");
        }
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", VERSION as i64 + 1).unwrap();
        assert!(matches!(migrate(&mut connection), Err(SchemaError::Newer(_))));
    }
}
