//! The journal's file: opens it, writes records, reads them back. Knows nothing of threads.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use jiff::{Timestamp, civil};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, params};

use super::schema::{self, SchemaError};
use super::{Deed, Kept, Query, Record, Refusal, Story};
use crate::board::call::{Call, CallId, Counter, Kind, Lane, Series, Ticket};
use crate::board::input::Outcome;
use crate::clock::Millis;
use crate::health::{Drawn, Frame};
use crate::wire::{Proof, hash_word};

/// How long another process may hold the file.
const BUSY: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether the file is damaged and must be set aside, not only out of reach.
    pub fn is_damage(&self) -> bool {
        let sql = match self {
            Self::Schema(SchemaError::Newer(_)) => return true,
            Self::Schema(SchemaError::Sql(sql)) | Self::Sql(sql) => sql,
        };
        matches!(sql.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }
}

/// An open journal.
pub struct Store {
    sql: Connection,
    /// Where calls and what became of them are read from.
    calls: &'static str,
}

const CALLS: &str = "calls";
/// In a file that an older program made and nobody has opened for writing since.
const CALLS_BEFORE: &str = "(SELECT calls.rowid, calls.*, speech_from, speech_to, outcome, again
                             FROM calls LEFT JOIN proofs ON proofs.call = calls.id) AS calls";

