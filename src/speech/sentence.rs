//! From a message to phrases and pauses: which words are one unit of speech, and how long the silence between two is.
//!
//! Knows no clips, so `moiso read` works without a voice. A ticket or counter that cannot be read aloud is replaced by
//! the request to look at the board, never by a part of it.

use unicode_normalization::UnicodeNormalization;

use super::number::{MAX_NUMBER, digit, read_number};
use super::template::{Piece, Slot, Template, words};
use super::ticket::{Unit, read_ticket};
use super::{Accent, english};
use crate::board::call::{Counter, Kind, Lane, Series, Ticket};
use crate::board::input::{Form, Message};
use crate::clock::Millis;
use crate::config::{Config, SeriesMode};

/// Before a new phrase, and between two groups of digits.
pub const PHRASE_PAUSE: Millis = Millis(150);
/// Before a new clause.
pub const CLAUSE_PAUSE: Millis = Millis(200);
/// Between the letter of a code and its digits.
pub const LETTER_PAUSE: Millis = Millis(130);
const LOOK_AT_THE_BOARD: &str = "mời công dân xem bảng";

const SHORT: &str = "{chime} Số {ticket}, {counter_noun} {counter}.";

/// What a phrase is about; decides what happens when it has no clips.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Words,
    /// Has a part of the ticket.
    Ticket,
    Lane,
    /// Has the counter.
    Counter,
}

/// Words that are spoken without a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// Lower case, NFC, single spaces: a key of the bank.
    pub words: String,
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Chime,
    Pause(Millis),
    Phrase(Phrase),
}

/// A sentence, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub steps: Vec<Step>,
    /// As people write it, numbers in words.
    pub text: String,
    /// The ticket or the counter that no rule reads aloud; the request to look stands in its place.
    pub unread: Option<String>,
}

/// The words of one hall and the accent of its voice.
#[derive(Clone, Debug)]
pub struct Wording {
    config: Config,
    accent: Accent,
    full: Template,
    short: Template,
}

impl Wording {
    /// # Errors
    /// The problems of the configured template.
    pub fn new(config: &Config, accent: Accent) -> Result<Self, Vec<String>> {
        let (full, short) = match accent {
            Accent::North | Accent::South => (&config.speech.template, SHORT),
            Accent::English => (&config.speech.template_en, english::SHORT),
        };
        let full = Template::parse(full)?;
        let short = Template::parse(short).expect("a valid constant, which a test shows");
        Ok(Self { config: config.clone(), accent, full, short })
    }

    pub fn accent(&self) -> Accent {
        self.accent
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The sentence of a message.
    pub fn sentence(&self, message: &Message, form: Form) -> Sentence {
        match message {
            Message::Call { ticket, counter, kind, lane, series, .. } => {
                self.call(ticket, counter, *kind, &[*lane], series.as_ref(), form)
            }
            Message::Notice { text, .. } => self.notice(text),
        }
    }

    /// The sentence of a call; of `lanes`, those that the config speaks are named.
    pub fn call(
        &self,
        ticket: &Ticket,
        counter: &Counter,
        kind: Kind,
        lanes: &[Lane],
        series: Option<&Series>,
        form: Form,
    ) -> Sentence {
        let code = ticket.as_str();
        let mode = self.mode_of(series, code);
        let Some(units) = read_ticket(code, mode, self.accent) else {
            return Sentence { unread: Some(format!("ticket {code}")), ..self.look() };
        };
        let template = match form {
            Form::Full => &self.full,
            Form::Short => &self.short,
        };
        let mut builder = Builder::new(self.accent);
        let mut recall = (kind == Kind::Recall).then(|| words(self.recall()));
        for piece in template.pieces() {
            if *piece != Piece::Slot(Slot::Chime) {
                builder.pieces(recall.take().unwrap_or_default());
            }
            match piece {
                Piece::Slot(Slot::Chime) => builder.chime(),
                Piece::Slot(Slot::Ticket) => builder.ticket(&units),
                Piece::Slot(Slot::Lane) => self.lanes(&mut builder, lanes),
                Piece::Slot(Slot::CounterNoun) => builder.noun(self.noun_of(counter)),
                Piece::Slot(Slot::Counter) => builder.counter(counter.as_str()),
                other => builder.pieces([other.clone()]),
            }
        }
        builder.finish()
    }

    fn mode_of(&self, series: Option<&Series>, code: &str) -> SeriesMode {
        let upper: String = code.chars().map(super::number::upper).collect();
        self.config.series_mode(series.map(Series::as_str), &upper)
    }

    fn lanes(&self, builder: &mut Builder, lanes: &[Lane]) {
        for lane in lanes.iter().filter(|lane| self.config.speech.spoken_lanes.contains(lane)) {
            if let Some(spoken) = self.lane(*lane) {
                builder.lane(spoken);
            }
        }
    }

    /// A lane as it is spoken.
    pub fn lane(&self, lane: Lane) -> Option<&'static str> {
        match self.accent {
            Accent::North | Accent::South => lane.spoken(),
            Accent::English => english::lane(lane),
        }
    }

