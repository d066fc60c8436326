//! What the board says, in the hall's Vietnamese and as an English second line.

use jiff::civil::{Date, Time, Weekday};

use crate::board::call::{Kind, Lane};
use crate::board::view::{ClosedReason, Opening};
use crate::scene::Shape;

/// `09:41`.
pub fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

pub fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Thứ Hai",
        Weekday::Tuesday => "Thứ Ba",
        Weekday::Wednesday => "Thứ Tư",
        Weekday::Thursday => "Thứ Năm",
        Weekday::Friday => "Thứ Sáu",
        Weekday::Saturday => "Thứ Bảy",
        Weekday::Sunday => "Chủ Nhật",
    }
}

/// `Thứ Ba, 24/11/2026`.
pub fn date(date: Date) -> String {
    format!("{}, {:02}/{:02}/{}", weekday(date.weekday()), date.day(), date.month(), date.year())
}

/// The head of a call.
pub fn invitation(kind: Kind) -> &'static str {
    match kind {
        Kind::Recall => "Nhắc lại",
        Kind::Transfer => "Chuyển quầy",
        _ => "Mời số",
    }
}

pub fn invitation_en(kind: Kind) -> &'static str {
    match kind {
        Kind::Recall => "Called again",
        Kind::Transfer => "Moved to",
        _ => "Now calling",
    }
}

/// Chip of a lane; none for those who wait in the ordinary line.
pub fn lane(lane: Lane) -> Option<(&'static str, Shape)> {
    match lane {
        Lane::Regular => None,
        Lane::Booked => Some(("Đặt lịch", Shape::Clock)),
        Lane::Owner => Some(("Chính chủ", Shape::Person)),
        Lane::Authorised => Some(("Ủy quyền", Shape::Paper)),
        Lane::Elderly => Some(("Người cao tuổi", Shape::Elderly)),
        Lane::Merit => Some(("Người có công", Shape::Medal)),
        Lane::Disabled => Some(("Người khuyết tật", Shape::Wheelchair)),
        Lane::Pregnant => Some(("Phụ nữ mang thai", Shape::Pregnant)),
        Lane::Child => Some(("Trẻ em", Shape::Child)),
    }
}

/// The same where there is little room.
pub fn lane_in_short(lane: Lane) -> Option<&'static str> {
    match lane {
        Lane::Elderly => Some("Cao tuổi"),
        Lane::Merit => Some("Có công"),
        Lane::Disabled => Some("Khuyết tật"),
        Lane::Pregnant => Some("Mang thai"),
        Lane::Regular | Lane::Booked | Lane::Owner | Lane::Authorised | Lane::Child => None,
    }
}

/// That the clock on the board and the queue system's differ by so many seconds, in full and in short; none while they
/// agree. Whose clock is wrong is not known here.
pub fn skew(seconds: i64) -> Option<(String, String)> {
    let by = match seconds.unsigned_abs() {
        0 => return None,
        s @ 1..120 => format!("{s} giây"),
        s @ 120..7200 => format!("{} phút", s / 60),
        s => format!("{} giờ", s / 3600),
    };
    Some((format!("Đồng hồ lệch {by}"), format!("Lệch {by}")))
}

pub fn noun_en(noun: &str) -> &'static str {
    match noun {
        "Phòng" => "Room",
        "Bàn" => "Desk",
        "Cửa" => "Window",
        _ => "Counter",
    }
}

/// The large line of the closed screen, and a second one in English. `over_noon`: a break is the lunch break.
pub fn opening(reason: ClosedReason, opens: Option<Opening>, over_noon: bool) -> (String, String) {
    let Some(Opening { date, time, in_days }) = opens else {
        return ("Hôm nay không tiếp công dân".to_owned(), "Closed".to_owned());
    };
    let at = clock(time);
    match (reason, in_days) {
        (ClosedReason::Break, 0) if over_noon => {
            (format!("Nghỉ trưa – mở lại lúc {at}"), format!("Lunch break – open again at {at}"))
        }
        (ClosedReason::Break, 0) => {
            (format!("Tạm nghỉ – mở lại lúc {at}"), format!("Break – open again at {at}"))
        }
        (_, 0) => (format!("Mở cửa lúc {at}"), format!("Opens at {at}")),
        (_, 1) => (format!("Mở cửa lúc {at} ngày mai"), format!("Opens at {at} tomorrow")),
        (_, days) => {
            let day = weekday(date.weekday());
            let (d, m) = (date.day(), date.month());
            let vi = match days {
                2..=6 => format!("Mở cửa lúc {at} {day}"),
                _ => format!("Mở cửa lúc {at} {day}, {d:02}/{m:02}"),
            };
            (vi, format!("Opens at {at} on {}", date.strftime("%A, %-d %B")))
        }
    }
}

/// Why the hall is closed, above the large line.
pub fn reason(reason: ClosedReason) -> Option<&'static str> {
    match reason {
        ClosedReason::BeforeHours | ClosedReason::Break => None,
        ClosedReason::AfterHours => Some("Đã hết giờ tiếp nhận hôm nay"),
        ClosedReason::DayOff => Some("Hôm nay là ngày nghỉ"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opening_is_said_as_people_say_it() {
        let opening_in = |in_days, day| {
            Some(Opening { date: Date::constant(2026, 11, day), time: Time::constant(7, 30, 0, 0), in_days })
        };
        let say = |reason, opens| opening(reason, opens, true).0;
        assert_eq!(say(ClosedReason::BeforeHours, opening_in(0, 24)), "Mở cửa lúc 07:30");
        assert_eq!(say(ClosedReason::Break, opening_in(0, 24)), "Nghỉ trưa – mở lại lúc 07:30");
        assert_eq!(say(ClosedReason::AfterHours, opening_in(1, 25)), "Mở cửa lúc 07:30 ngày mai");
        assert_eq!(say(ClosedReason::AfterHours, opening_in(3, 30)), "Mở cửa lúc 07:30 Thứ Hai");
        assert_eq!(say(ClosedReason::DayOff, opening_in(9, 3)), "Mở cửa lúc 07:30 Thứ Ba, 03/11");
        assert_eq!(say(ClosedReason::DayOff, None), "Hôm nay không tiếp công dân");
    }

    #[test]
    fn the_date_names_the_day() {
        assert_eq!(date(Date::constant(2026, 11, 24)), "Thứ Ba, 24/11/2026");
    }
}