impl Store {
    /// Opens the file for writing, or makes it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened, is damaged, or is of a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut sql = Connection::open(path)?;
        sql.busy_timeout(BUSY)?;
        // A killed process loses nothing of what was committed; a power cut at most what came after the last checkpoint.
        sql.pragma_update(None, "journal_mode", "WAL")?;
        sql.pragma_update(None, "synchronous", "NORMAL")?;
        schema::migrate(&mut sql)?;
        Ok(Self { sql, calls: CALLS })
    }

    /// Opens an existing file for reading, also while a daemon writes it.
    ///
    /// # Errors
    /// [`StoreError`] when there is none.
    pub fn read_only(path: &Path) -> Result<Self, StoreError> {
        let sql = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        sql.busy_timeout(BUSY)?;
        let before = schema::version(&sql)? < schema::ENDS_BESIDE_CALLS;
        Ok(Self { sql, calls: if before { CALLS_BEFORE } else { CALLS } })
    }

    /// Writes records in their order, all or none.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it is then written.
    pub fn write<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record> + Clone,
    ) -> Result<(), StoreError> {
        let transaction = self.sql.transaction()?;
        let mut ends = Ends::of(records.clone());
        for record in records {
            put(&transaction, record, &mut ends)?;
        }
        Ok(transaction.commit()?)
    }

    /// Makes what was committed outlast a power cut.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let busy: Option<i64> =
            self.sql.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(0)).optional()?;
        tracing::trace!(busy, "checkpoint");
        Ok(())
    }

    /// Forgets what is older.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prune(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let transaction = self.sql.transaction()?;
        for (table, time) in [
            ("calls", "received"),
            ("elsewhere", "proved"),
            ("audit", "at"),
            ("rejected", "at"),
            ("unsent", "at"),
        ] {
            let sql = format!("DELETE FROM {table} WHERE {time} < ?");
            transaction.execute(&sql, [before.as_millisecond()])?;
        }
        Ok(transaction.commit()?)
    }

    /// The last calls that were received at `since` or later, at most `limit`, in the order of their coming: that of the
    /// rows, since the clock that tells when may have been set meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept(&self, since: Timestamp, limit: usize) -> Result<Vec<Kept>, StoreError> {
        let sql =
            format!("SELECT * FROM {} WHERE received >= ? ORDER BY calls.rowid DESC LIMIT ?", self.calls);
        let mut statement = self.sql.prepare(&sql)?;
        let rows = statement.query_map(params![since.as_millisecond(), limit as i64], |row| {
            let Some((call, received, began)) = call(row)? else { return Ok(None) };
            let (began, drawn, proof) = (began.is_some(), frame(row)?, proof(row, &call.id, received)?);
            Ok(Some(Kept { call, received, began, drawn, proof }))
        })?;
        let mut kept = rows.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        kept.reverse();
        Ok(kept)
    }

    /// What was pushed and the broker may not have, topic and payload, in the order of the pushes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unsent(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.sql.prepare("SELECT topic, payload FROM unsent ORDER BY at, rowid")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What became of calls, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stories(&self, query: &Query) -> Result<Vec<Story>, StoreError> {
        let mut statement = self.sql.prepare(&stories_of(self.calls))?;
        let ticket = query.ticket.as_ref().map(Ticket::as_str);
        let (since, until) = (query.since.as_millisecond(), query.until.as_millisecond());
        let rows = statement.query_map(params![ticket, since, until, query.limit as i64], |row| {
            let Some((call, received, began)) = call(row)? else { return Ok(None) };
            let outcome: Option<String> = row.get("outcome")?;
            Ok(Some(Story {
                received,
                began,
                drawn: frame(row)?,
                speech_from: time(row, "speech_from")?,
                speech_to: time(row, "speech_to")?,
                outcome: outcome.as_deref().and_then(Outcome::parse),
                again: row.get::<_, Option<bool>>("again")?.unwrap_or(false),
                elsewhere: Vec::new(),
                call,
            }))
        })?;
        let mut stories = rows.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        for story in &mut stories {
            story.elsewhere = self.elsewhere(&story.call.id)?;
        }
        Ok(stories)
    }

    fn elsewhere(&self, call: &CallId) -> Result<Vec<(String, Proof)>, StoreError> {
        // A file that an older program made and nobody has opened for writing since has no such table yet.
        let mut statement =
            match self.sql.prepare_cached("SELECT * FROM elsewhere WHERE call = ? ORDER BY screen") {
                Ok(statement) => statement,
                Err(rusqlite::Error::SqliteFailure(_, Some(why))) if why.contains("no such table") => {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(error.into()),
            };
        let rows = statement.query_map([call.as_str()], |row| {
            let Some(received) = time(row, "received")? else { return Ok(None) };
            let screen = row.get("screen")?;
            Ok(proof(row, call, received)?.map(|proof| (screen, proof)))
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// What was pushed or commanded from here, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn deeds(&self, about: &str, since: Timestamp, limit: usize) -> Result<Vec<Deed>, StoreError> {
        let mut statement = self.sql.prepare(
            "SELECT at, who, topic, payload FROM audit WHERE substr(topic, 1, length(?1)) = ?1 AND at >= ?2
             ORDER BY at DESC, rowid DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![about, since.as_millisecond(), limit as i64], |row| {
            let Some(at) = time(row, "at")? else { return Ok(None) };
            let text = |column: &str| row.get::<_, String>(column);
            Ok(Some(Deed { at, who: text("who")?, topic: text("topic")?, payload: text("payload")? }))
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// What was refused, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusals(&self, since: Timestamp, limit: usize) -> Result<Vec<Refusal>, StoreError> {
        let mut statement = self.sql.prepare(
            "SELECT at, topic, reason, field, detail FROM rejected WHERE at >= ?1 ORDER BY at DESC, rowid DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![since.as_millisecond(), limit as i64], |row| {
            let Some(at) = time(row, "at")? else { return Ok(None) };
            let text = |column: &str| row.get::<_, String>(column);
            let field = row.get("field")?;
            Ok(Some(Refusal {
                at,
                topic: text("topic")?,
                reason: text("reason")?,
                field,
                detail: text("detail")?,
            }))
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }
}

/// Calls in a time, newest first, of one ticket or of all.
fn stories_of(calls: &str) -> String {
    format!(
        "SELECT * FROM {calls} WHERE (?1 IS NULL OR ticket = ?1) AND received >= ?2 AND received < ?3
         ORDER BY received DESC, calls.rowid DESC LIMIT ?4"
    )
}

/// What became of calls, where it comes in the same batch: most calls of a burst have an end before they are written, and
/// are then written once. The last word on each call, and when it came.
struct Ends<'r>(HashMap<&'r str, (&'r Proof, Timestamp)>);

impl<'r> Ends<'r> {
    fn of(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let ends = records.into_iter().filter_map(|record| match record {
            Record::Proof { proof, at } => Some((proof.call.as_str(), (proof, *at))),
            _ => None,
        });
        Self(ends.collect())
    }

    fn get(&self, call: &CallId) -> Option<(&'r Proof, Timestamp)> {
        self.0.get(call.as_str()).copied()
    }

    /// It is written.
    fn forget(&mut self, call: &CallId) {
        self.0.remove(call.as_str());
    }
}

fn put(sql: &Connection, record: &Record, ends: &mut Ends<'_>) -> rusqlite::Result<()> {
    match record {
        Record::Call { call, received } => {
            // A call that is there already keeps what it has, and its end comes by itself.
            if put_call(sql, call, *received, ends.get(&call.id))? {
                ends.forget(&call.id);
            }
        }
        Record::Began { call, at } => {
            sql.prepare_cached("UPDATE calls SET began = ? WHERE id = ?")?
                .execute(params![at.as_millisecond(), call.as_str()])?;
        }
        Record::Drawn(Drawn { call, frame }) => {
            sql.prepare_cached(
                "UPDATE calls SET drawn = ?, frame = ?, frame_hash = ? WHERE id = ? AND drawn IS NULL",
            )?
            .execute(params![
                frame.at.as_millisecond(),
                frame.number as i64,
                hash_word(frame.hash),
                call.as_str()
            ])?;
        }
        Record::Proof { proof, .. } => {
            if let Some((proof, at)) = ends.get(&proof.call)
                && put_proof(sql, proof, at)?
            {
                ends.forget(&proof.call);
            }
        }
        Record::ProofElsewhere { screen, proof, at } => put_elsewhere(sql, screen, proof, *at)?,
        Record::Audit { at, who, topic, payload } => {
            sql.prepare_cached("INSERT INTO audit (at, who, topic, payload) VALUES (?, ?, ?, ?)")?
                .execute(params![at.as_millisecond(), who, topic, payload])?;
        }
        Record::Unsent { at, topic, payload } => {
            sql.prepare_cached("INSERT OR REPLACE INTO unsent (topic, payload, at) VALUES (?, ?, ?)")?
                .execute(params![topic, payload, at.as_millisecond()])?;
        }
        Record::Sent { topic } => {
            sql.prepare_cached("DELETE FROM unsent WHERE topic = ?")?.execute([topic])?;
        }
        Record::Rejected { at, topic, reason, field, detail } => {
            sql.prepare_cached(
                "INSERT INTO rejected (at, topic, reason, field, detail) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![at.as_millisecond(), topic, reason, field, detail])?;
        }
    }
    Ok(())
}

/// Writes a call with its end, if that is known; returns whether the call is new.
fn put_call(
    sql: &Connection,
    call: &Call,
    received: Timestamp,
    end: Option<(&Proof, Timestamp)>,
) -> rusqlite::Result<bool> {
    let slot = call.slot.map(|slot| slot.strftime("%H:%M").to_string());
    let seq = call.seq.and_then(|seq| i64::try_from(seq).ok());
    let proof = end.map(|(proof, _)| proof);
    let new = sql
        .prepare_cached(
            "INSERT OR IGNORE INTO calls (id, received, at, ticket, counter, kind, seq, series, lane, slot,
                                          proved, speech_from, speech_to, outcome, again)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            call.id.as_str(),
            received.as_millisecond(),
            call.at.as_millisecond(),
            call.ticket.as_str(),
            call.counter.as_str(),
            call.kind.as_str(),
            seq,
            call.series.as_ref().map(Series::as_str),
            call.lane.as_str(),
            slot,
            end.map(|(_, at)| at.as_millisecond()),
            ms(proof.and_then(|proof| proof.speech_from)),
            ms(proof.and_then(|proof| proof.speech_to)),
            proof.map(|proof| proof.outcome.as_str()),
            proof.map(|proof| proof.again)
        ])?;
    Ok(new == 1)
}

/// Returns whether there is such a call.
fn put_proof(sql: &Connection, proof: &Proof, at: Timestamp) -> rusqlite::Result<bool> {
    let found = sql.prepare_cached(
        "UPDATE calls SET proved = ?, speech_from = ?, speech_to = ?, outcome = ?, again = ? WHERE id = ?",
    )?
    .execute(params![
        at.as_millisecond(),
        ms(proof.speech_from),
        ms(proof.speech_to),
        proof.outcome.as_str(),
        proof.again,
        proof.call.as_str()
    ])?;
    Ok(found == 1)
}

/// What a row says became of a call; none: nothing yet.
fn proof(row: &Row<'_>, call: &CallId, received: Timestamp) -> rusqlite::Result<Option<Proof>> {
    let outcome: Option<String> = row.get("outcome")?;
    let Some(outcome) = outcome.as_deref().and_then(Outcome::parse) else { return Ok(None) };
    Ok(Some(Proof {
        call: call.clone(),
        received,
        drawn: frame(row)?,
        speech_from: time(row, "speech_from")?,
        speech_to: time(row, "speech_to")?,
        outcome,
        zone: None,
        again: row.get("again")?,
    }))
}

fn put_elsewhere(sql: &Connection, screen: &str, proof: &Proof, at: Timestamp) -> rusqlite::Result<()> {
    sql.prepare_cached(
        "INSERT OR REPLACE INTO elsewhere
         (call, screen, proved, received, drawn, frame, frame_hash, speech_from, speech_to, outcome, again)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        proof.call.as_str(),
        screen,
        at.as_millisecond(),
        proof.received.as_millisecond(),
        proof.drawn.map(|frame| frame.at.as_millisecond()),
        proof.drawn.map(|frame| frame.number as i64),
        proof.drawn.map(|frame| hash_word(frame.hash)),
        ms(proof.speech_from),
        ms(proof.speech_to),
        proof.outcome.as_str(),
        proof.again
    ])?;
    Ok(())
}

fn ms(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millisecond)
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let ms: Option<i64> = row.get(column)?;
    Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
}

/// The frame that a row names; none in a file that an older program made and nobody has opened for writing since.
fn frame(row: &Row<'_>) -> rusqlite::Result<Option<Frame>> {
    let number: Option<i64> = match row.get("frame") {
        Err(rusqlite::Error::InvalidColumnName(_)) => return Ok(None),
        number => number?,
    };
    let hash: Option<String> = row.get("frame_hash")?;
    let hash = hash.and_then(|word| u64::from_str_radix(&word, 16).ok());
    let (Some(at), Some(number), Some(hash)) = (time(row, "drawn")?, number, hash) else { return Ok(None) };
    Ok(Some(Frame { at, number: number as u64, hash }))
}

/// A call, when it was received, and when its announcement began; none when an older program's rules were looser.
fn call(row: &Row<'_>) -> rusqlite::Result<Option<(Call, Timestamp, Option<Timestamp>)>> {
    let text = |column: &str| row.get::<_, String>(column);
    let series: Option<String> = row.get("series")?;
    let slot: Option<String> = row.get("slot")?;
    let seq: Option<i64> = row.get("seq")?;
    let (Ok(id), Ok(ticket), Ok(counter), Ok(kind), Ok(lane), Some(at), Some(received)) = (
        CallId::parse(&text("id")?),
        Ticket::parse(&text("ticket")?),
        Counter::parse(&text("counter")?),
        Kind::parse(&text("kind")?),
        Lane::parse(&text("lane")?),
        time(row, "at")?,
        time(row, "received")?,
    ) else {
        return Ok(None);
    };
    let call = Call {
        id,
        ticket,
        counter,
        kind,
        at,
        seq: seq.and_then(|seq| u64::try_from(seq).ok()),
        series: series.and_then(|series| Series::parse(&series).ok()),
        lane,
        slot: slot.and_then(|slot| civil::Time::strptime("%H:%M", slot).ok()),
        holder: None,
    };
    Ok(Some((call, received, time(row, "began")?)))
}

/// The time before which nothing is kept.
pub fn oldest_kept(now: Timestamp, keep_days: u32) -> Timestamp {
    let span = Millis::from_secs(i64::from(keep_days) * 24 * 3600);
    now.checked_sub(span.to_duration()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(sql: &Connection, query: &str) -> String {
        let mut statement = sql.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let none = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3));
        steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    /// A year of calls is not read for one day of them, in a file of any version.
    #[test]
    fn the_calls_of_a_day_and_what_an_event_is_about_are_found_without_reading_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("j.db")).unwrap();
        let day = "calls USING INDEX calls_by_time (received>? AND received<?)";
        assert_eq!(plan_of(&store.sql, &stories_of(CALLS)), format!("SEARCH {day}"));
        let about = plan_of(&store.sql, "UPDATE calls SET began = ? WHERE id = ?");
        assert_eq!(about, "SEARCH calls USING INDEX sqlite_autoindex_calls_1 (id=?)");
        let before = Connection::open_in_memory().unwrap();
        schema::STEPS[..4].iter().for_each(|step| before.execute_batch(step).unwrap());
        let plan = plan_of(&before, &stories_of(CALLS_BEFORE));
        assert!(plan.starts_with(&format!("SEARCH {day}")) && !plan.contains("SCAN"), "{plan}");
    }

    /// As on a disk that takes nothing after an update of the program.
    #[test]
    fn a_file_of_any_version_is_read_though_nobody_may_write_it() {
        for version in 1..=schema::VERSION {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("j.db");
            let old = Connection::open(&path).unwrap();
            schema::STEPS[..version].iter().for_each(|step| old.execute_batch(step).unwrap());
            old.pragma_update(None, "user_version", version as i64).unwrap();
            let row = "INSERT INTO calls (id, received, at, ticket, counter, kind, lane, began)
                       VALUES ('a', 1000, 1, 'A012', '5', 'call', 'regular', 2), ('b', 2000, 2, 'A013', '5', 'call', 'regular', NULL)";
            old.execute(row, []).unwrap();
            let ended = if version < 5 {
                "INSERT INTO proofs (call, proved, speech_from, speech_to, outcome, again) VALUES ('a', 9, 2, 8, 'spoken', 1)"
            } else {
                "UPDATE calls SET proved = 9, speech_from = 2, speech_to = 8, outcome = 'spoken', again = 1 WHERE id = 'a'"
            };
            old.execute(ended, []).unwrap();
            let store = Store::read_only(&path).unwrap();
            let (since, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
            let stories = store.stories(&Query { ticket: None, since, until, limit: 9 }).unwrap();
            let told: Vec<_> = stories.iter().map(|s| (s.call.id.as_str(), s.outcome, s.again)).collect();
            assert_eq!(told, [("b", None, false), ("a", Some(Outcome::Spoken), true)], "version {version}");
            assert_eq!(stories[1].speech_to, Timestamp::from_millisecond(8).ok());
            let kept = store.kept(since, 9).unwrap();
            let told: Vec<_> =
                kept.iter().map(|k| (k.call.id.as_str(), k.began, k.proof.is_some())).collect();
            assert_eq!(told, [("a", true, true), ("b", false, false)], "version {version}");
        }
    }
}