    fn recall(&self) -> &str {
        match self.accent {
            Accent::North | Accent::South => &self.config.speech.recall,
            Accent::English => &self.config.speech.recall_en,
        }
    }

    fn noun_of(&self, counter: &Counter) -> &str {
        let noun = self.config.noun_of(counter);
        match self.accent {
            Accent::North | Accent::South => noun,
            Accent::English => english::noun(noun),
        }
    }

    fn notice(&self, text: &str) -> Sentence {
        let mut builder = Builder::new(self.accent);
        builder.chime();
        builder.pieces(words(text));
        builder.finish()
    }

    /// A chime and the request to look.
    pub fn look(&self) -> Sentence {
        self.notice(&format!("{}.", capital(look_at_the_board(self.accent))))
    }
}

/// What is said when a number cannot be.
pub fn look_at_the_board(accent: Accent) -> &'static str {
    match accent {
        Accent::North | Accent::South => LOOK_AT_THE_BOARD,
        Accent::English => english::LOOK_AT_THE_BOARD,
    }
}

/// Lower case and NFC, as the keys of a bank are.
pub fn spoken(word: &str) -> String {
    word.nfc().flat_map(char::to_lowercase).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// How a counter is named after its noun.
enum CounterName {
    /// `số năm`: the word số belongs before it.
    Numbered(Vec<(String, String)>),
    /// `bàn A`, `phòng trả kết quả`.
    Named(Vec<(String, String)>),
}

fn read_counter(id: &str, accent: Accent) -> Option<CounterName> {
    let pairs = |text: &str| text.split(' ').map(|w| (w.to_owned(), w.to_owned())).collect();
    if id.bytes().all(|b| b.is_ascii_digit())
        && let Ok(n) = id.parse::<u32>()
        && n <= MAX_NUMBER
    {
        return Some(CounterName::Numbered(pairs(&read_number(n, accent))));
    }
    let is_name = id.chars().all(|c| c.is_alphabetic() || c == ' ')
        && (id.chars().count() > 3 || id.chars().any(char::is_lowercase))
        && id.chars().count() > 1;
    if is_name {
        let words = id.split_whitespace().map(|w| (spoken(w), w.to_owned())).collect();
        return Some(CounterName::Named(words));
    }
    let mut name = Vec::new();
    let units = read_ticket(id, SeriesMode::Number, accent)?;
    for unit in &units {
        match unit {
            Unit::Letters { shown, spoken } => name.push((spoken.clone(), shown.clone())),
            Unit::Digits(words) => name.extend::<Vec<_>>(pairs(words)),
        }
    }
    let has_digits = units.iter().any(|unit| matches!(unit, Unit::Digits(_)));
    Some(if has_digits { CounterName::Numbered(name) } else { CounterName::Named(name) })
}

/// Digits of running text: a number, or one after the other where they are none. 05 is a month or a part of a code, and
/// a telephone number begins with a zero.
fn read_digits(digits: &str, accent: Accent) -> String {
    let number = digits.parse::<u32>().ok().filter(|n| *n <= MAX_NUMBER);
    match number.filter(|_| digits == "0" || !digits.starts_with('0')) {
        Some(n) => read_number(n, accent),
        None => digits.chars().filter_map(|c| digit(c, accent)).collect::<Vec<_>>().join(" "),
    }
}

/// Grows a sentence word by word and decides where it breathes.
struct Builder {
    accent: Accent,
    steps: Vec<Step>,
    /// Words of the phrase in progress: as spoken, as written.
    words: Vec<(String, String)>,
    role: Role,
    /// Silence before the next phrase.
    pause: Millis,
    text: String,
    unread: Option<String>,
}

impl Builder {
    fn new(accent: Accent) -> Self {
        let (steps, words) = (Vec::new(), Vec::new());
        Self {
            accent,
            steps,
            words,
            role: Role::Words,
            pause: Millis::ZERO,
            text: String::new(),
            unread: None,
        }
    }

    fn pieces(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        for piece in pieces {
            match piece {
                Piece::Word(word) => self.word(&word),
                Piece::Break(mark) => self.clause(mark),
                Piece::Slot(_) => {}
            }
        }
    }

    /// A word of running text; digits become words, and a second "số" in a row is not said.
    fn word(&mut self, word: &str) {
        if word.bytes().all(|b| b.is_ascii_digit()) {
            for part in read_digits(word, self.accent).split(' ') {
                self.words.push((part.to_owned(), part.to_owned()));
            }
        } else if spoken(word) != "số" || !self.ends_with_so() {
            self.words.push((spoken(word), word.to_owned()));
        }
    }

    fn ends_with_so(&self) -> bool {
        self.words.last().is_some_and(|(word, _)| word == "số")
    }

    fn clause(&mut self, mark: char) {
        self.phrase(CLAUSE_PAUSE);
        self.pause = self.pause.max(CLAUSE_PAUSE);
        if !self.text.is_empty() && !self.text.ends_with(|c: char| c.is_ascii_punctuation()) {
            self.text.push(mark);
        }
    }

    fn chime(&mut self) {
        self.phrase(PHRASE_PAUSE);
        self.steps.push(Step::Chime);
        self.pause = PHRASE_PAUSE;
    }

    /// Ends the phrase in progress, if any; `after` is the least silence that follows it.
    fn phrase(&mut self, after: Millis) {
        let words = std::mem::take(&mut self.words);
        let role = std::mem::replace(&mut self.role, Role::Words);
        if words.is_empty() {
            return;
        }
        if !self.steps.is_empty() && self.pause > Millis::ZERO {
            self.steps.push(Step::Pause(self.pause));
        }
        let join = |pick: fn(&(String, String)) -> &str| words.iter().map(pick).collect::<Vec<_>>().join(" ");
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&join(|(_, written)| written));
        self.steps.push(Step::Phrase(Phrase { words: join(|(spoken, _)| spoken), role }));
        self.pause = after;
    }

    /// The letters end the phrase before them; each group of digits is a phrase of its own.
    fn ticket(&mut self, units: &[Unit]) {
        for (index, unit) in units.iter().enumerate() {
            match unit {
                Unit::Letters { shown, spoken } => {
                    if index > 0 {
                        self.phrase(LETTER_PAUSE);
                    }
                    self.words.push((spoken.clone(), shown.clone()));
                    self.role = Role::Ticket;
                    self.phrase(LETTER_PAUSE);
                }
                Unit::Digits(digits) => {
                    self.phrase(PHRASE_PAUSE);
                    self.words.push((digits.clone(), digits.clone()));
                    self.role = Role::Ticket;
                    self.phrase(PHRASE_PAUSE);
                }
            }
        }
    }

    fn lane(&mut self, lane: &str) {
        self.phrase(PHRASE_PAUSE);
        self.words.push((spoken(lane), lane.to_owned()));
        self.role = Role::Lane;
        self.phrase(PHRASE_PAUSE);
    }

    fn noun(&mut self, noun: &str) {
        for word in noun.split_whitespace() {
            let word = spoken(word);
            self.words.push((word.clone(), word));
        }
        self.role = Role::Counter;
    }

    fn counter(&mut self, id: &str) {
        match read_counter(id, self.accent) {
            Some(CounterName::Numbered(name)) => self.words.extend(name),
            Some(CounterName::Named(name)) => {
                if self.ends_with_so() {
                    self.words.pop();
                }
                self.words.extend(name);
            }
            None => {
                self.unread = Some(format!("counter {id}"));
                let look = look_at_the_board(self.accent);
                self.words = vec![(look.to_owned(), look.to_owned())];
            }
        }
        self.role = Role::Counter;
    }

    fn finish(mut self) -> Sentence {
        self.phrase(Millis::ZERO);
        if !self.text.is_empty() && !self.text.ends_with(|c: char| c.is_ascii_punctuation()) {
            self.text.push('.');
        }
        Sentence { steps: self.steps, text: self.text, unread: self.unread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Env;

    fn wording(config: &str) -> Wording {
        Wording::new(&Config::read(config, Env::new()).unwrap(), Accent::North).unwrap()
    }

    fn call(wording: &Wording, ticket: &str, counter: &str, lanes: &[Lane], form: Form) -> Sentence {
        let (ticket, counter) = (Ticket::parse(ticket).unwrap(), Counter::parse(counter).unwrap());
        wording.call(&ticket, &counter, Kind::Call, lanes, None, form)
    }

    fn steps(sentence: &Sentence) -> String {
        let step = |s: &Step| match s {
            Step::Chime => "*".to_owned(),
            Step::Pause(p) => p.0.to_string(),
            Step::Phrase(p) => format!("[{}]", p.words),
        };
        sentence.steps.iter().map(step).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_default_sentence_breathes_where_it_should() {
        let said = call(&wording(""), "A012", "05", &[Lane::Regular], Form::Full);
        assert_eq!(said.text, "Mời công dân có số thứ tự A không một hai, đến quầy số năm.");
        assert_eq!(
            steps(&said),
            "* 150 [mời công dân có số thứ tự a] 130 [không một hai] 200 [đến quầy số năm]"
        );
    }

    #[test]
    fn lanes_are_phrases_of_their_own() {
        let said = call(&wording(""), "1005", "21", &[Lane::Elderly, Lane::Booked, Lane::Merit], Form::Full);
        assert_eq!(
            steps(&said),
            "* 150 [mời công dân có số thứ tự] 150 [một nghìn không trăm linh năm] 200 [người cao tuổi] 150 \
             [người có công] 150 [đến quầy số hai mươi mốt]"
        );
    }

    #[test]
    fn the_short_form_is_the_number_and_the_place() {
        let said = call(&wording(""), "A012", "5", &[Lane::Elderly], Form::Short);
        assert_eq!(said.text, "Số A không một hai, quầy năm.");
        assert_eq!(steps(&said), "* 150 [số a] 130 [không một hai] 200 [quầy năm]");
    }

    #[test]
    fn a_recall_says_so_after_the_chime() {
        let (ticket, counter) = (Ticket::parse("A1").unwrap(), Counter::parse("5").unwrap());
        let said = wording("").call(&ticket, &counter, Kind::Recall, &[], None, Form::Full);
        assert_eq!(said.text, "Nhắc lại: Mời công dân có số thứ tự A một, đến quầy số năm.");
        assert!(steps(&said).starts_with("* 150 [nhắc lại] 200 [mời công dân có số thứ tự a]"));
    }

    #[test]
    fn a_named_counter_uses_its_own_noun_and_name() {
        let hall = wording(
            "[[counter]]\nid = \"A\"\nnoun = \"Bàn\"\n[[counter]]\nid = \"2\"\nnoun = \"Cửa số\"\n\
             [[counter]]\nid = \"3B\"\nnoun = \"Phòng\"\n[[counter]]\nid = \"Trả kết quả\"\nnoun = \"Phòng\"\n",
        );
        let place = |id| call(&hall, "A1", id, &[], Form::Full).text.split(", ").last().unwrap().to_owned();
        assert_eq!(place("A"), "đến bàn A.");
        assert_eq!(place("2"), "đến cửa số hai.");
        assert_eq!(place("3B"), "đến phòng số ba B.");
        assert_eq!(place("Trả kết quả"), "đến phòng Trả kết quả.");
        assert_eq!(place("#1"), "mời công dân xem bảng.");
        assert_eq!(call(&hall, "A1", "#1", &[], Form::Full).unread.as_deref(), Some("counter #1"));
        assert_eq!(call(&hall, "A1", "2", &[], Form::Full).unread, None);
    }

    #[test]
    fn an_unreadable_ticket_asks_to_look() {
        let said = call(&wording(""), "A#1", "5", &[], Form::Full);
        assert_eq!(said.text, "Mời công dân xem bảng.");
        assert_eq!(steps(&said), "* 150 [mời công dân xem bảng]");
        assert_eq!(said.unread.as_deref(), Some("ticket A#1"));
    }

    #[test]
    fn a_notice_is_spoken_clause_by_clause() {
        let said = wording("").notice("Quầy 4 tạm dừng – mời chờ");
        assert_eq!(steps(&said), "* 150 [quầy bốn tạm dừng] 200 [mời chờ]");
        assert_eq!(said.text, "Quầy bốn tạm dừng, mời chờ.");
    }

    #[test]
    fn no_digit_and_no_sign_of_a_notice_is_lost() {
        let text = |notice| wording("").notice(notice).text;
        assert_eq!(text("Gọi 0912345678"), "Gọi không chín một hai ba bốn năm sáu bảy tám.");
        assert_eq!(text("Tháng 05, 0 đồng"), "Tháng không năm, không đồng.");
        assert_eq!(text("Mã 12345678901"), "Mã một hai ba bốn năm sáu bảy tám chín không một.");
        assert_eq!(text("Giảm 50% (lệ phí)!"), "Giảm năm mươi % lệ phí!");
        assert_eq!(place_of("+5"), "mời công dân xem bảng.");
    }

    fn place_of(counter: &str) -> String {
        call(&wording(""), "A1", counter, &[], Form::Full).text.split(", ").last().unwrap().to_owned()
    }
}
