//! The tables of the journal and how an older file becomes a newer one.

use rusqlite::Connection;

/// One step a version, from the first; a step that was ever shipped is never changed.
pub(super) const STEPS: [&str; 5] = [
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
    "
    -- What became of a call stands beside it: a call that ends at once is one row, and its end needs no tree of its own.
    ALTER TABLE calls ADD COLUMN proved INTEGER;
    ALTER TABLE calls ADD COLUMN speech_from INTEGER;
    ALTER TABLE calls ADD COLUMN speech_to INTEGER;
    ALTER TABLE calls ADD COLUMN outcome TEXT;
    ALTER TABLE calls ADD COLUMN again INTEGER;
    UPDATE calls SET proved = proofs.proved, speech_from = proofs.speech_from, speech_to = proofs.speech_to,
        outcome = proofs.outcome, again = proofs.again
        FROM proofs WHERE proofs.call = calls.id;
    DROP TABLE proofs;
    -- No query ever went by it: a ticket is looked for among the calls of a day.
    DROP INDEX calls_by_ticket;
",
];

/// The first version in which what became of a call stands beside it; before it was a table of its own.
pub const ENDS_BESIDE_CALLS: i64 = 5;

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

pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    #[test]
    fn an_empty_file_gets_all_tables_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 5);
    }

    #[test]
    fn every_shipped_version_becomes_the_present_one_and_keeps_its_rows() {
        for from in 1..=VERSION {
            let mut connection = Connection::open_in_memory().unwrap();
            STEPS[..from].iter().for_each(|step| connection.execute_batch(step).unwrap());
            connection.pragma_update(None, "user_version", from as i64).unwrap();
            let row = "INSERT INTO calls (id, received, at, ticket, counter, kind, lane) VALUES ('a', 1, 1, 'A012', '5', 'call', 'regular')";
            connection.execute(row, []).unwrap();
            let ended = if from < ENDS_BESIDE_CALLS as usize {
                "INSERT INTO proofs (call, proved, speech_from, speech_to, outcome, again) VALUES ('a', 9, 2, 8, 'spoken', 1)"
            } else {
                "UPDATE calls SET proved = 9, speech_from = 2, speech_to = 8, outcome = 'spoken', again = 1"
            };
            connection.execute(ended, []).unwrap();
            connection.execute(&row.replace("'a'", "'b'"), []).unwrap();
            migrate(&mut connection).unwrap();
            let mut told = connection
                .prepare("SELECT id, ticket, proved, speech_from, speech_to, outcome, again FROM calls ORDER BY rowid")
                .unwrap();
            let told: Vec<[Value; 7]> = told
                .query_map([], |row| {
                    let mut values = [const { Value::Null }; 7];
                    values.iter_mut().enumerate().try_for_each(|(n, value)| {
                        *value = row.get(n)?;
                        Ok::<_, rusqlite::Error>(())
                    })?;
                    Ok(values)
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let text = |text: &str| Value::Text(text.to_owned());
            let [proved, began, ended, again] = [9, 2, 8, 1].map(Value::Integer);
            let first = [text("a"), text("A012"), proved, began, ended, text("spoken"), again];
            let none = const { Value::Null };
            let second =
                [text("b"), text("A012"), none.clone(), none.clone(), none.clone(), none.clone(), none];
            assert_eq!(told, [first, second], "from version {from}");
        }
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", VERSION as i64 + 1).unwrap();
        assert!(matches!(migrate(&mut connection), Err(SchemaError::Newer(_))));
    }
}
