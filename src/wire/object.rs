//! Reading fields of a JSON object, with the field's name in every fault.

use std::cell::RefCell;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Map, Value};

use super::{Fault, Reason};
use crate::board::call::{WordError, clean};
use crate::config::time_of_day;

/// How an object is read.
pub(super) struct Reader<'a> {
    /// Of the hall, for times of day.
    pub zone: &'a TimeZone,
    /// What was wrong with fields that can be left out; none: such a fault refuses the whole.
    pub spared: Option<RefCell<Vec<Fault>>>,
}

/// An object whose fields are read by name.
pub(super) struct Object<'a> {
    pub fields: &'a Map<String, Value>,
    pub reader: &'a Reader<'a>,
}

impl<'a> Object<'a> {
    /// A field without which the message still says what matters. When faults are spared, a wrong one counts as absent:
    /// a call must not be lost for its ornament.
    pub fn spare<T>(&self, read: impl FnOnce(&Self) -> Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
        match (read(self), &self.reader.spared) {
            (Err(fault), Some(spared)) => {
                spared.borrow_mut().push(fault);
                Ok(None)
            }
            (read, _) => read,
        }
    }

    /// The field; `null` counts as absent.
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    fn need(&self, field: &str) -> Result<&'a Value, Fault> {
        self.get(field).ok_or_else(|| Fault::of(Reason::Missing, field, "is missing"))
    }

    /// A text that `parse` accepts; a whole number is taken as its text.
    pub fn word<T>(&self, field: &str, parse: impl Fn(&str) -> Result<T, WordError>) -> Result<T, Fault> {
        parse(&code(field, self.need(field)?)?).map_err(|e| Fault::word(field, &e))
    }

    pub fn optional_word<T>(
        &self,
        field: &str,
        parse: impl Fn(&str) -> Result<T, WordError>,
    ) -> Result<Option<T>, Fault> {
        self.get(field).map(|_| self.word(field, parse)).transpose()
    }

    /// A list of such texts; absent is `None`.
    pub fn words<T>(
        &self,
        field: &str,
        parse: impl Fn(&str) -> Result<T, WordError>,
    ) -> Result<Option<Vec<T>>, Fault> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(wrong_type(field, "a list", value)) };
        let read = |item| parse(&code(field, item)?).map_err(|e| Fault::word(field, &e));
        items.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// A text of at most `max` characters; numbers are not texts.
    pub fn text(&self, field: &str, max: usize) -> Result<String, Fault> {
        let value = self.need(field)?;
        let text = value.as_str().ok_or_else(|| wrong_type(field, "a text", value))?;
        clean(text, max).map_err(|e| Fault::word(field, &e))
    }

    /// The same; absent and empty are `None`.
    pub fn optional_text(&self, field: &str, max: usize) -> Result<Option<String>, Fault> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(_) => self.text(field, max).map(Some),
        }
    }

    pub fn flag(&self, field: &str) -> Result<bool, Fault> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(wrong_type(field, "true or false", other)),
        }
    }

    /// A whole number from 0 to `max`.
    pub fn count(&self, field: &str, max: u64) -> Result<u64, Fault> {
        let value = self.need(field)?;
        let Value::Number(number) = value else { return Err(wrong_type(field, "a number", value)) };
        match number.as_u64() {
            Some(n) if n <= max => Ok(n),
            _ => Err(Fault::of(Reason::OutOfRange, field, format!("must be a whole number from 0 to {max}"))),
        }
    }

    pub fn optional_count(&self, field: &str, max: u64) -> Result<Option<u64>, Fault> {
        self.get(field).map(|_| self.count(field, max)).transpose()
    }

    pub fn optional_u32(&self, field: &str) -> Result<Option<u32>, Fault> {
        let count = self.optional_count(field, u64::from(u32::MAX))?;
        Ok(count.map(|n| u32::try_from(n).expect("the count is at most u32::MAX")))
    }

    /// An RFC 3339 time with an offset.
    pub fn time(&self, field: &str) -> Result<Timestamp, Fault> {
        let value = self.need(field)?;
        let text = value.as_str().ok_or_else(|| wrong_type(field, "a text", value))?;
        let wanted = "must be a time with an offset, such as 2026-11-24T08:30:00+07:00";
        text.trim().parse().map_err(|_| Fault::of(Reason::BadTime, field, wanted))
    }

    pub fn optional_time(&self, field: &str) -> Result<Option<Timestamp>, Fault> {
        self.get(field).map(|_| self.time(field)).transpose()
    }

    /// A local time of day: `HH:MM`, or an RFC 3339 time with any offset, taken to the hall's clock.
    pub fn optional_time_of_day(&self, field: &str) -> Result<Option<civil::Time>, Fault> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong_type(field, "a text", value))?.trim();
        let wanted = "must be HH:MM, or a time with an offset, such as 2026-11-24T08:30:00+07:00";
        let instant = |text: &str| {
            let time = self.reader.zone.to_datetime(text.parse().ok()?).time();
            Some(civil::time(time.hour(), time.minute(), 0, 0))
        };
        time_of_day(text)
            .or_else(|| instant(text))
            .map(Some)
            .ok_or_else(|| Fault::of(Reason::BadTime, field, wanted))
    }

    /// An object inside this one.
    pub fn inner(&self, field: &str) -> Result<Object<'a>, Fault> {
        match self.need(field)? {
            Value::Object(inner) => Ok(Object { fields: inner, reader: self.reader }),
            other => Err(wrong_type(field, "an object", other)),
        }
    }
}

/// A text, or a whole number as its text: many queue systems send ticket and counter as numbers.
fn code(field: &str, value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_u64() => Ok(number.to_string()),
        other => Err(wrong_type(field, "a text", other)),
    }
}

fn wrong_type(field: &str, wanted: &str, found: &Value) -> Fault {
    Fault::of(Reason::WrongType, field, format!("must be {wanted}, not {}", type_name(found)))
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
