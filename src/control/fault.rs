//! What a client is told when a request is not carried out: a code for programs, a Vietnamese sentence for people.

use serde_json::{Value, json};

use crate::board::input::IgnoreReason;
use crate::wire::{Reason, Rejection};

/// Codes of the protocol; programs may rely on them.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Not JSON, no `req`, or no `type`.
    Malformed,
    UnknownType,
    /// Known to the protocol and not to this version.
    Unsupported,
    /// Not signed in, or the token does not hold.
    Unauthorised,
    /// Signed in, and not allowed to do this.
    Forbidden,
    /// A field does not fit.
    Invalid,
    NotFound,
    /// A newer state is known.
    Stale,
    /// More live notices than the hall can show.
    TooMany,
    /// Slow down.
    Busy,
    /// The daemon is stopping.
    Stopping,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown-type",
            Self::Unsupported => "unsupported",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::NotFound => "not-found",
            Self::Stale => "stale",
            Self::TooMany => "too-many",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
        }
    }
}

/// A request that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: Code,
    pub message: String,
    /// The field that the form should mark.
    pub field: Option<String>,
}

impl Fault {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { code: Code::Invalid, message: message.into(), field: Some(field.to_owned()) }
    }

    pub fn malformed(message: &str) -> Self {
        Self::new(Code::Malformed, message)
    }

    pub fn unauthorised() -> Self {
        Self::new(Code::Unauthorised, "Mã truy cập không đúng hoặc đã bị thu hồi.")
    }

    pub fn too_many_attempts() -> Self {
        Self::new(Code::Busy, "Đăng nhập sai quá nhiều lần. Hãy thử lại sau một phút.")
    }

    pub fn not_signed_in() -> Self {
        Self::new(Code::Unauthorised, "Cần đăng nhập bằng mã truy cập trước.")
    }

    pub fn no_link() -> Self {
        Self::new(Code::Busy, "Đang mất kết nối với máy chủ MQTT, lệnh chưa được gửi.")
    }

    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Mã truy cập này không có quyền làm việc này.")
    }

    pub fn stopping() -> Self {
        Self::new(Code::Stopping, "Hệ thống đang dừng, yêu cầu chưa được thực hiện.")
    }

    pub fn full() -> Self {
        Self::new(Code::Busy, "Đã có quá nhiều người đăng nhập cùng lúc.")
    }

    pub fn busy() -> Self {
        Self::new(Code::Busy, "Gửi quá nhanh, hãy đợi giây lát rồi thử lại.")
    }

    pub fn no_voice() -> Self {
        Self::new(Code::Unsupported, "Máy này không có giọng đọc để nghe thử.")
    }

    /// Why the board did not take it; `None` for a duplicate, which means that it is already done.
    pub fn ignored(reason: IgnoreReason) -> Option<Self> {
        match reason {
            IgnoreReason::Duplicate => None,
            IgnoreReason::Stale => Some(Self::new(Code::Stale, "Đã có thông tin mới hơn, hãy xem lại.")),
            IgnoreReason::TooMany => {
                Some(Self::new(Code::TooMany, "Đã có quá nhiều mục, hãy kết thúc bớt rồi thử lại."))
            }
        }
    }

    /// What does not fit the wire contract, in the words of the form.
    pub fn rejected(rejection: &Rejection) -> Self {
        let field = match rejection.field.as_deref() {
            // The text of a notice is one object on the wire and one box in the form.
            Some("text.vi") => "text",
            Some("topic") => "id",
            Some(field) => field,
            None => return Self::new(Code::Invalid, "Nội dung gửi lên không hợp lệ."),
        };
        Self::invalid(field, sentence(field, rejection))
    }

    /// `{"code","message","field"?}`.
    pub fn to_value(&self) -> Value {
        let mut out = json!({ "code": self.code.as_str(), "message": self.message });
        if let Some(field) = &self.field {
            out["field"] = Value::from(field.as_str());
        }
        out
    }
}

/// The name of a field in the form; the field itself where the form has none.
fn label(field: &str) -> &str {
    match field {
        "ticket" => "Số thứ tự",
        "counter" => "Quầy",
        "series" => "Lĩnh vực",
        "lane" => "Đối tượng",
        "kind" => "Loại yêu cầu",
        "text" => "Nội dung",
        "text.en" => "Nội dung tiếng Anh",
        "level" => "Mức độ",
        "from" => "Giờ bắt đầu",
        "until" => "Giờ kết thúc",
        "zones" => "Khu",
        "slot" => "Giờ hẹn",
        "recording" => "Bản ghi âm",
        other => other,
    }
}

fn sentence(field: &str, rejection: &Rejection) -> String {
    let label = label(field);
    match rejection.reason {
        Reason::Missing | Reason::Empty => format!("Chưa nhập {}.", lower_first(label)),
        Reason::TooLong => format!("{label} dài quá mức cho phép."),
        Reason::Control => format!("{label} có ký tự ẩn hoặc ký tự điều khiển, hãy gõ lại."),
        Reason::Unknown => format!("{label} không có trong danh sách."),
        Reason::BadTime => format!("{label} không phải là thời điểm hợp lệ."),
        Reason::OutOfRange => format!("{label} nằm ngoài giới hạn."),
        _ => format!("{label} không hợp lệ."),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
