//! What is read back from a journal that an older program, or nobody knows who, has written: the bytes become rows.

use std::cell::RefCell;
use std::path::PathBuf;

use jiff::Timestamp;
use moiso::journal::{Query, Store};
use rusqlite::types::Value;

/// Columns of each table that is read back.
const TABLES: [(&str, i64); 5] =
    [("calls", 19), ("elsewhere", 11), ("audit", 4), ("rejected", 5), ("unsent", 3)];
/// Rows that one input may become.
const ROWS: usize = 24;

/// A journal in a folder of its own, which lives as long as the process.
struct Journal {
    path: PathBuf,
    sql: rusqlite::Connection,
    _folder: tempfile::TempDir,
}

thread_local! {
    static JOURNAL: RefCell<Option<Journal>> = const { RefCell::new(None) };
}

impl Journal {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.db");
        drop(Store::open(&path).expect("a new journal"));
        let sql = rusqlite::Connection::open(&path).expect("the same journal");
        sql.pragma_update(None, "synchronous", "OFF").expect("a setting");
        // With another number of columns every row would be refused, and nothing be read back.
        for (table, columns) in TABLES {
            let count = "SELECT count(*) FROM pragma_table_info(?1)";
            let there: i64 = sql.query_row(count, [table], |row| row.get(0)).expect("a table");
            assert_eq!(there, columns, "columns of {table}");
        }
        Self { path, sql, _folder: folder }
    }
}

/// Whatever stands in the rows, all that can be read is read, and what cannot is passed over.
pub fn check(data: &[u8]) {
    JOURNAL.with_borrow_mut(|journal| {
        let Journal { path, sql, .. } = journal.get_or_insert_with(Journal::new);
        let mut calls = 0;
        for row in data.split(|byte| *byte == b'\n').take(ROWS) {
            let Some((choice, fields)) = row.split_first() else { continue };
            let (table, columns) = TABLES[usize::from(*choice) % TABLES.len()];
            let columns = columns as usize;
            let values: Vec<Value> = fields
                .split(|byte| *byte == b'|')
                .map(value)
                .chain(std::iter::repeat(Value::Null))
                .take(columns)
                .collect();
            let marks = vec!["?"; columns].join(",");
            let insert = format!("INSERT OR IGNORE INTO {table} VALUES ({marks})");
            // A table refuses what is of the wrong kind.
            let put = sql.execute(&insert, rusqlite::params_from_iter(values));
            calls += usize::from(table == "calls" && put == Ok(1));
        }
        let store = Store::read_only(path).expect("the file can be read");
        let (since, until) = (Timestamp::MIN, Timestamp::MAX);
        let query = Query { ticket: None, since, until, limit: 1_000 };
        let stories = store.stories(&query).expect("stories");
        assert!(stories.len() <= calls);
        assert!(store.kept(since, 1_000).expect("calls of before").len() <= calls);
        let deeds = store.deeds("", since, 1_000).expect("deeds");
        let refusals = store.refusals(since, 1_000).expect("refusals");
        let unsent = store.unsent().expect("what is unsent");
        assert!(deeds.len() + refusals.len() + unsent.len() <= ROWS);
        for (table, _) in TABLES {
            sql.execute(&format!("DELETE FROM {table}"), []).expect("an empty table");
        }
    });
}

/// A number where it looks like one, nothing for an empty field, else a text.
fn value(field: &[u8]) -> Value {
    let text = String::from_utf8_lossy(field);
    match text.parse::<i64>() {
        Ok(number) => Value::Integer(number),
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::Text(text.into_owned()),
    }
}
