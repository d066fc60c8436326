//! The journal's file: opens it, writes records, reads them back. Knows nothing of threads.

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
}

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
        Ok(Self { sql })
    }

    /// Opens an existing file for reading, also while a daemon writes it.
    ///
    /// # Errors
    /// [`StoreError`] when there is none.
    pub fn read_only(path: &Path) -> Result<Self, StoreError> {
        let sql = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        sql.busy_timeout(BUSY)?;
        Ok(Self { sql })
    }

    /// Writes records in their order, all or none.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it is then written.
    pub fn write<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) -> Result<(), StoreError> {
        let transaction = self.sql.transaction()?;
        for record in records {
            put(&transaction, record)?;
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
            ("proofs", "proved"),
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
        let mut statement = self.sql.prepare(
            "SELECT calls.*, speech_from, speech_to, outcome, again FROM calls LEFT JOIN proofs ON proofs.call = calls.id
             WHERE received >= ? ORDER BY calls.rowid DESC LIMIT ?",
        )?;
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
        let mut statement = self.sql.prepare(
            "SELECT calls.*, speech_from, speech_to, outcome, again FROM calls
             LEFT JOIN proofs ON proofs.call = calls.id
             WHERE (?1 IS NULL OR ticket = ?1) AND received >= ?2 AND received < ?3
             ORDER BY received DESC, calls.rowid DESC LIMIT ?4",
        )?;
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

fn put(sql: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Call { call, received } => {
            let slot = call.slot.map(|slot| slot.strftime("%H:%M").to_string());
            let seq = call.seq.and_then(|seq| i64::try_from(seq).ok());
            sql.prepare_cached(
                "INSERT OR IGNORE INTO calls (id, received, at, ticket, counter, kind, seq, series, lane, slot)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                slot
            ])?;
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
        Record::Proof { proof, at } => put_proof(sql, proof, *at)?,
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

fn put_proof(sql: &Connection, proof: &Proof, at: Timestamp) -> rusqlite::Result<()> {
    sql.prepare_cached(
        "INSERT OR REPLACE INTO proofs (call, proved, speech_from, speech_to, outcome, again)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        proof.call.as_str(),
        at.as_millisecond(),
        ms(proof.speech_from),
        ms(proof.speech_to),
        proof.outcome.as_str(),
        proof.again
    ])?;
    Ok(())
}

/// What a row of proofs says of a call; none: nothing yet.
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
